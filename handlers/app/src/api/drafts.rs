//! Drafts of pipelines: they go live only when somebody else than their author approves them.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use sluice_flow::pipelines::{self, Over, PipelineDraft};
use utoipa::ToSchema;

use super::{
    etag,
    extract::{Json, Path, Precondition},
    pipelines::{PutPipeline, tagged, texts},
    problem::Problem,
    runs::ActorView,
};
use crate::{app::App, auth::Caller};

/// The next version of a pipeline, not live yet.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DraftView {
    /// Pipeline name.
    name: String,
    /// YAML text of the pipeline.
    pipeline: String,
    /// YAML text of the contract.
    contract: String,
    /// BLAKE3 of both texts, hex. An approval names it.
    hash: String,
    /// Who wrote it last: somebody else approves it.
    author: ActorView,
    /// RFC 3339 UTC.
    created_at: String,
}

/// An approval.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ApproveDraft {
    /// `hash` of the draft that was read.
    hash: String,
}

impl From<&PipelineDraft> for DraftView {
    fn from(draft: &PipelineDraft) -> Self {
        Self {
            name: draft.name.clone(),
            pipeline: draft.pipeline.clone(),
            contract: draft.contract.clone(),
            hash: draft.hash.clone(),
            author: (&draft.author).into(),
            created_at: draft.created_at.clone(),
        }
    }
}

fn tag(draft: &PipelineDraft) -> String {
    format!("\"{}\"", draft.hash)
}

fn answer(draft: &PipelineDraft) -> Response {
    tagged(&tag(draft), axum::Json(DraftView::from(draft)))
}

/// The draft of a pipeline; its `ETag` is what `If-Match` takes.
#[utoipa::path(get, operation_id = "get_draft", path = "/pipelines/{name}/draft", tag = "pipelines", params(("name" = String, Path), ("If-None-Match" = Option<String>, Header, description = "`ETag` of the draft as it is known")), responses((status = 200, body = DraftView), (status = 304, description = "Not changed"), (status = 404, body = Problem)))]
pub(super) async fn get(State(app): State<App>, headers: HeaderMap, Path(name): Path<String>) -> Result<Response, Problem> {
    Ok(etag::unless_known(&headers, answer(&pipelines::draft(&app.context, &name).await?)))
}

/// Stores the draft of a pipeline in the place of the one before. Nothing goes live.
#[utoipa::path(put, operation_id = "put_draft", path = "/pipelines/{name}/draft", tag = "pipelines",
    params(("name" = String, Path), ("If-Match" = Option<String>, Header, description = "`ETag` of the draft that was read"), ("If-None-Match" = Option<String>, Header, description = "`*`: only if there is none")),
    request_body = PutPipeline,
    responses((status = 200, body = DraftView), (status = 412, body = Problem, description = "Another draft is there, or none any more"), (status = 422, body = Problem, description = "All mistakes at once")))]
pub(super) async fn put(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    precondition: Option<Precondition>,
    Json(body): Json<PutPipeline>,
) -> Result<Response, Problem> {
    let sources = body.sources();
    body.check_name(&name)?;
    let over = match &precondition {
        None => Over::Anything,
        Some(Precondition::IsNew) => Over::Nothing,
        Some(Precondition::Is(tag)) => Over::Draft(tag.trim_matches('"')),
    };
    Ok(answer(&pipelines::put_draft(&app.context, &caller.actor(), &sources, over).await?))
}

/// Throws the draft of a pipeline away.
#[utoipa::path(delete, operation_id = "delete_draft", path = "/pipelines/{name}/draft", tag = "pipelines", params(("name" = String, Path)), responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem, description = "Changed by others at the same time")))]
pub(super) async fn delete(State(app): State<App>, caller: Caller, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    pipelines::delete_draft(&app.context, &caller.actor(), &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes the draft of somebody else the live version.
#[utoipa::path(post, operation_id = "approve_draft", path = "/pipelines/{name}/draft/approve", tag = "pipelines", params(("name" = String, Path)), request_body = ApproveDraft, responses(
    (status = 200, body = super::pipelines::PipelineTexts), (status = 403, body = Problem, description = "The caller wrote it"), (status = 404, body = Problem),
    (status = 409, body = Problem, description = "Changed since it was read"), (status = 422, body = Problem, description = "All mistakes at once"),
))]
pub(super) async fn approve(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Json(body): Json<ApproveDraft>,
) -> Result<Response, Problem> {
    let version = pipelines::approve_draft(&app.context, &caller.actor(), &name, &body.hash).await?;
    Ok(texts(StatusCode::OK, version).into_response())
}
