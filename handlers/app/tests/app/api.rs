//! What clients of the API can rely on: partners are apart, versions are checked, mistakes come all at once.

use axum::{body::Body, http::Request};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sluice_flow::run::State;

use super::{
    harness::{Answer, Harness},
    world,
};

fn put_pipeline() -> Value {
    json!({ "pipeline": world::PIPELINE, "contract": world::CONTRACT })
}

async fn put(harness: &Harness, path: &str, headers: &[(&str, &str)], content_type: &str, body: String) -> Answer {
    let mut request = Request::builder().method("PUT").uri(format!("/api{path}")).header("content-type", content_type);
    request = request.header("authorization", format!("Bearer {}", harness.token("Engineer")));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    harness.send(request.body(Body::from(body)).unwrap()).await
}

#[tokio::test]
async fn a_partner_sees_its_own_and_of_others_not_even_that_they_exist() {
    let harness = Harness::start().await;
    let own = world::run(&harness, "skyline", "x", State::Moving).await;
    let others = world::run(&harness, "acme", "x", State::Moving).await;
    let missing = "s-0123456789abcdef012345678-1";
    let partner = harness.token("Partner");

    let listed = harness.call("GET", "/runs", Some(&partner), None).await.json();
    let ids: Vec<&str> = listed["items"].as_array().unwrap().iter().map(|run| run["runId"].as_str().unwrap()).collect();
    assert_eq!(ids, [own.as_str()]);
    let asked = harness.call("GET", "/runs?partner=acme", Some(&partner), None).await.json();
    assert_eq!(asked["items"], json!([]));
    for mistaken in ["/runs?partner=acme&state=lost", "/runs?partner=acme&cursor=x", "/runs?partner=acme&submission=x"] {
        assert_eq!(harness.call("GET", mistaken, Some(&partner), None).await.status, 400, "{mistaken}");
    }
    let submissions = harness.call("GET", "/submissions", Some(&partner), None).await.json();
    assert_eq!(submissions["items"].as_array().map(Vec::len), Some(1));

    for path in ["/runs/{}", "/runs/{}/report", "/rows/{}/0", "/submissions/{}", "/submissions/{}/receipt", "/submissions/{}/rejected"] {
        let of_others = harness.call("GET", &path.replace("{}", others.as_str()), Some(&partner), None).await;
        let of_nobody = harness.call("GET", &path.replace("{}", missing), Some(&partner), None).await;
        assert_eq!(of_others.status, 404, "{path}");
        let without_id = |answer: &Answer, id: &str| answer.text.replace(id, "ID");
        assert_eq!(without_id(&of_others, others.as_str()), without_id(&of_nobody, missing), "{path} tells the two apart");
    }
    assert_eq!(harness.call("GET", &format!("/runs/{own}"), Some(&partner), None).await.status, 200);
    let grant = json!({ "partner": "acme", "grant": { "kind": "container" } });
    assert_eq!(harness.call("POST", "/submissions", Some(&partner), Some(grant)).await.status, 404);
}

#[tokio::test]
async fn a_grant_is_shown_once_with_its_url_and_recorded_without_it() {
    let harness = Harness::start().await;
    let asked = json!({ "grant": { "kind": "file", "path": "people/1.csv" }, "declared": { "size": 8 }, "validSeconds": 600 });
    let answer = harness.call("POST", "/submissions", Some(&harness.token("Partner")), Some(asked)).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(answer.headers["cache-control"], "no-store");
    let grant = answer.json();
    assert!(grant["url"].as_str().unwrap().contains("sig="));
    assert_eq!((&grant["partner"], &grant["grant"]), (&json!("skyline"), &json!({ "kind": "file", "path": "people/1.csv" })));
    assert_eq!(grant["expiresAt"], "2026-01-01T00:10:00.000Z");
    assert_eq!((&grant["pipeline"], grant.get("takenPaths")), (&json!(null), None), "there is no pipeline yet");
    assert!(harness.catalog.contents().values().all(|document| !document.body.to_string().contains("canary-signature")));

    for wrong in [
        json!({ "grant": { "kind": "file" } }),
        json!({ "grant": { "kind": "folder" } }),
        json!({ "grant": { "kind": "container" }, "validSeconds": 9_999_999 }),
        json!({ "grant": { "kind": "file", "path": "../acme/x" } }),
        json!({ "grant": { "kind": "container" }, "more": 1 }),
    ] {
        let answer = harness.call("POST", "/submissions", Some(&harness.token("Partner")), Some(wrong.clone())).await;
        assert!((400..500).contains(&answer.status.as_u16()), "{wrong}: {}", answer.text);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
}

#[tokio::test]
async fn a_pipeline_is_stored_in_versions_and_only_over_the_version_that_was_read() {
    let harness = Harness::start().await;
    let first = put(&harness, "/pipelines/people", &[("if-none-match", "*")], "application/json", put_pipeline().to_string()).await;
    assert_eq!(first.status, 200, "{}", first.text);
    assert_eq!(first.headers["etag"], "\"v1\"");
    let again = put(&harness, "/pipelines/people", &[("if-none-match", "*")], "application/json", put_pipeline().to_string()).await;
    assert_eq!((again.status.as_u16(), &again.json()["code"]), (412, &json!("H0412")));
    let mut changed = put_pipeline();
    changed["pipeline"] = world::PIPELINE.replace("age < 0", "age < 1").into();
    let second = put(&harness, "/pipelines/people", &[("if-match", "\"v1\"")], "application/json", changed.to_string()).await;
    assert_eq!(second.headers["etag"], "\"v2\"", "{}", second.text);
    assert_eq!(
        put(&harness, "/pipelines/people", &[("if-match", "\"v1\"")], "application/json", put_pipeline().to_string()).await.status,
        412
    );

    let auditor = harness.token("Auditor");
    let read = harness.call("GET", "/pipelines/people", Some(&auditor), None).await;
    assert_eq!(read.headers["etag"], "\"v2\"");
    assert_eq!(read.json()["pipeline"], changed["pipeline"]);
    let versions = harness.call("GET", "/pipelines/people/versions", Some(&auditor), None).await.json();
    assert_eq!(versions.as_array().unwrap().iter().map(|v| v["version"].as_u64().unwrap()).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(harness.call("GET", "/pipelines/nobody", Some(&auditor), None).await.status, 404);
    let elsewhere = put(&harness, "/pipelines/other", &[], "application/json", put_pipeline().to_string()).await;
    assert_eq!(elsewhere.status, 400, "{}", elsewhere.text);
}

#[tokio::test]
async fn all_mistakes_of_a_pipeline_are_told_at_once_with_their_places() {
    let harness = Harness::start().await;
    let wrong = world::PIPELINE.replace("age < 0", "ag < 0").replace("age > $oldest", "aged > $oldest");
    let answer =
        put(&harness, "/pipelines/people", &[], "application/json", json!({ "pipeline": wrong, "contract": world::CONTRACT }).to_string())
            .await;
    assert_eq!(answer.status, 422, "{}", answer.text);
    let mistakes = answer.json()["mistakes"].clone();
    assert_eq!(mistakes.as_array().map(Vec::len), Some(2), "{mistakes}");
    for mistake in mistakes.as_array().unwrap() {
        assert!(mistake["line"].as_u64().unwrap() > 1 && mistake["path"].as_str().unwrap().starts_with("rules"), "{mistake}");
    }
    assert_eq!(harness.call("GET", "/pipelines", Some(&harness.token("Engineer")), None).await.json(), json!([]));
}

#[tokio::test]
async fn a_dry_run_tells_what_would_become_of_the_rows_and_stores_nothing() {
    let harness = Harness::start().await;
    let mut body = put_pipeline();
    body["sample"] = "id,name,age\n1,Ada,36\n2,Bob,-1\n3,Eve,136\n".into();
    let before = (harness.catalog.contents().len(), harness.lake.contents().len());
    let answer = harness.call("POST", "/pipelines/dry-run", Some(&harness.token("Engineer")), Some(body)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let report = answer.json();
    assert_eq!(report["held"].as_array().map(Vec::len), Some(1), "{report}");
    assert!(report["rejected"].as_str().unwrap().contains("Bob"), "{report}");
    assert_eq!(before, (harness.catalog.contents().len(), harness.lake.contents().len()));
}

#[tokio::test]
async fn a_partner_tries_the_beginning_of_a_file_before_it_is_sent() {
    let harness = Harness::start().await;
    assert_eq!(put(&harness, "/pipelines/people", &[], "application/json", put_pipeline().to_string()).await.status, 200);
    let partner = harness.token("Partner");
    let before = (harness.catalog.contents().len(), harness.lake.contents().len());
    let text = "id,name,age\n1,Ada,36\n2,Bob,-1\n3,Eve,136\nx,Dan,7\n5,Fay,3";
    let ask = |more: Value| {
        let mut body = json!({ "path": "people/1.csv", "sample": STANDARD.encode(text) });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        harness.call("POST", "/submissions/dry-run", Some(&partner), Some(body))
    };
    let whole = ask(json!({})).await.json();
    let counted = |report: &Value| ["rows", "accepted", "rejected", "held", "filtered"].map(|name| report[name].as_u64().unwrap());
    assert_eq!((counted(&whole), &whole["truncated"]), ([5, 2, 2, 1, 0], &json!(false)), "{whole}");
    assert_eq!((&whole["pipeline"], &whole["version"], &whole["refusals"]), (&json!("people"), &json!(1), &json!([])));
    let integer = whole["problems"].as_array().unwrap().iter().find(|p| p["code"] == "R0101").unwrap();
    assert_eq!((&integer["column"], &integer["rows"]), (&json!("id"), &json!(1)));
    let example = &integer["examples"][0];
    assert_eq!((&example["row"], &example["line"], &example["value"]), (&json!(3), &json!(5), &json!("x")), "{example}");
    assert!(whole["rejectedSample"].as_str().unwrap().contains("x,Dan,7"), "{whole}");
    let part = ask(json!({ "size": 1 << 30 })).await.json();
    assert_eq!((counted(&part), &part["truncated"]), ([4, 1, 2, 1, 0], &json!(true)), "the last record is not whole: {part}");

    for (wrong, status, code) in [
        (json!({ "size": 3 }), 400, "H0400"),
        (json!({ "sample": "!" }), 400, "H0400"),
        (json!({ "sample": STANDARD.encode(vec![b'x'; (4 << 20) + 1]) }), 400, "H0400"),
        (json!({ "sample": "A".repeat(7 << 20) }), 413, "H0413"),
        (json!({ "path": "elsewhere/1.csv" }), 422, "A0002"),
        (json!({ "partner": "acme" }), 404, "H0404"),
    ] {
        let answer = ask(wrong).await;
        assert_eq!((answer.status.as_u16(), answer.json()["code"].as_str()), (status, Some(code)), "{}", answer.text);
    }
    let body = json!({ "path": "people/1.csv", "sample": "", "partner": "acme" });
    let nobody = harness.call("POST", "/submissions/dry-run", Some(&harness.token("Engineer")), Some(body)).await;
    assert_eq!((nobody.status.as_u16(), &nobody.json()["code"]), (422, &json!("A0001")), "{}", nobody.text);
    assert_eq!(before, (harness.catalog.contents().len(), harness.lake.contents().len()), "nothing is stored");
}

#[tokio::test]
async fn parameters_and_tables_are_versioned() {
    let harness = Harness::start().await;
    assert_eq!(put(&harness, "/pipelines/people", &[], "application/json", put_pipeline().to_string()).await.status, 200);
    let auditor = harness.token("Auditor");
    let defaults = harness.call("GET", "/parameters/people", Some(&auditor), None).await;
    assert_eq!((defaults.headers["etag"].to_str().unwrap(), &defaults.json()["version"]), ("\"p0\"", &json!(0)));
    let values = |n: u32| json!({ "values": { "oldest": n }, "comment": "people live longer" }).to_string();
    assert_eq!(put(&harness, "/parameters/people", &[("if-match", "\"p0\"")], "application/json", values(110)).await.status, 200);
    assert_eq!(put(&harness, "/parameters/people", &[("if-match", "\"p0\"")], "application/json", values(120)).await.status, 412);
    let unknown = put(&harness, "/parameters/people", &[], "application/json", json!({ "values": { "youngest": 1 } }).to_string()).await;
    assert_eq!(unknown.status, 422, "{}", unknown.text);
    assert_eq!(put(&harness, "/parameters/nobody", &[], "application/json", values(1)).await.status, 404);

    let csv = || "code,name\n1,Ulm\n".to_owned();
    let stored = put(&harness, "/tables/towns", &[("if-none-match", "*")], "text/csv; charset=utf-8", csv()).await;
    assert_eq!(stored.status, 200, "{}", stored.text);
    assert_eq!(stored.json()["rows"], 1);
    let tag = stored.headers["etag"].to_str().unwrap().to_owned();
    assert_eq!(put(&harness, "/tables/towns", &[("if-none-match", "*")], "text/csv", csv()).await.status, 412);
    assert_eq!(put(&harness, "/tables/towns", &[("if-match", &tag)], "text/csv", csv()).await.status, 200);
    assert_eq!(put(&harness, "/tables/towns", &[], "application/json", csv()).await.status, 415);
    assert_eq!(put(&harness, "/tables/towns", &[], "text/csv", "code,code\n".to_owned()).await.status, 422);
}

#[tokio::test]
async fn pages_follow_their_cursor_and_refuse_another_listings() {
    let harness = Harness::start().await;
    for n in 0..5 {
        world::run(&harness, "skyline", &format!("f{n}"), State::Moving).await;
        harness.clock.advance(chrono::TimeDelta::seconds(1));
    }
    let token = harness.token("Operator");
    let mut seen = Vec::new();
    let mut next = String::new();
    loop {
        let page = harness.call("GET", &format!("/runs?limit=2&cursor={next}"), Some(&token), None).await.json();
        seen.extend(page["items"].as_array().unwrap().iter().map(|run| run["path"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(cursor) => cursor.clone_into(&mut next),
            None => break,
        }
    }
    assert_eq!(seen, ["f4", "f3", "f2", "f1", "f0"]);
    for path in [
        format!("/runs?state=failed&cursor={next}"),
        "/runs?cursor=x".to_owned(),
        "/runs?state=lost".to_owned(),
        "/runs?sate=failed".to_owned(),
        "/runs?submission=x".to_owned(),
        "/reviews?run=x".to_owned(),
    ] {
        let answer = harness.call("GET", &path, Some(&token), None).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn cases_and_runs_are_searched_by_the_server() {
    let harness = Harness::start().await;
    let run = world::run(&harness, "skyline", "x", State::Reviewing).await;
    world::case(&harness, &run, "skyline").await;
    harness.clock.advance(chrono::TimeDelta::seconds(1));
    let reviewer = harness.token("Reviewer");
    let count = async |path: &str| {
        let answer = harness.call("GET", path, Some(&reviewer), None).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json()["items"].as_array().unwrap().len()
    };
    for (path, found) in [
        ("/reviews?text=OLDER%20than".to_owned(), 1),
        (format!("/reviews?text={run}"), 1),
        ("/reviews?text=%20".to_owned(), 1),
        ("/reviews?text=younger".to_owned(), 0),
        ("/reviews?dueBefore=2026-01-01T00:00:00.001Z&openedBefore=2026-01-01T01:00:00.001%2B01:00".to_owned(), 1),
        ("/reviews?dueBefore=2026-01-01T00:00:00Z".to_owned(), 0),
        ("/reviews?openedBefore=2026-01-01T00:00:00Z".to_owned(), 0),
        ("/runs?quietSince=2026-01-01T00:00:00.001Z".to_owned(), 1),
        ("/runs?quietSince=2026-01-01T00:00:00Z".to_owned(), 0),
        ("/runs?deadLettered=true".to_owned(), 0),
        ("/runs?deadLettered=false".to_owned(), 1),
    ] {
        assert_eq!(count(&path).await, found, "{path}");
    }
    for wrong in ["/reviews?dueBefore=soon", "/reviews?openedBefore=2026-01-01", "/runs?quietSince=1", "/runs?deadLettered=maybe"] {
        let answer = harness.call("GET", wrong, Some(&reviewer), None).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (400, &json!("H0400")), "{wrong}: {}", answer.text);
    }
    let long = format!("/reviews?text={}", "x".repeat(201));
    assert_eq!(harness.call("GET", &long, Some(&reviewer), None).await.status, 400);
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let harness = Harness::start().await;
    let answer = put(&harness, "/pipelines/people", &[], "application/json", format!("\"{}\"", "x".repeat(3 << 20))).await;
    assert_eq!(answer.status, 413);
}

#[tokio::test]
async fn a_bulk_decision_decides_what_it_can_and_tells_the_rest() {
    let harness = Harness::start().await;
    let run = world::run(&harness, "skyline", "x", State::Reviewing).await;
    let case = world::case(&harness, &run, "skyline").await;
    let body = json!({ "verdict": { "verdict": "reject" }, "comment": "no", "cases": [
        { "caseId": case.case_id, "digest": "another" }, { "caseId": format!("{run}.7"), "digest": "d" },
    ]});
    let answer = harness.envelope("Cases", "POST", "/reviews/decide", &harness.token("Reviewer"), Some(body)).await.json();
    assert_eq!(answer["Outputs"]["res"]["statusCode"], 200, "{answer}");
    let result: Value = serde_json::from_str(answer["Outputs"]["res"]["body"].as_str().unwrap()).unwrap();
    assert_eq!(result["decided"], json!([]));
    assert_eq!(result["problems"].as_array().map(Vec::len), Some(2), "{result}");
    assert!(answer["Outputs"].get("decisions").is_none());
}

#[tokio::test]
async fn health_needs_no_token_and_tells_no_detail() {
    let harness = Harness::start().await;
    let answer = harness.call("GET", "/health", None, None).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["status"]), (200, &json!("ready")));
    assert_eq!(answer.json().as_object().map(serde_json::Map::len), Some(2));
}

#[tokio::test]
async fn a_grant_says_which_pipeline_takes_the_path() {
    let harness = Harness::start().await;
    assert_eq!(put(&harness, "/pipelines/people", &[], "application/json", put_pipeline().to_string()).await.status, 200);
    let partner = harness.token("Partner");
    let ask = async |path: &str| {
        let asked = json!({ "grant": { "kind": "file", "path": path } });
        harness.call("POST", "/submissions", Some(&partner), Some(asked)).await.json()
    };
    let taken = ask("people/2.csv").await;
    assert_eq!((&taken["pipeline"], taken.get("takenPaths")), (&json!("people"), None));
    let lost = ask("peple/2.csv").await;
    assert_eq!((&lost["pipeline"], &lost["takenPaths"]), (&json!(null), &json!(["people/*.csv"])));
    assert!(lost["url"].is_string(), "it is granted all the same");
}
