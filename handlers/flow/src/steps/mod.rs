//! The steps of a run (DESIGN table "Life of a file"): one file and one free function `run(context, message)` each.

mod begin;
mod end;
#[path = "move.rs"]
pub mod move_;
mod resume;

pub(crate) use begin::{Begin, begin};
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
        other => Err(crate::Error::bug("M0001", format!("step {other} is not wired"))),
    };
    match done {
        Ok(outputs) => Ok(outputs),
        Err(error) => end_with(context, &run, step, error).await,
    }
}
