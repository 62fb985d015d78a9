//! Pipelines and their contracts: stored as immutable versions of their YAML texts, refused with all mistakes at once.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use sluice_contract::{Draft, Sources};
use sluice_flow::pipelines::{self, ChangedRow, Comparison, PipelinePointer, PipelineVersion, PutError, Sample, SampleOutcome};
use utoipa::ToSchema;

use super::{
    etag,
    extract::{Json, Path, Precondition},
    problem::Problem,
    runs::run_id,
};
use crate::{app::App, auth::Caller};

/// Bytes of a dry run's sample unless asked otherwise.
const SAMPLE_BYTES: u64 = 1 << 20;
/// Most bytes of a dry run's sample.
const MOST_SAMPLE_BYTES: u64 = 32 << 20;

/// Which version of a pipeline is live.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PipelineView {
    /// Name.
    name: String,
    /// Partner it takes files from.
    partner: String,
    /// Path glob below the partner's container.
    path: String,
    /// The live version.
    version: u32,
    /// RFC 3339 UTC.
    updated_at: String,
}

/// A version without its texts.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct VersionView {
    /// Pipeline name.
    name: String,
    /// 1-based.
    version: u32,
    /// BLAKE3 of both texts, hex.
    hash: String,
    /// RFC 3339 UTC.
    created_at: String,
    /// Object id of the author.
    created_by: String,
    /// Name of the author, where the token gave one.
    #[serde(skip_serializing_if = "Option::is_none")]
    created_by_name: Option<String>,
    /// Object id of who approved it, if it was a draft.
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_by: Option<String>,
    /// Name of who approved it, where the token gave one.
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_by_name: Option<String>,
}

/// A version with its texts.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PipelineTexts {
    /// The version.
    #[serde(flatten)]
    version: VersionView,
    /// YAML text of the pipeline.
    pipeline: String,
    /// YAML text of the contract.
    contract: String,
}

/// Texts to store.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PutPipeline {
    /// YAML text of the pipeline; its `name` must be that of the path.
    pipeline: String,
    /// YAML text of the contract (Open Data Contract Standard v3.1).
    contract: String,
    /// Name of the pipeline's file, for messages.
    pipeline_file: Option<String>,
    /// Name of the contract's file, for messages.
    contract_file: Option<String>,
}

/// What to try, and on what: `sample`, `sampleBase64` or `run`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct DryRunBody {
    /// YAML text of the pipeline.
    pipeline: String,
    /// YAML text of the contract.
    contract: String,
    /// Content of a sample file, as text.
    sample: Option<String>,
    /// Content of a sample file, as base64: for compressed files and Parquet.
    sample_base64: Option<String>,
    /// Name of the sample file; its ending can tell how it is compressed.
    sample_name: Option<String>,
    /// A past run, whose raw file is read again.
    run: Option<String>,
    /// Bytes of the file to try: 1 MiB unless asked otherwise, 32 MiB at most.
    bytes: Option<u64>,
}

/// What to compare with the plan of a past run.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CompareBody {
    /// YAML text of the pipeline.
    pipeline: String,
    /// YAML text of the contract.
    contract: String,
    /// A past run, whose raw file is read again.
    run: String,
    /// Bytes of the file to compare: 1 MiB unless asked otherwise, 32 MiB at most.
    bytes: Option<u64>,
}

/// The rows that end otherwise.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ComparisonView {
    /// Rows that were compared.
    rows: u64,
    /// How many of them end otherwise.
    changed_rows: u64,
    /// The first 1000 of those.
    changed: Vec<ChangedRowView>,
    /// Whether the file has more than was compared, or more rows changed than are told.
    truncated: bool,
    /// Why the file as a whole would be refused: code, message, line.
    #[schema(value_type = Vec<Object>)]
    refusals: Vec<sluice_engine::Refusal>,
}

/// A row that ends otherwise.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ChangedRowView {
    /// 0-based number in the file.
    row: u64,
    /// accepted, rejected, held, filtered or duplicate; null if there is no such row under the plan of the run.
    before: Option<&'static str>,
    /// Likewise under the given plan.
    after: Option<&'static str>,
    /// Why it would end there: code, column, value, message.
    #[schema(value_type = Vec<Object>)]
    reasons: Vec<sluice_engine::Problem>,
}

impl From<Comparison> for ComparisonView {
    fn from(comparison: Comparison) -> Self {
        let Comparison { rows, changed_rows, changed, truncated, refusals } = comparison;
        Self { rows, changed_rows, changed: changed.into_iter().map(Into::into).collect(), truncated, refusals }
    }
}

impl From<ChangedRow> for ChangedRowView {
    fn from(changed: ChangedRow) -> Self {
        let ChangedRow { row, before, after, reasons } = changed;
        Self { row, before: before.map(SampleOutcome::name), after: after.map(SampleOutcome::name), reasons }
    }
}

impl From<&PipelineVersion> for VersionView {
    fn from(v: &PipelineVersion) -> Self {
        Self {
            name: v.name.clone(),
            version: v.version,
            hash: v.hash.clone(),
            created_at: v.created_at.clone(),
            created_by: v.created_by.clone(),
            created_by_name: v.created_by_name.clone(),
            approved_by: v.approved_by.clone(),
            approved_by_name: v.approved_by_name.clone(),
        }
    }
}

impl From<PipelinePointer> for PipelineView {
    fn from(p: PipelinePointer) -> Self {
        Self { name: p.name, partner: p.partner, path: p.path, version: p.version, updated_at: p.updated_at }
    }
}

impl From<PutError> for Problem {
    fn from(error: PutError) -> Self {
        match error {
            PutError::Mistakes(mistakes) => mistakes.into(),
            PutError::Error(error) => error.into(),
        }
    }
}

fn tag(version: u32) -> String {
    format!("\"v{version}\"")
}

/// An answer with the version as its entity tag.
pub(super) fn tagged(tag: &str, response: impl IntoResponse) -> Response {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, value);
    }
    (headers, response).into_response()
}

impl PutPipeline {
    pub(super) fn sources(&self) -> Sources<'_> {
        sources(&self.pipeline, self.pipeline_file.as_deref(), &self.contract, self.contract_file.as_deref())
    }

    /// Whether the texts are those of the pipeline that the path names. A text whose name cannot be read is left to the store, which tells
    /// all mistakes at once.
    pub(super) fn check_name(&self, name: &str) -> Result<(), Problem> {
        let named = Draft::read(&self.sources()).plan.map_or_else(String::new, |plan| plan.pipeline.name);
        if named.is_empty() || named == name {
            return Ok(());
        }
        Err(Problem::bad_request(format!("expected the texts of pipeline {name:?}, as the path says, found those of {named:?}")))
    }
}

fn sources<'a>(pipeline: &'a str, pipeline_file: Option<&'a str>, contract: &'a str, contract_file: Option<&'a str>) -> Sources<'a> {
    Sources {
        pipeline_file: pipeline_file.unwrap_or("pipeline.yaml"),
        pipeline,
        contract_file: contract_file.unwrap_or("contract.odcs.yaml"),
        contract,
    }
}

/// The live version, `None` if there is no such pipeline.
pub(super) async fn live(app: &App, name: &str) -> Result<Option<PipelineVersion>, Problem> {
    match pipelines::live(&app.context, name).await {
        Ok(pointer) => Ok(Some(pipelines::get(&app.context, name, pointer.version).await?)),
        Err(error) if error.code() == "A0404" => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// All pipelines, with their live versions.
#[utoipa::path(get, path = "/pipelines", tag = "pipelines", responses((status = 200, body = [PipelineView])))]
pub(super) async fn list(State(app): State<App>) -> Result<axum::Json<Vec<PipelineView>>, Problem> {
    Ok(axum::Json(pipelines::list(&app.context).await?.into_iter().map(Into::into).collect()))
}

/// The live version, with its texts; its `ETag` is what `If-Match` takes.
#[utoipa::path(get, path = "/pipelines/{name}", tag = "pipelines", params(("name" = String, Path), ("If-None-Match" = Option<String>, Header, description = "`ETag` of the version as it is known")), responses((status = 200, body = PipelineTexts), (status = 304, description = "Not changed"), (status = 404, body = Problem)))]
pub(super) async fn get(State(app): State<App>, headers: HeaderMap, Path(name): Path<String>) -> Result<Response, Problem> {
    let version = live(&app, &name).await?.ok_or_else(|| Problem::not_found("this pipeline"))?;
    Ok(etag::unless_known(&headers, texts(StatusCode::OK, version)))
}

pub(super) fn texts(status: StatusCode, version: PipelineVersion) -> Response {
    let texts = PipelineTexts { version: (&version).into(), pipeline: version.pipeline, contract: version.contract };
    tagged(&tag(version.version), (status, axum::Json(texts)))
}

/// All versions, newest first.
#[utoipa::path(get, path = "/pipelines/{name}/versions", tag = "pipelines", params(("name" = String, Path)), responses((status = 200, body = [VersionView]), (status = 404, body = Problem)))]
pub(super) async fn versions(State(app): State<App>, Path(name): Path<String>) -> Result<axum::Json<Vec<VersionView>>, Problem> {
    let versions = pipelines::versions(&app.context, &name).await?;
    if versions.is_empty() {
        return Err(Problem::not_found("this pipeline"));
    }
    Ok(axum::Json(versions.iter().rev().map(Into::into).collect()))
}

/// One version, with its texts.
#[utoipa::path(get, path = "/pipelines/{name}/versions/{version}", tag = "pipelines", params(("name" = String, Path), ("version" = u32, Path, description = "1-based")), responses((status = 200, body = PipelineTexts), (status = 404, body = Problem)))]
pub(super) async fn version(State(app): State<App>, Path((name, version)): Path<(String, u32)>) -> Result<Response, Problem> {
    Ok(texts(StatusCode::OK, pipelines::get(&app.context, &name, version).await?))
}

/// Stores the next version and makes it live. The same texts again are the same version.
#[utoipa::path(put, path = "/pipelines/{name}", tag = "pipelines",
    params(("name" = String, Path), ("If-Match" = Option<String>, Header, description = "`ETag` of the version that was read"), ("If-None-Match" = Option<String>, Header, description = "`*`: only if there is none")),
    request_body = PutPipeline,
    responses((status = 200, body = PipelineTexts), (status = 409, body = Problem, description = "Changed by others at the same time"), (status = 412, body = Problem), (status = 422, body = Problem, description = "All mistakes at once; or another pipeline takes these files")))]
pub(super) async fn put(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    precondition: Option<Precondition>,
    Json(body): Json<PutPipeline>,
) -> Result<Response, Problem> {
    let sources = body.sources();
    body.check_name(&name)?;
    if let Some(precondition) = precondition {
        precondition.check(live(&app, &name).await?.map(|version| tag(version.version)).as_deref())?;
    }
    let version = pipelines::put(&app.context, &caller.actor(), &sources).await?;
    Ok(texts(StatusCode::OK, version))
}

/// Runs a pipeline over a sample or a past run's file without storing anything.
#[utoipa::path(post, path = "/pipelines/dry-run", tag = "pipelines", request_body = DryRunBody, responses((status = 200, body = Object), (status = 404, body = Problem), (status = 422, body = Problem, description = "All mistakes at once")))]
pub(super) async fn dry_run(State(app): State<App>, Json(body): Json<DryRunBody>) -> Result<Response, Problem> {
    let name = body.sample_name.clone().unwrap_or_else(|| "sample".to_owned());
    let sample = match (body.sample, body.sample_base64, body.run) {
        (Some(text), None, None) => Sample::Bytes { name, bytes: text.into() },
        (None, Some(base64), None) => {
            let bytes = STANDARD.decode(base64).map_err(|_| Problem::bad_request("sampleBase64: expected base64"))?;
            Sample::Bytes { name, bytes: bytes.into() }
        }
        (None, None, Some(run)) => Sample::Run(run_id(run)?),
        _ => return Err(Problem::bad_request("expected one of sample, sampleBase64 and run")),
    };
    let sources = sources(&body.pipeline, None, &body.contract, None);
    let bytes = body.bytes.unwrap_or(SAMPLE_BYTES).clamp(1, MOST_SAMPLE_BYTES);
    let report = pipelines::dry_run(&app.context, &sources, sample, bytes).await?;
    Ok(axum::Json(report).into_response())
}

/// Works through the beginning of a past run's file under the plan of the run and under the given one, and tells the rows that end otherwise.
#[utoipa::path(post, path = "/pipelines/compare", tag = "pipelines", request_body = CompareBody, responses((status = 200, body = ComparisonView), (status = 404, body = Problem), (status = 412, body = Problem, description = "No pipeline took the file"), (status = 422, body = Problem, description = "All mistakes at once")))]
pub(super) async fn compare(State(app): State<App>, Json(body): Json<CompareBody>) -> Result<axum::Json<ComparisonView>, Problem> {
    let sources = sources(&body.pipeline, None, &body.contract, None);
    let bytes = body.bytes.unwrap_or(SAMPLE_BYTES).clamp(1, MOST_SAMPLE_BYTES);
    Ok(axum::Json(pipelines::compare(&app.context, &sources, &run_id(body.run)?, bytes).await?.into()))
}
