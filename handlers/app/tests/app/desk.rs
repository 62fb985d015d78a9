//! What the web app works with: entity tags, the live feed, figures, drafts, comments, assignments, undo, idempotency keys.

use std::sync::Arc;

use axum::{body::Body, http::Request};
use chrono::TimeDelta;
use serde_json::{Value, json};
use sluice_flow::{memory::Faults, run::State};

use super::{
    harness::{Answer, Harness},
    world,
};

async fn with_header(harness: &Harness, method: &str, path: &str, role: &str, header: (&str, &str), body: Option<Value>) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(format!("/api{path}"))
        .header("authorization", format!("Bearer {}", harness.token(role)))
        .header("content-type", "application/json")
        .header(header.0, header.1);
    harness.send(request.body(body.map_or_else(Body::empty, |body| Body::from(body.to_string()))).unwrap()).await
}

#[tokio::test]
async fn what_is_known_already_is_not_sent_again() {
    let harness = Harness::start().await;
    let run = world::run(&harness, "skyline", "x", State::Reviewing).await;
    let case = world::case(&harness, &run, "skyline").await;
    let reviewer = harness.token("Reviewer");
    for path in [format!("/runs/{run}"), format!("/reviews/{}", case.case_id)] {
        let first = harness.call("GET", &path, Some(&reviewer), None).await;
        let tag = first.headers["etag"].to_str().unwrap().to_owned();
        let again = with_header(&harness, "GET", &path, "Reviewer", ("if-none-match", &tag), None).await;
        assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""), "{path}");
        assert_eq!(again.headers["etag"], tag.as_str());
        harness.clock.advance(TimeDelta::seconds(1));
        let claim = harness.call("POST", &format!("/reviews/{}/claim", case.case_id), Some(&reviewer), None).await;
        assert_eq!(claim.status, 200, "{}", claim.text);
        let changed = with_header(&harness, "GET", &path, "Reviewer", ("if-none-match", &tag), None).await;
        assert_eq!(changed.status, 200, "{path}");
        assert_ne!(changed.headers["etag"], tag.as_str());
        harness.call("POST", &format!("/reviews/{}/release", case.case_id), Some(&reviewer), None).await;
    }
}

#[tokio::test]
async fn whatever_can_be_changed_and_read_alone_has_a_tag_that_is_honoured() {
    let harness = Harness::start().await;
    let (engineer, operator) = (harness.token("Engineer"), harness.token("Operator"));
    let texts = |age: &str| json!({ "pipeline": world::PIPELINE.replace("age < 0", age), "contract": world::CONTRACT });
    let table = async |text: &str| {
        let request = Request::builder().method("PUT").uri("/api/tables/towns").header("content-type", "text/csv");
        let request = request.header("authorization", format!("Bearer {operator}")).body(Body::from(text.to_owned())).unwrap();
        harness.send(request).await
    };
    assert_eq!(harness.call("GET", "/tables/towns", Some(&operator), None).await.status, 404);
    let run = world::run(&harness, "skyline", "x", State::Reviewing).await;
    let case = world::case(&harness, &run, "skyline").await;
    let change = async |n: usize| {
        let text = texts(["age < 0", "age < 1"][n]);
        let values = json!({ "values": { "oldest": 90 + n } });
        let claim = format!("/reviews/{}/{}", case.case_id, ["claim", "release"][n]);
        harness.clock.advance(TimeDelta::seconds(1));
        let answers = [
            harness.call("PUT", "/pipelines/people", Some(&engineer), Some(text)).await,
            harness.call("PUT", "/pipelines/people/draft", Some(&engineer), Some(texts(["age < 2", "age < 3"][n]))).await,
            harness.call("PUT", "/parameters/people", Some(&operator), Some(values)).await,
            table(["code,name\n1,Ulm\n", "code,name\n1,Bonn\n"][n]).await,
            harness.call("POST", &claim, Some(&harness.token("Reviewer")), None).await,
        ];
        for answer in answers {
            assert_eq!(answer.status, 200, "{}", answer.text);
        }
    };
    change(0).await;
    let paths = ["/pipelines/people", "/pipelines/people/draft", "/parameters/people", "/tables/towns", &format!("/submissions/{run}")];
    let mut tags = Vec::new();
    for path in paths {
        let first = harness.call("GET", path, Some(&operator), None).await;
        let tag = first.headers["etag"].to_str().unwrap().to_owned();
        let again = with_header(&harness, "GET", path, "Operator", ("if-none-match", &tag), None).await;
        assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""), "{path}");
        assert_eq!(again.headers["etag"], tag.as_str(), "{path}");
        tags.push(tag);
    }
    change(1).await;
    for (path, tag) in paths.into_iter().zip(tags) {
        let changed = with_header(&harness, "GET", path, "Operator", ("if-none-match", &tag), None).await;
        assert_eq!(changed.status, 200, "{path}");
        assert_ne!(changed.headers["etag"], tag.as_str(), "{path}");
    }
}

#[tokio::test]
async fn the_feed_tells_changes_as_they_come() {
    let harness = Harness::start().await;
    let (reviewer, partner) = (harness.token("Reviewer"), harness.token("Partner"));
    let start = harness.call("GET", "/changes", Some(&reviewer), None).await.json();
    assert_eq!(start["runs"], json!([]));
    let own = harness.call("GET", "/changes", Some(&partner), None).await.json();
    let path = |of: &Value, wait: u32| format!("/changes?after={}&wait={wait}", of["cursor"].as_str().unwrap());
    let nothing = harness.call("GET", &path(&start, 0), Some(&reviewer), None).await.json();
    assert_eq!(nothing["runs"], json!([]));
    // Somebody waits, and is told as soon as there is something.
    let url = path(&start, 20);
    let waiting = harness.call("GET", &url, Some(&reviewer), None);
    let changing = async {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        world::run(&harness, "acme", "x", State::Moving).await
    };
    let begun = std::time::Instant::now();
    let (told, run) = tokio::join!(waiting, changing);
    assert!(begun.elapsed().as_secs() < 10);
    assert_eq!(told.json()["runs"][0]["runId"], run.as_str());
    let after = harness.call("GET", &path(&told.json(), 0), Some(&reviewer), None).await.json();
    assert_eq!(after["runs"], json!([]));
    let of_others = harness.call("GET", &path(&own, 0), Some(&partner), None).await.json();
    assert_eq!(of_others["runs"], json!([]), "a partner is told of its own runs only");
    for wrong in ["/changes?after=x", "/changes?wait=26", &path(&start, 0)] {
        assert_eq!(
            harness.call("GET", wrong, Some(if wrong.len() < 20 { &reviewer } else { &partner }), None).await.status,
            400,
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn all_who_wait_share_one_look_at_the_catalog() {
    const WAITING: usize = 100;
    let faults = Arc::<Faults>::default();
    let harness = Arc::new(Harness::with(faults.clone()).await);
    let (reviewer, partner) = (harness.token("Reviewer"), harness.token("Partner"));
    let mut waiting = tokio::task::JoinSet::new();
    for n in 0..WAITING {
        let (harness, token) = (harness.clone(), if n % 2 == 0 { reviewer.clone() } else { partner.clone() });
        let start = harness.call("GET", "/changes", Some(&token), None).await.json();
        let path = format!("/changes?wait=20&after={}", start["cursor"].as_str().unwrap());
        waiting.spawn(async move { harness.call("GET", &path, Some(&token), None).await.json() });
    }
    // Each asks where the feed is and looks once by itself; from then on they wait together.
    while faults.calls().len() < 2 * WAITING {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let (before, begun) = (faults.calls().len(), std::time::Instant::now());
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    let looks = faults.calls().len() - before;
    let due = begun.elapsed().as_millis() / 700 + 2;
    assert!(looks as u128 <= due, "{looks} looks of {WAITING} clients, where {due} are due");
    let run = world::run(&harness, "skyline", "x", State::Moving).await;
    while let Some(told) = waiting.join_next().await {
        let told = told.unwrap();
        assert_eq!(told["runs"].as_array().map(Vec::len), Some(1), "{told}");
        assert_eq!(told["runs"][0]["runId"], run.as_str());
    }
}

#[tokio::test]
async fn a_summary_is_made_again_only_when_something_changed() {
    let faults = Arc::<Faults>::default();
    let harness = Harness::with(faults.clone()).await;
    world::run(&harness, "skyline", "x", State::Moving).await;
    let auditor = harness.token("Auditor");
    let ask = async |path: &str| {
        let before = faults.calls().len();
        let figures = harness.call("GET", path, Some(&auditor), None).await.json();
        (figures["inFlight"].as_u64().unwrap(), faults.calls().len() - before)
    };
    let (in_flight, calls) = ask("/summary").await;
    assert!(in_flight == 1 && calls > 3, "{calls} calls");
    assert_eq!(ask("/summary").await, (1, 1), "one look at what changed");
    assert_eq!(ask("/summary?days=3").await.0, 1, "other days are another summary");
    world::run(&harness, "acme", "y", State::Moving).await;
    assert_eq!(ask("/summary").await.0, 2);
}

#[tokio::test]
async fn figures_are_those_that_the_caller_may_see() {
    let harness = Harness::start().await;
    let run = world::run(&harness, "skyline", "x", State::Reviewing).await;
    world::case(&harness, &run, "skyline").await;
    world::run(&harness, "acme", "x", State::Failed).await;
    let all = harness.call("GET", "/summary?days=7", Some(&harness.token("Auditor")), None).await.json();
    assert_eq!((&all["failed"], &all["waiting"]["cases"], all["days"].as_array().map(Vec::len)), (&json!(1), &json!(1), Some(2)), "{all}");
    let own = harness.call("GET", "/summary", Some(&harness.token("Partner")), None).await.json();
    assert_eq!((&own["failed"], &own["waiting"]["runs"], own["days"].as_array().map(Vec::len)), (&json!(0), &json!(1), Some(1)), "{own}");
    assert_eq!(harness.call("GET", "/summary?days=0", Some(&harness.token("Auditor")), None).await.status, 400);
}

#[tokio::test]
async fn people_talk_about_a_case_hand_it_on_and_take_decisions_back() {
    let harness = Harness::start().await;
    let run = world::run(&harness, "skyline", "x", State::Reviewing).await;
    let case = world::case(&harness, &run, "skyline").await;
    let (reviewer, operator) = (harness.token("Reviewer"), harness.token("Operator"));
    let path = |what: &str| format!("/reviews/{}/{what}", case.case_id);
    let said = json!({ "text": " is it so? " });
    for _ in 0..2 {
        let answer = with_header(&harness, "POST", &path("comments"), "Reviewer", ("idempotency-key", "k-1"), Some(said.clone())).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        assert_eq!(answer.json()["comments"].as_array().map(Vec::len), Some(1), "the same request is done once");
        assert_eq!(answer.json()["comments"][0]["text"], "is it so?");
    }
    let empty = harness.call("POST", &path("comments"), Some(&reviewer), Some(json!({ "text": " " }))).await;
    assert_eq!(empty.status, 400);
    let key = with_header(&harness, "POST", &path("comments"), "Reviewer", ("idempotency-key", "a b"), Some(said)).await;
    assert_eq!(key.status, 400, "{}", key.text);

    let to = json!({ "id": "oid-other", "name": "Other" });
    let assigned = harness.call("POST", &path("assign"), Some(&reviewer), Some(to)).await;
    assert_eq!(assigned.json()["claimedBy"]["id"], "oid-other", "{}", assigned.text);
    let back = json!({ "id": "oid-Reviewer", "name": "R" });
    let refused = harness.call("POST", &path("assign"), Some(&reviewer), Some(back.clone())).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (409, &json!("W0423")));
    assert_eq!(harness.call("POST", &path("assign"), Some(&operator), Some(back)).await.status, 200);

    let decision = json!({ "verdict": { "verdict": "approve" }, "digest": case.digest });
    let decided = harness.envelope("Cases", "POST", &path("decide"), &reviewer, Some(decision)).await.json();
    assert_eq!(decided["Outputs"]["res"]["statusCode"], 200, "{decided}");
    let other = harness.call("POST", &path("undo"), Some(&reviewer), Some(json!({ "digest": "another" }))).await;
    assert_eq!((other.status.as_u16(), &other.json()["code"]), (409, &json!("W0409")));
    let undone = harness.call("POST", &path("undo"), Some(&reviewer), Some(json!({ "digest": case.digest }))).await;
    assert_eq!((&undone.json()["status"], &undone.json()["decisions"]), (&json!("open"), &json!([])), "{}", undone.text);
    let nothing = harness.call("POST", &path("undo"), Some(&operator), Some(json!({ "digest": case.digest }))).await;
    assert_eq!((nothing.status.as_u16(), &nothing.json()["code"]), (409, &json!("W0426")));
}

#[tokio::test]
async fn a_draft_goes_live_through_somebody_else() {
    let harness = Harness::start().await;
    let (engineer, operator) = (harness.token("Engineer"), harness.token("Operator"));
    let texts = json!({ "pipeline": world::PIPELINE, "contract": world::CONTRACT });
    let path = "/pipelines/people/draft";
    assert_eq!(harness.call("GET", path, Some(&engineer), None).await.status, 404);
    let stored = with_header(&harness, "PUT", path, "Engineer", ("if-none-match", "*"), Some(texts.clone())).await;
    assert_eq!(stored.status, 200, "{}", stored.text);
    let draft = stored.json();
    assert_eq!(draft["author"]["id"], "oid-Engineer");
    assert_eq!(stored.headers["etag"], format!("\"{}\"", draft["hash"].as_str().unwrap()).as_str());
    let again = with_header(&harness, "PUT", path, "Engineer", ("if-none-match", "*"), Some(texts.clone())).await;
    assert_eq!((again.status.as_u16(), &again.json()["code"]), (412, &json!("A0412")));
    let tag = stored.headers["etag"].to_str().unwrap().to_owned();
    for (tag, status) in [("\"another\"", 412), (tag.as_str(), 200)] {
        let put = with_header(&harness, "PUT", path, "Engineer", ("if-match", tag), Some(texts.clone())).await;
        assert_eq!(put.status, status, "{}", put.text);
    }
    assert_eq!(harness.call("GET", "/pipelines/people", Some(&engineer), None).await.status, 404, "it is not live");
    let approve = json!({ "hash": draft["hash"] });
    let own = harness.call("POST", "/pipelines/people/draft/approve", Some(&engineer), Some(approve.clone())).await;
    assert_eq!((own.status.as_u16(), &own.json()["code"]), (403, &json!("A0403")));
    let approved = harness.call("POST", "/pipelines/people/draft/approve", Some(&operator), Some(approve)).await;
    assert_eq!(approved.status, 200, "{}", approved.text);
    let version = harness.call("GET", "/pipelines/people/versions/1", Some(&harness.token("Auditor")), None).await.json();
    assert_eq!((&version["createdBy"], &version["approvedBy"]), (&json!("oid-Engineer"), &json!("oid-Operator")));
    assert_eq!(version["pipeline"], world::PIPELINE);
    assert_eq!(harness.call("GET", "/pipelines/people/versions/2", Some(&engineer), None).await.status, 404);
    assert_eq!(harness.call("DELETE", path, Some(&engineer), None).await.status, 404, "it is live, and no draft any more");
    harness.call("PUT", path, Some(&engineer), Some(texts)).await;
    assert_eq!(harness.call("DELETE", path, Some(&engineer), None).await.status, 204);
}

#[tokio::test]
async fn a_request_that_is_sent_again_is_granted_once() {
    let harness = Harness::start().await;
    let ask = async |key: &str, path: &str| {
        let body = json!({ "grant": { "kind": "file", "path": path } });
        with_header(&harness, "POST", "/submissions", "Partner", ("idempotency-key", key), Some(body)).await
    };
    let first = ask("k-1", "people/1.csv").await;
    assert_eq!(first.status, 201, "{}", first.text);
    assert_eq!(ask("k-1", "people/1.csv").await.json()["grantId"], first.json()["grantId"]);
    let other = ask("k-1", "people/2.csv").await;
    assert_eq!((other.status.as_u16(), &other.json()["code"]), (422, &json!("A0422")));
    assert_ne!(ask("k-2", "people/2.csv").await.json()["grantId"], first.json()["grantId"]);
    let missing = json!({ "grant": { "kind": "file", "path": "people/3.csv" }, "fixes": "s-0123456789abcdef012345678" });
    let refused = harness.call("POST", "/submissions", Some(&harness.token("Partner")), Some(missing)).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (404, &json!("W0404")));
}
