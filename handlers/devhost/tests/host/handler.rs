//! The handler of these tests: a custom handler whose behaviour a message decides.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use axum::Json;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, post};
use serde_json::{Value, json};

/// Set by devhost from the test's settings: where the handler notes what it has seen.
const NOTES: &str = "TEST_NOTES";

/// Not a test: the process that the tests start through devhost.
#[test]
#[ignore = "started by the other tests as the handler's process"]
fn play_the_handler() {
    let Ok(port) = std::env::var("FUNCTIONS_CUSTOMHANDLER_PORT") else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await.unwrap();
        let router = Router::new().route("/{function}", post(invoke)).route("/api/echo/{*rest}", any(echo));
        axum::serve(listener, router).await.unwrap();
    });
}

fn notes() -> PathBuf {
    std::env::var_os(NOTES).unwrap().into()
}

/// One line for each thing done; lines of one write are never mixed.
fn note(line: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(notes().join("done")).unwrap();
    file.write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// True the first time that it is asked with this name, also over a restart.
fn first_time(name: &str) -> bool {
    OpenOptions::new().write(true).create_new(true).open(notes().join(format!("first-{name}"))).is_ok()
}

async fn echo(request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut length = 0;
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = futures::StreamExt::next(&mut chunks).await {
        length += chunk.unwrap().len();
    }
    let text = |name: &str| parts.headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let seen = json!({
        "method": parts.method.as_str(),
        "uri": parts.uri.to_string(),
        "length": length,
        "custom": text("x-custom"),
        "invocation": text("x-azure-functions-invocationid"),
    });
    (StatusCode::IM_A_TEAPOT, [("x-answer", "42")], Json(seen)).into_response()
}

async fn invoke(Path(function): Path<String>, body: Bytes) -> Response {
    let envelope: Value = serde_json::from_slice(&body).unwrap();
    let data = &envelope["Data"];
    match function.as_str() {
        "Work" => work(data["message"].as_str().unwrap(), &envelope["Metadata"]),
        "Done" => {
            let text: String = serde_json::from_str(data["message"].as_str().unwrap()).unwrap();
            note(&format!("done {text}"));
            Json(json!({})).into_response()
        }
        "OnBlob" => {
            let event = &data["event"];
            let subject = event["subject"].as_str().unwrap();
            if subject.ends_with("flaky.txt") && first_time("flaky") {
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            }
            note(&format!("event {event}"));
            Json(json!({"Outputs": {}})).into_response()
        }
        "Tick" => {
            note("tick");
            Json(json!({"Logs": ["ticked"]})).into_response()
        }
        "Submit" => {
            let request = &data["req"];
            let answer = json!({"statusCode": 202, "headers": {"location": "/x"}, "body": {"id": request["Params"]["id"]}});
            Json(json!({"Outputs": {"res": answer, "done": {"from": request["Body"]}}})).into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn work(message: &str, metadata: &Value) -> Response {
    let text: String = serde_json::from_str(message).unwrap();
    let order: Value = serde_json::from_str(&text).unwrap();
    let n = order["n"].as_u64().unwrap();
    match order["do"].as_str().unwrap() {
        "pass" => Json(json!({"Outputs": {"done": [{"n": n}]}, "Logs": [format!("passed {n}")]})).into_response(),
        "crash once" if first_time(&format!("crash-{n}")) => std::process::abort(),
        "crash once" => Json(json!({"Outputs": {"done": [{"n": n, "count": metadata["DeliveryCount"]}]}})).into_response(),
        "say nothing" => Response::new(Body::empty()),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "no").into_response(),
    }
}
