//! Doubles of the outside world, in memory, with the full semantics of the traits (held by [`crate::conformance`]) and with faults on demand.

mod catalog;
mod clock;
mod faults;
mod lake;
mod secrets;

pub use catalog::MemoryCatalog;
pub use clock::ManualClock;
pub use faults::{Fault, Faults, When};
pub use lake::{MemoryLake, StoredBlob};
pub use secrets::MemorySecrets;
