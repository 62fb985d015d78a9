//! Content identity, repeats, and one run however often its event comes.

use std::sync::Arc;

use anyhow::{Result, ensure};
use serde_json::json;

use crate::{
    Test, client,
    stack::{SKYLINE, Stack, boxed},
};

pub const TESTS: &[Test] = &[
    ("integrity::receipt_has_the_hash_of_the_partners_file", |s| boxed(hash(s))),
    ("integrity::many_segments_have_one_hash", |s| boxed(many_segments(s))),
    ("integrity::same_bytes_twice_is_a_repeat", |s| boxed(repeat(s))),
    ("integrity::ten_events_are_one_run", |s| boxed(ten_events(s))),
    ("integrity::overwritten_by_name_is_a_new_submission", |s| boxed(overwritten(s))),
];

async fn hash(stack: Arc<Stack>) -> Result<()> {
    let file = stack.flights_from(0, 9_000);
    let run = stack.upload(SKYLINE, &stack.fresh("flights/hash", "csv"), file.clone()).await?;
    let receipt = stack.receipt(SKYLINE, &run).await?;
    ensure!(receipt["file"]["blake3"] == blake3::hash(&file).to_hex().as_str(), "the receipt says {}", receipt["file"]);
    ensure!(receipt["counts"]["published"] == 9_000, "the receipt counts {}", receipt["counts"]);
    Ok(())
}

/// Larger than a segment, so that the hash is joined from parts, and uploaded in blocks.
async fn many_segments(stack: Arc<Stack>) -> Result<()> {
    let (header, body) = stack.january_parts();
    let mut file = header;
    while file.len() < (70 << 20) {
        file.extend_from_slice(&body);
    }
    let path = stack.fresh("flights/segments", "csv");
    let url = stack.grant_file(SKYLINE, &path).await?;
    client::put_blocks(&url, &file.chunks(8 << 20).collect::<Vec<_>>()).await?;
    let run = stack.run_of(SKYLINE, &path).await?;
    let receipt = stack.receipt(SKYLINE, &run).await?;
    ensure!(receipt["file"]["blake3"] == blake3::hash(&file).to_hex().as_str(), "the receipt says {}", receipt["file"]);
    // Every copy of the month after the first repeats its primary keys: all of it is accounted for, and too much of it is wrong.
    ensure!(run["state"] == "rejected", "the run ended as {run}");
    Ok(())
}

async fn repeat(stack: Arc<Stack>) -> Result<()> {
    let file = stack.flights_from(1_000, 50);
    let first = stack.upload(SKYLINE, &stack.fresh("flights/first", "csv"), file.clone()).await?;
    let second = stack.upload(SKYLINE, &stack.fresh("flights/second", "csv"), file).await?;
    ensure!(first["submissionId"] != second["submissionId"], "two names are one submission");
    let receipt = stack.receipt(SKYLINE, &second).await?;
    ensure!(
        receipt["file"]["repeats"] == first["submissionId"],
        "the second is a repeat of {}, not of {}",
        receipt["file"]["repeats"],
        first["submissionId"]
    );
    Ok(())
}

async fn ten_events(stack: Arc<Stack>) -> Result<()> {
    let path = stack.fresh("flights/events", "csv");
    let run = stack.upload(SKYLINE, &path, stack.flights_from(2_000, 20)).await?;
    let (_, detail) = stack.get("olga", &format!("runs/{}", run["runId"].as_str().unwrap_or_default())).await?;
    let event = json!([{
        "id": "7a8c1c3e-0000-4000-8000-000000000001", "topic": "t", "eventType": "Microsoft.Storage.BlobCreated", "dataVersion": "", "metadataVersion": "1",
        "subject": format!("/blobServices/default/containers/landing-skyline/blobs/{path}"), "eventTime": "2026-01-01T00:00:00Z",
        "data": { "api": "PutBlob", "eTag": detail["sourceEtag"], "contentLength": detail["size"], "blobType": "BlockBlob",
                  "url": stack.blob_url(&format!("landing-skyline/{path}")), "sequencer": "1" },
    }]);
    for _ in 0..10 {
        stack.deliver_event("Admit", &event).await?;
    }
    stack.settle().await?;
    let (_, found) = stack.get("olga", &format!("submissions/{}", run["submissionId"].as_str().unwrap_or_default())).await?;
    ensure!(found["runs"].as_array().is_some_and(|r| r.len() == 1), "ten events made {found}");
    ensure!(found["runs"][0]["updatedAt"] == run["updatedAt"], "the run was touched again: {found}");
    Ok(())
}

async fn overwritten(stack: Arc<Stack>) -> Result<()> {
    let container = stack.grant_container(SKYLINE).await?;
    let path = stack.fresh("flights/by-name", "csv");
    let url = client::below(&container, &path);
    client::put_blob(&url, stack.flights_from(3_000, 10)).await?;
    let first = stack.run_of(SKYLINE, &path).await?;
    client::put_blob(&url, stack.flights_from(3_010, 12)).await?;
    let second = stack.run_of_but(SKYLINE, &path, &first).await?;
    ensure!(second["state"] == "completed" && second["counts"]["rows"] == 12, "the second version became {second}");
    Ok(())
}
