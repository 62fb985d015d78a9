//! `/runtime/webhooks/EventGrid?functionName=F`: the Event Grid extension's webhook.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::future::join_all;
use serde_json::{Value, json};

use super::Front;
use crate::envelope;
use crate::functions::{Function, Trigger};

/// Answers the handshake, or runs the function once per event: 202 if all went well, 500 if one failed.
pub(super) async fn webhook(
    State(front): State<Arc<Front>>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let name = query.iter().find(|(key, _)| key.eq_ignore_ascii_case("functionName")).map_or("", |(_, name)| name);
    let function = front.invoker.app.function(name).filter(|f| matches!(f.trigger, Trigger::EventGrid));
    let Some(function) = function else {
        return (StatusCode::NOT_FOUND, format!("cannot find function: '{name}'\n")).into_response();
    };
    let kind = headers.get("aeg-event-type").and_then(|v| v.to_str().ok()).unwrap_or_default();
    let events: Vec<Value> = match serde_json::from_slice(&body) {
        Ok(Value::Array(events)) => events,
        Ok(event @ Value::Object(_)) => vec![event],
        _ => return (StatusCode::BAD_REQUEST, "expected a JSON array of events\n").into_response(),
    };
    match kind.to_ascii_lowercase().as_str() {
        "subscriptionvalidation" => match events.first().and_then(|event| event.pointer("/data/validationCode")) {
            Some(code) => axum::Json(json!({"validationResponse": code})).into_response(),
            None => (StatusCode::BAD_REQUEST, "expected data.validationCode\n").into_response(),
        },
        "notification" => {
            // On its own: a caller that stops waiting does not stop the function.
            let runs = tokio::spawn(run_each(Arc::clone(&front), function.clone(), events));
            let all_went_well = runs.await.unwrap_or(false);
            if all_went_well { StatusCode::ACCEPTED } else { StatusCode::INTERNAL_SERVER_ERROR }.into_response()
        }
        "unsubscribe" => StatusCode::ACCEPTED.into_response(),
        _ => StatusCode::BAD_REQUEST.into_response(),
    }
}

async fn run_each(front: Arc<Front>, function: Function, events: Vec<Value>) -> bool {
    let runs = events.iter().map(|event| async {
        let body = envelope::event_grid(&function.name, &function.binding, event);
        front.invoker.invoke(&function, "eventGrid", None, &body).await
    });
    join_all(runs).await.iter().all(Result::is_ok)
}
