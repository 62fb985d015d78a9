//! The life of a run: steps, messages, state machine, ledger; and the traits that the outside world implements. No Azure here.

pub mod audit;
pub mod catalog;
pub mod changes;
pub mod conformance;
mod context;
mod cpu;
pub mod delta;
mod digest;
mod error;
pub mod exclusions;
pub mod fanin;
pub mod grant;
pub mod harness;
mod held;
mod id;
pub mod idempotency;
pub mod integrity;
pub mod lake;
pub mod layout;
pub mod ledger;
pub mod manifest;
pub mod memory;
mod message;
pub mod page;
mod parquet_footer;
pub mod pipelines;
pub mod plans;
pub mod publication;
pub mod raw;
pub mod receipt;
pub mod rejected;
pub mod review;
pub mod reviews;
pub mod revision;
pub mod rows;
pub mod run;
pub mod runs;
pub mod segments;
pub mod steps;
pub mod submissions;
pub mod summary;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod writer;

pub use catalog::{Catalog, Committed, Document, DocumentPage, Query, Write};
pub use context::{Clock, Context, SecretStore, Sizes, SystemClock, rfc3339};
pub use cpu::Places;
pub use error::{Error, Kind, Result};
pub use id::{RunId, SubmissionId};
pub use lake::{BlobInfo, BlobPage, BlobPath, Created, ETag, Lake};
pub use message::{FAN_OUT, Message, Outputs, Step};
