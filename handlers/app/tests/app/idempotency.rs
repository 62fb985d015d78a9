//! A POST that is sent again with its `Idempotency-Key` is answered again, and nothing is done twice.

use std::sync::Arc;

use axum::http::Method;
use chrono::TimeDelta;
use serde_json::{Value, json};
use sluice_app::auth::access::{Audit, RULES};
use sluice_flow::memory::{Fault, Faults, When};

use super::{
    audit::{Scene, scene},
    harness::Harness,
};

/// The `Outputs` of an invocation with a key.
async fn send(harness: &Harness, scene: &Scene, key: &str, body: Option<&Value>) -> Value {
    let mut req = json!({
        "Url": format!("http://localhost:7071/api{}", scene.path), "Method": "POST", "Query": {}, "Params": {}, "Identities": [],
        "Headers": {
            "Authorization": [format!("Bearer {}", harness.token(scene.role))], "Content-Type": ["application/json"], "Idempotency-Key": [key],
        },
    });
    if let Some(body) = body {
        req["Body"] = body.to_string().into();
    }
    let answer = harness.invoke(scene.function, &json!({ "Data": { "req": req }, "Metadata": {} })).await.json();
    answer["Outputs"].clone()
}

fn problem(outputs: &Value) -> (u64, String) {
    let body: Value = serde_json::from_str(outputs["res"]["body"].as_str().unwrap()).unwrap();
    (outputs["res"]["statusCode"].as_u64().unwrap(), body["code"].as_str().unwrap().to_owned())
}

/// Every POST that changes something and keeps its answer.
fn posts() -> impl Iterator<Item = &'static str> {
    let changing = RULES.iter().filter(|rule| rule.method == Method::POST && rule.audit != Audit::Read);
    changing.map(|rule| rule.path).filter(|path| *path != "/submissions")
}

#[tokio::test]
async fn every_post_is_done_once_and_answered_twice() {
    assert!(posts().count() >= 11);
    for path in posts() {
        let harness = Harness::start().await;
        let scene = scene(&harness, path).await;
        let first = send(&harness, &scene, "k-1", scene.body.as_ref()).await;
        assert!(first["res"]["statusCode"].as_u64().is_some_and(|status| status < 300), "{path}: {first}");
        assert!(first["res"]["headers"].get("idempotency-replayed").is_none(), "{path}");
        harness.clock.advance(TimeDelta::hours(1));
        let before = harness.catalog.contents();
        let mut again = send(&harness, &scene, "k-1", scene.body.as_ref()).await;
        assert_eq!(harness.catalog.contents(), before, "{path}: nothing is done");
        assert_eq!(again["res"]["headers"]["idempotency-replayed"], "true", "{path}: {again}");
        for name in ["content-type", "etag"] {
            assert_eq!(again["res"]["headers"].get(name), first["res"]["headers"].get(name), "{path}");
        }
        again["res"]["headers"] = first["res"]["headers"].clone();
        assert_eq!(again, first, "{path}: status, body and messages are those of the first");

        let other = send(&harness, &scene, "k-1", Some(&json!({ "another": "body" }))).await;
        assert_eq!(problem(&other), (422, "A0422".to_owned()), "{path}");
        let elsewhere = Scene { path: format!("{}?x=1", scene.path), function: scene.function, role: scene.role, body: None };
        assert_eq!(problem(&send(&harness, &elsewhere, "k-1", scene.body.as_ref()).await), (422, "A0422".to_owned()), "{path}");
        assert_eq!(harness.catalog.contents(), before, "{path}: nothing is done");
    }
}

#[tokio::test]
async fn a_key_that_is_none_is_refused_everywhere() {
    let harness = Harness::start().await;
    for path in posts().chain(["/submissions", "/pipelines/compare"]) {
        let function = if path == "/pipelines/compare" { "Pipelines" } else { "Submissions" };
        let role = RULES.iter().find(|rule| rule.method == Method::POST && rule.path == path).unwrap().roles[0].name();
        let scene = Scene { path: super::access::filled(path), function, role, body: Some(json!({})) };
        for key in ["", "a b", &"k".repeat(256)] {
            let answer = send(&harness, &scene, key, scene.body.as_ref()).await;
            assert_eq!(problem(&answer), (400, "H0400".to_owned()), "{path} {key:?}");
        }
    }
}

#[tokio::test]
async fn a_refusal_is_kept_and_a_failure_is_not() {
    let faults = Arc::new(Faults::default());
    let harness = Harness::with(faults.clone()).await;
    let claimed = scene(&harness, "/reviews/{case}/claim").await;
    let missing = Scene { path: claimed.path.replace(".0/", ".7/"), ..claimed };
    for replayed in [Value::Null, json!("true")] {
        let answer = send(&harness, &missing, "k-1", None).await;
        assert_eq!(problem(&answer), (404, "W0404".to_owned()));
        assert_eq!(answer["res"]["headers"]["idempotency-replayed"], replayed);
    }
    // The claim of the key takes three calls, and the next one fails.
    let case = scene(&harness, "/reviews/{case}/comments").await;
    faults.plan(Fault { call: faults.calls().len() as u64 + 3, when: When::Before });
    assert_eq!(problem(&send(&harness, &case, "k-2", case.body.as_ref()).await).0, 503);
    assert!(faults.all_happened());
    let answer = send(&harness, &case, "k-2", case.body.as_ref()).await;
    assert_eq!(answer["res"]["statusCode"], 201, "{answer}");
    assert!(answer["res"]["headers"].get("idempotency-replayed").is_none(), "the key was free again");
}

/// Does the work of an operation and loses what becomes of its key, as a crash after the work would.
async fn cut_off(path: &'static str) -> (Harness, Scene) {
    let calls = {
        let faults = Arc::new(Faults::default());
        let harness = Harness::with(faults.clone()).await;
        let scene = scene(&harness, path).await;
        send(&harness, &scene, "k-1", scene.body.as_ref()).await;
        faults.calls().len() as u64
    };
    let faults = Arc::new(Faults::default());
    let harness = Harness::with(faults.clone()).await;
    let scene = scene(&harness, path).await;
    faults.plan(Fault { call: calls - 1, when: When::Before });
    let answer = send(&harness, &scene, "k-1", scene.body.as_ref()).await;
    assert!(answer["res"]["statusCode"].as_u64().is_some_and(|status| status < 300), "{path}: the work is done: {answer}");
    assert!(faults.all_happened());
    (harness, scene)
}

#[tokio::test]
async fn after_a_crash_nothing_is_done_a_second_time() {
    for (path, expected) in [
        ("/reviews/{case}/claim", (200, None)),
        ("/reviews/{case}/release", (200, None)),
        ("/reviews/{case}/assign", (200, None)),
        ("/reviews/{case}/comments", (201, None)),
        ("/reviews/{case}/decide", (409, Some("W0410"))),
        ("/reviews/decide", (200, None)),
        ("/reviews/{case}/undo", (409, Some("A0411"))),
        ("/runs/{run}/reprocess", (409, Some("W0409"))),
        ("/runs/{run}/cancel", (202, None)),
        ("/pipelines/{name}/draft/approve", (404, Some("A0404"))),
    ] {
        let (harness, scene) = cut_off(path).await;
        let waiting = send(&harness, &scene, "k-1", scene.body.as_ref()).await;
        assert_eq!(problem(&waiting), (409, "A0425".to_owned()), "{path}");
        assert_eq!(waiting["res"]["headers"]["retry-after"], "2", "{path}");
        let deeds = |harness: &Harness| -> Vec<_> {
            harness.catalog.contents().into_iter().filter(|(_, document)| document.kind != "idempotency").collect()
        };
        let before = deeds(&harness);
        harness.clock.advance(TimeDelta::minutes(6));
        let answer = send(&harness, &scene, "k-1", scene.body.as_ref()).await;
        assert_eq!(answer["res"]["statusCode"], expected.0, "{path}: {answer}");
        if let Some(code) = expected.1 {
            assert_eq!(problem(&answer).1, code, "{path}");
        }
        assert_eq!(deeds(&harness), before, "{path}: it was done once");
    }
}

#[tokio::test]
async fn a_grant_is_given_again_with_its_mark_and_its_url_is_not_kept() {
    let harness = Harness::start().await;
    let scene = scene(&harness, "/submissions").await;
    let first = send(&harness, &scene, "k-1", scene.body.as_ref()).await;
    assert_eq!(first["res"]["statusCode"], 201, "{first}");
    assert!(first["res"]["headers"].get("idempotency-replayed").is_none());
    let again = send(&harness, &scene, "k-1", scene.body.as_ref()).await;
    assert_eq!((&again["res"]["statusCode"], &again["res"]["headers"]["idempotency-replayed"]), (&json!(201), &json!("true")), "{again}");
    assert_eq!(again["res"]["body"], first["res"]["body"]);
    assert!(harness.catalog.contents().values().all(|document| !document.body.to_string().contains("canary-signature")));
}
