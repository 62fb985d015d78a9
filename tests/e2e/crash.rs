//! kill -9 of the handler at any moment: the run ends with the same bytes and a balanced ledger, and nothing is lost or doubled.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::{
    Test, client,
    stack::{SKYLINE, Stack, boxed},
};

pub const TESTS: &[Test] = &[("crash::killed_handlers_change_nothing", |_| boxed(killed()))];

/// Kills in one run of the test.
const KILLS: u32 = 40;

/// Kills after which all messages must have come through: Service Bus gives a message up at its tenth delivery, and a kill costs one delivery
/// of every message under way.
const KILLS_IN_A_ROW: u32 = 8;

/// On a stack of its own, since it is broken on purpose.
async fn killed() -> Result<()> {
    let stack = Stack::start().await?;
    let done = kill_and_compare(&stack).await;
    if done.is_err() {
        stack.explain();
    }
    done?;
    stack.stop().await
}

async fn kill_and_compare(stack: &Stack) -> Result<()> {
    let container = stack.grant_container(SKYLINE).await?;
    // One file without a kill tells what must come out.
    let file = stack.flights_from(0, 6_000);
    let calm = stack.upload(SKYLINE, &stack.fresh("flights/calm", "csv"), file.clone()).await?;
    ensure!(calm["state"] == "completed", "without a kill: {calm}");
    let expected = outputs(stack, &calm).await?;

    let mut random = 0x2545_f491_4f6c_dd1du64;
    let mut kills = 0;
    let mut paths = Vec::new();
    while kills < KILLS {
        let path = stack.fresh("flights/killed", "csv");
        client::put_blob(&client::below(&container, &path), file.clone()).await?;
        paths.push(path);
        for _ in 0..2 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            tokio::time::sleep(Duration::from_millis(random % 700)).await;
            stack.kill_handler().await?;
            kills += 1;
        }
        if kills % KILLS_IN_A_ROW == 0 {
            stack.settle().await?;
        }
    }
    for path in &paths {
        let run = stack.run_of(SKYLINE, path).await?;
        ensure!(run["state"] == "completed", "after a kill: {run}");
        let found = outputs(stack, &run).await?;
        ensure!(found == expected, "after a kill the outputs are {found:?}, without one {expected:?}");
    }
    let table = stack.lake().table("flights").await?;
    ensure!(table.len() == paths.len() + 1, "{} runs published {} files", paths.len() + 1, table.len());
    stack.no_dead_letters().await
}

/// What a run gave, without what names the run: counts, hash, the statistics of its published files, its ledger.
async fn outputs(stack: &Stack, run: &Value) -> Result<BTreeMap<String, String>> {
    let receipt = stack.receipt(SKYLINE, run).await?;
    let id = run["runId"].as_str().unwrap_or_default();
    let mut outputs = BTreeMap::from([
        ("counts".to_owned(), receipt["counts"].to_string()),
        ("blake3".to_owned(), receipt["file"]["blake3"].to_string()),
    ]);
    for file in stack.lake().table("flights").await? {
        let path = file["path"].as_str().unwrap_or_default();
        if path.contains(id) {
            outputs.insert(path.replace(id, "<run>"), file["stats"].to_string().replace(id, "<run>"));
        }
    }
    for path in stack.lake().list("archive", &format!("{id}/g0/rejected/")).await? {
        outputs.insert(path.replace(id, "<run>"), blake3::hash(&stack.lake().read("archive", &path).await?).to_string());
    }
    Ok(outputs)
}
