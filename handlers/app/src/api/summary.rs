//! The dashboard's figures.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use sluice_flow::summary;
use utoipa::{IntoParams, ToSchema};

use super::{extract::Query, problem::Problem};
use crate::{app::App, auth::Scope};

/// Days unless asked otherwise.
const DEFAULT_DAYS: u32 = 14;
/// Most days: every run of them is read.
const MOST_DAYS: u32 = 90;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SummaryQuery {
    /// Days up to now that are summed up: 14 unless asked otherwise, 90 at most.
    #[param(minimum = 1, maximum = 90)]
    days: Option<u32>,
}

/// What runs, what waits, what failed, what came in, and who is silent.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SummaryView {
    /// RFC 3339 UTC.
    at: String,
    /// Runs that are being worked on.
    in_flight: u64,
    /// What waits for people.
    waiting: WaitingView,
    /// Runs of these days that failed.
    failed: u64,
    /// Runs of these days with a message in a dead-letter queue.
    dead_lettered: u64,
    /// What came in, by day, partner and pipeline.
    days: Vec<DayView>,
    /// Partners whose last file is older than twice the usual gap between their files.
    silent: Vec<SilenceView>,
}

/// What waits for people.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WaitingView {
    /// Runs under review.
    runs: u64,
    /// Cases that are not decided.
    cases: u64,
    /// Their rows.
    rows: u64,
    /// Those of the cases whose time is over.
    overdue: u64,
}

/// What came in on one day.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DayView {
    /// ISO 8601 date, in UTC.
    day: String,
    /// Partner id.
    partner: String,
    /// Pipeline name; null for files that no pipeline takes.
    pipeline: Option<String>,
    /// Runs.
    runs: u64,
    /// Rows of those that were counted.
    rows: u64,
    /// Rows of them that were rejected.
    rejected: u64,
    /// Bytes.
    bytes: u64,
}

/// A partner whose files used to come more often.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SilenceView {
    /// Partner id.
    partner: String,
    /// Pipeline name.
    pipeline: String,
    /// RFC 3339 UTC: when the last file came.
    last_at: String,
    /// Median seconds between two files.
    usual_seconds: u64,
}

impl From<summary::Summary> for SummaryView {
    fn from(summary: summary::Summary) -> Self {
        let summary::Summary { at, in_flight, waiting, failed, dead_lettered, days, silent } = summary;
        let summary::Waiting { runs, cases, rows, overdue } = waiting;
        Self {
            at,
            in_flight,
            waiting: WaitingView { runs, cases, rows, overdue },
            failed,
            dead_lettered,
            days: days.into_iter().map(Into::into).collect(),
            silent: silent.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<summary::Day> for DayView {
    fn from(day: summary::Day) -> Self {
        let summary::Day { day, partner, pipeline, runs, rows, rejected, bytes } = day;
        Self { day, partner, pipeline, runs, rows, rejected, bytes }
    }
}

impl From<summary::Silence> for SilenceView {
    fn from(silence: summary::Silence) -> Self {
        let summary::Silence { partner, pipeline, last_at, usual_seconds } = silence;
        Self { partner, pipeline, last_at, usual_seconds }
    }
}

/// Sums up what the caller may see. It is summed up again when something changed, and otherwise once a minute: `at` says when.
#[utoipa::path(get, path = "/summary", tag = "runs", params(SummaryQuery), responses((status = 200, body = SummaryView), (status = 400, body = Problem)))]
pub(super) async fn summary(
    State(app): State<App>,
    scope: Scope,
    Query(query): Query<SummaryQuery>,
) -> Result<axum::Json<SummaryView>, Problem> {
    let days = query.days.unwrap_or(DEFAULT_DAYS);
    if !(1..=MOST_DAYS).contains(&days) {
        return Err(Problem::bad_request(format!("days: expected 1 to {MOST_DAYS}, found {days}")));
    }
    let summary = app.summaries.get(&app.context, scope.partner(), days).await?;
    Ok(axum::Json(summary.as_ref().clone().into()))
}
