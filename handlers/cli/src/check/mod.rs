//! `sluice check`: the engine of a run on a local file, without a cloud.

mod chunk_outputs;
mod joined;
pub(crate) mod outputs;
mod partial;
pub(crate) mod prepare;
mod repeats;
pub(crate) mod report;
pub(crate) mod scan;
mod supply;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use clap::Args;
use indicatif::ProgressBar;
use sluice_engine::{Compiled, RunReport};

use crate::arguments::{pair, secret};
use crate::fault::FileContext as _;
use crate::{Fault, Result, terminal};
use joined::{InOrder, Joined};
use prepare::Given;
use report::Report;
use scan::{Keep, Outcome, Scan, Scanning};

/// Checks a local file as a run would: the same contract, tasks, rules and limits, row by row.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice check flights-2013-01.csv --pipeline samples/flights/flights.pipeline.yaml
  sluice check data.csv.gz --pipeline p.yaml --rejected bad.csv --report report.json
  sluice check data.csv --pipeline p.yaml --set long_delay_minutes=300 --parquet good.parquet
  SLUICE_SECRET_TAILNUM_KEY=... sluice check data.csv --pipeline p.yaml --secret tailnum-key

Ends with 0 if a run would take the file, 1 if not (with --strict: if any row is rejected or held).")]
pub(crate) struct CheckArguments {
    /// The file: CSV, NDJSON (both also as gzip or zstd) or Parquet, as the pipeline says
    file: PathBuf,
    /// The pipeline file; its contract stands beside it
    #[arg(long, short, value_name = "YAML")]
    pipeline: PathBuf,
    /// A reference table from a CSV file [default: reference/NAME.csv beside the pipeline]
    #[arg(long = "table", value_name = "NAME=CSV", value_parser = pair)]
    tables: Vec<(String, String)>,
    /// A parameter's value instead of its default
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
    parameters: Vec<(String, String)>,
    /// A secret for masks; without a value it is read from the environment (`SLUICE_SECRET_<NAME>`)
    #[arg(long = "secret", value_name = "NAME[=VALUE]", value_parser = secret)]
    secrets: Vec<(String, Option<String>)>,
    /// Writes rejected rows, in the file's own format, with reasons; `-` is standard output, and the summary then goes to standard error
    #[arg(long, value_name = "FILE")]
    rejected: Option<PathBuf>,
    /// Writes everything that was found, as JSON (`--json` prints it)
    #[arg(long, value_name = "JSON")]
    report: Option<PathBuf>,
    /// Writes accepted rows as one Parquet file
    #[arg(long, value_name = "PARQUET")]
    parquet: Option<PathBuf>,
    /// How many kinds of problems the summary shows
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit_problems: usize,
    /// Threads [default: as many as there are cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
    /// Ends with 1 if any row is rejected or held
    #[arg(long)]
    strict: bool,
    /// Prints the report as JSON instead of the summary
    #[arg(long)]
    json: bool,
}

/// Threads to use when nobody says.
pub(crate) fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Runs the command; `stop` is set when the user has had enough.
pub(crate) fn run(arguments: &CheckArguments, stop: &AtomicBool) -> Result<()> {
    let given = Given { tables: arguments.tables.clone(), parameters: arguments.parameters.clone(), secrets: arguments.secrets.clone() };
    let streams_rejected = arguments.rejected.as_deref().is_some_and(is_standard_output);
    check_outputs(arguments, streams_rejected)?;
    let metadata = std::fs::metadata(&arguments.file).file("read", &arguments.file)?;
    if !metadata.is_file() {
        return Err(Fault::usage(format!("{} is no file", arguments.file.display())));
    }
    let wants_parquet = arguments.parquet.is_some();
    let compiled = prepare::compile(&arguments.pipeline, &given, |plan| {
        // One file holds all columns; folders of partitions do not.
        if wants_parquet {
            plan.pipeline.publish.partition_by.clear();
        }
    })?;
    let work = tempfile::tempdir().map_err(|error| Fault::usage(format!("cannot make a temporary folder: {error}")))?;
    let bar = terminal::byte_bar(metadata.len(), "checking");
    let keep = Keep { accepted: wants_parquet, rejected: arguments.rejected.is_some() };
    let threads = arguments.threads.map_or_else(default_threads, usize::from);
    let begun = Instant::now();
    // Repeats of a key and aggregates are known only when every row was read.
    let is_row_by_row = compiled.keys().is_empty() && !compiled.aggregates();
    let joined = match &arguments.parquet {
        Some(path) if is_row_by_row => Some(InOrder::new(Joined::create(path, &compiled.output_schema())?)),
        _ => None,
    };
    let scanning =
        Scanning { compiled: &compiled, path: &arguments.file, work: work.path(), keep, joined: joined.as_ref(), threads, bar: &bar, stop };
    let outcome = scanning.run();
    bar.finish_and_clear();
    let outcome = outcome?;
    let report = report(&arguments.file, metadata.len(), &compiled, &outcome, begun);
    if let Outcome::Read(scan) = &outcome {
        match &arguments.rejected {
            Some(_) if streams_rejected => outputs::stream_rejected(&compiled, scan, work.path())?,
            Some(path) => outputs::write_rejected(path, &compiled, scan, work.path())?,
            None => {}
        }
        match (joined, &arguments.parquet) {
            (Some(joined), _) => joined.finish()?,
            (None, Some(path)) => outputs::write_parquet(path, &compiled, scan, work.path())?,
            (None, None) => {}
        }
    }
    if let Some(path) = &arguments.report {
        outputs::write_report(path, &report)?;
    }
    if arguments.json {
        terminal::json(&report)?;
    } else {
        let summary = report.summary(arguments.limit_problems);
        if streams_rejected { terminal::note(summary.trim_end()) } else { terminal::print(&summary)? }
    }
    if !report.is_taken() {
        return Err(Fault::data(""));
    }
    if arguments.strict && report.has_bad_rows() {
        return Err(Fault::data("--strict: some rows are rejected or held"));
    }
    Ok(())
}

/// Whether a path is the usual name of standard output.
fn is_standard_output(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Refuses outputs that cannot go to standard output, or not together.
fn check_outputs(arguments: &CheckArguments, streams_rejected: bool) -> Result<()> {
    for (name, path) in [("--parquet", &arguments.parquet), ("--report", &arguments.report)] {
        if path.as_deref().is_some_and(is_standard_output) {
            let instead = if name == "--report" { "--json prints the report" } else { "Parquet is written to a file" };
            return Err(Fault::usage(format!("{name} - is not taken: {instead}; for a file of this name write ./-")));
        }
    }
    if streams_rejected && arguments.json {
        return Err(Fault::usage("--rejected - and --json both write to standard output: give --rejected a file"));
    }
    Ok(())
}

/// What a check found, as a report.
pub(crate) fn report(file: &Path, size: u64, compiled: &Arc<Compiled>, outcome: &Outcome, begun: Instant) -> Report {
    let plan = compiled.plan();
    let (run, quality, refusals) = match outcome {
        Outcome::Refused(refusal) => (RunReport::default(), Vec::new(), vec![refusal.clone()]),
        Outcome::Read(scan) => (scan.report.clone(), scan.report.verdicts(plan, &scan.repeats), scan.report.refusals(plan, &scan.repeats)),
    };
    let header = match outcome {
        Outcome::Read(Scan { header: Some(header), .. }) => header.as_slice(),
        _ => &[],
    };
    let is_named = |name: &String| plan.contract.columns.iter().any(|column| column.source == *name);
    let ignored_columns = header.iter().filter(|name| !is_named(name)).cloned().collect();
    Report {
        file: file.display().to_string(),
        size,
        pipeline: plan.pipeline.name.clone(),
        tally: run.tally,
        ignored_columns,
        quality,
        refusals,
        seconds: begun.elapsed().as_secs_f64(),
    }
}

/// A check without outputs, as `infer` needs it.
pub(crate) fn quietly(compiled: &Arc<Compiled>, file: &Path, stop: &AtomicBool) -> Result<Report> {
    let size = std::fs::metadata(file).file("read", file)?.len();
    let work = tempfile::tempdir().map_err(|error| Fault::usage(format!("cannot make a temporary folder: {error}")))?;
    let begun = Instant::now();
    let bar = ProgressBar::hidden();
    let keep = Keep::default();
    let scanning = Scanning { compiled, path: file, work: work.path(), keep, joined: None, threads: default_threads(), bar: &bar, stop };
    let outcome = scanning.run()?;
    Ok(report(file, size, compiled, &outcome, begun))
}
