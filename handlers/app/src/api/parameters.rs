//! Parameters: the values that a pipeline names, as immutable versions.

use axum::{extract::State, http::HeaderMap, response::Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sluice_flow::pipelines::{self, ParametersVersion};
use utoipa::ToSchema;

use super::{
    etag,
    extract::{Json, Path, Precondition},
    pipelines::{live, tagged},
    problem::Problem,
};
use crate::{app::App, auth::Caller};

/// One version of the values.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ParametersView {
    /// 1-based; 0 is the pipeline's defaults.
    version: u32,
    /// Values by name; those not set keep the pipeline's default.
    #[schema(value_type = Object)]
    values: Value,
    /// Why they were changed.
    comment: String,
    /// RFC 3339 UTC.
    created_at: String,
    /// Object id of the author.
    created_by: String,
}

/// The live values and those before.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ParametersHistory {
    /// Pipeline name.
    pipeline: String,
    /// The version that new runs are pinned to; 0 is the defaults.
    version: u32,
    /// Newest first.
    versions: Vec<ParametersView>,
}

/// Values to set.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PutParameters {
    /// Values by name; those left out keep the pipeline's default.
    #[schema(value_type = Object)]
    values: sluice_contract::Parameters,
    /// Why; for the audit log.
    #[serde(default)]
    comment: String,
}

impl ParametersView {
    fn of(version: &ParametersVersion) -> Self {
        Self {
            version: version.version,
            values: serde_json::to_value(&version.values).unwrap_or_default(),
            comment: version.comment.clone(),
            created_at: version.created_at.clone(),
            created_by: version.created_by.clone(),
        }
    }
}

fn tag(version: u32) -> String {
    format!("\"p{version}\"")
}

async fn history(app: &App, pipeline: &str) -> Result<Vec<ParametersVersion>, Problem> {
    if live(app, pipeline).await?.is_none() {
        return Err(Problem::not_found("this pipeline"));
    }
    Ok(pipelines::parameter_history(&app.context, pipeline).await?)
}

fn answer(pipeline: String, versions: &[ParametersVersion]) -> Response {
    let version = versions.iter().map(|v| v.version).max().unwrap_or(0);
    let versions = versions.iter().rev().map(ParametersView::of).collect();
    tagged(&tag(version), axum::Json(ParametersHistory { pipeline, version, versions }))
}

/// The values of a pipeline's parameters, and their history.
#[utoipa::path(get, path = "/parameters/{pipeline}", tag = "parameters", params(("pipeline" = String, Path), ("If-None-Match" = Option<String>, Header, description = "`ETag` of the values as it is known")), responses((status = 200, body = ParametersHistory), (status = 304, description = "Not changed"), (status = 404, body = Problem)))]
pub(super) async fn get(State(app): State<App>, headers: HeaderMap, Path(pipeline): Path<String>) -> Result<Response, Problem> {
    let versions = history(&app, &pipeline).await?;
    Ok(etag::unless_known(&headers, answer(pipeline, &versions)))
}

/// Sets the values for runs that start from now on.
#[utoipa::path(put, path = "/parameters/{pipeline}", tag = "parameters",
    params(("pipeline" = String, Path), ("If-Match" = Option<String>, Header, description = "`ETag` of the values that were read")),
    request_body = PutParameters,
    responses((status = 200, body = ParametersHistory), (status = 404, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn put(
    State(app): State<App>,
    caller: Caller,
    Path(pipeline): Path<String>,
    precondition: Option<Precondition>,
    Json(body): Json<PutParameters>,
) -> Result<Response, Problem> {
    let before = history(&app, &pipeline).await?;
    if let Some(precondition) = precondition {
        let current = before.iter().map(|v| v.version).max().unwrap_or(0);
        precondition.check(Some(&tag(current)))?;
    }
    pipelines::set_parameters(&app.context, &caller.id, &pipeline, body.values, &body.comment).await?;
    let versions = history(&app, &pipeline).await?;
    Ok(answer(pipeline, &versions))
}
