//! Messages between steps carry ids only. A message is `{"sluice": {...}}`: nested, since the Functions host copies top-level
//! fields of a JSON body over the binding metadata (azure-functions-host, Utility.ApplyBindingData).

use std::{fmt, ops::RangeInclusive, str::FromStr};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, Result, RunId};

/// The steps that are reached through a queue. The queue's name is the step's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// Copies one segment.
    Move,
    /// Commits the raw copy and plans chunks.
    Seal,
    /// Transforms one chunk.
    Transform,
    /// Whole-run checks.
    Gather,
    /// Opens review cases.
    Reviews,
    /// Applies decisions.
    Decisions,
    /// Commits to the table.
    Publish,
    /// Manifest and receipt.
    Archive,
}

impl Step {
    /// All steps, in the order of a run.
    pub const ALL: [Self; 8] =
        [Self::Move, Self::Seal, Self::Transform, Self::Gather, Self::Reviews, Self::Decisions, Self::Publish, Self::Archive];

    /// Name of the step and of its queue.
    pub fn name(self) -> &'static str {
        match self {
            Self::Move => "move",
            Self::Seal => "seal",
            Self::Transform => "transform",
            Self::Gather => "gather",
            Self::Reviews => "reviews",
            Self::Decisions => "decisions",
            Self::Publish => "publish",
            Self::Archive => "archive",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Step {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name).ok_or_else(|| Error::bug("M0001", format!("no step is named {name:?}")))
    }
}

/// What one message asks for: parts `first..=last` of a step of a run. A span of more than one part is split by the step that
/// receives it into at most [`FAN_OUT`] spans, so that no invocation sends more messages than that.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// The run.
    pub run: RunId,
    /// The step that shall receive it.
    pub step: Step,
    /// First part (segment, chunk, case; 0 where a step has one part).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub first: u32,
    /// Last part, included.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub last: u32,
    /// Which pass over the parts this is: a transform is repeated under generation 1 when run-wide checks excluded rows.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub generation: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// Most messages one invocation sends.
pub const FAN_OUT: u32 = 64;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    sluice: Message,
}

impl Message {
    /// A message for a step with a single part.
    pub fn new(run: &RunId, step: Step) -> Self {
        Self::span(run, step, 0..=0, 0)
    }

    /// A message for a span of parts.
    pub fn span(run: &RunId, step: Step, parts: RangeInclusive<u32>, generation: u32) -> Self {
        Self { run: run.clone(), step, first: *parts.start(), last: *parts.end(), generation }
    }

    /// The same step over smaller spans: at most [`FAN_OUT`], none empty, together exactly this span; `None` if it is one part.
    pub fn split(&self) -> Option<Vec<Self>> {
        let count = self.last - self.first + 1;
        if count == 1 {
            return None;
        }
        let size = count.div_ceil(FAN_OUT.min(count));
        let spans = (self.first..=self.last).step_by(size as usize);
        Some(spans.map(|first| Self { first, last: (first + (size - 1)).min(self.last), ..self.clone() }).collect())
    }

    /// The JSON that goes on the queue.
    pub fn to_json(&self) -> Value {
        serde_json::json!({ "sluice": self })
    }

    /// Reads what came from a queue.
    ///
    /// # Errors
    /// [`crate::Kind::Bug`] `M0002` if it is not one of ours: the message must fail and reach the dead-letter queue.
    pub fn from_json(text: &str) -> Result<Self> {
        let message = serde_json::from_str::<Envelope>(text)
            .map_err(|e| Error::bug("M0002", "the message is not {\"sluice\": {run, step, ...}}").because(e))?
            .sluice;
        if message.first > message.last {
            return Err(Error::bug("M0003", format!("the message's parts {}..={} are empty", message.first, message.last)));
        }
        Ok(message)
    }
}

/// What a step returns once its effects are durable: messages to send.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outputs(pub Vec<Message>);

impl Outputs {
    /// Nothing to send.
    pub fn none() -> Self {
        Self::default()
    }

    /// One message.
    pub fn one(message: Message) -> Self {
        Self(vec![message])
    }
}
