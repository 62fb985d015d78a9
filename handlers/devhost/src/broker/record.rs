//! What the broker's journal holds: one line a change.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::queue::Message;

/// One change. Locks and their ends are not written: after a restart every message is free, with its count.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "r", rename_all = "camelCase")]
pub(crate) enum Record<'a> {
    /// A message came in (or was there when the file was folded).
    Enqueue {
        q: Cow<'a, str>,
        n: u64,
        id: Cow<'a, str>,
        /// Milliseconds since 1970, UTC.
        at: i64,
        body: Cow<'a, str>,
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        props: Map<String, Value>,
        #[serde(default, skip_serializing_if = "is_zero")]
        deliveries: u32,
    },
    /// A message was locked by a receiver.
    Deliver { q: Cow<'a, str>, n: u64 },
    /// A message was completed.
    Complete { q: Cow<'a, str>, n: u64 },
    /// A message moved to the dead-letter queue, as number `to`.
    Dead { q: Cow<'a, str>, n: u64, to: u64, reason: Cow<'a, str>, description: Cow<'a, str> },
    /// A dead letter moved back to its queue `q`, as number `to`.
    Resend { q: Cow<'a, str>, n: u64, to: u64 },
    /// The highest number given out, so that numbers never come twice.
    Numbers { q: Cow<'a, str>, last: u64 },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl<'a> Record<'a> {
    pub(crate) fn enqueue(queue: &'a str, message: &'a Message, deliveries: u32) -> Self {
        Self::Enqueue {
            q: queue.into(),
            n: message.sequence,
            id: message.id.as_str().into(),
            at: message.enqueued.timestamp_millis(),
            body: message.body.as_str().into(),
            props: message.properties.clone(),
            deliveries,
        }
    }
}
