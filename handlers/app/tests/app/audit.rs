//! Whatever changes something leaves a trace that names who asked for it (invariant 12).

use std::collections::BTreeSet;

use axum::{body::Body, http::Request};
use serde_json::{Value, json};
use sluice_app::auth::access::{Audit, RULES};
use sluice_flow::run::State;

use super::{harness::Harness, world};

pub(crate) struct Scene {
    pub(crate) path: String,
    pub(crate) function: &'static str,
    pub(crate) role: &'static str,
    pub(crate) body: Option<Value>,
}

/// A request that succeeds, for an operation of the access table.
pub(crate) async fn scene(harness: &Harness, path: &'static str) -> Scene {
    let run = |name: &'static str, state| world::run(harness, "skyline", name, state);
    let put_pipeline = || json!({ "pipeline": world::PIPELINE, "contract": world::CONTRACT });
    let scene = |path: String, function, role, body| Scene { path, function, role, body };
    match path {
        "/submissions" => {
            scene(path.into(), "Submissions", "Partner", Some(json!({ "grant": { "kind": "file", "path": "people/1.csv" } })))
        }
        "/runs/{run}/reprocess" => {
            let event = world::blob_created(
                "landing-skyline",
                "odd/a.csv",
                &harness.lake.upload(&sluice_flow::BlobPath::new("landing-skyline", "odd/a.csv"), "a\n", None, &[]).0,
                2,
            );
            assert_eq!(harness.invoke("Admit", &event).await.status, 200);
            let runs = harness.call("GET", "/runs?path=odd/a.csv", Some(&harness.token("Auditor")), None).await.json();
            scene(format!("/runs/{}/reprocess", runs["items"][0]["runId"].as_str().unwrap()), "Runs", "Operator", None)
        }
        "/runs/{run}/cancel" => scene(format!("/runs/{}/cancel", run("b", State::Moving).await), "Runs", "Operator", None),
        "/runs/{run}/resume" => scene(format!("/runs/{}/resume", run("c", State::Moving).await), "Runs", "Operator", None),
        "/reviews/{case}/claim"
        | "/reviews/{case}/release"
        | "/reviews/{case}/decide"
        | "/reviews/decide"
        | "/reviews/{case}/comments"
        | "/reviews/{case}/assign"
        | "/reviews/{case}/undo" => {
            let run = run(path, State::Reviewing).await;
            let case = world::case(harness, &run, "skyline").await;
            let reviewer = harness.token("Reviewer");
            if path == "/reviews/{case}/release" {
                let claimed = harness.envelope("Cases", "POST", &format!("/reviews/{}/claim", case.case_id), &reviewer, None).await;
                assert_eq!(claimed.json()["Outputs"]["res"]["statusCode"], 200, "{}", claimed.text);
            }
            let decision = json!({ "verdict": { "verdict": "reject" }, "comment": "no", "digest": case.digest });
            if path == "/reviews/{case}/undo" {
                let decide = format!("/reviews/{}/decide", case.case_id);
                let decided = harness.envelope("Cases", "POST", &decide, &reviewer, Some(decision.clone())).await;
                assert_eq!(decided.json()["Outputs"]["res"]["statusCode"], 200, "{}", decided.text);
            }
            let body = match path {
                "/reviews/{case}/decide" => Some(decision),
                "/reviews/{case}/comments" => Some(json!({ "text": "why?" })),
                "/reviews/{case}/assign" => Some(json!({ "id": "oid-other", "name": "Other" })),
                "/reviews/{case}/undo" => Some(json!({ "digest": case.digest })),
                "/reviews/decide" => Some(
                    json!({ "verdict": { "verdict": "reject" }, "comment": "no", "cases": [{ "caseId": case.case_id, "digest": case.digest }] }),
                ),
                _ => None,
            };
            // An operator can take a case from the person who claimed it, and a decision back.
            let role = if ["/reviews/{case}/release", "/reviews/{case}/undo"].contains(&path) { "Operator" } else { "Reviewer" };
            scene(path.replace("{case}", &case.case_id), "Cases", role, body)
        }
        "/pipelines/{name}" => scene("/pipelines/people".into(), "Pipelines", "Engineer", Some(put_pipeline())),
        "/pipelines/{name}/draft" | "/pipelines/{name}/draft/approve" => {
            let engineer = harness.token("Engineer");
            let stored = harness.call("PUT", "/pipelines/people/draft", Some(&engineer), Some(put_pipeline())).await;
            assert_eq!(stored.status, 200, "{}", stored.text);
            if path.ends_with("approve") {
                let body = json!({ "hash": stored.json()["hash"] });
                return scene("/pipelines/people/draft/approve".into(), "Pipelines", "Operator", Some(body));
            }
            // Other texts than those that are there: the same ones stay their author's.
            let changed = json!({ "pipeline": world::PIPELINE.replace("age < 0", "age < 1"), "contract": world::CONTRACT });
            scene("/pipelines/people/draft".into(), "Pipelines", "Engineer", Some(changed))
        }
        "/parameters/{pipeline}" => {
            let engineer = harness.token("Engineer");
            let stored = harness.call("PUT", "/pipelines/people", Some(&engineer), Some(put_pipeline())).await;
            assert_eq!(stored.status, 200, "{}", stored.text);
            scene("/parameters/people".into(), "Parameters", "Operator", Some(json!({ "values": { "oldest": 99 }, "comment": "why" })))
        }
        "/tables/{name}" => scene("/tables/towns".into(), "Tables", "Operator", None),
        other => panic!("no scene for {other}: every operation that changes something needs one"),
    }
}

fn named(harness: &Harness, who: &str) -> BTreeSet<(String, String)> {
    let contents = harness.catalog.contents();
    contents.into_iter().filter(|(_, document)| document.body.to_string().contains(who)).map(|(key, _)| key).collect()
}

#[tokio::test]
async fn every_change_names_its_author_in_the_catalog() {
    crate::harness::start_log();
    for rule in RULES.iter().filter(|rule| rule.audit != Audit::Read) {
        let harness = Harness::start().await;
        let scene = scene(&harness, rule.path).await;
        let who = format!("oid-caller-of-{}", scene.role);
        let mut claims = json!({ "roles": [scene.role], "oid": who, "name": "The Caller" });
        if scene.role == "Partner" {
            claims["extension_partner"] = "skyline".into();
        }
        let caller = harness.issuer.token(harness.now(), &claims);
        assert!(named(&harness, &who).is_empty());
        let status = if scene.path.starts_with("/tables/") {
            let request = Request::builder().method("PUT").uri(format!("/api{}", scene.path)).header("content-type", "text/csv");
            let request = request.header("authorization", format!("Bearer {caller}")).body(Body::from("code,name\n1,Ulm\n")).unwrap();
            harness.send(request).await.status.as_u16()
        } else {
            let answer = harness.envelope(scene.function, rule.method.as_str(), &scene.path, &caller, scene.body).await.json();
            assert!(answer["Outputs"]["res"]["statusCode"].as_u64().is_some_and(|s| s < 300), "{} {}: {answer}", rule.method, rule.path);
            let logs = answer["Logs"].to_string();
            assert!(logs.contains("change asked for") && logs.contains(&who), "{logs}");
            assert!(!logs.contains("canary-signature"), "{logs}");
            200
        };
        assert!(status < 300, "{} {}: {status}", rule.method, rule.path);
        let traces = named(&harness, &who);
        let chained = traces.iter().any(|(_, id)| id.starts_with("audit:"));
        assert!(!traces.is_empty(), "{} {} leaves no trace", rule.method, rule.path);
        assert_eq!(chained, rule.audit == Audit::Chain, "{} {}: {traces:?}", rule.method, rule.path);
    }
}
