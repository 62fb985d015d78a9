//! The demo: two sample files from upload to table, with the decisions of people in between.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use chrono::Utc;
use serde::Deserialize;
use sluice_engine::HeldRow;
use sluice_flow::Lake;

use super::table;
use crate::api::connection::Connection;
use crate::api::views::{Event, Run};
use crate::api::{Client, view};
use crate::grant::{self, Granted};
use crate::review::{self, Case, Verdict};
use crate::runs::{describe, detail};
use crate::text::{bytes, count, plural, shorten, tame};
use crate::upload::send;
use crate::{Fault, Result, terminal};

/// Pause between two looks at a run.
const GLANCE: Duration = Duration::from_millis(200);
/// Held rows that are shown of a case.
const SHOWN_ROWS: usize = 3;

/// Everybody who takes part.
struct Cast {
    partner: Client,
    reviewer: Client,
    /// For cases that need a second person.
    second: Client,
    operator: Client,
}

/// A receipt, as far as it is checked here.
#[derive(Debug, Deserialize)]
struct Receipt {
    file: ReceivedFile,
    published: Option<Published>,
}

#[derive(Debug, Deserialize)]
struct ReceivedFile {
    blake3: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Published {
    table: String,
    version: u64,
}

/// Plays the demo.
pub(super) async fn run(state_dir: &Path, samples: &Path, lake: &dyn Lake) -> Result<()> {
    let client = |name: &str| Connection::local(state_dir, name).client(name);
    let people = Cast { partner: client("skyline")?, reviewer: client("rita")?, second: client("ravi")?, operator: client("olga")? };
    let folder = samples.join("flights");
    // A grant never overwrites: the time makes the path new.
    let stamp = Utc::now().format("%Y%m%d-%H%M%S");
    file(&people, &folder.join("flights-2013-01.csv"), &format!("flights/2013-01-{stamp}.csv"), lake).await?;
    file(&people, &folder.join("flights-dirty.csv"), &format!("flights/dirty-{stamp}.csv"), lake).await
}

/// One file, from upload to receipt.
async fn file(people: &Cast, file: &Path, path: &str, lake: &dyn Lake) -> Result<()> {
    terminal::line(format!("== {} is uploaded by the partner skyline to {path}\n", file.display()))?;
    let Granted { id: grant_id, url } = grant::for_file(&people.partner, path, None, None).await?;
    let sent = send::send(file, &url, 4, &indicatif::ProgressBar::hidden()).await?;
    terminal::line(format!("{} sent; b3sum of the file: {}\n", bytes(sent.bytes), sent.blake3))?;
    let run_id = run_of(&people.operator, &grant_id).await?;
    let mut story = Story::default();
    let run = loop {
        let run: Run = view(&people.operator.get(&["runs", &run_id], &[]).await?)?;
        story.go_on(&people.operator, &run_id).await?;
        if run.has_ended() && run.receipt {
            break run;
        }
        if let Some(stuck) = &run.dead_letter {
            return Err(Fault::data(format!("step {} is stuck: {} {}", stuck.step, stuck.code, stuck.message)));
        }
        if run.waits_for_people() {
            decide_all(people, &run).await?;
        } else {
            tokio::time::sleep(GLANCE).await;
        }
    };
    story.go_on(&people.operator, &run_id).await?;
    outcome(people, &run, &sent.blake3, lake).await
}

/// The run that an upload started, once its event has come.
async fn run_of(client: &Client, grant_id: &str) -> Result<String> {
    loop {
        let submission = client.find(&["submissions", grant_id]).await?;
        if let Some(run) = submission.as_ref().and_then(|s| s["runs"][0]["runId"].as_str()) {
            return Ok(run.to_owned());
        }
        tokio::time::sleep(GLANCE).await;
    }
}

/// What happens, from the audit chain, as it happens.
#[derive(Debug, Default)]
struct Story {
    told: u64,
}

impl Story {
    /// Prints the events that have come since the last time.
    async fn go_on(&mut self, client: &Client, run_id: &str) -> Result<()> {
        let events = client.get(&["runs", run_id, "timeline"], &[]).await?;
        for event in events.as_array().into_iter().flatten() {
            let event: Event = view(event)?;
            if event.seq < self.told {
                continue;
            }
            self.told = event.seq + 1;
            let time = event.at.get(11..23).unwrap_or(&event.at).to_owned();
            terminal::line(format!(
                "{time}  {:<16} {}",
                tame(&event.action),
                shorten(&format!("{} {}", event.actor.name, detail(&event.detail)), 110)
            ))?;
        }
        Ok(())
    }
}

/// The reviewer decides every case: the first is approved but for its first row, the second rejected, and so on.
async fn decide_all(people: &Cast, run: &Run) -> Result<()> {
    let cases = loop {
        let mut cases = people.reviewer.list(&["reviews"], &[("run", &run.run_id)], usize::MAX).await?;
        // Each case is shown by a message of its own: the last may be a moment behind.
        if cases.len() >= run.open_cases as usize {
            cases.sort_by_key(|case| case["caseId"].to_string());
            break cases;
        }
        tokio::time::sleep(GLANCE).await;
    };
    terminal::line(format!("\n{} to decide by the reviewer rita:", plural(cases.len() as u64, "case")))?;
    for (number, value) in cases.iter().enumerate() {
        let case: Case = view(value)?;
        terminal::line(format!("- {} ({}): {}", tame(&case.cause), plural(case.rows, "row"), tame(&case.title)))?;
        let rows = people.reviewer.list(&["reviews", &case.case_id, "rows"], &[], SHOWN_ROWS).await?;
        let rows = rows.iter().map(view::<HeldRow>).collect::<Result<Vec<_>>>()?;
        for row in &rows {
            terminal::line(format!("    line {}: {}", row.line, shorten(row.raw.trim_end(), 120)))?;
        }
        let approve = number % 2 == 0;
        let exception = rows.first().filter(|_| approve && case.rows > 1).map(|row| (row.row, Verdict::Reject));
        let verdict = if approve { Verdict::Approve } else { Verdict::Reject };
        let said = match (verdict, exception.is_some()) {
            (Verdict::Approve, true) => "approved, but for the first row",
            (Verdict::Approve, false) => "approved",
            (Verdict::Reject | Verdict::Return, _) => "rejected",
        };
        let exceptions = BTreeMap::from_iter(exception);
        let decided = review::decide(&people.reviewer, &case, verdict, exceptions.clone(), "decided in the demo").await?;
        if view::<Case>(&decided)?.status == "confirming" {
            review::decide(&people.second, &case, verdict, exceptions, "confirmed in the demo").await?;
        }
        terminal::line(format!("  {said}"))?;
    }
    terminal::line("")
}

async fn outcome(people: &Cast, run: &Run, sent_blake3: &str, lake: &dyn Lake) -> Result<()> {
    terminal::line("")?;
    terminal::print(&describe(run))?;
    if !run.is_completed() {
        return Err(Fault::data(format!("the demo's run ended as {}", run.state)));
    }
    let receipt: Receipt = view(&people.partner.get(&["submissions", &run.run_id, "receipt"], &[]).await?)?;
    if receipt.file.blake3.as_deref() != Some(sent_blake3) {
        let found = receipt.file.blake3.unwrap_or_else(|| "missing".to_owned());
        return Err(Fault::data(format!("the receipt's BLAKE3 is {found}, but the file's is {sent_blake3}")));
    }
    terminal::line("The receipt's BLAKE3 equals b3sum of the file.")?;
    if let Some(published) = receipt.published {
        let committed = table::committed(lake, &published.table, published.version).await?;
        terminal::line(format!(
            "Published: {} in {} of the Delta table curated/{}, version {}.",
            plural(committed.rows, "row"),
            plural(committed.files as u64, "file"),
            published.table,
            published.version
        ))?;
        let counted = run.counts.as_ref().map_or(0, |c| c.published + c.corrected);
        if counted != committed.rows {
            return Err(Fault::data(format!(
                "the run counts {} published rows, the table's log {}",
                count(counted),
                count(committed.rows)
            )));
        }
    }
    if run.counts.as_ref().is_some_and(|c| c.rejected > 0) {
        terminal::line(format!("Rejected rows, each with its reasons: archive/{}/, or ./sluice runs rejected {}", run.run_id, run.run_id))?;
    }
    terminal::line("")
}
