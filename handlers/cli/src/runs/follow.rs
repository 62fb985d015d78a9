//! Follows a run to its end, one line for each thing that happens.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;

use crate::api::views::Run;
use crate::api::{Client, view};
use crate::text::plural;
use crate::{Fault, Result, terminal};

/// Pause between two looks at a run.
const PAUSE: Duration = Duration::from_millis(700);

/// Waits for the run of a submission or grant, then follows it.
pub(crate) async fn follow_submission(client: &Client, id: &str) -> Result<Value> {
    let mut said = false;
    loop {
        let submission = client.find(&["submissions", id]).await?;
        // A grant whose upload has not been noticed yet is not found either.
        if submission.is_none() && !id.starts_with("g-") {
            return Err(Fault::usage(format!("there is no run, submission or grant {id}")));
        }
        let runs = submission.as_ref().and_then(|s| s["runs"].as_array());
        let newest = runs.and_then(|runs| runs.iter().max_by_key(|run| run["attempt"].as_u64()));
        if let Some(run) = newest {
            let run: Run = view(run)?;
            return follow_run(client, &run.run_id).await;
        }
        if !said {
            terminal::note("waiting for the event of the upload");
            said = true;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Follows a run by its id until it has ended and its receipt is there, or until it is stuck.
pub(crate) async fn follow_run(client: &Client, run_id: &str) -> Result<Value> {
    let mut last = String::new();
    loop {
        let value = client.find(&["runs", run_id]).await?.ok_or_else(|| Fault::usage(format!("there is no run {run_id}")))?;
        let run: Run = view(&value)?;
        let line = state_line(&run);
        if line != last {
            terminal::note(format!("{run_id}  {line}"));
            last = line;
        }
        if (run.has_ended() && run.receipt) || run.dead_letter.is_some() {
            return Ok(value);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// A run's state in one line.
pub(crate) fn state_line(run: &Run) -> String {
    let more = match run.state.as_str() {
        "moving" => run.segments.map(|n| plural(n.into(), "segment")),
        "transforming" => run.chunks.map(|n| plural(n.into(), "chunk")),
        "reviewing" => {
            Some(format!("{} of {} open (sluice review list --run {})", run.open_cases, plural(run.cases.into(), "case"), run.run_id))
        }
        "completed" => run.counts.as_ref().map(|c| format!("{} published", plural(c.published + c.corrected, "row"))),
        _ => None,
    };
    let mut line = run.state.clone();
    // Writing to a String cannot fail.
    if let Some(more) = more {
        let _ = write!(line, ": {more}");
    }
    if let Some(stuck) = &run.dead_letter {
        let _ = write!(line, "; stuck in step {}: {} {}", stuck.step, stuck.code, stuck.message);
    }
    if let Some(failure) = &run.failure {
        let _ = write!(line, ": {} {}", failure.code, failure.message);
    }
    line
}
