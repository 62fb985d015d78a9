//! Submissions: upload grants, and what became of an upload.

pub(super) mod dry_run;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use sluice_flow::{
    SubmissionId, grant, pipelines,
    rejected::{self, Cells},
    run::{Declared, Run},
    runs::{self, RunFilter},
    submissions,
};
use utoipa::{IntoParams, ToSchema};

use super::{
    Page, cursor, etag,
    extract::{IdempotencyKey, Json, Path, Query},
    idempotency,
    problem::Problem,
    runs::RunSummary,
};
use crate::{
    app::App,
    auth::{Caller, Scope},
};

/// Validity of a grant unless asked otherwise.
const DEFAULT_SECONDS: u64 = 60 * 60;

/// What is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct GrantRequest {
    /// For whom; a partner may leave it out.
    #[schema(pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", min_length = 2, max_length = 40)]
    partner: Option<String>,
    /// What is granted.
    grant: GrantScope,
    /// Checksums and size of the file, if known: they are checked after the upload.
    #[serde(default)]
    declared: DeclaredView,
    /// Validity in seconds, 7 days at most; an hour unless asked otherwise.
    #[schema(minimum = 60, maximum = 604_800)]
    valid_seconds: Option<u64>,
    /// Id of a submission of the same partner: the file has only rows of it that were rejected, repaired.
    #[schema(pattern = "^s-[0-9a-f]{25}$")]
    fixes: Option<String>,
}

/// One file, or the partner's container for a time.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub(super) enum GrantScope {
    /// One path, create-only.
    File {
        /// Path below the partner's container.
        #[schema(min_length = 1, max_length = 1024)]
        path: String,
    },
    /// The container, for jobs that overwrite by name.
    Container {
        /// Also read and list what is in it, for clients such as rclone that look at what they have uploaded. It is the partner's own
        /// container only; without this the URL reads nothing.
        #[serde(default, rename = "readBack")]
        read_back: bool,
    },
}

/// Checksums in hex and size in bytes.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DeclaredView {
    /// 32 hex digits.
    #[schema(pattern = "^[0-9a-f]{32}$")]
    md5: Option<String>,
    /// 64 hex digits.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    sha256: Option<String>,
    /// 64 hex digits.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    blake3: Option<String>,
    /// Bytes.
    size: Option<u64>,
}

/// A grant with its URL, which is shown this once.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Granted {
    /// Its id; `GET /submissions/{id}` tells what became of it.
    grant_id: String,
    /// Partner id.
    partner: String,
    /// What is granted.
    grant: GrantScope,
    /// Upload here: a blob URL or a container URL with a signature.
    url: String,
    /// RFC 3339 UTC.
    expires_at: String,
    /// The pipeline that takes a file at this path now; null if none does, and for a container.
    pipeline: Option<String>,
    /// Where no pipeline takes a file at this path: the paths that the partner's pipelines take, the nearest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    taken_paths: Vec<String>,
}

/// A submission: a grant, an upload, or both.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SubmissionView {
    /// The id that was asked for.
    id: String,
    /// Runs, newest first.
    runs: Vec<RunSummary>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SubmissionQuery {
    /// Path below the partner's container.
    path: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Items of a page, 200 at most.
    limit: Option<usize>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RejectedQuery {
    /// Whether cells that a spreadsheet would run as formulas are made harmless by an apostrophe.
    #[serde(default)]
    safe: bool,
}

impl From<GrantScope> for grant::Scope {
    fn from(scope: GrantScope) -> Self {
        match scope {
            GrantScope::File { path } => Self::File { path },
            GrantScope::Container { read_back } => Self::Container { read_back },
        }
    }
}

impl From<grant::Scope> for GrantScope {
    fn from(scope: grant::Scope) -> Self {
        match scope {
            grant::Scope::File { path } => Self::File { path },
            grant::Scope::Container { read_back } => Self::Container { read_back },
        }
    }
}

impl From<DeclaredView> for Declared {
    fn from(d: DeclaredView) -> Self {
        Self { md5: d.md5, sha256: d.sha256, blake3: d.blake3, size: d.size }
    }
}

/// Asks for a time-limited URL to upload to. The same request with the same `Idempotency-Key` within a day gets the same grant, with a URL
/// that is signed anew; a request that was refused is looked at again.
#[utoipa::path(post, path = "/submissions", tag = "submissions", request_body = GrantRequest, responses((status = 201, body = Granted), (status = 404, body = Problem, description = "No such submission to repair"), (status = 409, body = Problem, description = "The path is taken"), (status = 422, body = Problem, description = "The request is mistaken, or its idempotency key came with another one")))]
pub(super) async fn grant(
    State(app): State<App>,
    scope: Scope,
    caller: Caller,
    key: IdempotencyKey,
    Json(asked): Json<GrantRequest>,
) -> Result<Response, Problem> {
    let partner = of_partner(&scope, asked.partner)?;
    let request = submissions::GrantRequest {
        scope: asked.grant.into(),
        declared: asked.declared.into(),
        valid_seconds: asked.valid_seconds.unwrap_or(DEFAULT_SECONDS),
        fixes: asked.fixes.map(SubmissionId::try_from).transpose()?,
    };
    let (pipeline, taken_paths) = takers(&app, &partner, &request.scope).await?;
    let submissions::Granted { grant, url, again } =
        submissions::grant(&app.context, app.signer.as_ref(), &caller.actor(), &partner, request, key.text()).await?;
    let granted = Granted {
        grant_id: grant.grant_id,
        partner: grant.partner,
        grant: grant.scope.into(),
        url: url.to_string(),
        expires_at: grant.expires_at,
        pipeline,
        taken_paths,
    };
    let mut response = (StatusCode::CREATED, axum::Json(granted)).into_response();
    // The URL is a secret.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if again {
        idempotency::mark(&mut response);
    }
    Ok(response)
}

/// The partner that a request is about. A partner need not name itself, and of others it does not know that they exist.
fn of_partner(scope: &Scope, asked: Option<String>) -> Result<String, Problem> {
    match (scope, asked) {
        (Scope::Partner(own), None) => Ok(own.clone()),
        (Scope::Partner(own), Some(partner)) if *own == partner => Ok(partner),
        (Scope::Partner(_), Some(_)) => Err(Problem::not_found("this partner")),
        (Scope::All, Some(partner)) => Ok(partner),
        (Scope::All, None) => Err(Problem::bad_request("partner: expected the partner's id")),
    }
}

/// The pipeline that takes what may be uploaded, or else the paths that are taken. A path without a pipeline is granted all the same: there
/// may be one by the time the file arrives.
async fn takers(app: &App, partner: &str, scope: &grant::Scope) -> Result<(Option<String>, Vec<String>), Problem> {
    let grant::Scope::File { path } = scope else { return Ok((None, Vec::new())) };
    let pipeline = pipelines::taker(&app.context, partner, path).await?;
    let paths = if pipeline.is_none() { pipelines::nearest_paths(&app.context, partner, path).await? } else { Vec::new() };
    Ok((pipeline, paths))
}

/// Uploads, newest first, each with its newest run.
#[utoipa::path(get, path = "/submissions", tag = "submissions", params(SubmissionQuery), responses((status = 200, body = Page<RunSummary>), (status = 400, body = Problem)))]
pub(super) async fn list(
    State(app): State<App>,
    scope: Scope,
    Query(query): Query<SubmissionQuery>,
) -> Result<axum::Json<Page<RunSummary>>, Problem> {
    let listing = ("submissions", scope.partner(), &query.path);
    let after = cursor::decode(&listing, query.cursor.as_deref())?;
    let filter = RunFilter { partner: scope.partner().map(str::to_owned), path: query.path.clone(), ..RunFilter::default() };
    let page = runs::list(&app.context, &filter, after.as_deref(), cursor::limit(query.limit)).await?;
    Ok(axum::Json(Page { items: page.items.iter().map(Into::into).collect(), next: cursor::encode(&listing, page.next) }))
}

/// Runs of a submission, grant or run id, newest first.
async fn found(app: &App, scope: &Scope, id: &str) -> Result<Vec<Run>, Problem> {
    Ok(submissions::find(&app.context, scope.partner(), id).await?)
}

/// The newest run of a submission, grant or run id.
async fn newest(app: &App, scope: &Scope, id: &str) -> Result<Run, Problem> {
    let newest = found(app, scope, id).await?.into_iter().max_by_key(|run| run.attempt);
    newest.ok_or_else(|| Problem::not_found("this submission"))
}

/// What became of a submission. The id is a submission's, a grant's or a run's.
#[utoipa::path(get, path = "/submissions/{id}", tag = "submissions", params(("id" = String, Path), ("If-None-Match" = Option<String>, Header, description = "`ETag` of the submission as it is known")), responses((status = 200, body = SubmissionView), (status = 304, description = "Not changed"), (status = 404, body = Problem)))]
pub(super) async fn get(State(app): State<App>, scope: Scope, headers: HeaderMap, Path(id): Path<String>) -> Result<Response, Problem> {
    let runs = found(&app, &scope, &id).await?;
    etag::conditional(&headers, &SubmissionView { id, runs: runs.iter().map(Into::into).collect() })
}

/// The receipt: hashes, counts, reasons.
#[utoipa::path(get, path = "/submissions/{id}/receipt", tag = "submissions", params(("id" = String, Path)), responses((status = 200, body = Object), (status = 404, body = Problem), (status = 409, body = Problem, description = "The run has not ended")))]
pub(super) async fn receipt(State(app): State<App>, scope: Scope, Path(id): Path<String>) -> Result<Response, Problem> {
    let run = newest(&app, &scope, &id).await?;
    Ok(axum::Json(submissions::receipt(&app.context, &run.run_id).await?).into_response())
}

/// The rejected rows in the partner's own format, each with its reasons.
#[utoipa::path(get, path = "/submissions/{id}/rejected", tag = "submissions", params(("id" = String, Path), RejectedQuery), responses(
    (status = 200, description = "CSV or NDJSON", content((String = "text/csv"), (String = "application/x-ndjson"))), (status = 404, body = Problem),
))]
pub(super) async fn rejected(
    State(app): State<App>,
    scope: Scope,
    Path(id): Path<String>,
    Query(query): Query<RejectedQuery>,
) -> Result<Response, Problem> {
    let run = newest(&app, &scope, &id).await?;
    let cells = if query.safe { Cells::SpreadsheetSafe } else { Cells::AsSent };
    let file = rejected::stream(&app.context, &run, cells).await?;
    let name = format!("{}-rejected.{}", run.run_id, file.extension);
    let mut response = Response::new(Body::from_stream(file.bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.content_type));
    // A run id and an extension are visible ASCII.
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}
