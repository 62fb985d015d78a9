//! Runs: what happened to a file, and what an operator can do about it.

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sluice_flow::{
    Outputs, RunId, SubmissionId,
    audit::{Actor, AuditEvent},
    run::{Counts, Failure, Run, State as RunState},
    runs::{self, RunFilter},
};
use utoipa::{IntoParams, ToSchema};

use super::{
    Page, PageQuery, cursor, etag,
    extract::{Path, Query},
    problem::Problem,
    time,
};
use crate::{
    app::App,
    auth::{Caller, Scope},
};

/// A run in a listing.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RunSummary {
    /// `<submission>-<attempt>`.
    pub run_id: String,
    /// Its submission.
    pub submission_id: String,
    /// 1-based.
    pub attempt: u32,
    /// Partner id.
    pub partner: String,
    /// Pipeline name; null if no pipeline takes the file.
    pub pipeline: Option<String>,
    /// Version of the pipeline.
    pub pipeline_version: Option<u32>,
    /// Path below the partner's container.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// moving, sealing, transforming, gathering, reviewing, publishing, archiving; or, at the end, completed, rejected, failed, cancelled.
    pub state: &'static str,
    /// RFC 3339 UTC.
    pub created_at: String,
    /// RFC 3339 UTC.
    pub updated_at: String,
    /// Rows by outcome, once the whole file is checked.
    pub counts: Option<CountsView>,
    /// Review cases not yet decided.
    pub open_cases: u32,
    /// Review cases in all.
    pub cases: u32,
    /// Why it ended badly.
    pub failure: Option<FailureView>,
    /// What is stuck in a dead-letter queue, and why.
    pub dead_letter: Option<FailureView>,
    /// Whether the receipt can be read.
    pub receipt: bool,
    /// The submission whose rows this one repairs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixes: Option<String>,
}

/// A run in full.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RunDetail {
    /// As in a listing.
    #[serde(flatten)]
    pub summary: RunSummary,
    /// `ETag` of the landing blob that is read.
    pub source_etag: String,
    /// BLAKE3 of the file, hex; as `b3sum` prints it.
    pub blake3: Option<String>,
    /// SHA-256 of the file, hex.
    pub sha256: Option<String>,
    /// The first submission of this partner with the same bytes.
    pub repeats: Option<String>,
    /// Segments to move.
    pub segments: u32,
    /// Chunks to transform.
    pub chunks: u32,
    /// BLAKE3 of pipeline and contract, hex.
    pub plan_hash: Option<String>,
    /// Values of the parameters that the run is pinned to.
    #[schema(value_type = Object)]
    pub parameters: Value,
    /// Version of the engine that the run is pinned to.
    pub engine: Option<String>,
    /// Version of the Delta table that published it.
    pub table_version: Option<u64>,
    /// Runs of files with repaired rows of this submission, the oldest first.
    pub fixed_by: Vec<String>,
}

/// Rows by outcome; `rows` is their sum, `returned` being a part of `rejected`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CountsView {
    /// Rows in the file.
    pub rows: u64,
    /// Published as they came.
    pub published: u64,
    /// Published after a person corrected or approved them.
    pub corrected: u64,
    /// Rejected.
    pub rejected: u64,
    /// Those of the rejected that a person sent back to the partner.
    pub returned: u64,
    /// Left out by a filter.
    pub filtered: u64,
    /// Left out as repeats.
    pub duplicate: u64,
    /// Waiting for a person.
    pub held: u64,
}

/// What went wrong with a run.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FailureView {
    /// Stable code, explained in docs/ERRORS.md.
    pub code: String,
    /// What was expected, what was found, and what to do.
    pub message: String,
    /// Step in which it was found.
    pub step: String,
    /// 1-based line of the file.
    pub line: Option<u64>,
    /// Byte offset in the decompressed file.
    pub offset: Option<u64>,
}

/// An event of a run's audit chain.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EventView {
    /// 0-based, without gaps.
    pub seq: u64,
    /// RFC 3339 UTC.
    pub at: String,
    /// Who.
    pub actor: ActorView,
    /// What, such as `run.admitted`.
    pub action: String,
    /// Ids, counts and hashes.
    #[schema(value_type = Object)]
    pub detail: Value,
    /// Hash of the event before, hex.
    pub previous: String,
    /// Hash of this event, hex.
    pub hash: String,
}

/// Who did something.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ActorView {
    /// `step` or `person`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Object id of a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Name of the step or the person.
    pub name: String,
}

/// The audit chain and whether it holds.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AuditView {
    /// Whether numbers, hashes and head fit together.
    pub verified: bool,
    /// What does not fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken: Option<String>,
    /// All events, in order.
    pub events: Vec<EventView>,
}

/// Which runs to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RunQuery {
    /// Partner id.
    partner: Option<String>,
    /// Pipeline name.
    pipeline: Option<String>,
    /// State name, several separated by commas.
    state: Option<String>,
    /// Submission id.
    submission: Option<String>,
    /// Path below the partner's container.
    path: Option<String>,
    /// Only runs with a message in a dead-letter queue; with false only the others.
    dead_lettered: Option<bool>,
    /// RFC 3339: only runs that have not ended and of which nothing changed since then.
    #[param(format = DateTime)]
    quiet_since: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Items of a page, 200 at most.
    limit: Option<usize>,
}

impl From<&Run> for RunSummary {
    fn from(run: &Run) -> Self {
        Self {
            run_id: run.run_id.to_string(),
            submission_id: run.submission.to_string(),
            attempt: run.attempt,
            partner: run.partner.clone(),
            pipeline: run.pipeline.clone(),
            pipeline_version: run.pinned.as_ref().map(|p| p.pipeline_version),
            path: run.path.clone(),
            size: run.source.size,
            state: run.state.name(),
            created_at: run.created_at.clone(),
            updated_at: run.updated_at.clone(),
            counts: run.counts.as_ref().map(Into::into),
            open_cases: run.open_cases,
            cases: run.cases,
            failure: run.failure.as_ref().map(Into::into),
            dead_letter: run.dead_letter.as_ref().map(Into::into),
            receipt: run.receipt,
            fixes: run.fixes.as_ref().map(ToString::to_string),
        }
    }
}

impl RunDetail {
    async fn of(app: &App, run: &Run) -> Result<Self, Problem> {
        let fixed_by = runs::fixed_by(&app.context, &run.partner, &run.submission).await?;
        let content = run.content.as_ref();
        let pinned = run.pinned.as_ref();
        Ok(Self {
            summary: run.into(),
            source_etag: run.source.etag.0.clone(),
            blake3: content.map(|c| c.blake3.clone()),
            sha256: content.map(|c| c.sha256.clone()),
            repeats: content.and_then(|c| c.repeats.as_ref()).map(ToString::to_string),
            segments: run.segments,
            chunks: run.chunks,
            plan_hash: pinned.map(|p| p.plan_hash.clone()),
            parameters: pinned
                .and_then(|p| serde_json::to_value(&p.parameters).ok())
                .unwrap_or_else(|| Value::Object(serde_json::Map::new())),
            engine: pinned.map(|p| p.engine.clone()),
            table_version: run.table_version,
            fixed_by: fixed_by.iter().map(ToString::to_string).collect(),
        })
    }
}

impl From<&Counts> for CountsView {
    fn from(c: &Counts) -> Self {
        let Counts { rows, published, corrected, rejected, returned, filtered, duplicate, held } = *c;
        Self { rows, published, corrected, rejected, returned, filtered, duplicate, held }
    }
}

impl From<&Failure> for FailureView {
    fn from(f: &Failure) -> Self {
        Self { code: f.code.clone(), message: f.message.clone(), step: f.step.clone(), line: f.line, offset: f.offset }
    }
}

impl From<&Actor> for ActorView {
    fn from(actor: &Actor) -> Self {
        match actor {
            Actor::Step { name } => Self { kind: "step", id: None, name: name.clone() },
            Actor::Person { id, name } => Self { kind: "person", id: Some(id.clone()), name: name.clone() },
        }
    }
}

impl From<AuditEvent> for EventView {
    fn from(event: AuditEvent) -> Self {
        let actor = (&event.actor).into();
        Self { seq: event.seq, at: event.at, actor, action: event.action, detail: event.detail, previous: event.previous, hash: event.hash }
    }
}

/// A state by its name.
fn state(name: &str) -> Result<RunState, Problem> {
    serde_json::from_value(Value::String(name.to_owned())).map_err(|_| Problem::bad_request(format!("state: no state is named {name:?}")))
}

/// A run id of the path. What is no id does not exist.
pub(super) fn run_id(text: String) -> Result<RunId, Problem> {
    RunId::try_from(text).map_err(|_| Problem::not_found("this run"))
}

/// The run, if it exists and may be seen.
pub(super) async fn visible(app: &App, scope: &Scope, id: String) -> Result<Run, Problem> {
    let id = run_id(id)?;
    tracing::Span::current().record("run", id.as_str());
    let run = runs::get(&app.context, &id).await?;
    // Word for word what is said of a run that does not exist.
    if scope.sees(&run.partner) { Ok(run) } else { Err(Problem::new(StatusCode::NOT_FOUND, "W0404", format!("there is no run {id}"))) }
}

/// An answer whose messages travel to the queues.
pub(super) fn with_messages(outputs: Outputs, response: impl IntoResponse) -> Response {
    (Extension(outputs), response).into_response()
}

/// Runs, newest first.
#[utoipa::path(get, path = "/runs", tag = "runs", params(RunQuery), responses((status = 200, body = Page<RunSummary>), (status = 400, body = Problem)))]
pub(super) async fn list(
    State(app): State<App>,
    scope: Scope,
    Query(query): Query<RunQuery>,
) -> Result<axum::Json<Page<RunSummary>>, Problem> {
    let is_hidden = matches!((&scope, &query.partner), (Scope::Partner(own), Some(asked)) if own != asked);
    let partner = match (&scope, query.partner) {
        (Scope::Partner(own), _) => Some(own.clone()),
        (Scope::All, asked) => asked,
    };
    let quiet_since = time::stored("quietSince", query.quiet_since.as_ref())?;
    let of = (&partner, &query.pipeline, &query.state, &query.submission, &query.path);
    let listing = ("runs", of, query.dead_lettered, &quiet_since);
    let after = cursor::decode(&listing, query.cursor.as_deref())?;
    let filter = RunFilter {
        partner: partner.clone(),
        pipeline: query.pipeline.clone(),
        state: query.state.iter().flat_map(|list| list.split(',')).map(state).collect::<Result<_, _>>()?,
        submission: query.submission.clone().map(SubmissionId::try_from).transpose()?,
        path: query.path.clone(),
        dead_lettered: query.dead_lettered,
        quiet_since: quiet_since.clone(),
    };
    // Only now: what is mistaken is mistaken whosever runs are asked for.
    if is_hidden {
        return Ok(axum::Json(Page { items: Vec::new(), next: None }));
    }
    let page = runs::list(&app.context, &filter, after.as_deref(), cursor::limit(query.limit)).await?;
    Ok(axum::Json(Page { items: page.items.iter().map(Into::into).collect(), next: cursor::encode(&listing, page.next) }))
}

/// A run in full, with its `ETag`.
#[utoipa::path(get, path = "/runs/{run}", tag = "runs", params(("run" = String, Path), ("If-None-Match" = Option<String>, Header, description = "`ETag` of the run as it is known")), responses((status = 200, body = RunDetail), (status = 304, description = "Not changed"), (status = 404, body = Problem)))]
pub(super) async fn get(State(app): State<App>, scope: Scope, headers: HeaderMap, Path(run): Path<String>) -> Result<Response, Problem> {
    let run = visible(&app, &scope, run).await?;
    etag::conditional(&headers, &RunDetail::of(&app, &run).await?)
}

/// What happened, in order.
#[utoipa::path(get, path = "/runs/{run}/timeline", tag = "runs", params(("run" = String, Path)), responses((status = 200, body = [EventView]), (status = 404, body = Problem)))]
pub(super) async fn timeline(State(app): State<App>, scope: Scope, Path(run): Path<String>) -> Result<axum::Json<Vec<EventView>>, Problem> {
    let run = visible(&app, &scope, run).await?;
    let events = runs::timeline(&app.context, &run.run_id).await?;
    Ok(axum::Json(events.into_iter().map(Into::into).collect()))
}

/// The whole-run report: outcomes, problems by code, statistics of columns.
#[utoipa::path(get, path = "/runs/{run}/report", tag = "runs", params(("run" = String, Path)), responses((status = 200, body = Object), (status = 404, body = Problem, description = "No such run, or not checked yet")))]
pub(super) async fn report(State(app): State<App>, scope: Scope, Path(run): Path<String>) -> Result<Response, Problem> {
    let run = visible(&app, &scope, run).await?;
    match runs::report(&app.context, &run.run_id).await? {
        Some(report) => Ok(axum::Json(report).into_response()),
        None => Err(Problem::not_found("the report of this run")),
    }
}

/// The audit chain with its verification.
#[utoipa::path(get, path = "/runs/{run}/audit", tag = "runs", params(("run" = String, Path)), responses((status = 200, body = AuditView), (status = 404, body = Problem)))]
pub(super) async fn audit(State(app): State<App>, scope: Scope, Path(run): Path<String>) -> Result<axum::Json<AuditView>, Problem> {
    let run = visible(&app, &scope, run).await?;
    let check = runs::verify_audit(&app.context, &run.run_id).await?;
    let events = runs::timeline(&app.context, &run.run_id).await?;
    Ok(axum::Json(AuditView { verified: check.fault.is_none(), broken: check.fault, events: events.into_iter().map(Into::into).collect() }))
}

/// The chunks of a run and what became of their rows.
#[utoipa::path(get, path = "/runs/{run}/chunks", tag = "runs", params(("run" = String, Path), PageQuery), responses((status = 200, body = Page<Object>), (status = 404, body = Problem)))]
pub(super) async fn chunks(
    State(app): State<App>,
    scope: Scope,
    Path(run): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Response, Problem> {
    let run = visible(&app, &scope, run).await?;
    let listing = ("chunks", run.run_id.as_str());
    let after = cursor::decode(&listing, query.cursor.as_deref())?;
    let page = runs::chunks(&app.context, &run.run_id, after.as_deref(), cursor::limit(query.limit)).await?;
    Ok(axum::Json(Page { items: page.items, next: cursor::encode(&listing, page.next) }).into_response())
}

/// Starts a new attempt of the same submission with what is live now.
#[utoipa::path(post, path = "/runs/{run}/reprocess", tag = "runs", params(("run" = String, Path)), responses((status = 202, body = RunDetail), (status = 404, body = Problem), (status = 409, body = Problem, description = "A later attempt has ended, or the file is gone"), (status = 412, body = Problem, description = "The run has not ended, or its rows are published")))]
pub(super) async fn reprocess(State(app): State<App>, scope: Scope, caller: Caller, Path(run): Path<String>) -> Result<Response, Problem> {
    let run = visible(&app, &scope, run).await?;
    let (run, outputs) = runs::reprocess(&app.context, &caller.actor(), &run.run_id).await?;
    Ok(with_messages(outputs, (StatusCode::ACCEPTED, axum::Json(RunDetail::of(&app, &run).await?))))
}

/// Stops a run that has not ended.
#[utoipa::path(post, path = "/runs/{run}/cancel", tag = "runs", params(("run" = String, Path)), responses((status = 202, body = RunDetail), (status = 404, body = Problem), (status = 412, body = Problem, description = "The run has ended or is being published")))]
pub(super) async fn cancel(State(app): State<App>, scope: Scope, caller: Caller, Path(run): Path<String>) -> Result<Response, Problem> {
    let run = visible(&app, &scope, run).await?;
    let (run, outputs) = runs::cancel(&app.context, &caller.actor(), &run.run_id).await?;
    Ok(with_messages(outputs, (StatusCode::ACCEPTED, axum::Json(RunDetail::of(&app, &run).await?))))
}

/// Sends the message of the current step again, after the cause of a dead letter is gone.
#[utoipa::path(post, path = "/runs/{run}/resume", tag = "runs", params(("run" = String, Path)), responses((status = 202, body = RunDetail), (status = 404, body = Problem), (status = 412, body = Problem, description = "Nothing more happens to the run")))]
pub(super) async fn resume(State(app): State<App>, scope: Scope, caller: Caller, Path(run): Path<String>) -> Result<Response, Problem> {
    let run = visible(&app, &scope, run).await?;
    let (run, outputs) = runs::resume(&app.context, &caller.actor(), &run.run_id).await?;
    Ok(with_messages(outputs, (StatusCode::ACCEPTED, axum::Json(RunDetail::of(&app, &run).await?))))
}
