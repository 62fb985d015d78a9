//! The steps of a run (DESIGN table "Life of a file"): one file and one free function `run(context, message)` each.

pub mod admit;
pub mod archive;
mod begin;
mod cases;
pub mod dead_letter;
pub mod decisions;
mod end;
pub mod gather;
#[path = "move.rs"]
pub mod move_;
pub mod publish;
mod resume;
pub mod reviews;
pub mod seal;
pub mod sweep;
pub mod transform;

pub(crate) use begin::{Begin, begin};
pub(crate) use end::void_cases;
pub use end::{end, end_with, failure};
pub use resume::messages;

use crate::{Context, Message, Outputs, Result, Step};

/// Does what a message asks for and returns the messages to send, once everything is durable. A fault of the data rejects the run and a fault
/// that will not heal fails it: both complete the message.
///
/// # Errors
/// [`crate::Kind::Transient`] and [`crate::Kind::Bug`]: the invocation fails and the message returns.
pub async fn dispatch(context: &Context, message: Message) -> Result<Outputs> {
    if let Some(parts) = message.split() {
        return Ok(Outputs(parts));
    }
    let (run, step) = (message.run.clone(), message.step);
    let done = match step {
        Step::Move => move_::run(context, message).await,
        Step::Seal => seal::run(context, message).await,
        Step::Transform => transform::run(context, message).await,
        Step::Gather => gather::run(context, message).await,
        Step::Reviews => reviews::run(context, message).await,
        Step::Decisions => decisions::run(context, message).await,
        Step::Publish => publish::run(context, message).await,
        Step::Archive => archive::run(context, message).await,
    };
    match done {
        Ok(outputs) => Ok(outputs),
        Err(error) => end_with(context, &run, step, error).await,
    }
}
