//! A message that no attempt could work through. Its run shows what failed and why, until an operator resumes it.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    Context, Message, Result, Write,
    audit::{self, Actor, Change},
    catalog::body,
    run::Failure,
};

/// Partition of messages that could not be understood.
pub const PARTITION: &str = "deadletters";
/// Most characters of a reason or description that are kept.
const TEXT_CHARS: usize = 500;

/// A dead letter; document `deadletter:<hash>`, kind `deadLetter`, in the run's partition or, if no run is named, in [`PARTITION`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Queue it was in.
    pub queue: String,
    /// BLAKE3 of its text, hex. The text of a message that could not be understood is not kept: nobody knows what is in it.
    pub hash: String,
    /// Bytes of its text.
    pub bytes: u64,
    /// Dead-letter reason that Service Bus gives.
    pub reason: String,
    /// Dead-letter description that Service Bus gives.
    pub description: String,
    /// RFC 3339.
    pub at: String,
    /// The message, if it could be understood.
    pub message: Option<Message>,
}

/// Records a dead letter.
///
/// # Errors
/// Those of the catalog.
pub async fn run(context: &Context, queue: &str, text: &str, reason: &str, description: &str) -> Result<()> {
    let message = Message::from_json(text).ok();
    let hash = blake3::hash(text.as_bytes()).to_hex().to_string();
    let letter = DeadLetter {
        queue: shortened(queue),
        hash,
        bytes: text.len() as u64,
        reason: shortened(reason),
        description: shortened(description),
        at: context.now(),
        message,
    };
    let id = format!("deadletter:{}", &letter.hash[..32]);
    let write = Write::Put { id, kind: "deadLetter", body: body(&letter)? };
    let known = match &letter.message {
        Some(message) => context.catalog.get(&message.run.partition(), crate::run::RUN_DOCUMENT).await?.is_some(),
        None => false,
    };
    let Some(message) = letter.message.as_ref().filter(|_| known) else {
        context.catalog.commit(PARTITION, vec![write]).await?;
        tracing::error!(queue = letter.queue, hash = letter.hash, bytes = letter.bytes, "a message without a run was dead-lettered");
        return Ok(());
    };
    tracing::error!(run = %message.run, step = %message.step, reason = letter.reason, "a message was dead-lettered");
    audit::update(context, &message.run, |run| {
        let failure = Failure {
            code: letter.reason.clone(),
            message: letter.description.clone(),
            step: message.step.name().to_owned(),
            line: None,
            offset: None,
        };
        // A late letter of a step that the run has left behind is noted, but does not hold the run.
        let stuck = run.current_step() == Some(message.step);
        if stuck && run.dead_letter.as_ref() == Some(&failure) {
            return Ok(None);
        }
        if stuck {
            run.dead_letter = Some(failure);
        }
        let detail =
            json!({ "step": message.step, "first": message.first, "last": message.last, "reason": letter.reason, "hash": letter.hash });
        Ok(Some(Change { actor: Actor::step("dead-letter"), action: "message.deadLettered", detail, writes: vec![write.clone()] }))
    })
    .await?;
    Ok(())
}

fn shortened(text: &str) -> String {
    text.chars().take(TEXT_CHARS).collect()
}
