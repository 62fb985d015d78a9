//! A partner reaches its own landing container, for the time and in the way that was granted, and its own submissions. Nothing else.

use std::sync::Arc;

use anyhow::{Result, ensure};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::{
    Test, client,
    stack::{NORTHWIND, SKYLINE, Stack, boxed},
};

pub const TESTS: &[Test] = &[
    ("access::a_file_grant_creates_one_path_and_nothing_else", |s| boxed(file_grant(s))),
    ("access::a_container_grant_writes_and_cannot_read", |s| boxed(container_grant(s))),
    ("access::a_partner_sees_only_its_own", |s| boxed(own_only(s))),
    ("access::without_a_token_nothing_answers", |s| boxed(no_token(s))),
];

async fn file_grant(stack: Arc<Stack>) -> Result<()> {
    let path = stack.fresh("flights/grant", "csv");
    let url = stack.grant_file(SKYLINE, &path).await?;
    client::put_blob(&url, stack.flights_lines(3)).await?;
    ensure!(client::status(Method::GET, url.clone()).await? == StatusCode::FORBIDDEN, "the grant can read");
    ensure!(client::status(Method::HEAD, url.clone()).await? == StatusCode::FORBIDDEN, "the grant can read properties");
    ensure!(client::status(Method::DELETE, url.clone()).await? == StatusCode::FORBIDDEN, "the grant can delete");
    for other in [format!("landing-skyline/{path}-2"), format!("landing-northwind/{path}"), format!("raw/{path}")] {
        let mut elsewhere = url.clone();
        let account = url.path().split('/').nth(1).unwrap_or_default();
        elsewhere.set_path(&format!("{account}/{other}"));
        let status = client::put_blob_with(&elsewhere, b"x".to_vec(), &[]).await?;
        ensure!(status == StatusCode::FORBIDDEN, "the grant writes {other}: {status}");
    }
    Ok(())
}

async fn container_grant(stack: Arc<Stack>) -> Result<()> {
    let container = stack.grant_container(SKYLINE).await?;
    let path = stack.fresh("flights/container", "csv");
    let url = client::below(&container, &path);
    client::put_blob(&url, stack.flights_lines(3)).await?;
    ensure!(client::status(Method::GET, url.clone()).await? == StatusCode::FORBIDDEN, "the grant can read");
    ensure!(client::status(Method::DELETE, url).await? == StatusCode::FORBIDDEN, "the grant can delete");
    let mut list = container.clone();
    list.query_pairs_mut().append_pair("restype", "container").append_pair("comp", "list");
    ensure!(client::status(Method::GET, list).await? == StatusCode::FORBIDDEN, "the grant can list");
    let run = stack.run_of(SKYLINE, &path).await?;
    ensure!(run["state"] == "completed", "the upload became {run}");
    Ok(())
}

async fn own_only(stack: Arc<Stack>) -> Result<()> {
    let path = stack.fresh("flights/own", "csv");
    let run = stack.upload(SKYLINE, &path, stack.flights_lines(3)).await?;
    let id = run["runId"].as_str().unwrap_or_default();
    for route in
        [format!("submissions/{id}"), format!("submissions/{id}/receipt"), format!("submissions/{id}/rejected"), format!("runs/{id}")]
    {
        let (status, _) = stack.get(NORTHWIND, &route).await?;
        ensure!(status == StatusCode::NOT_FOUND || status == StatusCode::FORBIDDEN, "another partner gets {status} for {route}");
        let (status, _) = stack.get("olga", &route).await?;
        ensure!(status == StatusCode::OK, "an operator gets {status} for {route}");
    }
    let (_, listed) = stack.get(NORTHWIND, "submissions?limit=200").await?;
    ensure!(!listed.to_string().contains("skyline"), "another partner's listing names skyline");
    let (status, _) = stack.post(NORTHWIND, "submissions", &json!({ "partner": "skyline", "grant": { "kind": "container" } })).await?;
    ensure!(status == StatusCode::NOT_FOUND, "a grant for another partner is answered with {status}");
    Ok(())
}

async fn no_token(stack: Arc<Stack>) -> Result<()> {
    for route in ["runs", "reviews", "submissions", "pipelines", "tables"] {
        let status = reqwest::get(stack.api.join(route)?).await?.status();
        ensure!(status == StatusCode::UNAUTHORIZED, "{route} answers {status} without a token");
    }
    Ok(())
}
