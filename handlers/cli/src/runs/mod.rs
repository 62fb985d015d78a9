//! `sluice runs`: what became of uploads.

pub(crate) mod follow;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use futures::TryStreamExt as _;
use serde_json::{Value, json};

use crate::api::connection::Connection;
use crate::api::views::{Event, Run};
use crate::api::{Client, unreachable, view};
use crate::fault::FileContext as _;
use crate::text::{Align, Table, bytes, count, shorten, tame};
use crate::{Fault, Result, terminal};
use follow::{follow_run, follow_submission, state_line};

/// Lists runs, shows one, follows one, and lets operators step in.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice runs                                  the newest runs
  sluice runs list --state reviewing --json
  sluice runs show <run>                       counts, hashes, what happened when
  sluice runs watch <run or grant>             until it has ended; exit code 1 if it is not completed
  sluice runs rejected <run> --out bad.csv     rejected rows with reasons
  sluice runs reprocess <run>                  again, with the pipeline that is live now (operators)")]
pub(crate) struct RunsArguments {
    #[command(subcommand)]
    command: Option<RunsCommand>,
    /// Prints JSON, for programs
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

/// What to do with runs.
#[derive(Debug, Subcommand)]
enum RunsCommand {
    /// Lists runs, newest first
    List {
        /// Of this partner
        #[arg(long)]
        partner: Option<String>,
        /// Through this pipeline
        #[arg(long)]
        pipeline: Option<String>,
        /// In this state: moving, sealing, transforming, gathering, reviewing, publishing, archiving, completed, rejected, failed, cancelled
        #[arg(long)]
        state: Option<String>,
        /// Of the file at this path
        #[arg(long)]
        path: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Shows a run
    Show {
        /// Run id
        run: String,
    },
    /// Follows a run until it has ended
    Watch {
        /// Run, submission or grant id
        id: String,
    },
    /// Downloads the rejected rows, in the partner's own format, with reasons
    Rejected {
        /// Run, submission or grant id
        id: String,
        /// File to write [default: standard output]
        #[arg(long)]
        out: Option<PathBuf>,
        /// Makes cells harmless that a spreadsheet would run as formulas
        #[arg(long)]
        safe: bool,
    },
    /// Prints the receipt: hashes, counts, reasons
    Receipt {
        /// Run, submission or grant id
        id: String,
    },
    /// Starts a new attempt with the pipeline that is live now
    Reprocess {
        /// Run id
        run: String,
    },
    /// Stops a run
    Cancel {
        /// Run id
        run: String,
        /// Why, for the audit log
        #[arg(long, default_value = "")]
        comment: String,
    },
    /// Sends the message of the current step again
    Resume {
        /// Run id
        run: String,
    },
}

/// Runs the command.
pub(crate) async fn run(arguments: RunsArguments) -> Result<()> {
    let client = arguments.connection.client("olga")?;
    let json = arguments.json;
    let newest = RunsCommand::List { partner: None, pipeline: None, state: None, path: None, limit: 20 };
    match arguments.command.unwrap_or(newest) {
        RunsCommand::List { partner, pipeline, state, path, limit } => {
            let filters = [("partner", partner), ("pipeline", pipeline), ("state", state), ("path", path)];
            list(&client, &filters, limit, json).await
        }
        RunsCommand::Show { run } => show(&client, &run, json).await,
        RunsCommand::Watch { id } => {
            // A run id is found at once; the id of a grant or submission may have to wait for its run.
            let run = match client.find(&["runs", &id]).await? {
                Some(_) => follow_run(&client, &id).await?,
                None => follow_submission(&client, &id).await?,
            };
            conclude(&client, &run, json).await
        }
        RunsCommand::Rejected { id, out, safe } => rejected(&client, &id, out, safe).await,
        RunsCommand::Receipt { id } => terminal::json(&client.get(&["submissions", &id, "receipt"], &[]).await?),
        RunsCommand::Reprocess { run } => changed(&client, &run, "reprocess", &json!({}), json).await,
        RunsCommand::Cancel { run, comment } => changed(&client, &run, "cancel", &json!({ "comment": comment }), json).await,
        RunsCommand::Resume { run } => changed(&client, &run, "resume", &json!({}), json).await,
    }
}

async fn list(client: &Client, filters: &[(&str, Option<String>)], limit: usize, json: bool) -> Result<()> {
    let query: Vec<(&str, &str)> = filters.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect();
    let items = client.list(&["runs"], &query, limit).await?;
    if json {
        return terminal::json(&items);
    }
    let mut table = Table::new(&[
        ("run", Align::Left),
        ("partner", Align::Left),
        ("path", Align::Left),
        ("size", Align::Right),
        ("rows", Align::Right),
        ("state", Align::Left),
        ("updated", Align::Left),
    ]);
    for item in &items {
        let run: Run = view(item)?;
        let rows = run.counts.as_ref().map(|c| count(c.rows)).unwrap_or_default();
        let open = if run.waits_for_people() { format!(" ({} open)", run.open_cases) } else { String::new() };
        table.row([run.run_id, run.partner, shorten(&run.path, 40), bytes(run.size), rows, format!("{}{open}", run.state), run.updated_at]);
    }
    if table.is_empty() {
        terminal::note("no run yet; sluice upload sends a file");
        return Ok(());
    }
    terminal::print(&table.to_string())
}

async fn show(client: &Client, id: &str, json: bool) -> Result<()> {
    let value = client.get(&["runs", id], &[]).await?;
    if json {
        return terminal::json(&value);
    }
    let run: Run = view(&value)?;
    terminal::print(&describe(&run))?;
    // What happened is for the staff; a partner sees the rest.
    if let Some(Value::Array(events)) = timeline(client, id).await? {
        let mut table =
            Table::new(&[("", Align::Right), ("at", Align::Left), ("who", Align::Left), ("what", Align::Left), ("detail", Align::Left)]);
        for event in &events {
            let event: Event = view(event)?;
            table.row([event.seq.to_string(), event.at, event.actor.name, event.action, detail(&event.detail)]);
        }
        terminal::print(&format!("\n{table}"))?;
    }
    Ok(())
}

async fn timeline(client: &Client, id: &str) -> Result<Option<Value>> {
    match client.get(&["runs", id, "timeline"], &[]).await {
        Ok(events) => Ok(Some(events)),
        Err(fault) if fault.exit == crate::Exit::Unreachable => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// The detail of an event: plain values only.
pub(crate) fn detail(detail: &Value) -> String {
    let Some(fields) = detail.as_object() else { return String::new() };
    let shown = fields.iter().filter_map(|(name, value)| match value {
        Value::String(text) => Some(format!("{name}={}", shorten(text, 40))),
        Value::Number(number) => Some(format!("{name}={number}")),
        Value::Bool(word) => Some(format!("{name}={word}")),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    });
    shown.collect::<Vec<_>>().join(" ")
}

/// A run for people.
pub(crate) fn describe(run: &Run) -> String {
    let mut table = Table::new(&[("", Align::Left), ("", Align::Left)]);
    let mut add = |name: &str, value: String| table.row([name.to_owned(), value]);
    add("run", run.run_id.clone());
    add("state", state_line(run));
    add("file", format!("{} of {} ({})", run.path, run.partner, bytes(run.size)));
    if let Some(pipeline) = &run.pipeline {
        add("pipeline", format!("{pipeline} version {}", run.pipeline_version.unwrap_or_default()));
    }
    add("created", run.created_at.clone());
    add("updated", run.updated_at.clone());
    for (name, value) in [("blake3", &run.blake3), ("sha256", &run.sha256), ("repeats", &run.repeats)] {
        if let Some(value) = value {
            add(name, value.clone());
        }
    }
    if let Some(version) = run.table_version {
        add("table version", version.to_string());
    }
    if let Some(line) = run.failure.as_ref().and_then(|f| f.line) {
        add("at line", count(line));
    }
    if let Some(counts) = &run.counts {
        add("rows", count(counts.rows));
        for (name, rows) in [
            ("  published", counts.published),
            ("  corrected", counts.corrected),
            ("  rejected", counts.rejected),
            ("    of these sent back", counts.returned),
            ("  filtered", counts.filtered),
            ("  duplicate", counts.duplicate),
            ("  held", counts.held),
        ] {
            add(name, count(rows));
        }
    }
    table.to_string()
}

/// Says how a run ended: its receipt as JSON or a summary; a run that is not completed is a fault of the data.
pub(crate) async fn conclude(client: &Client, value: &Value, json: bool) -> Result<()> {
    let run: Run = view(value)?;
    if json {
        terminal::json(&client.get(&["submissions", &run.run_id, "receipt"], &[]).await?)?;
    } else {
        terminal::print(&describe(&run))?;
        // A file that is refused for its rejected rows has no counts, but has them.
        let is_refused_for_rows = run.failure.as_ref().is_some_and(|f| f.code == "F0031");
        if is_refused_for_rows || run.counts.as_ref().is_some_and(|c| c.rejected > 0) {
            terminal::line(format!("\nRejected rows with reasons: sluice runs rejected {}", run.run_id))?;
        }
        if run.receipt {
            terminal::line(format!("Receipt: sluice runs receipt {}", run.run_id))?;
        }
    }
    if run.is_completed() { Ok(()) } else { Err(Fault::data(format!("the run is {}", tame(&state_line(&run))))) }
}

async fn rejected(client: &Client, id: &str, out: Option<PathBuf>, safe: bool) -> Result<()> {
    let query: &[(&str, &str)] = if safe { &[("safe", "true")] } else { &[] };
    let mut body = client.open(&["submissions", id, "rejected"], query).await?.bytes_stream();
    // Pieces are small: writing them does not hold up anybody.
    let mut sink: Box<dyn std::io::Write + Send> = match &out {
        Some(path) => Box::new(std::fs::File::create(path).file("write", path)?),
        None => Box::new(std::io::stdout()),
    };
    while let Some(piece) = body.try_next().await.map_err(|error| unreachable(client.api(), &error))? {
        sink.write_all(&piece)?;
    }
    sink.flush()?;
    Ok(())
}

async fn changed(client: &Client, run: &str, verb: &str, body: &Value, json: bool) -> Result<()> {
    let value = client.post(&["runs", run, verb], body).await?;
    if json {
        return terminal::json(&value);
    }
    let run: Run = view(&value)?;
    terminal::line(format!("{}  {}", run.run_id, state_line(&run)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_described_as_far_as_it_is_known() {
        let value = json!({
            "runId": "s-1-1", "partner": "skyline", "pipeline": "flights", "pipelineVersion": 3, "path": "flights/a.csv", "size": 2048,
            "state": "reviewing", "createdAt": "x", "updatedAt": "y", "openCases": 1, "cases": 2, "receipt": false,
            "counts": {"rows": 10, "published": 0, "corrected": 0, "rejected": 1, "filtered": 0, "duplicate": 0, "held": 9},
        });
        let run: Run = view(&value).unwrap();
        let text = describe(&run);
        assert!(text.contains("reviewing: 1 of 2 cases open"), "{text}");
        assert!(text.contains("flights version 3") && text.contains("2.0 KiB"), "{text}");
        assert!(run.waits_for_people() && !run.has_ended());
    }

    #[test]
    fn details_are_plain_values() {
        assert_eq!(detail(&json!({"rows": 3, "why": "x", "nested": {"a": 1}})), "rows=3 why=x");
    }
}
