//! What people do around a decision: talk about a case, hand it on, try corrections, take a decision back.

use std::collections::BTreeMap;

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sluice_engine::Problem as RowProblem;
use sluice_flow::{
    audit::Actor,
    reviews::{self, TriedRow},
};
use utoipa::ToSchema;

use super::CaseView;
use crate::{
    api::{
        extract::{IdempotencyKey, Json, Path},
        problem::Problem,
    },
    app::App,
    auth::{Caller, Role},
};

/// Most characters of an object id or a name.
const NAME_CHARS: usize = 200;

/// A comment to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct CommentBody {
    /// The words; 2000 characters at most. The audit log gets their hash, not the words.
    #[schema(min_length = 1, max_length = 2000, pattern = r"\S")]
    text: String,
}

/// For whom a case is claimed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct AssignBody {
    /// Object id of the person.
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    id: String,
    /// Name of the person.
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    name: String,
}

/// A case as it was seen.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct UndoBody {
    /// `digest` of the case that was seen.
    digest: String,
}

/// Corrections to try.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct TryBody {
    /// `digest` of the case that was seen.
    digest: String,
    /// Row number to column to new value, as one would type it; null empties the cell. 100 rows at most.
    rows: BTreeMap<String, BTreeMap<String, Option<String>>>,
}

/// What would become of the rows.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct TryResult {
    /// In the order of the file.
    rows: Vec<TriedRowView>,
}

/// What would become of a row.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct TriedRowView {
    /// 0-based number of the row in the file.
    row: u64,
    /// What would be published, by column; null if it would not be.
    #[schema(value_type = Option<Object>)]
    proposed: Option<Map<String, Value>>,
    /// Whether a filter of the pipeline would leave it out.
    filtered: bool,
    /// Everything that would still be wrong: code, column, value, message.
    #[schema(value_type = Vec<Object>)]
    problems: Vec<RowProblem>,
}

impl From<TriedRow> for TriedRowView {
    fn from(tried: TriedRow) -> Self {
        let TriedRow { row, proposed, filtered, problems } = tried;
        Self { row, proposed, filtered, problems }
    }
}

/// Says something about a case.
#[utoipa::path(post, path = "/reviews/{case}/comments", tag = "reviews", params(("case" = String, Path)), request_body = CommentBody, responses(
    (status = 201, body = CaseView), (status = 404, body = Problem), (status = 409, body = Problem, description = "The run has moved on"), (status = 413, body = Problem, description = "Too long, or too many"),
))]
pub(in crate::api) async fn comment(
    State(app): State<App>,
    caller: Caller,
    Path(case): Path<String>,
    key: IdempotencyKey,
    Json(body): Json<CommentBody>,
) -> Result<Response, Problem> {
    let text = body.text.trim();
    if text.is_empty() {
        return Err(Problem::bad_request("text: expected a comment, found nothing"));
    }
    let case = reviews::comment(&app.context, &caller.actor(), &case, text, key.of_caller(&caller)).await?;
    Ok((StatusCode::CREATED, axum::Json(CaseView::from(&case))).into_response())
}

/// Claims a case for somebody; an operator takes it from another person, too.
#[utoipa::path(post, path = "/reviews/{case}/assign", tag = "reviews", params(("case" = String, Path)), request_body = AssignBody, responses((status = 200, body = CaseView), (status = 404, body = Problem), (status = 409, body = Problem, description = "Claimed by somebody else, or decided")))]
pub(in crate::api) async fn assign(
    State(app): State<App>,
    caller: Caller,
    Path(case): Path<String>,
    Json(body): Json<AssignBody>,
) -> Result<axum::Json<CaseView>, Problem> {
    for (field, text) in [("id", &body.id), ("name", &body.name)] {
        if text.trim().is_empty() || text.chars().count() > NAME_CHARS {
            return Err(Problem::bad_request(format!("{field}: expected 1 to {NAME_CHARS} characters")));
        }
    }
    let to = Actor::Person { id: body.id, name: body.name };
    let by_force = caller.roles.contains(&Role::Operator);
    Ok(axum::Json((&reviews::assign(&app.context, &caller.actor(), &case, &to, by_force).await?).into()))
}

/// Takes back the caller's own decision, proposed or final, while the run waits for review; an operator takes back anyone's.
#[utoipa::path(post, path = "/reviews/{case}/undo", tag = "reviews", params(("case" = String, Path)), request_body = UndoBody, responses((status = 200, body = CaseView), (status = 404, body = Problem), (status = 409, body = Problem, description = "The run has moved on, the decision is another's, or the rows changed since they were seen")))]
pub(in crate::api) async fn undo(
    State(app): State<App>,
    caller: Caller,
    Path(case): Path<String>,
    Json(body): Json<UndoBody>,
) -> Result<axum::Json<CaseView>, Problem> {
    let by_force = caller.roles.contains(&Role::Operator);
    Ok(axum::Json((&reviews::undo(&app.context, &caller.actor(), &case, &body.digest, by_force).await?).into()))
}

/// Puts rows through the engine as if they were corrected so. Nothing is stored.
#[utoipa::path(post, path = "/reviews/{case}/try", tag = "reviews", params(("case" = String, Path)), request_body = TryBody, responses(
    (status = 200, body = TryResult), (status = 404, body = Problem), (status = 409, body = Problem, description = "Decided already, or changed since it was seen"),
    (status = 422, body = Problem, description = "A column that cannot be corrected, or a row that is not in the case"),
))]
pub(in crate::api) async fn try_rows(
    State(app): State<App>,
    Path(case): Path<String>,
    Json(body): Json<TryBody>,
) -> Result<axum::Json<TryResult>, Problem> {
    let tried = reviews::try_corrections(&app.context, &case, &body.digest, body.rows).await?;
    Ok(axum::Json(TryResult { rows: tried.into_iter().map(Into::into).collect() }))
}
