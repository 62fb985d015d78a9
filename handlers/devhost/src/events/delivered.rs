//! Which version of which blob each subscription has been told of, kept on disk.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::error::StartError;
use crate::journal::Journal;

/// A line of the journal: subscription, blob, and its ETag (absent: the blob is gone).
#[derive(Debug, Serialize, Deserialize)]
struct Record<'a> {
    s: Cow<'a, str>,
    b: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    e: Option<Cow<'a, str>>,
}

#[derive(Debug, Default)]
struct State {
    /// Subscription to blob (`container/name`) to ETag.
    delivered: HashMap<String, HashMap<String, String>>,
    /// Subscription, blob, ETag: on their way.
    under_way: HashSet<(String, String, String)>,
}

/// The memory of all subscriptions.
#[derive(Debug)]
pub(crate) struct Delivered {
    state: Mutex<State>,
    journal: Journal,
}

impl Delivered {
    pub(crate) fn open(state_dir: &Path) -> Result<Self, StartError> {
        let path = state_dir.join("events.journal");
        let mut state = State::default();
        Journal::replay(&path, |record: Record<'static>| {
            let blobs = state.delivered.entry(record.s.into_owned()).or_default();
            match record.e {
                Some(etag) => blobs.insert(record.b.into_owned(), etag.into_owned()),
                None => blobs.remove(&*record.b),
            };
        })?;
        let records = state.delivered.iter().flat_map(|(subscription, blobs)| {
            blobs.iter().map(move |(blob, etag)| Record { s: subscription.into(), b: blob.into(), e: Some(etag.into()) })
        });
        let journal = Journal::rewrite(&path, records)?;
        Ok(Self { state: Mutex::new(state), journal })
    }

    /// True if this version still has to be told, and nobody is at it; the caller then is.
    pub(crate) fn claim(&self, subscription: &str, blob: &str, etag: &str) -> bool {
        let mut state = self.lock();
        let known = state.delivered.get(subscription).and_then(|blobs| blobs.get(blob));
        if known.is_some_and(|known| known == etag) {
            return false;
        }
        state.under_way.insert((subscription.to_owned(), blob.to_owned(), etag.to_owned()))
    }

    /// Whether a version has been told.
    pub(crate) fn knows(&self, subscription: &str, blob: &str, etag: &str) -> bool {
        self.lock().delivered.get(subscription).and_then(|blobs| blobs.get(blob)).is_some_and(|known| known == etag)
    }

    /// The version has been told (or given up).
    pub(crate) fn settle(&self, subscription: &str, blob: &str, etag: &str) {
        let mut state = self.lock();
        state.under_way.remove(&(subscription.to_owned(), blob.to_owned(), etag.to_owned()));
        state.delivered.entry(subscription.to_owned()).or_default().insert(blob.to_owned(), etag.to_owned());
        self.journal.append(&Record { s: subscription.into(), b: blob.into(), e: Some(etag.into()) });
    }

    /// Blobs of a container that were told, with their versions.
    pub(crate) fn in_container(&self, subscription: &str, container: &str) -> Vec<(String, String)> {
        let prefix = format!("{container}/");
        let state = self.lock();
        let blobs = state.delivered.get(subscription).into_iter().flatten();
        blobs.filter(|(blob, _)| blob.starts_with(&prefix)).map(|(blob, etag)| (blob.clone(), etag.clone())).collect()
    }

    /// The blob is gone; forgets this version of it.
    pub(crate) fn forget(&self, subscription: &str, blob: &str, etag: &str) {
        let mut state = self.lock();
        let Some(blobs) = state.delivered.get_mut(subscription) else { return };
        if blobs.get(blob).is_some_and(|known| known == etag) {
            blobs.remove(blob);
            self.journal.append(&Record { s: subscription.into(), b: blob.into(), e: None });
        }
    }

    /// Resolves when everything so far is written.
    pub(crate) async fn flush(&self) {
        // A refused write was logged by the journal itself.
        let _ = self.journal.flush().await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_version_is_told_once_even_over_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let delivered = Delivered::open(dir.path()).unwrap();
        assert!(delivered.claim("s", "c/b", "1"));
        assert!(!delivered.claim("s", "c/b", "1"), "it is under way");
        assert!(delivered.claim("t", "c/b", "1"), "another subscription");
        delivered.settle("s", "c/b", "1");
        delivered.settle("s", "c/gone", "9");
        delivered.forget("s", "c/gone", "8");
        assert_eq!(delivered.in_container("s", "c").len(), 2, "another version is not forgotten");
        delivered.forget("s", "c/gone", "9");
        delivered.flush().await;
        drop(delivered);
        let delivered = Delivered::open(dir.path()).unwrap();
        assert!(!delivered.claim("s", "c/b", "1"));
        assert!(delivered.claim("s", "c/b", "2"), "a new version");
        assert!(delivered.claim("t", "c/b", "1"), "it was under way, not told");
        assert_eq!(delivered.in_container("s", "c"), [("c/b".to_owned(), "1".to_owned())]);
    }
}
