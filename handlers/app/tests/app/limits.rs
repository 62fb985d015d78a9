//! Callers are held back when they ask too much, each for itself, and are told.

use chrono::TimeDelta;
use serde_json::json;
use sluice_app::limits::Rate;

use super::harness::{Harness, HarnessParts};

async fn harness(per_second: u32, burst: u32) -> Harness {
    let mut parts = HarnessParts::new(Default::default()).await;
    parts.caller_rate = Rate { per_second, burst };
    parts.start()
}

#[tokio::test]
async fn a_caller_over_its_limit_waits_and_others_do_not() {
    let harness = harness(1, 3).await;
    let (reviewer, operator) = (harness.token("Reviewer"), harness.token("Operator"));
    for left in [2, 1, 0] {
        let answer = harness.call("GET", "/reviews", Some(&reviewer), None).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["ratelimit-policy"], "\"caller\";q=3;w=3");
        assert_eq!(answer.headers["ratelimit"], format!("\"caller\";r={left};t={}", 3 - left).as_str());
    }
    // Neither what is asked for nor whether it is allowed plays a part.
    for (method, path) in [("GET", "/reviews"), ("POST", "/reviews/decide"), ("PUT", "/pipelines/people")] {
        let refused = harness.call(method, path, Some(&reviewer), Some(json!({}))).await;
        assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (429, &json!("H0429")), "{method} {path}");
        assert_eq!(refused.headers["content-type"], "application/problem+json");
        assert_eq!(refused.headers["retry-after"], "1");
        assert_eq!(refused.headers["ratelimit"], "\"caller\";r=0;t=3");
    }
    assert_eq!(harness.call("GET", "/reviews", Some(&operator), None).await.status, 200);
    harness.clock.advance(TimeDelta::seconds(1));
    assert_eq!(harness.call("GET", "/reviews", Some(&reviewer), None).await.status, 200);
    assert_eq!(harness.call("GET", "/reviews", Some(&reviewer), None).await.status, 429);
}

#[tokio::test]
async fn strangers_are_held_back_sooner_and_the_probe_never() {
    let harness = harness(50, 500).await;
    for n in 0..Rate::STRANGER.burst {
        let answer = harness.call("GET", "/runs", Some("no token"), None).await;
        assert_eq!(answer.status, 401, "{n}");
        assert!(answer.headers["ratelimit-policy"].to_str().unwrap().starts_with("\"address\""));
    }
    assert_eq!(harness.call("GET", "/runs", None, None).await.status, 429);
    assert_eq!(harness.call("GET", "/openapi.json", None, None).await.status, 429);
    let health = harness.call("GET", "/health", None, None).await;
    assert_eq!((health.status.as_u16(), health.headers.get("ratelimit")), (200, None));
    assert_eq!(harness.call("GET", "/runs", Some(&harness.token("Auditor")), None).await.status, 200, "who is known is not a stranger");
}
