//! Invocations as the host makes them: dispatched, answered, and one failing alone.

use std::sync::Arc;

use async_trait::async_trait;
use axum::{body::Body, http::Request};
use serde_json::{Value, json};
use sluice_flow::{
    BlobPath, Catalog, Committed, Document, DocumentPage, Message, Query, Result, Step, Write,
    memory::{Fault, Faults, When},
    run::State,
};

use super::{
    harness::{Harness, HarnessParts},
    world,
};

fn message(step: Step, text: &str) -> Value {
    json!({ "Data": { "message": Value::String(text.to_owned()).to_string() }, "Metadata": { "MessageId": "\"m-1\"", "DeliveryCount": "1" }, "Step": step.name() })
}

#[tokio::test]
async fn the_ping_is_answered_and_unknown_functions_are_not() {
    let harness = Harness::start().await;
    let ping = harness.send(Request::builder().uri("/").body(Body::empty()).unwrap()).await;
    assert_eq!(ping.status, 200);
    assert_eq!(harness.invoke("Nothing", &json!({})).await.status, 404);
}

#[tokio::test]
async fn an_upload_that_no_pipeline_takes_is_a_run_that_says_so_and_its_event_can_come_twice() {
    let harness = Harness::start().await;
    let etag = harness.lake.upload(&BlobPath::new("landing-skyline", "odd/file.csv"), "a,b\n1,2\n", None, &[]);
    let event = world::blob_created("landing-skyline", "odd/file.csv", &etag.0, 8);
    let first = harness.invoke("Admit", &event).await;
    assert_eq!(first.status, 200, "{}", first.text);
    let again = harness.invoke("Admit", &event).await;
    assert_eq!(first.json()["Outputs"], again.json()["Outputs"]);
    assert_eq!(first.json()["Outputs"]["archive"].as_array().map(Vec::len), Some(1), "{}", first.text);
    let runs = harness.call("GET", "/runs", Some(&harness.token("Operator")), None).await.json();
    assert_eq!(runs["items"].as_array().map(Vec::len), Some(1), "{runs}");
    assert_eq!(runs["items"][0]["state"], "rejected");
}

#[tokio::test]
async fn a_failure_is_told_with_its_code_and_in_the_log_with_its_ids() {
    crate::harness::start_log();
    let harness = Harness::start().await;
    let nobody = world::run(&Harness::start().await, "skyline", "x", State::Moving).await;
    let text = Message::new(&nobody, Step::Move).to_json().to_string();
    let answer = harness.invoke("Move", &message(Step::Move, &text)).await;
    assert_eq!(answer.status, 500);
    assert_eq!(answer.headers["content-type"], "application/json");
    let body = answer.json();
    assert_eq!(body["Error"]["code"], "K0404");
    let lines: Vec<Value> =
        body["Logs"].as_array().unwrap().iter().map(|line| serde_json::from_str(line.as_str().unwrap()).unwrap()).collect();
    let told = lines.iter().any(|line| {
        line["invocation_id"] == harness.invocation()
            && line["function"] == "Move"
            && line["run"] == nobody.as_str()
            && line["code"] == "K0404"
    });
    assert!(told, "{lines:?}");
}

#[tokio::test]
async fn a_fault_that_may_heal_makes_the_message_come_again() {
    let faults = Arc::new(Faults::default());
    let harness = Harness::with(faults.clone()).await;
    let etag = harness.lake.upload(&BlobPath::new("landing-skyline", "odd/file.csv"), "a\n", None, &[]);
    faults.plan(Fault { call: faults.calls().len() as u64, when: When::Before });
    let event = world::blob_created("landing-skyline", "odd/file.csv", &etag.0, 2);
    assert_eq!(harness.invoke("Admit", &event).await.status, 500);
    assert_eq!(harness.invoke("Admit", &event).await.status, 200);
}

#[tokio::test]
async fn a_dead_letter_is_shown_at_its_run_and_unreadable_ones_are_recorded() {
    let harness = Harness::start().await;
    let run = world::run(&harness, "skyline", "x", State::Moving).await;
    let mut dead = message(Step::Move, &Message::new(&run, Step::Move).to_json().to_string());
    dead["Metadata"]["ApplicationProperties"] =
        json!({ "DeadLetterReason": "MaxDeliveryCountExceeded", "DeadLetterErrorDescription": "10 attempts" });
    let answer = harness.invoke("MoveDeadLetter", &dead).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["Outputs"]), (200, &json!({})), "{}", answer.text);
    let shown = harness.call("GET", &format!("/runs/{run}"), Some(&harness.token("Operator")), None).await.json();
    assert_eq!(shown["deadLetter"]["code"], "MaxDeliveryCountExceeded", "{shown}");

    let before = harness.catalog.contents().len();
    assert_eq!(harness.invoke("MoveDeadLetter", &message(Step::Move, "hello")).await.status, 200);
    assert_eq!(harness.catalog.contents().len(), before + 1);
}

#[tokio::test]
async fn the_timer_sweeps() {
    let harness = Harness::start().await;
    harness.lake.upload(&BlobPath::new("landing-skyline", "odd/missed.csv"), "a\n", None, &[]);
    // Younger blobs may still get their event.
    harness.clock.advance(chrono::TimeDelta::hours(2));
    let answer = harness.invoke("Sweep", &json!({ "Data": { "timer": "{\"IsPastDue\":false}" }, "Metadata": {} })).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(answer.json()["Outputs"]["archive"].is_array(), "the sweep admits a blob whose event never came: {}", answer.text);
}

/// A catalog that panics at its second question.
struct Panicking(Arc<dyn Catalog>);

#[async_trait]
impl Catalog for Panicking {
    async fn get(&self, partition: &str, id: &str) -> Result<Option<Document>> {
        assert!(!partition.starts_with("run:"), "a bug");
        self.0.get(partition, id).await
    }

    async fn commit(&self, partition: &str, writes: Vec<Write>) -> Result<Committed> {
        self.0.commit(partition, writes).await
    }

    async fn query(&self, query: &Query) -> Result<DocumentPage> {
        self.0.query(query).await
    }
}

#[tokio::test]
async fn a_panic_fails_one_invocation_and_not_the_process() {
    let mut parts = HarnessParts::new(Arc::default()).await;
    parts.context.catalog = Arc::new(Panicking(parts.context.catalog.clone()));
    let harness = parts.start();
    let run = world::run(&Harness::start().await, "skyline", "x", State::Moving).await;
    let answer = harness.invoke("Move", &message(Step::Move, &Message::new(&run, Step::Move).to_json().to_string())).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["Error"]["code"]), (500, &json!("H0003")));
    let token = harness.token("Operator");
    let answer = harness.call("GET", &format!("/runs/{run}"), Some(&token), None).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (500, &json!("H0500")));
    assert!(!answer.text.contains("a bug"), "{}", answer.text);
    assert_eq!(harness.call("GET", "/runs", Some(&token), None).await.status, 200);
}

#[tokio::test]
async fn messages_of_a_request_travel_in_the_outputs_of_its_envelope_and_nowhere_else() {
    let harness = Harness::start().await;
    let token = harness.token("Operator");
    let run = world::run(&harness, "skyline", "x", State::Moving).await;
    let answer = harness.envelope("Runs", "POST", &format!("/runs/{run}/cancel"), &token, None).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let outputs = &answer.json()["Outputs"];
    assert_eq!(outputs["res"]["statusCode"], 202, "{outputs}");
    assert_eq!(outputs["res"]["headers"]["content-type"], "application/json");
    let shown: Value = serde_json::from_str(outputs["res"]["body"].as_str().unwrap()).unwrap();
    assert_eq!(shown["state"], "cancelled");
    assert_eq!(outputs["archive"], json!([{ "sluice": { "run": run, "step": "archive" } }]));

    let other = world::run(&harness, "skyline", "y", State::Moving).await;
    let forwarded = harness.call("POST", &format!("/runs/{other}/cancel"), Some(&token), None).await;
    assert_eq!(forwarded.status, 500, "a forwarded request has no outputs: its messages must not be lost in silence");
}

#[tokio::test]
async fn a_refusal_in_an_envelope_is_an_answer_and_no_failure() {
    let harness = Harness::start().await;
    let answer = harness.envelope("Runs", "GET", "/runs?limit=1", "nonsense", None).await;
    assert_eq!(answer.status, 200);
    let res = answer.json()["Outputs"]["res"].clone();
    assert_eq!((&res["statusCode"], &res["headers"]["www-authenticate"]), (&json!(401), &json!("Bearer error=\"invalid_token\"")));
}
