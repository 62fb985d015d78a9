//! Bad input ends in a run that says precisely what is wrong, in the API and in the receipt; nothing crashes, nothing is dead-lettered.

use std::{io::Write as _, sync::Arc};

use anyhow::{Result, bail, ensure};
use flate2::{Compression, write::GzEncoder};
use reqwest::StatusCode;
use serde_json::Value;

use crate::{
    Test, client,
    stack::{NORTHWIND, SKYLINE, Stack, boxed},
};

pub const TESTS: &[Test] = &[
    ("bad_input::a_path_that_no_pipeline_takes", |s| boxed(unknown_path(s))),
    ("bad_input::an_empty_file", |s| boxed(refused(s, "csv", Vec::new(), &["no bytes"]))),
    ("bad_input::a_header_only", |s| boxed(header_only(s))),
    ("bad_input::a_header_without_its_columns", |s| boxed(refused(s, "csv", b"a,b,c\n1,2,3\n".to_vec(), &["dep_time", "tailnum"]))),
    ("bad_input::a_truncated_gzip", |s| boxed(truncated_gzip(s))),
    ("bad_input::a_zip_bomb", |s| boxed(zip_bomb(s))),
    ("bad_input::a_binary_named_csv", |s| boxed(binary(s))),
    ("bad_input::a_wrong_declared_checksum", |s| boxed(wrong_checksum(s))),
    ("bad_input::invalid_utf8", |s| boxed(invalid_utf8(s))),
    ("bad_input::a_line_of_forty_megabytes", |s| boxed(long_line(s))),
    ("bad_input::the_dirty_sample", |s| boxed(dirty_sample(s))),
    ("bad_input::ndjson_that_is_not_json", |s| boxed(not_json(s))),
];

/// Uploads `body` and expects a rejected run whose failure, in the API and in the receipt, says all of `words`.
async fn refused(stack: Arc<Stack>, extension: &str, body: Vec<u8>, words: &[&str]) -> Result<()> {
    let run = stack.upload(SKYLINE, &stack.fresh("flights/bad", extension), body).await?;
    says(&stack, SKYLINE, &run, words).await
}

async fn says(stack: &Stack, partner: &str, run: &Value, words: &[&str]) -> Result<()> {
    ensure!(run["state"] == "rejected", "expected a rejected run, found {run}");
    let receipt = stack.receipt(partner, run).await?;
    for said in [run["failure"].to_string(), receipt["failure"].to_string()] {
        for word in words {
            ensure!(said.to_lowercase().contains(&word.to_lowercase()), "expected the failure to say {word:?}, found {said}");
        }
    }
    ensure!(run["failure"]["code"].as_str().is_some_and(|c| !c.is_empty()), "the failure has no code: {run}");
    stack.no_dead_letters().await
}

async fn unknown_path(stack: Arc<Stack>) -> Result<()> {
    let container = stack.grant_container(SKYLINE).await?;
    let path = stack.fresh("nobody/wants/this", "csv");
    client::put_blob(&client::below(&container, &path), b"a\n1\n".to_vec()).await?;
    let run = stack.run_of(SKYLINE, &path).await?;
    says(&stack, SKYLINE, &run, &["pipeline", "flights/*.csv"]).await
}

async fn header_only(stack: Arc<Stack>) -> Result<()> {
    let (header, _) = stack.january_parts();
    refused(stack, "csv", header, &["no row"]).await
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

async fn truncated_gzip(stack: Arc<Stack>) -> Result<()> {
    let mut packed = gzip(&stack.january());
    packed.truncate(packed.len() / 2);
    refused(stack, "csv", packed, &["ends too early"]).await
}

async fn zip_bomb(stack: Arc<Stack>) -> Result<()> {
    let (header, _) = stack.january_parts();
    let mut bomb = header;
    bomb.resize(300 << 20, b'0');
    let packed = tokio::task::spawn_blocking(move || gzip(&bomb)).await?;
    ensure!(packed.len() < 1 << 20, "the bomb is {} bytes", packed.len());
    refused(stack, "csv", packed, &["decompressed", "limits.expansion"]).await
}

async fn binary(stack: Arc<Stack>) -> Result<()> {
    let mut png = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR".to_vec();
    png.extend((0..5000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8));
    refused(stack, "csv", png, &["png"]).await
}

async fn wrong_checksum(stack: Arc<Stack>) -> Result<()> {
    let container = stack.grant_container(SKYLINE).await?;
    let path = stack.fresh("flights/checksum", "csv");
    let wrong = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let status = client::put_blob_with(&client::below(&container, &path), stack.flights_lines(4), &[("x-ms-meta-sha256", wrong)]).await?;
    ensure!(status == StatusCode::CREATED, "Put Blob answered {status}");
    let run = stack.run_of(SKYLINE, &path).await?;
    says(&stack, SKYLINE, &run, &["sha-256", wrong]).await
}

async fn invalid_utf8(stack: Arc<Stack>) -> Result<()> {
    let mut file = stack.flights_from(4_000, 20);
    let third = file.iter().enumerate().filter(|(_, b)| **b == b'\n').nth(2).map_or(0, |(at, _)| at + 1);
    let carrier = file[third..].windows(4).position(|w| w[0] == b',' && w[3] == b',').map_or(0, |p| third + p + 1);
    file[carrier] = 0xff;
    let run = stack.upload(SKYLINE, &stack.fresh("flights/utf8", "csv"), file).await?;
    ensure!(run["state"] == "completed" && run["counts"]["rejected"] == 1, "one bad byte made {run}");
    let rejected = stack.rejected(SKYLINE, &run).await?;
    ensure!(rejected.contains("UTF-8"), "the rejected row does not say why: {rejected}");
    Ok(())
}

async fn long_line(stack: Arc<Stack>) -> Result<()> {
    let mut file = stack.flights_from(5_000, 5);
    file.resize(file.len() + (40 << 20), b'x');
    file.push(b'\n');
    let (_, body) = stack.january_parts();
    let after: Vec<&[u8]> = body.split_inclusive(|b| *b == b'\n').skip(6_000).take(3).collect();
    file.extend(after.concat());
    let path = stack.fresh("flights/long", "csv");
    let url = stack.grant_file(SKYLINE, &path).await?;
    client::put_blocks(&url, &file.chunks(8 << 20).collect::<Vec<_>>()).await?;
    let run = stack.run_of(SKYLINE, &path).await?;
    ensure!(run["counts"]["rows"] == 9 && run["counts"]["rejected"] == 1, "a line of 40 MB made {run}");
    let receipt = stack.receipt(SKYLINE, &run).await?;
    ensure!(receipt.to_string().contains("\"line\":7"), "the receipt does not name line 7: {receipt}");
    Ok(())
}

async fn dirty_sample(stack: Arc<Stack>) -> Result<()> {
    let file = stack.sample("flights/flights-dirty.csv")?;
    let run = stack.upload(SKYLINE, &stack.fresh("flights/dirty", "csv"), file).await?;
    let counts = &run["counts"];
    let sum: u64 = ["published", "corrected", "rejected", "filtered", "duplicate", "held"].iter().filter_map(|k| counts[k].as_u64()).sum();
    if counts["rows"].as_u64() != Some(sum) {
        bail!("rows are not all accounted for: {counts}");
    }
    ensure!(counts["rejected"].as_u64().is_some_and(|n| n > 0), "nothing was rejected: {counts}");
    Ok(())
}

async fn not_json(stack: Arc<Stack>) -> Result<()> {
    let mut file = stack.sample("orders/orders-2024-05.ndjson")?;
    let lines: Vec<&[u8]> = file.split_inclusive(|b| *b == b'\n').take(40).collect();
    let mut kept = lines.concat();
    kept.extend_from_slice(b"{\"order_id\": oops\n");
    file = kept;
    let run = stack.upload(NORTHWIND, &stack.fresh("orders/bad", "ndjson"), file).await?;
    ensure!(run["counts"]["rows"] == 41, "a broken line made {run}");
    ensure!(run["counts"]["rejected"].as_u64().is_some_and(|n| n >= 1), "the broken line was not rejected: {run}");
    stack.no_dead_letters().await
}
