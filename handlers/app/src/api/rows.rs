//! Rows: where one row of a file ended, and why.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};

use super::{extract::Path, problem::Problem, runs::visible};
use crate::{app::App, auth::Scope};

/// One row: as it came, what became of it, which rules and problems applied.
#[utoipa::path(get, path = "/rows/{run}/{row}", tag = "rows", params(("run" = String, Path), ("row" = u64, Path, description = "0-based number of the row in the file")),
    responses((status = 200, body = Object), (status = 404, body = Problem)))]
pub(super) async fn explain(State(app): State<App>, scope: Scope, Path((run, row)): Path<(String, u64)>) -> Result<Response, Problem> {
    let run = visible(&app, &scope, run).await?;
    match sluice_flow::rows::explain(&app.context, &run, row).await? {
        Some(explanation) => Ok(axum::Json(explanation).into_response()),
        None => Err(Problem::not_found("this row")),
    }
}
