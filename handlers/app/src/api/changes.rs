//! The live feed, by long polling. (Server-sent events would be buffered by the Functions host in front of the handler.)

use std::time::Duration;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use sluice_flow::changes::{self, Place};
use tokio::time::Instant;
use utoipa::{IntoParams, ToSchema};

use super::{cursor, extract::Query, problem::Problem, runs::RunSummary};
use crate::{app::App, auth::Scope};

/// Longest wait: gateways and browsers give up on a silent answer after 30 seconds or more.
const MOST_SECONDS: u64 = 25;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ChangesQuery {
    /// `cursor` of the answer before; without it no runs are told, and `cursor` is the end of the feed as it is now.
    after: Option<String>,
    /// Seconds to wait for a change if there is none yet, 25 at most; 0 unless asked otherwise.
    #[param(minimum = 0, maximum = 25)]
    wait: Option<u64>,
}

/// What changed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ChangesView {
    /// Runs that changed, as they are now. A change of a case is one of its run, too. A run can be told twice.
    runs: Vec<RunSummary>,
    /// Send it as `after` to go on.
    cursor: String,
}

fn encode(listing: &impl std::hash::Hash, place: &Place) -> Result<String, Problem> {
    let text = serde_json::to_string(place).map_err(|error| {
        tracing::error!(%error, "a place in the feed is no JSON");
        Problem::internal()
    })?;
    cursor::encode(listing, Some(text)).ok_or_else(Problem::internal)
}

/// The runs that the caller may see and that changed: at once if there are some, else as soon as there are.
#[utoipa::path(get, path = "/changes", tag = "runs", params(ChangesQuery), responses((status = 200, body = ChangesView), (status = 400, body = Problem)))]
pub(super) async fn changes(
    State(app): State<App>,
    scope: Scope,
    Query(query): Query<ChangesQuery>,
) -> Result<axum::Json<ChangesView>, Problem> {
    let wait = query.wait.unwrap_or_default();
    if wait > MOST_SECONDS {
        return Err(Problem::bad_request(format!("wait: expected 0 to {MOST_SECONDS} seconds, found {wait}")));
    }
    let listing = ("changes", scope.partner());
    let Some(text) = cursor::decode(&listing, query.after.as_deref())? else {
        let place = changes::now(&app.context, scope.partner()).await?;
        return Ok(axum::Json(ChangesView { runs: Vec::new(), cursor: encode(&listing, &place)? }));
    };
    let until = Instant::now() + Duration::from_secs(wait);
    let found = app.feed.wait(&app.context, scope.partner(), changes::parse(&text)?, until).await?;
    let runs = found.runs.iter().map(Into::into).collect();
    Ok(axum::Json(ChangesView { runs, cursor: encode(&listing, &found.place)? }))
}
