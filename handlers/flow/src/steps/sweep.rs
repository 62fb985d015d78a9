//! Sweep: what fell by the wayside. Uploads whose event never came, runs whose message was lost, cases that wait too long, grants and
//! idempotency keys of the past.

use chrono::TimeDelta;
use futures::{StreamExt as _, TryStreamExt as _};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{admit, messages};
use crate::{
    BlobInfo, BlobPath, Committed, Context, Document, Message, Outputs, Query, Result, SubmissionId, Write,
    catalog::body,
    idempotency,
    lake::LANDING_PREFIX,
    rfc3339,
    run::{RUN_DOCUMENT, Run, State},
};

/// How long an upload's event has before the sweep looks for its run.
const GRACE: TimeDelta = TimeDelta::seconds(60);
/// How long a run may show no progress before its messages are sent again.
const STALL: TimeDelta = TimeDelta::minutes(10);
/// How long a grant is kept after it expired, so that a late event still finds what it declared.
const GRANT_KEPT: TimeDelta = TimeDelta::hours(24);
/// Most blobs looked at by one sweep; the next one goes on from there.
const MOST_BLOBS: usize = 5_000;
/// Documents in one page of a query, and most cases looked at by one sweep.
const PAGE: usize = 500;
/// Most expired documents of a kind that one sweep removes: reviewers at full speed leave some thousand keys between two sweeps.
const MOST_EXPIRED: usize = 10_000;
/// Most runs looked at by one sweep. Those that wait for people are among them.
const MOST_RUNS: usize = 10_000;
/// Most messages one sweep sends, so that its answer stays small.
const MOST_MESSAGES: usize = 1_000;

/// Partition and id of where the last sweep stopped.
const CURSOR: (&str, &str) = ("sweep", "cursor");

/// Where the listing of landing blobs goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    container: String,
    after: Option<String>,
}

/// How far a stalled run was when it was last looked at; document `stall` in the run's partition.
#[derive(Debug, Serialize, Deserialize)]
struct Stall {
    /// Fingerprint of its progress.
    progress: String,
    /// RFC 3339: since when, or when its messages were last sent again.
    since: String,
}

/// One sweep, bounded in work.
///
/// # Errors
/// Those of lake and catalog.
pub async fn run(context: &Context) -> Result<Outputs> {
    let mut outputs = blobs(context).await?;
    outputs.extend(stalled(context).await?);
    overdue(context).await?;
    grants(context).await?;
    remove_expired(context, idempotency::KIND, context.now()).await?;
    Ok(Outputs(outputs))
}

/// Admits landing blobs that have no run.
async fn blobs(context: &Context) -> Result<Vec<Message>> {
    let stored = context.catalog.get(CURSOR.0, CURSOR.1).await?;
    let start: Cursor = stored.as_ref().map(Document::parse).transpose()?.unwrap_or_default();
    let mut containers = context.lake.containers(LANDING_PREFIX).await?;
    containers.sort_unstable();
    let mut looked_at = 0;
    let mut outputs = Vec::new();
    let mut stopped = Cursor::default();
    'sweep: for container in containers.into_iter().filter(|c| *c >= start.container) {
        let mut after = start.after.clone().filter(|_| container == start.container);
        loop {
            if looked_at >= MOST_BLOBS || outputs.len() >= MOST_MESSAGES {
                stopped = Cursor { container, after };
                break 'sweep;
            }
            let page = context.lake.list(&container, "", after.as_deref()).await?;
            looked_at += page.blobs.len();
            let mut admitted = futures::stream::iter(page.blobs).map(|(path, info)| admit_lost(context, path, info)).buffered(16);
            while let Some(messages) = admitted.try_next().await? {
                outputs.extend(messages);
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    if stopped != start {
        let write = Write::Put { id: CURSOR.1.to_owned(), kind: "cursor", body: body(&stopped)? };
        context.catalog.commit(CURSOR.0, vec![write]).await?;
    }
    Ok(outputs)
}

async fn admit_lost(context: &Context, blob: BlobPath, info: BlobInfo) -> Result<Vec<Message>> {
    if info.modified > context.clock.now() - GRACE {
        return Ok(Vec::new());
    }
    let run = SubmissionId::of(&blob, &admit::quoted(&info.etag.0)).run(1);
    if context.catalog.get(&run.partition(), RUN_DOCUMENT).await?.is_some() {
        return Ok(Vec::new());
    }
    tracing::warn!(run = run.as_str(), "an upload had no event");
    let event = admit::BlobEvent { api: "sweep".to_owned(), blob, etag: Some(info.etag), size: Some(info.size) };
    Ok(admit::run(context, &event).await?.0)
}

/// Sends the messages of runs that have not moved for a while once more.
async fn stalled(context: &Context) -> Result<Vec<Message>> {
    let (ended, under_way): (Vec<_>, Vec<_>) = STATES.into_iter().partition(|s| s.is_terminal());
    let names = |states: Vec<State>| -> Vec<Value> { states.into_iter().map(|s| json!(s.name())).collect() };
    let base = Query {
        kind: "run",
        less_than: vec![("updated_at", rfc3339(context.clock.now() - STALL))],
        order: Some(("updated_at", false)),
        limit: PAGE,
        ..Query::default()
    };
    let queries = [
        Query { any_of: Some(("state", names(under_way))), ..base.clone() },
        Query { any_of: Some(("state", names(ended))), equals: vec![("receipt", json!(false))], ..base },
    ];
    let mut outputs = Vec::new();
    for mut query in queries {
        for _ in 0..MOST_RUNS / PAGE {
            let page = context.catalog.query(&query).await?;
            let runs = page.documents.iter().map(Document::parse::<Run>).collect::<Result<Vec<_>>>()?;
            let mut nudged = futures::stream::iter(runs).map(|run| async move { nudge(context, &run).await }).buffered(8);
            while let Some(messages) = nudged.try_next().await? {
                outputs.extend(messages);
            }
            query.after = page.next;
            if query.after.is_none() || outputs.len() >= MOST_MESSAGES {
                break;
            }
        }
    }
    Ok(outputs)
}

const STATES: [State; 11] = [
    State::Moving,
    State::Sealing,
    State::Transforming,
    State::Gathering,
    State::Reviewing,
    State::Publishing,
    State::Archiving,
    State::Completed,
    State::Rejected,
    State::Failed,
    State::Cancelled,
];

async fn nudge(context: &Context, run: &Run) -> Result<Vec<Message>> {
    let partition = run.run_id.partition();
    let progress = progress(context, run).await?;
    let now = context.now();
    let stored = context.catalog.get(&partition, "stall").await?;
    let id = "stall".to_owned();
    let stall = body(&Stall { progress: progress.clone(), since: now })?;
    // With many parts, some may just take long: only a second look without progress in between tells.
    let has_parts = matches!(run.state, State::Moving | State::Transforming);
    let (write, resend) = match stored {
        None => (Write::Create { id, kind: "stall", body: stall }, !has_parts),
        Some(document) => {
            let before: Stall = document.parse()?;
            let same = before.progress == progress;
            if same && before.since > rfc3339(context.clock.now() - STALL) {
                return Ok(Vec::new());
            }
            (Write::Replace { id, kind: "stall", body: stall, etag: document.etag }, same || !has_parts)
        }
    };
    // Of two sweeps at once, one sends.
    if context.catalog.commit(&partition, vec![write]).await? != Committed::Done || !resend {
        return Ok(Vec::new());
    }
    let outputs = messages(context, run).await?.0;
    if !outputs.is_empty() {
        tracing::warn!(run = run.run_id.as_str(), state = run.state.name(), "a run shows no progress: its messages are sent again");
    }
    Ok(outputs)
}

/// Changes whenever a part of the run gets done.
async fn progress(context: &Context, run: &Run) -> Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(run.audit.hash.as_bytes());
    for kind in ["fan", "digest"] {
        let mut query = Query { kind, partition: Some(run.run_id.partition()), limit: 1000, ..Query::default() };
        loop {
            let page = context.catalog.query(&query).await?;
            for document in &page.documents {
                hasher.update(document.id.as_bytes());
                hasher.update(document.body.to_string().as_bytes());
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
    }
    Ok(hasher.finalize().to_hex().to_string())
}

/// Says how many cases are overdue.
async fn overdue(context: &Context) -> Result<()> {
    let query = Query {
        kind: "case",
        any_of: Some(("status", vec![json!("open"), json!("confirming")])),
        less_than: vec![("due_at", context.now())],
        limit: PAGE,
        ..Query::default()
    };
    let page = context.catalog.query(&query).await?;
    let (cases, more) = (page.documents.len(), page.next.is_some());
    if cases > 0 {
        tracing::warn!(cases, more, "review cases are overdue");
    }
    Ok(())
}

/// Removes grants that expired a while ago.
async fn grants(context: &Context) -> Result<()> {
    remove_expired(context, "grant", rfc3339(context.clock.now() - GRANT_KEPT)).await
}

/// Removes documents that expired before a time.
async fn remove_expired(context: &Context, kind: &'static str, before: String) -> Result<()> {
    let query = Query { kind, less_than: vec![("expires_at", before)], limit: PAGE, ..Query::default() };
    // The first page again and again: what was on it is gone.
    for _ in 0..MOST_EXPIRED / PAGE {
        let expired = context.catalog.query(&query).await?.documents;
        let count = expired.len();
        let removals = expired.into_iter().map(|Document { partition, id, etag, .. }| async move {
            context.catalog.commit(&partition, vec![Write::Delete { id, etag }]).await
        });
        let mut removed = futures::stream::iter(removals).buffer_unordered(8);
        while removed.try_next().await?.is_some() {}
        if count < PAGE {
            break;
        }
    }
    Ok(())
}
