//! The life of a run: steps, messages, state machine, ledger; and the traits that the outside world implements. No Azure here.

pub mod audit;
pub mod catalog;
pub mod conformance;
mod context;
pub mod delta;
mod error;
pub mod fanin;
pub mod grant;
mod id;
pub mod integrity;
pub mod lake;
pub mod memory;
mod message;
pub mod pipelines;
pub mod plans;
pub mod review;
pub mod run;
pub mod steps;

pub use catalog::{Catalog, Committed, Document, DocumentPage, Query, Write};
pub use context::{Clock, Context, SecretStore, Sizes, SystemClock, rfc3339};
pub use error::{Error, Kind, Result};
pub use id::{RunId, SubmissionId};
pub use lake::{BlobInfo, BlobPage, BlobPath, Created, ETag, Lake};
pub use message::{FAN_OUT, Message, Outputs, Step};
