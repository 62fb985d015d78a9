//! `/devhost`: looking inside, and injecting faults.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::Stream;
use futures::stream::unfold;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

use super::Front;
use crate::broker::{PeekedMessage, QueueError, QueueStatus};
use crate::invocations::{Invocation, InvocationFilter};
use crate::worker::HandlerState;

#[derive(Deserialize)]
pub(super) struct Limit {
    limit: Option<usize>,
}

impl IntoResponse for QueueError {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Unknown(_) => StatusCode::NOT_FOUND,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::LockLost => StatusCode::GONE,
            Self::Journal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, format!("{self}\n")).into_response()
    }
}

pub(super) async fn invocations(State(front): State<Arc<Front>>, Query(filter): Query<InvocationFilter>) -> Json<Vec<Invocation>> {
    Json(front.invoker.log.list(&filter))
}

/// Every invocation that finishes from now on, one event each; `missed` tells a slow reader what it lost.
pub(super) async fn invocation_stream(State(front): State<Arc<Front>>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let stream = unfold(front.invoker.log.subscribe(), |mut finished| async move {
        let event = match finished.recv().await {
            Ok(invocation) => Event::default().event("invocation").json_data(&invocation).ok()?,
            Err(RecvError::Lagged(count)) => Event::default().event("missed").data(count.to_string()),
            Err(RecvError::Closed) => return None,
        };
        Some((Ok(event), finished))
    });
    Sse::new(stream).keep_alive(KeepAlive::default())
}

pub(super) async fn functions(State(front): State<Arc<Front>>) -> Json<Value> {
    let counts = front.invoker.log.counts();
    let list = front.invoker.app.functions.iter().map(|function| {
        let count = counts.get(&function.name).copied().unwrap_or_default();
        json!({
            "name": function.name,
            "trigger": function.trigger_kind(),
            "succeeded": count.succeeded,
            "failed": count.failed,
        })
    });
    Json(Value::Array(list.collect()))
}

pub(super) async fn queues(State(front): State<Arc<Front>>) -> Json<Vec<QueueStatus>> {
    Json(front.invoker.broker.status())
}

pub(super) async fn send(State(front): State<Arc<Front>>, Path(queue): Path<String>, body: String) -> Result<Response, QueueError> {
    let ids = front.invoker.broker.send(&queue, vec![body]).await?;
    Ok((StatusCode::CREATED, Json(json!({"messageId": ids.first()}))).into_response())
}

pub(super) async fn peek(
    State(front): State<Arc<Front>>,
    Path(queue): Path<String>,
    Query(limit): Query<Limit>,
) -> Result<Json<Vec<PeekedMessage>>, QueueError> {
    front.invoker.broker.peek(&queue, limit.limit.unwrap_or(32)).map(Json)
}

pub(super) async fn peek_dead(
    State(front): State<Arc<Front>>,
    Path(queue): Path<String>,
    Query(limit): Query<Limit>,
) -> Result<Json<Vec<PeekedMessage>>, QueueError> {
    front.invoker.broker.peek(&format!("{queue}/$DeadLetterQueue"), limit.limit.unwrap_or(32)).map(Json)
}

pub(super) async fn resend(
    State(front): State<Arc<Front>>,
    Path(queue): Path<String>,
    Query(limit): Query<Limit>,
) -> Result<Json<Value>, QueueError> {
    let count = front.invoker.broker.resend_dead(&queue, limit.limit.unwrap_or(usize::MAX)).await?;
    Ok(Json(json!({"resent": count})))
}

pub(super) async fn handler(State(front): State<Arc<Front>>) -> Json<HandlerState> {
    Json(front.invoker.worker.state().borrow().clone())
}

/// SIGKILL, now; answers before the handler is back.
pub(super) async fn kill(State(front): State<Arc<Front>>) -> StatusCode {
    front.invoker.worker.inject_fault();
    StatusCode::ACCEPTED
}
