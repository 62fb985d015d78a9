//! Held rows wait for people; what they decide is bound to what they saw; then the run is published.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    Test,
    stack::{NORTHWIND, SKYLINE, Stack, boxed},
};

pub const TESTS: &[Test] = &[
    ("review::held_rows_are_decided_and_published", |s| boxed(decided(s))),
    ("review::a_decision_on_other_rows_is_refused", |s| boxed(bound(s))),
    ("review::four_eyes", |s| boxed(four_eyes(s))),
];

/// January's rows that the rules hold, and a few around them.
async fn held_run(stack: &Stack, name: &str) -> Result<Value> {
    let (header, body) = stack.january_parts();
    let mut file = header;
    for (n, line) in body.split_inclusive(|b| *b == b'\n').enumerate() {
        let delay = line.split(|b| *b == b',').nth(8).and_then(|f| std::str::from_utf8(f).ok()?.parse::<i32>().ok());
        if n % 500 == 0 || delay.is_some_and(|d| d > 300) {
            file.extend_from_slice(line);
        }
    }
    let run = stack.upload(SKYLINE, &stack.fresh(name, "csv"), file).await?;
    ensure!(run["state"] == "reviewing", "expected held rows, found {run}");
    Ok(run)
}

/// The cases of a run, once all of them are open to reviewers.
async fn cases(stack: &Stack, run: &Value) -> Result<Vec<Value>> {
    let route = format!("reviews?run={}&limit=100", run["runId"].as_str().context("a run has an id")?);
    stack
        .until("the cases are not open", async || {
            let (_, page) = stack.get("rita", &route).await?;
            let items = page["items"].as_array().cloned().unwrap_or_default();
            Ok((items.len() as u64 == run["cases"].as_u64().unwrap_or(0)).then_some(items))
        })
        .await
}

async fn decide(stack: &Stack, who: &str, case: &Value, decision: Value) -> Result<(StatusCode, Value)> {
    stack.post(who, &format!("reviews/{}/decide", case["caseId"].as_str().unwrap_or_default()), &decision).await
}

async fn decided(stack: Arc<Stack>) -> Result<()> {
    let run = held_run(&stack, "flights/decided").await?;
    let held = run["counts"]["held"].as_u64().context("held rows are counted")?;
    let cases = cases(&stack, &run).await?;
    let mut rejected = 0;
    for (n, case) in cases.iter().enumerate() {
        let verdict = if n == 0 { "approve" } else { "reject" };
        rejected += if n == 0 { 0 } else { case["rows"].as_u64().unwrap_or(0) };
        let body = json!({ "verdict": { "verdict": verdict }, "comment": "looked at each", "digest": case["digest"] });
        let (status, answer) = decide(&stack, "rita", case, body).await?;
        ensure!(status.is_success(), "the decision was answered with {status}: {answer}");
    }
    let done = stack.wait_for(SKYLINE, &run, &["completed"]).await?;
    ensure!(done["counts"]["held"] == 0, "rows are still held: {done}");
    ensure!(done["counts"]["corrected"].as_u64() == Some(held - rejected), "{held} held, {rejected} rejected, counted {}", done["counts"]);
    let (_, audit) = stack.get("ada", &format!("runs/{}/audit", run["runId"].as_str().unwrap_or_default())).await?;
    ensure!(audit.to_string().contains("rita") || audit.to_string().contains("Rita"), "the audit log does not name who decided: {audit}");
    Ok(())
}

async fn bound(stack: Arc<Stack>) -> Result<()> {
    let run = held_run(&stack, "flights/bound").await?;
    let cases = cases(&stack, &run).await?;
    let case = cases.first().context("a reviewing run has a case")?;
    let body = json!({ "verdict": { "verdict": "approve" }, "comment": "", "digest": "0".repeat(64) });
    let (status, answer) = decide(&stack, "rita", case, body).await?;
    ensure!(status == StatusCode::CONFLICT || status == StatusCode::PRECONDITION_FAILED, "a decision on other rows: {status} {answer}");
    let (status, _) =
        decide(&stack, SKYLINE, case, json!({ "verdict": { "verdict": "approve" }, "comment": "", "digest": case["digest"] })).await?;
    ensure!(status == StatusCode::FORBIDDEN, "a partner decides: {status}");
    Ok(())
}

async fn four_eyes(stack: Arc<Stack>) -> Result<()> {
    let file = stack.sample("orders/orders-2024-05.ndjson")?;
    let run = stack.upload(NORTHWIND, &stack.fresh("orders/eyes", "ndjson"), file).await?;
    ensure!(run["state"] == "reviewing", "expected held rows, found {run}");
    for case in cases(&stack, &run).await? {
        let body = json!({ "verdict": { "verdict": "approve" }, "comment": "fine", "digest": case["digest"] });
        let (status, answer) = decide(&stack, "rita", &case, body.clone()).await?;
        ensure!(status.is_success(), "the first approval: {status} {answer}");
        let (status, _) = decide(&stack, "rita", &case, body.clone()).await?;
        ensure!(status.is_client_error(), "one person approved twice: {status}");
        let (status, answer) = decide(&stack, "ravi", &case, body).await?;
        ensure!(status.is_success(), "the second approval: {status} {answer}");
    }
    stack.wait_for(NORTHWIND, &run, &["completed"]).await?;
    Ok(())
}
