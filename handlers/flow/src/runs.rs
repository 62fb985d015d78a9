//! What people see of runs and do with them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sluice_engine::{Chunk, Tally};

use crate::{
    BlobInfo, Context, Document, Error, Outputs, Query, Result, RunId, SubmissionId,
    audit::{self, Actor, AuditEvent, Change},
    catalog::body,
    layout,
    ledger::{ChunkLedger, StoredReport},
    page::Page,
    run::{Declared, Run, Source, State},
    steps::{self, admit::quoted},
    writer,
};

/// Most entries of a page.
const PAGE: usize = 1000;
/// Most repairs of a submission that are told.
const FIXES: usize = 100;

/// Which runs to list. What is not set does not restrict.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    /// Of this partner.
    pub partner: Option<String>,
    /// Through this pipeline.
    pub pipeline: Option<String>,
    /// In one of these states.
    pub state: Vec<State>,
    /// Of this submission.
    pub submission: Option<SubmissionId>,
    /// Of the blob with this path below the partner's container.
    pub path: Option<String>,
    /// Whether a message of it is in a dead-letter queue.
    pub dead_lettered: Option<bool>,
    /// Not ended, and nothing changed since this time (RFC 3339, UTC with milliseconds).
    pub quiet_since: Option<String>,
}

/// Runs, the newest first.
///
/// # Errors
/// Those of the catalog.
pub async fn list(context: &Context, filter: &RunFilter, cursor: Option<&str>, limit: usize) -> Result<Page<Run>> {
    let mut equals = Vec::<(&'static str, Value)>::new();
    for (field, value) in [("partner", &filter.partner), ("pipeline", &filter.pipeline), ("path", &filter.path)] {
        if let Some(value) = value {
            equals.push((field, value.as_str().into()));
        }
    }
    if let Some(submission) = &filter.submission {
        equals.push(("submission", submission.as_str().into()));
    }
    let mut states = filter.state.clone();
    if filter.quiet_since.is_some() {
        let asked = |state: &State| states.is_empty() || states.contains(state);
        states = State::UNFINISHED.into_iter().filter(asked).collect();
        if states.is_empty() {
            return Ok(Page::default());
        }
    }
    let states = states.iter().map(body).collect::<Result<Vec<_>>>()?;
    let query = Query {
        kind: "run",
        equals,
        any_of: (!states.is_empty()).then_some(("state", states)),
        less_than: filter.quiet_since.clone().map(|since| ("updated_at", since)).into_iter().collect(),
        present: filter.dead_lettered.map(|lettered| ("dead_letter", lettered)),
        order: Some(("created_at", true)),
        limit: limit.clamp(1, PAGE),
        after: cursor.map(str::to_owned),
        ..Default::default()
    };
    let found = context.catalog.query(&query).await?;
    let items = found.documents.iter().map(Document::parse).collect::<Result<_>>()?;
    Ok(Page { items, next: found.next })
}

/// One run.
///
/// # Errors
/// Refused `W0404` if there is no such run; those of the catalog.
pub async fn get(context: &Context, id: &RunId) -> Result<Run> {
    let document = context.catalog.get(&id.partition(), crate::run::RUN_DOCUMENT).await?;
    document.ok_or_else(|| Error::refused("W0404", format!("there is no run {id}")))?.parse()
}

/// Runs of files of the partner that repair rows of a submission of it, the oldest first.
///
/// # Errors
/// Those of the catalog.
pub async fn fixed_by(context: &Context, partner: &str, submission: &SubmissionId) -> Result<Vec<RunId>> {
    let equals = vec![("partner", partner.into()), ("fixes", submission.as_str().into())];
    let query = Query { kind: "run", equals, order: Some(("created_at", false)), limit: FIXES, ..Query::default() };
    let found = context.catalog.query(&query).await?;
    found.documents.iter().map(|document| Ok(document.parse::<Run>()?.run_id)).collect()
}

/// What happened to a run, in order.
///
/// # Errors
/// Refused `W0404` if there is no such run; those of the catalog.
pub async fn timeline(context: &Context, id: &RunId) -> Result<Vec<AuditEvent>> {
    get(context, id).await?;
    audit::events(context, id).await
}

/// Whether a run's audit chain is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditCheck {
    /// Events in the chain.
    pub events: u64,
    /// Hash of the last, as the run says.
    pub head: String,
    /// What is wrong; `None` if the chain is whole.
    pub fault: Option<String>,
}

/// Checks a run's audit chain.
///
/// # Errors
/// Refused `W0404` if there is no such run; those of the catalog.
pub async fn verify_audit(context: &Context, id: &RunId) -> Result<AuditCheck> {
    // The head is read first: events that come meanwhile are newer than it.
    let head = get(context, id).await?.audit;
    let mut events = audit::events(context, id).await?;
    events.truncate(head.seq as usize + 1);
    let fault = audit::verify(id, &head, &events).err();
    Ok(AuditCheck { events: events.len() as u64, head: head.hash, fault })
}

/// The account of a run; `None` before its rows are counted.
///
/// # Errors
/// Refused `W0404` if there is no such run; those of catalog and lake.
pub async fn report(context: &Context, id: &RunId) -> Result<Option<StoredReport>> {
    let run = get(context, id).await?;
    stored_report(context, &run).await
}

/// The account of a run, if it is written.
pub(crate) async fn stored_report(context: &Context, run: &Run) -> Result<Option<StoredReport>> {
    optional(writer::read_json(context, &layout::report(run)).await)
}

/// A blob that may be missing.
pub(crate) fn optional<T>(read: Result<T>) -> Result<Option<T>> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.code() == "L0404" => Ok(None),
        Err(error) => Err(error),
    }
}

/// A chunk and what became of its rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChunkView {
    /// 0-based.
    pub index: u32,
    /// Which generation of its outputs counts, or will count.
    pub generation: u32,
    /// Which bytes it takes.
    pub chunk: Chunk,
    /// What became of its rows; `None` before it is done.
    pub tally: Option<Tally>,
}

/// Chunks of a run, in order; empty before they are planned.
///
/// # Errors
/// Refused `W0404` if there is no such run, `W0400` for a cursor that is none; those of catalog and lake.
pub async fn chunks(context: &Context, id: &RunId, cursor: Option<&str>, limit: usize) -> Result<Page<ChunkView>> {
    let run = get(context, id).await?;
    let first: u32 = match cursor {
        None => 0,
        Some(cursor) => cursor.parse().map_err(|_| Error::refused("W0400", "the cursor is not one that a page of chunks gave"))?,
    };
    let limit = limit.clamp(1, layout::PAGE as usize) as u32;
    let end = first.saturating_add(limit).min(run.chunks);
    let generations = layout::effective_chunks(context, &run).await?;
    let mut page = Page::default();
    let mut planned = (u32::MAX, Vec::new());
    for index in first..end {
        if planned.0 != index / layout::PAGE {
            planned = (index / layout::PAGE, layout::plan_page(context, id, index / layout::PAGE).await?);
        }
        let chunk = planned.1.get((index % layout::PAGE) as usize).cloned();
        let chunk = chunk.ok_or_else(|| Error::bug("M0004", format!("run {id} has no chunk {index}")))?;
        let generation = generations.get(index as usize).copied().unwrap_or_default();
        let tally =
            optional(writer::read_json::<ChunkLedger>(context, &layout::ledger(&run, generation, index)).await)?.map(|l| l.report.tally);
        page.items.push(ChunkView { index, generation, chunk, tally });
    }
    page.next = (end < run.chunks).then(|| end.to_string());
    Ok(page)
}

/// Stops a run. What it wrote stays; nothing of it is published.
///
/// # Errors
/// Refused `W0404` if there is no such run, `W0412` if it has ended, or is being published, which cannot be stopped half-way; those of the
/// catalog.
pub async fn cancel(context: &Context, actor: &Actor, id: &RunId) -> Result<(Run, Outputs)> {
    get(context, id).await?;
    let run = audit::update(context, id, |run| {
        match run.state {
            State::Cancelled => return Ok(None),
            // Whoever publishes has seen this state, so that a commit is never made for a cancelled run.
            State::Publishing | State::Archiving | State::Completed | State::Rejected | State::Failed => {
                return Err(Error::refused("W0412", format!("the run is {}: it cannot be cancelled any more", run.state.name())));
            }
            State::Moving | State::Sealing | State::Transforming | State::Gathering | State::Reviewing => {}
        }
        let detail = json!({ "from": run.state.name() });
        run.state = State::Cancelled;
        run.open_cases = 0;
        run.dead_letter = None;
        Ok(Some(Change { actor: actor.clone(), action: "run.cancelled", detail, writes: Vec::new() }))
    })
    .await?;
    steps::void_cases(context, id).await?;
    let outputs = steps::messages(context, &run).await?;
    Ok((run, outputs))
}

/// Starts the next attempt of a run that has ended without being published, with what is live now; if it is under way already, it is that one.
/// It reads the landing blob if that still
/// is the version of the submission, otherwise the raw copy of this attempt.
///
/// # Errors
/// Refused: `W0404` no such run; `W0409` a later attempt has ended; `W0412` the run has not ended, or its rows are published; `W0410` neither
/// the landing blob nor a raw copy is there. Those of catalog and lake.
pub async fn reprocess(context: &Context, actor: &Actor, id: &RunId) -> Result<(Run, Outputs)> {
    let earlier = get(context, id).await?;
    if !earlier.state.is_terminal() {
        return Err(Error::refused("W0412", format!("the run is {}: wait for its end, or cancel it", earlier.state.name())));
    }
    if let Some(version) = earlier.table_version {
        return Err(Error::refused(
            "W0412",
            format!("the rows of the run are published as version {version} of its table: they would be there twice"),
        ));
    }
    let later = || Error::refused("W0409", "a later attempt of the submission has ended: reprocess that one");
    let next = earlier.submission.run(earlier.attempt + 1);
    if let Some(document) = context.catalog.get(&next.partition(), crate::run::RUN_DOCUMENT).await? {
        let run: Run = document.parse()?;
        if run.state.is_terminal() {
            return Err(later());
        }
        // It was asked for before and the answer was lost, or somebody else was faster: it is under way.
        let outputs = steps::messages(context, &run).await?;
        return Ok((run, outputs));
    }
    let (source, info) = source(context, &earlier).await?;
    let run = steps::admit::attempt(context, &earlier, source, &info).await?;
    let pipeline =
        run.pinned.as_ref().map(|p| json!({ "name": p.pipeline, "version": p.pipeline_version, "parameters": p.parameters_version }));
    let code = run.failure.as_ref().map(|f| f.code.clone());
    let detail = json!({ "after": id, "source": run.source.blob.container, "etag": run.source.etag.0, "pipeline": pipeline, "code": code });
    if !audit::create(context, run.clone(), actor.clone(), "run.reprocessed", detail).await? {
        return Err(later());
    }
    let outputs = steps::messages(context, &run).await?;
    Ok((run, outputs))
}

/// Where the bytes of a submission are now.
async fn source(context: &Context, earlier: &Run) -> Result<(Source, BlobInfo)> {
    if let Some(info) = context.lake.head(&earlier.source.blob).await?.filter(|info| quoted(&info.etag.0) == earlier.source.etag) {
        return Ok((earlier.source.clone(), info));
    }
    if let Some(content) = &earlier.content
        && let Some(info) = context.lake.head(&earlier.raw()).await?
    {
        let declared =
            Declared { blake3: Some(content.blake3.clone()), sha256: Some(content.sha256.clone()), ..earlier.source.declared.clone() };
        return Ok((Source { blob: earlier.raw(), etag: quoted(&info.etag.0), size: info.size, declared }, info));
    }
    Err(Error::refused("W0410", "the file is gone from the landing zone and there is no raw copy of it: the partner must upload it again"))
}

/// Sends the run's current step again, after its message was dead-lettered.
///
/// # Errors
/// Refused `W0404` if there is no such run, `W0412` if nothing more happens to it; those of the catalog.
pub async fn resume(context: &Context, actor: &Actor, id: &RunId) -> Result<(Run, Outputs)> {
    get(context, id).await?;
    let run = audit::update(context, id, |run| {
        let step = run
            .current_step()
            .ok_or_else(|| Error::refused("W0412", format!("the run is {}: there is nothing to resume", run.state.name())))?;
        let detail = json!({ "step": step, "deadLetter": run.dead_letter.as_ref().map(|f| f.code.clone()) });
        run.dead_letter = None;
        Ok(Some(Change { actor: actor.clone(), action: "run.resumed", detail, writes: Vec::new() }))
    })
    .await?;
    let outputs = steps::messages(context, &run).await?;
    Ok((run, outputs))
}
