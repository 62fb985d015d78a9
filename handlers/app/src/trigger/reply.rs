//! What the handler answers to the host: always JSON, never empty. A 200 without a body would hang the invocation until the
//! function timeout, and bare strings that look like base64 would be decoded by the host: outputs are arrays of objects.
//! Source of the rules: azure-functions-host, `HttpScriptInvocationResultExtensions` and `DefaultHttpWorkerService`.

use axum::{
    body::Body,
    http::{StatusCode, header},
    response::Response,
};
use serde_json::{Map, Value, json};
use sluice_flow::Outputs;

use crate::functions::Function;

/// A message for a queue that the function has no output binding for. The host would drop it without a word.
#[derive(Debug, thiserror::Error)]
#[error("{function} has no output binding for queue {queue}")]
pub struct NoBinding {
    /// The function.
    pub function: &'static str,
    /// The queue.
    pub queue: &'static str,
}

/// The `Outputs` of an invocation: one array of messages per queue.
///
/// # Errors
/// [`NoBinding`] if a message has nowhere to go.
pub fn outputs(function: &Function, outputs: &Outputs) -> Result<Map<String, Value>, NoBinding> {
    let mut by_queue: Map<String, Value> = Map::new();
    for message in &outputs.0 {
        let queue = message.step.name();
        if !function.outputs.contains(&message.step) {
            return Err(NoBinding { function: function.name, queue });
        }
        let list = by_queue.entry(queue).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(list) = list {
            list.push(message.to_json());
        }
    }
    Ok(by_queue)
}

/// The invocation succeeded: its outputs are sent and its message is completed.
pub fn succeeded(outputs: &Map<String, Value>, logs: &[String]) -> Response {
    response(StatusCode::OK, &json!({ "Outputs": outputs, "Logs": logs, "ReturnValue": null }))
}

/// The invocation failed: its message returns, and is dead-lettered in the end. The host keeps nothing of the body of a failure
/// but shows it where it logs the response.
pub fn failed(code: &str, logs: &[String]) -> Response {
    response(StatusCode::INTERNAL_SERVER_ERROR, &json!({ "Outputs": {}, "Logs": logs, "ReturnValue": null, "Error": { "code": code } }))
}

fn response(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use sluice_flow::{BlobPath, ETag, Message, Step, SubmissionId};

    use super::*;

    #[test]
    fn messages_are_arrays_of_objects_by_queue() {
        let run = SubmissionId::of(&BlobPath::new("landing-a", "x"), &ETag("\"1\"".into())).run(1);
        let transform = Function::of_step(Step::Transform).unwrap();
        let messages = Outputs(vec![Message::new(&run, Step::Gather), Message::span(&run, Step::Transform, 3..=9, 0)]);
        let sent = outputs(transform, &messages).unwrap();
        assert_eq!(sent["gather"], json!([{ "sluice": { "run": run, "step": "gather" } }]));
        assert_eq!(sent["transform"], json!([{ "sluice": { "run": run, "step": "transform", "first": 3, "last": 9 } }]));
    }

    #[test]
    fn a_message_without_a_binding_is_an_error() {
        let run = SubmissionId::of(&BlobPath::new("landing-a", "x"), &ETag("\"1\"".into())).run(1);
        let archive = Function::of_step(Step::Archive).unwrap();
        assert!(outputs(archive, &Outputs::one(Message::new(&run, Step::Move))).is_err());
    }
}
