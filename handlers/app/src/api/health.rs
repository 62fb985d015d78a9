//! Health: whether the handler lives and its lake and catalog answer. No token is needed, so no detail is told.

use std::time::Duration;

use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use sluice_flow::{BlobPath, Context};
use tokio::{sync::Mutex, time::Instant};
use utoipa::ToSchema;

use crate::app::App;

/// An answer is reused for this long: a probe, or an attacker, must not become load on the services below.
const REUSED_FOR: Duration = Duration::from_secs(10);
/// A service that does not answer within this time is not ready.
const PATIENCE: Duration = Duration::from_secs(5);

/// The last answer.
#[derive(Debug, Default)]
pub struct Health(Mutex<Option<(Instant, bool)>>);

/// Whether the service works.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HealthReport {
    /// `ready`, or `unavailable` if the lake or the catalog do not answer.
    pub status: &'static str,
    /// Version of the handler.
    pub version: &'static str,
}

impl Health {
    async fn ready(&self, context: &Context) -> bool {
        // The lock is held while asking: probes that arrive together ask once.
        let mut last = self.0.lock().await;
        if let Some((at, ready)) = *last
            && at.elapsed() < REUSED_FOR
        {
            return ready;
        }
        let ready = probe(context).await;
        *last = Some((Instant::now(), ready));
        ready
    }
}

async fn probe(context: &Context) -> bool {
    let blob = BlobPath::new(sluice_flow::lake::ARCHIVE, "health");
    let work = async { futures::try_join!(context.lake.head(&blob), context.catalog.get("health", "health")) };
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(Ok(_)) => true,
        Ok(Err(error)) => {
            tracing::warn!(code = error.code(), error = error.chain(), "not ready");
            false
        }
        Err(_elapsed) => {
            tracing::warn!(seconds = PATIENCE.as_secs(), "not ready: lake or catalog do not answer");
            false
        }
    }
}

/// Whether the service works.
#[utoipa::path(get, path = "/health", tag = "health", security(()), responses(
    (status = 200, body = HealthReport), (status = 503, body = HealthReport, description = "Lake or catalog do not answer"),
))]
pub(super) async fn health(State(app): State<App>) -> (StatusCode, Json<HealthReport>) {
    let (code, status) =
        if app.health.ready(&app.context).await { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "unavailable") };
    (code, Json(HealthReport { status, version: env!("CARGO_PKG_VERSION") }))
}
