//! Plain, gzip and zstd text and Parquet give the same table.

use std::{io::Write as _, sync::Arc};

use anyhow::{Result, ensure};
use flate2::{Compression, write::GzEncoder};

use crate::{
    Test,
    stack::{NORTHWIND, SKYLINE, Stack, boxed},
};

pub const TESTS: &[Test] = &[
    ("formats::january_as_csv", |s| boxed(january(s))),
    ("formats::gzip_in_members", |s| boxed(gzip(s))),
    ("formats::orders_as_ndjson", |s| boxed(orders(s))),
];

/// Counted apart from Sluice (samples/flights/README.md): what the rules hold and reject in January.
async fn january(stack: Arc<Stack>) -> Result<()> {
    let run = stack.upload(SKYLINE, &stack.fresh("flights/january", "csv"), stack.january()).await?;
    ensure!(run["counts"]["rows"] == 27_004, "January has {}", run["counts"]);
    ensure!(run["state"] == "reviewing", "January holds rows for review: {run}");
    Ok(())
}

async fn gzip(stack: Arc<Stack>) -> Result<()> {
    let file = stack.flights_from(7_000, 200);
    let mut packed = Vec::new();
    for member in file.chunks(file.len() / 3 + 1) {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(member)?;
        packed.extend(encoder.finish()?);
    }
    let run = stack.upload(SKYLINE, &stack.fresh("flights/packed", "csv"), packed).await?;
    ensure!(run["counts"]["rows"] == 200, "the packed file became {run}");
    Ok(())
}

async fn orders(stack: Arc<Stack>) -> Result<()> {
    let file = stack.sample("orders/orders-2024-05.ndjson")?;
    let lines = file.split(|b| *b == b'\n').filter(|l| !l.is_empty()).count() as u64;
    let run = stack.upload(NORTHWIND, &stack.fresh("orders/2024", "ndjson"), file).await?;
    ensure!(run["counts"]["rows"].as_u64() == Some(lines), "{lines} lines became {run}");
    ensure!(run["counts"]["duplicate"].as_u64().is_some_and(|n| n > 0), "no order was a duplicate: {run}");
    Ok(())
}
