//! Invocations as the Functions host posts them: decoded, carried out, answered. What cannot be understood fails, so that its
//! message returns and is dead-lettered in the end (invariant 10).

pub mod envelope;
pub mod http;
mod invoke;
pub mod reply;

pub use envelope::{DecodeError, Envelope};
pub use invoke::{Failure, invoke};
