//! The HTTP front.

use devhost::DevHost;
use futures::stream;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use crate::support::{App, until};

fn at(host: &DevHost, path: &str) -> String {
    format!("{}{path}", host.urls().http)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_reach_the_handler_as_they_are() {
    let app = App::new();
    let host = app.start().await;
    let client = Client::new();
    let chunks = stream::iter((0..100).map(|_| Ok::<_, std::io::Error>(vec![7u8; 1000])));
    let request = client.put(at(&host, "/api/echo/a%20b/c?x=1&y=%2F")).header("x-custom", "yes");
    let answer = request.body(reqwest::Body::wrap_stream(chunks)).send().await.unwrap();
    assert_eq!((answer.status(), answer.headers()["x-answer"].to_str().unwrap()), (StatusCode::IM_A_TEAPOT, "42"));
    let seen: Value = answer.json().await.unwrap();
    assert_eq!(seen["invocation"].as_str().unwrap().len(), 36);
    assert_eq!(
        (&seen["method"], &seen["uri"], &seen["length"], &seen["custom"]),
        (&json!("PUT"), &json!("/api/echo/a%20b/c?x=1&y=%2F"), &json!(100_000), &json!("yes"))
    );
    let without_body: Value = client.get(at(&host, "/api/echo/z")).send().await.unwrap().json().await.unwrap();
    assert_eq!(without_body["length"], 0);
    assert_eq!(client.get(at(&host, "/api/nothing")).send().await.unwrap().status(), StatusCode::NOT_FOUND);
    let too_large = client.post(at(&host, "/api/echo/x")).header("content-length", "104857601").send().await;
    assert!(too_large.is_err() || too_large.unwrap().status() == StatusCode::PAYLOAD_TOO_LARGE);
    host.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_with_further_outputs_gets_the_envelope() {
    let app = App::new();
    let host = app.start().await;
    let client = Client::new();
    let answer = client.post(at(&host, "/api/submit/7")).body("hello there").send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["location"].to_str().unwrap()), (202, "/x"));
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({"id": "7"}));
    until("the other output was sent", || app.done().contains(&r#"done {"from":"hello there"}"#.to_owned())).await;
    assert_eq!(client.get(at(&host, "/api/submit/7")).send().await.unwrap().status(), StatusCode::NOT_FOUND, "POST only");
    host.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_event_grid_webhook_answers_like_the_extension() {
    let app = App::new();
    let host = app.start().await;
    let post = |function: &str, kind: &str, events: Value| {
        let url = at(&host, &format!("/runtime/webhooks/EventGrid?functionName={function}"));
        Client::new().post(url).header("aeg-event-type", kind).json(&events).send()
    };
    let handshake = json!([{"data": {"validationCode": "C0DE"}}]);
    let answer = post("OnBlob", "SubscriptionValidation", handshake.clone()).await.unwrap();
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({"validationResponse": "C0DE"}));
    assert_eq!(post("Work", "SubscriptionValidation", handshake).await.unwrap().status(), 404);
    let event = |name: &str| json!({"id": name, "subject": format!("/s/{name}"), "data": {"api": "PutBlob"}});
    assert_eq!(post("onblob", "Notification", json!([event("a"), event("b")])).await.unwrap().status(), 202);
    assert_eq!(app.done().iter().filter(|line| line.starts_with("event")).count(), 2);
    let batch = json!([event("c"), event("flaky.txt")]);
    assert_eq!(post("OnBlob", "Notification", batch.clone()).await.unwrap().status(), 500, "one failed, so all come again");
    assert_eq!(post("OnBlob", "Notification", batch).await.unwrap().status(), 202);
    host.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tools_look_inside_and_other_sites_do_not() {
    let app = App::new();
    let host = app.start().await;
    let client = Client::new();
    let sent = client.post(at(&host, "/devhost/queues/work/messages")).body(r#"{"n":5,"do":"pass"}"#).send().await.unwrap();
    assert_eq!(sent.status(), 201);
    until("the message is done", || app.done().contains(&r#"done {"n":5}"#.to_owned())).await;
    let get = |path: &str| client.get(at(&host, path)).send();
    let listed: Value = get("/devhost/invocations?function=Work&limit=5").await.unwrap().json().await.unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    let status: Value = get("/admin/host/status").await.unwrap().json().await.unwrap();
    assert_eq!(status["state"], "Running");
    assert_eq!(get("/devhost/queues/nope/messages").await.unwrap().status(), 404);

    let mut stream = get("/devhost/invocations/stream").await.unwrap();
    let run = client.post(at(&host, "/admin/functions/Tick")).json(&json!({"input": ""})).send().await.unwrap();
    assert_eq!(run.status(), 202);
    let event = loop {
        let event = String::from_utf8(stream.chunk().await.unwrap().unwrap().to_vec()).unwrap();
        // Other invocations may end in the meantime.
        if event.contains("\"trigger\":\"manual\"") {
            break event;
        }
    };
    assert!(event.starts_with("event: invocation\ndata: {") && event.contains("\"function\":\"Tick\""), "{event}");

    let foreign = client.post(at(&host, "/devhost/handler/kill")).header("origin", "https://evil.example").send().await.unwrap();
    assert_eq!(foreign.status(), 403);
    let rebound = client.get(at(&host, "/devhost/queues")).header("host", "evil.example").send().await.unwrap();
    assert_eq!(rebound.status(), 403);
    host.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cross_origin_requests_follow_the_configured_list() {
    let app = App::new();
    let host = app.start().await;
    let preflight = |origin: &'static str| {
        let request = Client::new().request(reqwest::Method::OPTIONS, at(&host, "/api/echo/x")).header("origin", origin);
        request.header("access-control-request-method", "PUT").header("access-control-request-headers", "authorization").send()
    };
    let allowed = preflight("http://app.example").await.unwrap();
    assert_eq!(allowed.status(), 204);
    assert_eq!(allowed.headers()["access-control-allow-origin"], "http://app.example");
    assert_eq!(allowed.headers()["access-control-allow-headers"], "authorization");
    assert!(!preflight("http://other.example").await.unwrap().headers().contains_key("access-control-allow-origin"));
    let actual = Client::new().get(at(&host, "/api/echo/x")).header("origin", "http://app.example").send().await.unwrap();
    assert_eq!(actual.headers()["access-control-allow-origin"], "http://app.example");
    host.shutdown().await;
}
