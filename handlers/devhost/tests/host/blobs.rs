//! Blobs in Azurite become events.

use std::collections::BTreeMap;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use devhost::{DEVSTORE_ACCOUNT, DEVSTORE_KEY, DevHost};
use serde_json::Value;

use crate::support::{App, until};

/// PUT with a Shared Key, as a client library would sign it.
async fn put(host: &DevHost, path: &str, query: &[(&str, &str)], body: &str) {
    let date = chrono::Utc::now().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let url = format!("{}{path}", host.urls().blob.as_ref().unwrap());
    let is_blob = query.is_empty();
    let mut headers = BTreeMap::from([("x-ms-date", date.as_str()), ("x-ms-version", "2021-12-02")]);
    if is_blob {
        headers.insert("x-ms-blob-type", "BlockBlob");
    }
    let canonical: Vec<String> = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let mut sorted = query.to_vec();
    sorted.sort_unstable();
    let resource: Vec<String> = sorted.iter().map(|(name, value)| format!("\n{name}:{value}")).collect();
    let length = if body.is_empty() { String::new() } else { body.len().to_string() };
    let text = format!(
        "PUT\n\n\n{length}\n\ntext/plain\n\n\n\n\n\n\n{}/{DEVSTORE_ACCOUNT}/{DEVSTORE_ACCOUNT}{path}{}",
        canonical.concat(),
        resource.concat()
    );
    let key = hmac::Key::new(hmac::HMAC_SHA256, &BASE64_STANDARD.decode(DEVSTORE_KEY).unwrap());
    let signature = BASE64_STANDARD.encode(hmac::sign(&key, text.as_bytes()));
    let mut request = reqwest::Client::new().put(url).query(query).header("content-type", "text/plain");
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let request = request.header("authorization", format!("SharedKey {DEVSTORE_ACCOUNT}:{signature}"));
    let answer = request.body(body.to_owned()).send().await.unwrap();
    assert!(answer.status().is_success(), "{path}: {} {}", answer.status(), answer.text().await.unwrap());
}

/// Events that the handler has taken, by the blob's name.
fn events(app: &App) -> BTreeMap<String, Vec<Value>> {
    let mut events: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in app.done() {
        if let Some(event) = line.strip_prefix("event ") {
            let event: Value = serde_json::from_str(event).unwrap();
            let name = event["subject"].as_str().unwrap().rsplit_once("/blobs/").unwrap().1.to_owned();
            events.entry(name).or_default().push(event);
        }
    }
    events
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_new_blob_is_announced_once_even_if_devhost_was_down() {
    let app = App::new();
    let host = DevHost::start(app.with_azurite()).await.unwrap();
    host.wait_ready().await.unwrap();
    put(&host, "/landing-one", &[("restype", "container")], "").await;
    put(&host, "/raw", &[("restype", "container")], "").await;
    put(&host, "/landing-one/in/a%20b.csv", &[], "hello").await;
    put(&host, "/landing-one/flaky.txt", &[], "x").await;
    put(&host, "/raw/other.csv", &[], "x").await;
    put(&host, "/landing-one/blocks.csv", &[("comp", "block"), ("blockid", "AAAA")], "block").await;
    let list = r#"<?xml version="1.0" encoding="utf-8"?><BlockList><Latest>AAAA</Latest></BlockList>"#;
    put(&host, "/landing-one/blocks.csv", &[("comp", "blocklist")], list).await;
    until("three blobs are announced", || events(&app).len() == 3).await;
    let seen = events(&app);
    assert_eq!(seen.keys().map(String::as_str).collect::<Vec<_>>(), ["blocks.csv", "flaky.txt", "in/a b.csv"]);
    let data = &seen["in/a b.csv"][0]["data"];
    assert_eq!(
        (data["api"].as_str(), data["contentLength"].as_u64(), data["blobType"].as_str()),
        (Some("PutBlob"), Some(5), Some("BlockBlob"))
    );
    assert!(data["url"].as_str().unwrap().ends_with("/landing-one/in/a%20b.csv"));
    assert!(data["eTag"].as_str().unwrap().starts_with("\"0x"));
    assert_eq!(seen["blocks.csv"][0]["data"]["api"], "PutBlockList");

    // A new version of the same name is news.
    put(&host, "/landing-one/in/a%20b.csv", &[], "hello again").await;
    until("the new version is announced", || events(&app)["in/a b.csv"].len() == 2).await;
    // Delivery is at least once: only what is written down as told is not told again.
    let etags: Vec<Value> = events(&app).values().flatten().map(|event| event["data"]["eTag"].clone()).collect();
    let told = || std::fs::read_to_string(app.state("events.journal")).unwrap();
    until("all is written down", || etags.iter().all(|etag| told().contains(etag.as_str().unwrap()))).await;
    host.shutdown().await;

    // Written while nobody subscribed.
    let mut deaf = app.with_azurite();
    deaf.event_subscriptions.clear();
    let host = DevHost::start(deaf).await.unwrap();
    put(&host, "/landing-one/late.csv", &[], "x").await;
    host.shutdown().await;

    let host = DevHost::start(app.with_azurite()).await.unwrap();
    host.wait_ready().await.unwrap();
    until("the missed blob is announced", || events(&app).contains_key("late.csv")).await;
    let counts: BTreeMap<String, usize> = events(&app).into_iter().map(|(name, events)| (name, events.len())).collect();
    let expected = [("blocks.csv", 1), ("flaky.txt", 1), ("in/a b.csv", 2), ("late.csv", 1)];
    assert_eq!(counts, expected.into_iter().map(|(name, count)| (name.to_owned(), count)).collect());
    host.shutdown().await;
}
