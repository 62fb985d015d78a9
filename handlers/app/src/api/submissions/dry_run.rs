//! Trying the beginning of a file before it is sent.

use axum::extract::State;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use sluice_engine::{Problem as RowProblem, ProblemCount, Refusal};
use sluice_flow::pipelines::{self, FileDryRun};
use utoipa::ToSchema;

use super::of_partner;
use crate::{
    api::{extract::Json, problem::Problem},
    app::App,
    auth::Scope,
};

/// Most bytes of a sample.
const MOST_BYTES: usize = 4 << 20;

/// The beginning of a file.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::api) struct FileSample {
    /// Whose file it is; a partner may leave it out.
    partner: Option<String>,
    /// Path below the partner's container, as it would be uploaded.
    path: String,
    /// Bytes of the whole file; without it the sample is taken for all of it.
    size: Option<u64>,
    /// Its first bytes in base64, 4 MiB at most. Of a Parquet file: all of it.
    sample: String,
}

/// What would become of the file, as far as its beginning tells.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct FileDryRunView {
    /// The pipeline that would take it.
    pipeline: String,
    /// Version of the pipeline.
    version: u32,
    /// Rows that were tried.
    rows: u64,
    /// Rows that would be published.
    accepted: u64,
    /// Rows that would be rejected.
    rejected: u64,
    /// Rows that would wait for a person.
    held: u64,
    /// Rows that a filter would leave out.
    filtered: u64,
    /// Rows that would be left out as repeats.
    duplicate: u64,
    /// Whether only the beginning was tried: what is counted over the whole file is not known then.
    truncated: bool,
    /// Why the file as a whole would be refused.
    refusals: Vec<RefusalView>,
    /// What is wrong with rows.
    problems: Vec<ProblemView>,
    /// The first rejected rows as the partner would get them: the file's own format, with reasons.
    rejected_sample: String,
}

/// Why a file as a whole would be refused.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct RefusalView {
    /// Stable code.
    code: String,
    /// What was expected, what was found and what to do.
    message: String,
    /// 1-based line, if one is at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
}

/// One kind of problem.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct ProblemView {
    /// Stable code.
    code: String,
    /// The column, if it is one.
    column: Option<String>,
    /// The rule, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    /// What is wrong with the first of the rows.
    message: String,
    /// How many rows have it.
    rows: u64,
    /// The first of them.
    examples: Vec<ExampleView>,
}

/// A row with a problem.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct ExampleView {
    /// 0-based number of the row in the file.
    row: u64,
    /// 1-based line.
    line: u64,
    /// The column, if it is one.
    column: Option<String>,
    /// The value as it came, 200 characters at most.
    value: Option<String>,
    /// What was expected and found.
    message: String,
}

impl From<FileDryRun> for FileDryRunView {
    fn from(tried: FileDryRun) -> Self {
        let FileDryRun { pipeline, version, found } = tried;
        let totals = found.tally.totals;
        Self {
            pipeline,
            version,
            rows: totals.rows,
            accepted: totals.accepted,
            rejected: totals.rejected,
            held: totals.held,
            filtered: totals.filtered,
            duplicate: totals.duplicate,
            truncated: found.truncated,
            refusals: found.refusals.into_iter().map(Into::into).collect(),
            problems: found.tally.problems.into_iter().map(Into::into).collect(),
            rejected_sample: found.rejected,
        }
    }
}

impl From<Refusal> for RefusalView {
    fn from(refusal: Refusal) -> Self {
        Self { code: refusal.code.to_string(), message: refusal.message, line: refusal.line }
    }
}

impl From<ProblemCount> for ProblemView {
    fn from(counted: ProblemCount) -> Self {
        let ProblemCount { code, column, rule, count, samples } = counted;
        let message = samples.first().map(|first| first.message.clone()).unwrap_or_default();
        Self { code: code.to_string(), column, rule, message, rows: count, examples: samples.into_iter().map(Into::into).collect() }
    }
}

impl From<RowProblem> for ExampleView {
    fn from(problem: RowProblem) -> Self {
        let RowProblem { row, line, column, value, message, .. } = problem;
        Self { row, line, column, value, message }
    }
}

/// Tries the beginning of a file on the pipeline that would take it. Nothing is stored.
#[utoipa::path(post, path = "/submissions/dry-run", tag = "submissions", request_body = FileSample, responses(
    (status = 200, body = FileDryRunView), (status = 400, body = Problem), (status = 404, body = Problem, description = "There is no such partner"),
    (status = 409, body = Problem, description = "The pipeline cannot be used now"),
    (status = 413, body = Problem), (status = 422, body = Problem, description = "No pipeline takes the path, or a part of a Parquet file"),
))]
pub(in crate::api) async fn dry_run(
    State(app): State<App>,
    scope: Scope,
    Json(asked): Json<FileSample>,
) -> Result<axum::Json<FileDryRunView>, Problem> {
    let partner = of_partner(&scope, asked.partner)?;
    let sample = STANDARD.decode(asked.sample).map_err(|_| Problem::bad_request("sample: expected base64"))?;
    if sample.len() > MOST_BYTES {
        return Err(Problem::bad_request(format!("sample: expected at most {MOST_BYTES} bytes, found {}", sample.len())));
    }
    let size = asked.size.unwrap_or(sample.len() as u64);
    if size < sample.len() as u64 {
        return Err(Problem::bad_request(format!("size: the file cannot be smaller than its sample of {} bytes", sample.len())));
    }
    Ok(axum::Json(pipelines::dry_run_file(&app.context, &partner, &asked.path, sample.into(), size).await?.into()))
}
