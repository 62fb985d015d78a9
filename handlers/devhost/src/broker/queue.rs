//! One queue as a state machine: no clock, no disk, no scan.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use azure_core::Uuid;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use tokio::time::Instant;

/// A message as it was sent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Message {
    /// Position in its queue, ascending; kept when the message is abandoned.
    pub(crate) sequence: u64,
    pub(crate) id: String,
    pub(crate) body: String,
    pub(crate) enqueued: DateTime<Utc>,
    /// Application properties; a dead letter has its reason here.
    pub(crate) properties: Map<String, Value>,
}

#[derive(Debug)]
struct Stored {
    message: Arc<Message>,
    deliveries: u32,
}

#[derive(Debug)]
struct Lock {
    sequence: u64,
    until: Instant,
}

/// What became of a message whose lock ended without completion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Released {
    pub(crate) sequence: u64,
    pub(crate) deliveries: u32,
}

/// Messages in order, and the locks on some of them.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    messages: HashMap<u64, Stored>,
    active: BTreeSet<u64>,
    locks: HashMap<Uuid, Lock>,
    expiries: BTreeSet<(Instant, Uuid)>,
}

impl Queue {
    /// Adds a message that has been delivered `deliveries` times before.
    pub(crate) fn insert(&mut self, message: Message, deliveries: u32) {
        self.active.insert(message.sequence);
        self.messages.insert(message.sequence, Stored { message: Arc::new(message), deliveries });
    }

    /// Locks the first active message and counts the delivery.
    pub(crate) fn lock_next(&mut self, now: Instant, duration: Duration) -> Option<(Uuid, Arc<Message>, u32)> {
        let sequence = self.active.pop_first()?;
        let stored = self.messages.get_mut(&sequence)?;
        stored.deliveries += 1;
        let token = Uuid::new_v4();
        let until = now + duration;
        self.locks.insert(token, Lock { sequence, until });
        self.expiries.insert((until, token));
        Some((token, Arc::clone(&stored.message), stored.deliveries))
    }

    /// Prolongs a lock; false if it is lost.
    pub(crate) fn renew(&mut self, token: Uuid, now: Instant, duration: Duration) -> bool {
        let Some(lock) = self.locks.get_mut(&token).filter(|lock| lock.until > now) else { return false };
        self.expiries.remove(&(lock.until, token));
        lock.until = now + duration;
        self.expiries.insert((lock.until, token));
        true
    }

    /// Removes a locked message; `None` if the lock is lost.
    pub(crate) fn complete(&mut self, token: Uuid, now: Instant) -> Option<u64> {
        let sequence = self.unlock(token, now)?;
        self.messages.remove(&sequence);
        Some(sequence)
    }

    /// Ends a lock and makes the message active again; `None` if the lock is lost.
    pub(crate) fn release(&mut self, token: Uuid, now: Instant) -> Option<Released> {
        let sequence = self.unlock(token, now)?;
        Some(self.reactivate(sequence))
    }

    /// Ends every lock that has run out.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<Released> {
        let mut released = Vec::new();
        while let Some((_, token)) = self.expiries.first().copied().filter(|(until, _)| *until <= now) {
            self.expiries.pop_first();
            if let Some(lock) = self.locks.remove(&token) {
                released.push(self.reactivate(lock.sequence));
            }
        }
        released
    }

    /// When the next lock runs out.
    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.expiries.first().map(|(until, _)| *until)
    }

    /// Takes an active message out.
    pub(crate) fn take_active(&mut self, sequence: u64) -> Option<(Arc<Message>, u32)> {
        if !self.active.remove(&sequence) {
            return None;
        }
        self.messages.remove(&sequence).map(|stored| (stored.message, stored.deliveries))
    }

    /// Forgets a message, locked or not, while a journal is replayed.
    pub(crate) fn forget(&mut self, sequence: u64) -> Option<(Arc<Message>, u32)> {
        self.active.remove(&sequence);
        self.messages.remove(&sequence).map(|stored| (stored.message, stored.deliveries))
    }

    /// Counts a delivery while a journal is replayed.
    pub(crate) fn count_delivery(&mut self, sequence: u64) {
        if let Some(stored) = self.messages.get_mut(&sequence) {
            stored.deliveries += 1;
        }
    }

    /// Active messages in order, with their delivery counts.
    pub(crate) fn active(&self) -> impl Iterator<Item = (&Message, u32)> {
        self.active.iter().filter_map(|sequence| self.messages.get(sequence)).map(|stored| (&*stored.message, stored.deliveries))
    }

    /// Numbers of active and of locked messages.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.active.len(), self.locks.len())
    }

    fn unlock(&mut self, token: Uuid, now: Instant) -> Option<u64> {
        let lock = self.locks.get(&token).filter(|lock| lock.until > now)?;
        let (sequence, until) = (lock.sequence, lock.until);
        self.locks.remove(&token);
        self.expiries.remove(&(until, token));
        Some(sequence)
    }

    fn reactivate(&mut self, sequence: u64) -> Released {
        self.active.insert(sequence);
        Released { sequence, deliveries: self.messages.get(&sequence).map_or(0, |stored| stored.deliveries) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn message(sequence: u64) -> Message {
        Message { sequence, id: format!("m{sequence}"), body: String::new(), enqueued: DateTime::UNIX_EPOCH, properties: Map::new() }
    }

    fn queue(count: u64) -> (Queue, Instant) {
        let mut queue = Queue::default();
        for sequence in 1..=count {
            queue.insert(message(sequence), 0);
        }
        (queue, Instant::now())
    }

    #[test]
    fn a_locked_message_is_seen_by_nobody_else() {
        let (mut queue, now) = queue(1);
        let (token, _, count) = queue.lock_next(now, MINUTE).unwrap();
        assert_eq!(count, 1);
        assert!(queue.lock_next(now, MINUTE).is_none());
        assert_eq!(queue.complete(token, now), Some(1));
        assert_eq!(queue.counts(), (0, 0));
        assert_eq!(queue.complete(token, now), None);
    }

    #[test]
    fn an_abandoned_message_keeps_its_place() {
        let (mut queue, now) = queue(2);
        let (token, ..) = queue.lock_next(now, MINUTE).unwrap();
        assert_eq!(queue.release(token, now), Some(Released { sequence: 1, deliveries: 1 }));
        let (_, again, count) = queue.lock_next(now, MINUTE).unwrap();
        assert_eq!((again.sequence, count), (1, 2));
    }

    #[test]
    fn a_lock_runs_out_unless_renewed() {
        let (mut queue, now) = queue(1);
        let (token, ..) = queue.lock_next(now, MINUTE).unwrap();
        assert!(queue.renew(token, now + MINUTE / 2, MINUTE));
        assert!(queue.expire(now + MINUTE).is_empty());
        assert_eq!(queue.next_expiry(), Some(now + MINUTE * 3 / 2));
        assert_eq!(queue.expire(now + MINUTE * 3 / 2), [Released { sequence: 1, deliveries: 1 }]);
        assert!(!queue.renew(token, now + MINUTE * 2, MINUTE));
        assert_eq!(queue.complete(token, now + MINUTE * 2), None);
    }

    #[test]
    fn a_late_completion_is_refused_even_before_the_expiry_is_noticed() {
        let (mut queue, now) = queue(1);
        let (token, ..) = queue.lock_next(now, MINUTE).unwrap();
        assert_eq!(queue.complete(token, now + MINUTE), None);
        assert_eq!(queue.expire(now + MINUTE).len(), 1);
    }
}
