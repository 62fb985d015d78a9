//! Service Bus queues: peek-lock, redelivery, dead letters, kept on disk.
//!
//! Every change is a line in `queues.journal`, and a send is answered once its line is written, so what was sent
//! survives `kill -9`. Locks do not: after a restart every message is free again, its delivery count kept.

mod listener;
mod queue;
mod record;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use azure_core::Uuid;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::sync::Notify;
use tokio::time::Instant;

pub(crate) use listener::Listener;
pub(crate) use queue::Message;

use crate::clock::Clock;
use crate::config::QueueConfig;
use crate::error::StartError;
use crate::journal::Journal;
use queue::{Queue, Released};
use record::Record;

/// Suffix of a queue's dead-letter queue, lower case.
const DEAD_LETTER_SUFFIX: &str = "/$deadletterqueue";

/// Largest body in bytes: the limit of the Standard tier.
pub const MAX_MESSAGE_BYTES: usize = 256 * 1024;

/// Reason and description of a message that was delivered too often, as Service Bus words them.
const MAX_DELIVERY_REASON: &str = "MaxDeliveryCountExceeded";

/// How many messages a queue holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueStatus {
    /// Name of the queue, lower case as Service Bus compares names.
    pub name: String,
    /// Messages that wait.
    pub active: usize,
    /// Messages that are being worked on.
    pub locked: usize,
    /// Messages in the dead-letter queue, waiting or locked.
    pub dead_letters: usize,
}

/// A message as `peek` shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PeekedMessage {
    /// Number within the queue.
    pub sequence_number: u64,
    /// Message id.
    pub message_id: String,
    /// Body text.
    pub body: String,
    /// When it was sent.
    pub enqueued_time: DateTime<Utc>,
    /// Deliveries so far.
    pub delivery_count: u32,
    /// Application properties, `DeadLetterReason` among them.
    pub application_properties: Map<String, Value>,
}

/// Why the broker refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QueueError {
    /// No binding names the queue.
    #[error("queue \"{0}\" does not exist; a queue exists if a function.json names it")]
    Unknown(String),
    /// The body is over [`MAX_MESSAGE_BYTES`].
    #[error("message of {0} bytes is over the limit of {MAX_MESSAGE_BYTES} bytes")]
    TooLarge(usize),
    /// The lock ran out before the message was settled.
    #[error("the message lock ran out; the message may be delivered again")]
    LockLost,
    /// The journal cannot be written.
    #[error("the queue journal cannot be written (disk full?); see the log")]
    Journal,
}

/// A message under lock.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) queue: Arc<str>,
    pub(crate) token: Uuid,
    pub(crate) message: Arc<Message>,
    /// Deliveries of the message so far, this one included.
    pub(crate) count: u32,
    pub(crate) locked_until: DateTime<Utc>,
}

#[derive(Debug, Default)]
struct Entry {
    queue: Queue,
    dead: Queue,
    last_number: u64,
    last_dead_number: u64,
    arrived: Arc<Notify>,
    dead_arrived: Arc<Notify>,
}

/// All queues of the app.
#[derive(Debug)]
pub(crate) struct Broker {
    queues: Mutex<BTreeMap<String, Entry>>,
    journal: Journal,
    config: QueueConfig,
    clock: Clock,
}

/// Name of a queue or of its dead-letter queue.
struct Address {
    name: String,
    dead: bool,
}

impl Address {
    fn parse(text: &str) -> Self {
        let lower = text.trim_matches('/').to_ascii_lowercase();
        match lower.strip_suffix(DEAD_LETTER_SUFFIX) {
            Some(name) => Self { name: name.to_owned(), dead: true },
            None => Self { name: lower, dead: false },
        }
    }
}

impl Broker {
    /// Opens the journal, folds it, and makes sure that `names` exist.
    pub(crate) fn open<'a>(
        state_dir: &Path,
        config: QueueConfig,
        clock: Clock,
        names: impl Iterator<Item = &'a str>,
    ) -> Result<Self, StartError> {
        let path = state_dir.join("queues.journal");
        let mut queues: BTreeMap<String, Entry> = BTreeMap::new();
        Journal::replay(&path, |record: Record<'static>| apply(&mut queues, record))?;
        for name in names {
            queues.entry(Address::parse(name).name).or_default();
        }
        let dead_names: BTreeMap<&str, String> = queues.keys().map(|name| (name.as_str(), format!("{name}{DEAD_LETTER_SUFFIX}"))).collect();
        let records = queues.iter().flat_map(|(name, entry)| {
            let dead_name = dead_names[name.as_str()].as_str();
            let numbers = [
                Record::Numbers { q: name.into(), last: entry.last_number },
                Record::Numbers { q: dead_name.into(), last: entry.last_dead_number },
            ];
            let live = entry.queue.active().map(move |(message, count)| Record::enqueue(name, message, count));
            let dead = entry.dead.active().map(move |(message, count)| Record::enqueue(dead_name, message, count));
            numbers.into_iter().chain(live).chain(dead)
        });
        let journal = Journal::rewrite(&path, records)?;
        let broker = Self { queues: Mutex::new(queues), journal, config, clock };
        broker.bury_exhausted();
        Ok(broker)
    }

    /// Sends texts to a queue, in order; resolves once they are safe. Answers their message ids.
    pub(crate) async fn send(&self, queue: &str, bodies: Vec<String>) -> Result<Vec<String>, QueueError> {
        if let Some(body) = bodies.iter().find(|body| body.len() > MAX_MESSAGE_BYTES) {
            return Err(QueueError::TooLarge(body.len()));
        }
        let address = Address::parse(queue);
        if address.dead {
            return Err(QueueError::Unknown(queue.to_owned()));
        }
        let mut ids = Vec::with_capacity(bodies.len());
        let written = {
            let mut queues = self.lock();
            let entry = queues.get_mut(&address.name).ok_or_else(|| QueueError::Unknown(queue.to_owned()))?;
            for body in bodies {
                entry.last_number += 1;
                let message = Message {
                    sequence: entry.last_number,
                    id: Uuid::new_v4().simple().to_string(),
                    body,
                    enqueued: Utc::now(),
                    properties: Map::new(),
                };
                ids.push(message.id.clone());
                self.journal.append(&Record::enqueue(&address.name, &message, 0));
                entry.queue.insert(message, 0);
            }
            entry.arrived.notify_one();
            self.journal.flush()
        };
        written.await.map_err(|_| QueueError::Journal)?;
        Ok(ids)
    }

    /// Waits for a message and locks it. `queue` may be a dead-letter queue.
    pub(crate) async fn receive(&self, queue: &str) -> Result<Delivery, QueueError> {
        let address = Address::parse(queue);
        loop {
            let (arrived, next_expiry) = {
                let now = self.clock.now();
                let mut queues = self.lock();
                let entry = queues.get_mut(&address.name).ok_or_else(|| QueueError::Unknown(queue.to_owned()))?;
                self.expire(&address.name, entry, now);
                let (source, arrived) = entry.side(address.dead);
                if let Some((token, message, count)) = source.lock_next(now, self.config.lock_duration) {
                    if source.counts().0 > 0 {
                        arrived.notify_one();
                    }
                    self.journal.append(&Record::Deliver { q: address.key().into(), n: message.sequence });
                    let locked_until = Utc::now() + self.config.lock_duration;
                    return Ok(Delivery { queue: address.key().into(), token, message, count, locked_until });
                }
                (Arc::clone(arrived), source.next_expiry())
            };
            match next_expiry {
                Some(expiry) => {
                    tokio::select! {
                        () = arrived.notified() => {}
                        () = self.clock.sleep_until(expiry) => {}
                    }
                }
                None => arrived.notified().await,
            }
        }
    }

    /// Prolongs the lock by the queue's lock duration.
    pub(crate) fn renew(&self, delivery: &Delivery) -> Result<(), QueueError> {
        self.settle(delivery, |_, side, now| side.renew(delivery.token, now, self.config.lock_duration).then_some(()))
    }

    /// Removes the message for good.
    pub(crate) fn complete(&self, delivery: &Delivery) -> Result<(), QueueError> {
        self.settle(delivery, |address, side, now| {
            let sequence = side.complete(delivery.token, now)?;
            self.journal.append(&Record::Complete { q: address.key().into(), n: sequence });
            Some(())
        })
    }

    /// Gives the message back at once, or to the dead-letter queue if it was delivered too often.
    pub(crate) fn abandon(&self, delivery: &Delivery) -> Result<(), QueueError> {
        let address = Address::parse(&delivery.queue);
        let mut queues = self.lock();
        let entry = queues.get_mut(&address.name).ok_or(QueueError::LockLost)?;
        let (side, arrived) = entry.side(address.dead);
        let released = side.release(delivery.token, self.clock.now()).ok_or(QueueError::LockLost)?;
        arrived.notify_one();
        if !address.dead {
            self.bury_if_exhausted(&address.name, entry, released);
        }
        Ok(())
    }

    /// Sends dead letters back to their queue, oldest first; answers how many. Their count starts anew.
    pub(crate) async fn resend_dead(&self, queue: &str, limit: usize) -> Result<usize, QueueError> {
        let address = Address::parse(queue);
        let (count, written) = {
            let mut queues = self.lock();
            let entry = queues.get_mut(&address.name).ok_or_else(|| QueueError::Unknown(queue.to_owned()))?;
            let sequences: Vec<u64> = entry.dead.active().take(limit).map(|(message, _)| message.sequence).collect();
            for sequence in &sequences {
                entry.last_number += 1;
                let to = entry.last_number;
                entry.resend(*sequence, to);
                self.journal.append(&Record::Resend { q: address.name.as_str().into(), n: *sequence, to });
            }
            entry.arrived.notify_one();
            (sequences.len(), self.journal.flush())
        };
        written.await.map_err(|_| QueueError::Journal)?;
        Ok(count)
    }

    /// The first waiting messages of a queue or dead-letter queue, without locking them.
    pub(crate) fn peek(&self, queue: &str, limit: usize) -> Result<Vec<PeekedMessage>, QueueError> {
        let address = Address::parse(queue);
        let mut queues = self.lock();
        let entry = queues.get_mut(&address.name).ok_or_else(|| QueueError::Unknown(queue.to_owned()))?;
        let (side, _) = entry.side(address.dead);
        let peeked = side.active().take(limit).map(|(message, delivery_count)| PeekedMessage {
            sequence_number: message.sequence,
            message_id: message.id.clone(),
            body: message.body.clone(),
            enqueued_time: message.enqueued,
            delivery_count,
            application_properties: message.properties.clone(),
        });
        Ok(peeked.collect())
    }

    /// Every queue's counts, by name.
    pub(crate) fn status(&self) -> Vec<QueueStatus> {
        let now = self.clock.now();
        let mut queues = self.lock();
        let statuses = queues.iter_mut().map(|(name, entry)| {
            self.expire(name, entry, now);
            let (active, locked) = entry.queue.counts();
            let (dead, dead_locked) = entry.dead.counts();
            QueueStatus { name: name.clone(), active, locked, dead_letters: dead + dead_locked }
        });
        statuses.collect()
    }

    /// How long a lock lasts without renewal.
    pub(crate) fn lock_duration(&self) -> std::time::Duration {
        self.config.lock_duration
    }

    /// Resolves when every change so far is written.
    pub(crate) async fn flush(&self) {
        // A refused write was logged by the journal itself.
        let _ = self.journal.flush().await;
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settle(&self, delivery: &Delivery, settle: impl FnOnce(&Address, &mut Queue, Instant) -> Option<()>) -> Result<(), QueueError> {
        let address = Address::parse(&delivery.queue);
        let mut queues = self.lock();
        let entry = queues.get_mut(&address.name).ok_or(QueueError::LockLost)?;
        settle(&address, entry.side(address.dead).0, self.clock.now()).ok_or(QueueError::LockLost)
    }

    fn expire(&self, name: &str, entry: &mut Entry, now: Instant) {
        for released in entry.queue.expire(now) {
            self.bury_if_exhausted(name, entry, released);
        }
        entry.dead.expire(now);
    }

    fn bury_if_exhausted(&self, name: &str, entry: &mut Entry, released: Released) {
        if released.deliveries < self.config.max_delivery_count {
            return;
        }
        entry.last_dead_number += 1;
        let to = entry.last_dead_number;
        let description = format!("Message could not be consumed after {} delivery attempts.", released.deliveries);
        if entry.bury(released.sequence, to, MAX_DELIVERY_REASON, &description) {
            tracing::warn!(
                queue = name,
                sequence = released.sequence,
                deliveries = released.deliveries,
                "message moved to the dead-letter queue"
            );
            self.journal.append(&Record::Dead {
                q: name.into(),
                n: released.sequence,
                to,
                reason: MAX_DELIVERY_REASON.into(),
                description: description.into(),
            });
        }
    }

    /// A crash during the last allowed delivery leaves a message that must not be delivered once more.
    fn bury_exhausted(&self) {
        let mut queues = self.lock();
        for (name, entry) in queues.iter_mut() {
            let exhausted: Vec<Released> = entry
                .queue
                .active()
                .filter(|(_, deliveries)| *deliveries >= self.config.max_delivery_count)
                .map(|(message, deliveries)| Released { sequence: message.sequence, deliveries })
                .collect();
            for released in exhausted {
                self.bury_if_exhausted(name, entry, released);
            }
        }
    }
}

impl Address {
    fn key(&self) -> String {
        if self.dead { format!("{}{DEAD_LETTER_SUFFIX}", self.name) } else { self.name.clone() }
    }
}

impl Entry {
    fn side(&mut self, dead: bool) -> (&mut Queue, &Arc<Notify>) {
        if dead { (&mut self.dead, &self.dead_arrived) } else { (&mut self.queue, &self.arrived) }
    }

    fn bury(&mut self, sequence: u64, to: u64, reason: &str, description: &str) -> bool {
        let Some((message, deliveries)) = self.queue.take_active(sequence) else { return false };
        let mut message = Message { sequence: to, ..Message::clone(&message) };
        message.properties.insert("DeadLetterReason".into(), reason.into());
        message.properties.insert("DeadLetterErrorDescription".into(), description.into());
        self.dead.insert(message, deliveries);
        self.dead_arrived.notify_one();
        true
    }

    fn resend(&mut self, sequence: u64, to: u64) {
        let Some((message, _)) = self.dead.forget(sequence) else { return };
        let mut message = Message { sequence: to, enqueued: Utc::now(), ..Message::clone(&message) };
        message.properties.remove("DeadLetterReason");
        message.properties.remove("DeadLetterErrorDescription");
        self.queue.insert(message, 0);
    }
}

fn apply(queues: &mut BTreeMap<String, Entry>, record: Record<'_>) {
    match record {
        Record::Enqueue { q, n, id, at, body, props, deliveries } => {
            let address = Address::parse(&q);
            let entry = queues.entry(address.name).or_default();
            let last = if address.dead { &mut entry.last_dead_number } else { &mut entry.last_number };
            *last = n.max(*last);
            let message = Message {
                sequence: n,
                id: id.into_owned(),
                body: body.into_owned(),
                enqueued: DateTime::from_timestamp_millis(at).unwrap_or_default(),
                properties: props,
            };
            entry.side(address.dead).0.insert(message, deliveries);
        }
        Record::Deliver { q, n } => with_side(queues, &q, |side| side.count_delivery(n)),
        Record::Complete { q, n } => with_side(queues, &q, |side| {
            side.forget(n);
        }),
        Record::Dead { q, n, to, reason, description } => {
            let entry = queues.entry(q.into_owned()).or_default();
            entry.last_dead_number = to.max(entry.last_dead_number);
            entry.bury(n, to, &reason, &description);
        }
        Record::Resend { q, n, to } => {
            let entry = queues.entry(q.into_owned()).or_default();
            entry.last_number = to.max(entry.last_number);
            entry.resend(n, to);
        }
        Record::Numbers { q, last } => {
            let address = Address::parse(&q);
            let entry = queues.entry(address.name).or_default();
            let known = if address.dead { &mut entry.last_dead_number } else { &mut entry.last_number };
            *known = last.max(*known);
        }
    }
}

fn with_side(queues: &mut BTreeMap<String, Entry>, name: &str, change: impl FnOnce(&mut Queue)) {
    let address = Address::parse(name);
    if let Some(entry) = queues.get_mut(&address.name) {
        change(entry.side(address.dead).0);
    }
}

#[cfg(test)]
mod tests;
