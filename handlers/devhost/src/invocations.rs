//! What ran, how long, and how it ended.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use azure_core::Uuid;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

use crate::error::StartError;
use crate::rotating_file::RotatingFile;

/// Finished invocations kept in memory.
const KEPT: usize = 10_000;
/// Invocations that a slow listener may fall behind before it misses some.
const BACKLOG: usize = 4096;
/// Log lines kept of one invocation.
const KEPT_LOGS: usize = 200;

/// How an invocation ended, or that it has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InvocationStatus {
    /// Under way.
    Running,
    /// The handler answered as it must.
    Succeeded,
    /// It did not, or an output could not be sent.
    Failed,
}

/// One invocation of one function.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Invocation {
    /// `X-Azure-Functions-InvocationId`.
    pub id: String,
    /// Function name.
    pub function: String,
    /// `http`, `serviceBus`, `eventGrid`, `timer` or `manual`.
    pub trigger: &'static str,
    /// When it started.
    pub started: DateTime<Utc>,
    /// How long it took.
    pub duration_ms: Option<u64>,
    /// How it ended.
    pub status: InvocationStatus,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Status that an HTTP caller got.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// Delivery count of the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery_count: Option<u32>,
    /// `Logs` of the response; kept for successful invocations only, as on Azure.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub logs: Vec<String>,
}

/// Which invocations to list.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct InvocationFilter {
    /// Of this function only, case ignored.
    pub function: Option<String>,
    /// With this status only.
    pub status: Option<InvocationStatus>,
    /// At most this many, the newest first. Default 100.
    pub limit: Option<usize>,
}

/// How often a function succeeded and failed since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct InvocationCount {
    /// Successful invocations.
    pub succeeded: u64,
    /// Failed invocations.
    pub failed: u64,
}

/// How an invocation ended.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) error: Option<String>,
    pub(crate) http_status: Option<u16>,
    pub(crate) logs: Vec<String>,
}

#[derive(Debug, Default)]
struct Log {
    finished: VecDeque<Invocation>,
    running: BTreeMap<String, (Invocation, Instant)>,
    counts: BTreeMap<String, InvocationCount>,
}

/// The invocation log; also a file of JSON lines, `invocations.ndjson`.
#[derive(Debug)]
pub struct InvocationLog {
    log: Mutex<Log>,
    file: Mutex<RotatingFile>,
    finished: broadcast::Sender<Invocation>,
}

impl InvocationLog {
    pub(crate) fn open(state_dir: &Path) -> Result<Self, StartError> {
        let path = state_dir.join("invocations.ndjson");
        let file = RotatingFile::open(&path).map_err(StartError::state(&path))?;
        Ok(Self { log: Mutex::default(), file: Mutex::new(file), finished: broadcast::channel(BACKLOG).0 })
    }

    pub(crate) fn start(&self, function: &str, trigger: &'static str, delivery_count: Option<u32>) -> String {
        let invocation = Invocation {
            id: Uuid::new_v4().to_string(),
            function: function.to_owned(),
            trigger,
            started: Utc::now(),
            duration_ms: None,
            status: InvocationStatus::Running,
            error: None,
            http_status: None,
            delivery_count,
            logs: Vec::new(),
        };
        let id = invocation.id.clone();
        self.lock().running.insert(id.clone(), (invocation, Instant::now()));
        id
    }

    pub(crate) fn finish(&self, id: &str, outcome: Outcome) {
        let mut log = self.lock();
        let Some((mut invocation, started)) = log.running.remove(id) else { return };
        invocation.duration_ms = Some(u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX));
        invocation.status = if outcome.error.is_some() { InvocationStatus::Failed } else { InvocationStatus::Succeeded };
        invocation.error = outcome.error;
        invocation.http_status = outcome.http_status;
        invocation.logs = outcome.logs;
        invocation.logs.truncate(KEPT_LOGS);
        let count = log.counts.entry(invocation.function.clone()).or_default();
        match invocation.status {
            InvocationStatus::Failed => count.failed += 1,
            _ => count.succeeded += 1,
        }
        if log.finished.len() >= KEPT {
            log.finished.pop_front();
        }
        log.finished.push_back(invocation.clone());
        drop(log);
        if let Some(error) = &invocation.error {
            tracing::warn!(function = invocation.function, invocation = invocation.id, error, "invocation failed");
        }
        match serde_json::to_string(&invocation) {
            Ok(line) => {
                if let Err(error) = self.file.lock().unwrap_or_else(PoisonError::into_inner).line(&line) {
                    tracing::error!(%error, "invocations.ndjson cannot be written");
                }
            }
            Err(error) => tracing::error!(%error, "an invocation cannot be written as JSON"),
        }
        // Nobody listening is no error.
        let _ = self.finished.send(invocation);
    }

    /// Invocations, the newest first; those under way come before all others.
    pub fn list(&self, filter: &InvocationFilter) -> Vec<Invocation> {
        let log = self.lock();
        let mut running: Vec<&Invocation> = log.running.values().map(|(invocation, _)| invocation).collect();
        running.sort_by_key(|invocation| std::cmp::Reverse(invocation.started));
        running
            .into_iter()
            .chain(log.finished.iter().rev())
            .filter(|i| filter.function.as_ref().is_none_or(|f| f.eq_ignore_ascii_case(&i.function)))
            .filter(|i| filter.status.is_none_or(|s| s == i.status))
            .take(filter.limit.unwrap_or(100))
            .cloned()
            .collect()
    }

    /// Counts since the start, by function.
    pub fn counts(&self) -> BTreeMap<String, InvocationCount> {
        self.lock().counts.clone()
    }

    /// Every invocation that finishes from now on. A listener that falls 4,096 behind misses the oldest.
    pub fn subscribe(&self) -> broadcast::Receiver<Invocation> {
        self.finished.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_the_newest_first_and_forgets_the_oldest() {
        let dir = tempfile::tempdir().unwrap();
        let log = InvocationLog::open(dir.path()).unwrap();
        for number in 0..KEPT + 5 {
            let id = log.start(if number % 2 == 0 { "Even" } else { "Odd" }, "manual", None);
            log.finish(&id, Outcome { error: (number == 7).then(|| "seven".into()), ..Outcome::default() });
        }
        let running = log.start("Even", "manual", None);
        let all = log.list(&InvocationFilter { limit: Some(usize::MAX), ..InvocationFilter::default() });
        assert_eq!(all.len(), KEPT + 1);
        assert_eq!(all[0].id, running);
        assert_eq!(all[0].status, InvocationStatus::Running);
        let failed = log.list(&InvocationFilter { status: Some(InvocationStatus::Failed), ..InvocationFilter::default() });
        assert_eq!(failed.iter().map(|i| i.error.as_deref()).collect::<Vec<_>>(), [Some("seven")]);
        assert!(
            log.list(&InvocationFilter { function: Some("odd".into()), ..InvocationFilter::default() }).iter().all(|i| i.function == "Odd")
        );
        assert_eq!(log.counts()["Odd"], InvocationCount { succeeded: 5001, failed: 1 });
        let lines = std::fs::read_to_string(dir.path().join("invocations.ndjson")).unwrap();
        assert_eq!(lines.lines().count(), KEPT + 5);
    }
}
