//! Whole journeys through the functions: this test plays the host, so that every message must have a binding and a function.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};
use sluice_app::functions::{FUNCTIONS, Function, Trigger};
use sluice_flow::{BlobPath, Step};

use super::{harness::Harness, world};

/// Sends messages to their functions until none is left, each as the host would.
async fn drain(harness: &Harness, outputs: &Value) {
    let mut queue: VecDeque<(Step, Value)> = VecDeque::new();
    take(&mut queue, outputs);
    for _ in 0..1000 {
        let Some((step, message)) = queue.pop_front() else { return };
        let function = Function::of_step(step).unwrap();
        let text = Value::String(message.to_string()).to_string();
        let answer =
            harness.invoke(function.name, &json!({ "Data": { "message": text }, "Metadata": { "sluice": message["sluice"] } })).await;
        assert_eq!(answer.status, 200, "{}: {}", function.name, answer.text);
        take(&mut queue, &answer.json()["Outputs"]);
    }
    panic!("messages do not end");
}

fn take(queue: &mut VecDeque<(Step, Value)>, outputs: &Value) {
    for (name, messages) in outputs.as_object().unwrap() {
        if let Ok(step) = name.parse::<Step>() {
            queue.extend(messages.as_array().unwrap().iter().map(|message| (step, message.clone())));
        }
    }
}

async fn upload(harness: &Harness, path: &str, body: &str) -> String {
    let etag = harness.lake.upload(&BlobPath::new("landing-skyline", path), body.to_owned(), None, &[]);
    let admitted = harness.invoke("Admit", &world::blob_created("landing-skyline", path, &etag.0, body.len())).await;
    assert_eq!(admitted.status, 200, "{}", admitted.text);
    drain(harness, &admitted.json()["Outputs"]).await;
    let runs = harness.call("GET", &format!("/runs?path={path}"), Some(&harness.token("Operator")), None).await.json();
    runs["items"][0]["runId"].as_str().unwrap_or_else(|| panic!("no run: {runs}")).to_owned()
}

async fn started() -> Harness {
    let harness = Harness::start().await;
    let body = json!({ "pipeline": world::PIPELINE, "contract": world::CONTRACT });
    let stored = harness.call("PUT", "/pipelines/people", Some(&harness.token("Engineer")), Some(body)).await;
    assert_eq!(stored.status, 200, "{}", stored.text);
    harness
}

async fn run(harness: &Harness, id: &str) -> Value {
    harness.call("GET", &format!("/runs/{id}"), Some(&harness.token("Operator")), None).await.json()
}

#[tokio::test]
async fn a_file_becomes_a_published_table_with_a_receipt() {
    let harness = started().await;
    let id = upload(&harness, "people/1.csv", "id,name,age\n1,Ada,36\n2,Bob,-1\n").await;
    let shown = run(&harness, &id).await;
    assert_eq!(shown["state"], "completed", "{shown}");
    let counts = BTreeMap::from([("rows", 2), ("published", 1), ("rejected", 1), ("held", 0)]);
    for (name, count) in counts {
        assert_eq!(shown["counts"][name], count, "{name} in {shown}");
    }
    let partner = harness.token("Partner");
    let receipt = harness.call("GET", &format!("/submissions/{id}/receipt"), Some(&partner), None).await;
    assert_eq!(receipt.status, 200, "{}", receipt.text);
    assert!(receipt.text.contains(shown["blake3"].as_str().unwrap()));
    let rejected = harness.call("GET", &format!("/submissions/{id}/rejected"), Some(&partner), None).await;
    assert!(rejected.headers["content-type"].to_str().unwrap().starts_with("text/csv"));
    assert!(rejected.headers["content-disposition"].to_str().unwrap().contains("rejected.csv"));
    assert!(rejected.text.contains("Bob") && !rejected.text.contains("Ada"), "{}", rejected.text);
    let row = harness.call("GET", &format!("/rows/{id}/1"), Some(&partner), None).await;
    assert_eq!(row.status, 200, "{}", row.text);
    assert!(row.text.contains("unborn"), "{}", row.text);
    assert_eq!(harness.call("GET", &format!("/rows/{id}/2"), Some(&partner), None).await.status, 404);
    for path in ["report", "timeline", "audit", "chunks"] {
        let answer = harness.call("GET", &format!("/runs/{id}/{path}"), Some(&harness.token("Operator")), None).await;
        if path == "audit" {
            assert_eq!(answer.json()["verified"], true, "{}", answer.text);
        }
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_held_row_waits_for_a_person_and_is_published_after_the_decision() {
    let harness = started().await;
    let id = upload(&harness, "people/2.csv", "id,name,age\n1,Ada,36\n3,Eve,136\n").await;
    assert_eq!(run(&harness, &id).await["state"], "reviewing");
    let reviewer = harness.token("Reviewer");
    let cases = harness.envelope("Cases", "GET", "/reviews", &reviewer, None).await.json();
    let cases: Value = serde_json::from_str(cases["Outputs"]["res"]["body"].as_str().unwrap()).unwrap();
    let case = &cases["items"][0];
    let case_id = case["caseId"].as_str().unwrap();
    let rows = harness.call("GET", &format!("/reviews/{case_id}/rows"), Some(&reviewer), None).await;
    assert!(rows.text.contains("Eve") && !rows.text.contains("Ada"), "{}", rows.text);

    let path = format!("/reviews/{case_id}/decide");
    let other = json!({ "verdict": { "verdict": "approve" }, "digest": "another" });
    let refused = harness.envelope("Cases", "POST", &path, &reviewer, Some(other)).await.json();
    assert_eq!(refused["Outputs"]["res"]["statusCode"], 409, "{refused}");
    let decision = json!({ "verdict": { "verdict": "approve" }, "comment": "she is that old", "digest": case["digest"] });
    let decided = harness.envelope("Cases", "POST", &path, &reviewer, Some(decision)).await.json();
    assert_eq!(decided["Outputs"]["res"]["statusCode"], 200, "{decided}");
    drain(&harness, &decided["Outputs"]).await;
    let shown = run(&harness, &id).await;
    assert_eq!(
        (&shown["state"], &shown["counts"]["corrected"], &shown["counts"]["published"]),
        (&json!("completed"), &json!(1), &json!(1)),
        "{shown}"
    );
}

#[tokio::test]
async fn a_row_is_sent_back_to_the_partner_with_a_comment() {
    let harness = started().await;
    let id = upload(&harness, "people/6.csv", "id,name,age\n1,Ada,36\n3,Eve,136\n").await;
    let (reviewer, partner) = (harness.token("Reviewer"), harness.token("Partner"));
    let cases = harness.call("GET", "/reviews", Some(&reviewer), None).await.json();
    let case = &cases["items"][0];
    assert_eq!(case["correctable"], json!(["id", "name", "age"]), "{case}");
    let path = format!("/reviews/{}/decide", case["caseId"].as_str().unwrap());
    let silent = json!({ "verdict": { "verdict": "return" }, "comment": " ", "digest": case["digest"] });
    let refused = harness.call("POST", &path, Some(&reviewer), Some(silent)).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (422, &json!("W0427")), "{}", refused.text);
    let bulk = |comment: &str| {
        let cases = json!([{ "caseId": case["caseId"], "digest": case["digest"] }]);
        json!({ "verdict": { "verdict": "return" }, "comment": comment, "cases": cases })
    };
    let refused = harness.call("POST", "/reviews/decide", Some(&reviewer), Some(bulk(""))).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (422, &json!("W0427")), "{}", refused.text);
    let decided = harness.envelope("Cases", "POST", "/reviews/decide", &reviewer, Some(bulk("is the year right?"))).await.json();
    let result: Value = serde_json::from_str(decided["Outputs"]["res"]["body"].as_str().unwrap()).unwrap();
    assert_eq!(result["decided"][0]["decisions"][0]["verdict"], json!({ "verdict": "return" }), "{result}");
    drain(&harness, &decided["Outputs"]).await;
    let shown = run(&harness, &id).await;
    let count = |name: &str| shown["counts"][name].as_u64();
    assert_eq!((count("published"), count("rejected"), count("returned")), (Some(1), Some(1), Some(1)), "{shown}");
    let submission = harness.call("GET", &format!("/submissions/{id}"), Some(&partner), None).await.json();
    assert_eq!(submission["runs"][0]["counts"]["returned"], 1, "{submission}");
    let receipt = harness.call("GET", &format!("/submissions/{id}/receipt"), Some(&partner), None).await.json();
    assert_eq!((&receipt["review"]["returned"], &receipt["counts"]["returned"]), (&json!(1), &json!(1)), "{receipt}");
    let rejected = harness.call("GET", &format!("/submissions/{id}/rejected"), Some(&partner), None).await;
    assert!(rejected.text.contains("R0404") && rejected.text.contains("sent back to you: is the year right?"), "{}", rejected.text);
}

#[tokio::test]
async fn corrections_are_tried_drafts_compared_and_repaired_rows_joined() {
    let harness = started().await;
    let id = upload(&harness, "people/5.csv", "id,name,age\n1,Ada,36\n2,Bob,-1\n3,Eve,136\n").await;
    let reviewer = harness.token("Reviewer");
    let cases = harness.call("GET", "/reviews", Some(&reviewer), None).await.json();
    let case = &cases["items"][0];
    let path = format!("/reviews/{}/try", case["caseId"].as_str().unwrap());
    let body = |age: &str| json!({ "digest": case["digest"], "rows": { "2": { "age": age } } });
    let fits = harness.call("POST", &path, Some(&reviewer), Some(body("36"))).await;
    assert_eq!(
        fits.json()["rows"],
        json!([{ "row": 2, "proposed": { "id": 3, "name": "Eve", "age": 36 }, "filtered": false, "problems": [] }])
    );
    let wrong = harness.call("POST", &path, Some(&reviewer), Some(body("old"))).await.json();
    assert_eq!((&wrong["rows"][0]["proposed"], &wrong["rows"][0]["problems"][0]["column"]), (&json!(null), &json!("age")), "{wrong}");

    let draft = world::PIPELINE.replace("age < 0", "age < 40");
    let body = json!({ "pipeline": draft, "contract": world::CONTRACT, "run": id });
    let compared = harness.call("POST", "/pipelines/compare", Some(&harness.token("Engineer")), Some(body)).await;
    let compared = compared.json();
    assert_eq!((&compared["rows"], &compared["changedRows"]), (&json!(3), &json!(1)), "{compared}");
    let changed = &compared["changed"][0];
    assert_eq!((&changed["row"], &changed["before"], &changed["after"]), (&json!(0), &json!("accepted"), &json!("rejected")), "{compared}");
    assert_eq!(changed["reasons"][0]["rule"], "unborn", "{compared}");

    let submission = id.rsplit_once('-').unwrap().0;
    let asked = json!({ "grant": { "kind": "file", "path": "people/5-fixed.csv" }, "fixes": submission });
    let granted = harness.call("POST", "/submissions", Some(&harness.token("Partner")), Some(asked)).await;
    assert_eq!(granted.status, 201, "{}", granted.text);
    let fixed = upload(&harness, "people/5-fixed.csv", "id,name,age\n2,Bob,1\n").await;
    assert_eq!(run(&harness, &fixed).await["fixes"], submission);
    assert_eq!(run(&harness, &id).await["fixedBy"], json!([fixed]));
}

#[tokio::test]
async fn no_value_of_a_row_is_in_the_log() {
    crate::harness::start_log();
    let harness = started().await;
    let mut logged = String::new();
    let body = "id,name,age\n1,canary-value-one,36\n2,canary-value-two,-1\n3,canary-value-three,136\nx,canary-value-four,1\n";
    let etag = harness.lake.upload(&BlobPath::new("landing-skyline", "people/3.csv"), body, None, &[]);
    let mut queue: VecDeque<(String, Value)> =
        VecDeque::from([("Admit".to_owned(), world::blob_created("landing-skyline", "people/3.csv", &etag.0, body.len()))]);
    while let Some((function, envelope)) = queue.pop_front() {
        let answer = harness.invoke(&function, &envelope).await.json();
        logged.push_str(&answer["Logs"].to_string());
        let mut messages = VecDeque::new();
        take(&mut messages, &answer["Outputs"]);
        for (step, message) in messages {
            let text = Value::String(message.to_string()).to_string();
            queue.push_back((Function::of_step(step).unwrap().name.to_owned(), json!({ "Data": { "message": text }, "Metadata": {} })));
        }
    }
    assert!(logged.contains("Transform") && logged.contains("Gather"), "the journey was logged: {logged}");
    assert!(!logged.contains("canary"), "{logged}");
}

#[tokio::test]
async fn every_dead_letter_function_takes_every_steps_messages() {
    let harness = started().await;
    let id = upload(&harness, "people/4.csv", "id,name,age\n1,Ada,36\n").await;
    for function in FUNCTIONS {
        let Trigger::DeadLetter(step) = function.trigger else { continue };
        let text = json!({ "sluice": { "run": id, "step": step } }).to_string();
        let envelope = json!({ "Data": { "message": Value::String(text).to_string() }, "Metadata": { "UserProperties": { "DeadLetterReason": "r" } } });
        let answer = harness.invoke(function.name, &envelope).await;
        assert_eq!(answer.status, 200, "{}: {}", function.name, answer.text);
    }
}
