//! Timer triggers: one run at a time, and a missed run made up for at the start.

mod schedule;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

pub(crate) use schedule::Schedule;

use crate::envelope;
use crate::error::StartError;
use crate::functions::Function;
use crate::invoker::Invoker;

/// Waits are cut into pieces, so that a laptop that slept notices the time.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// When each timer is next due, in `timers.json`.
#[derive(Debug)]
pub(crate) struct TimerStore {
    path: PathBuf,
    due: Mutex<BTreeMap<String, DateTime<Utc>>>,
}

impl TimerStore {
    pub(crate) fn open(state_dir: &Path) -> Result<Self, StartError> {
        let path = state_dir.join("timers.json");
        let due = match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| StartError::Journal {
                path: path.clone(),
                line: error.line() as u64,
                reason: error.to_string(),
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(source) => return Err(StartError::State { path, source }),
        };
        Ok(Self { path, due: Mutex::new(due) })
    }

    fn due(&self, function: &str) -> Option<DateTime<Utc>> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner).get(function).copied()
    }

    fn set(&self, function: &str, next: DateTime<Utc>) {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        due.insert(function.to_owned(), next);
        let temporary = self.path.with_extension("new");
        let written = serde_json::to_vec_pretty(&*due)
            .map_err(std::io::Error::other)
            .and_then(|bytes| std::fs::write(&temporary, bytes))
            .and_then(|()| std::fs::rename(&temporary, &self.path));
        if let Err(error) = written {
            tracing::warn!(%error, "timers.json cannot be written; a run missed while devhost is down will not be made up for");
        }
    }
}

/// One timer trigger.
#[derive(Debug)]
pub(crate) struct Timer {
    pub(crate) invoker: Arc<Invoker>,
    pub(crate) function: Function,
    pub(crate) schedule: Schedule,
    pub(crate) run_on_startup: bool,
    pub(crate) use_monitor: bool,
    pub(crate) store: Arc<TimerStore>,
}

impl Timer {
    /// Runs until dropped, or until the schedule has no more occurrences.
    pub(crate) async fn run(self) {
        let missed = self.use_monitor && self.store.due(&self.function.name).is_some_and(|due| due < Utc::now());
        let mut last = None;
        if self.run_on_startup || missed {
            last = Some(self.fire(last, missed).await);
        }
        while let Some(next) = self.schedule.next_after(Utc::now()) {
            self.store.set(&self.function.name, next);
            while let Ok(left) = (next - Utc::now()).to_std() {
                tokio::time::sleep(left.min(LONGEST_WAIT)).await;
            }
            last = Some(self.fire(last, false).await);
        }
        tracing::warn!(function = self.function.name, schedule = self.schedule.text(), "the schedule has no further occurrence");
    }

    async fn fire(&self, last: Option<DateTime<Utc>>, past_due: bool) -> DateTime<Utc> {
        let started = Utc::now();
        let body = envelope::timer(&self.function.name, &self.function.binding, last, self.schedule.next_after(started), past_due);
        // Its failure is in the invocation log; the next occurrence comes all the same.
        let _ = self.invoker.invoke(&self.function, "timer", None, &body).await;
        started
    }
}
