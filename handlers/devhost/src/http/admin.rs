//! The part of the host's admin API that is of use without a portal. No key is asked for.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{Front, host_state};
use crate::envelope;
use crate::functions::Trigger;
use crate::invoker::HOST_VERSION;

pub(super) async fn status(State(front): State<Arc<Front>>) -> Json<Value> {
    let state = front.invoker.worker.state().borrow().clone();
    let errors = match &state {
        crate::worker::HandlerState::GaveUp { reason } => vec![reason.clone()],
        _ => Vec::new(),
    };
    Json(json!({
        "id": "devhost",
        "state": host_state(&state),
        "version": HOST_VERSION,
        "processUptime": front.started.elapsed().as_millis() as u64,
        "errors": errors,
    }))
}

pub(super) async fn functions(State(front): State<Arc<Front>>) -> Json<Value> {
    let list = front.invoker.app.functions.iter().map(|function| json!({"name": function.name, "trigger": function.trigger_kind()}));
    Json(Value::Array(list.collect()))
}

/// `{"input":"..."}`: runs a function that has no HTTP trigger; answers 202 before it is done.
pub(super) async fn run(State(front): State<Arc<Front>>, Path(name): Path<String>, body: Bytes) -> Response {
    let Some(function) = front.invoker.app.function(&name).cloned() else {
        return (StatusCode::NOT_FOUND, format!("there is no function {name}\n")).into_response();
    };
    let input = match serde_json::from_slice::<Value>(&body) {
        Ok(value) => match value.get("input") {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Null) | None => String::new(),
            Some(other) => other.to_string(),
        },
        Err(_) => return (StatusCode::BAD_REQUEST, "expected {\"input\": \"...\"}\n").into_response(),
    };
    let envelope = match &function.trigger {
        Trigger::Http(_) => return (StatusCode::BAD_REQUEST, "an HTTP trigger is run by calling its route\n").into_response(),
        Trigger::ServiceBus { .. } => envelope::manual(&function.name, &function.binding, &input),
        Trigger::EventGrid => match serde_json::from_str(&input) {
            Ok(event) => envelope::event_grid(&function.name, &function.binding, &event),
            Err(_) => return (StatusCode::BAD_REQUEST, "expected one event as the input\n").into_response(),
        },
        Trigger::Timer { schedule, .. } => {
            envelope::timer(&function.name, &function.binding, None, schedule.next_after(chrono::Utc::now()), false)
        }
    };
    tokio::spawn(async move { front.invoker.invoke(&function, "manual", None, &envelope).await });
    StatusCode::ACCEPTED.into_response()
}
