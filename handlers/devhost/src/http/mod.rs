//! The HTTP front: function routes, webhooks, admin API, and devhost's own pages for tools and tests.

mod admin;
mod cors;
mod event_grid;
mod forward;
mod functions;
mod tools;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use crate::invoker::Invoker;
use crate::worker::HandlerState;
use functions::RouteTable;

/// What every request handler shares.
#[derive(Debug)]
pub(crate) struct Front {
    pub(crate) invoker: Arc<Invoker>,
    routes: RouteTable,
    cors_origins: Vec<String>,
    started: std::time::Instant,
}

impl Front {
    pub(crate) fn new(invoker: Arc<Invoker>, cors_origins: Vec<String>) -> Self {
        let routes = RouteTable::new(&invoker.app);
        Self { invoker, routes, cors_origins, started: std::time::Instant::now() }
    }
}

/// All routes of the port.
pub(crate) fn router(front: Arc<Front>) -> Router {
    let guarded = Router::new()
        .route("/runtime/webhooks/EventGrid", post(event_grid::webhook))
        .route("/runtime/webhooks/eventgrid", post(event_grid::webhook))
        .route("/admin/host/status", get(admin::status))
        .route("/admin/functions", get(admin::functions))
        .route("/admin/functions/{name}", post(admin::run))
        .route("/devhost/invocations", get(tools::invocations))
        .route("/devhost/invocations/stream", get(tools::invocation_stream))
        .route("/devhost/functions", get(tools::functions))
        .route("/devhost/queues", get(tools::queues))
        .route("/devhost/queues/{queue}/messages", get(tools::peek).post(tools::send))
        .route("/devhost/queues/{queue}/deadletter", get(tools::peek_dead))
        .route("/devhost/queues/{queue}/deadletter/resend", post(tools::resend))
        .route("/devhost/handler", get(tools::handler))
        .route("/devhost/handler/kill", post(tools::kill))
        .layer(middleware::from_fn_with_state(Arc::clone(&front), local_only));
    Router::new().merge(guarded).fallback(functions::serve).with_state(front)
}

/// A page of some other site, open in the developer's browser, must not drive the host: its requests carry its
/// origin, or (after DNS rebinding) a host name that is not this machine's.
async fn local_only(State(front): State<Arc<Front>>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let host = text(headers, header::HOST).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let is_local = matches!(name, "localhost" | "127.0.0.1" | "[::1]");
    let foreign_origin =
        text(headers, header::ORIGIN).is_some_and(|origin| !cors::is_allowed(&front.cors_origins, origin) && !is_own(origin, host));
    if !is_local || foreign_origin {
        return (StatusCode::FORBIDDEN, "devhost: only programs on this machine may call this\n").into_response();
    }
    next.run(request).await
}

fn is_own(origin: &str, host: &str) -> bool {
    origin.strip_prefix("http://").is_some_and(|origin| origin == host)
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Word of `/admin/host/status` for a state of the handler.
fn host_state(state: &HandlerState) -> &'static str {
    match state {
        HandlerState::Starting => "Initialized",
        HandlerState::Ready { .. } => "Running",
        HandlerState::Ended | HandlerState::GaveUp { .. } => "Error",
        HandlerState::Stopped => "Stopped",
    }
}
