//! `sluice infer`: a sample file into a contract and a pipeline to start from.

mod candidates;
mod delimited;
mod dialect;
mod encoding;
mod footer;
mod formats;
mod look;
mod names;
mod profile;
mod propose;
mod records;
mod score;
mod shape;
mod source;
mod sure;
mod table;
mod write;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use clap::Args;
use sluice_contract::{Plan, Sources};
use sluice_engine::{Code, Compiled, ReferenceTables, Secrets};

use crate::check::{self, prepare::mistaken, report::Report};
use crate::fault::FileContext as _;
use crate::text::{Align, Table, count, plural, tame};
use crate::{Fault, Result, terminal};
use propose::Kind;
use source::Source;
use sure::Finding;
use write::{FileFormat, Proposal};

/// How often a proposal is corrected by what the engine says to it.
const MAX_ROUNDS: usize = 6;

/// Drafts a contract and a pipeline from a sample file.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice infer flights-2013-01.csv
  sluice infer export.csv.gz --name orders --partner northwind --out pipelines/

Writes <name>.odcs.yaml and <name>.pipeline.yaml, which `sluice check` takes for the same file,
and says how sure it is of each thing it found. A sample shows what is, not what was promised: read both files.")]
pub(crate) struct InferArguments {
    /// The sample: CSV, NDJSON (both also as gzip or zstd) or Parquet
    file: PathBuf,
    /// Name of the pipeline and of both files [default: from the file's name]
    #[arg(long)]
    name: Option<String>,
    /// Partner who sends such files
    #[arg(long, default_value = "partner")]
    partner: String,
    /// Folder to write to
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    out: PathBuf,
    /// Look at this many rows only
    #[arg(long, value_name = "N")]
    rows: Option<u64>,
    /// Replaces files that are there
    #[arg(long)]
    force: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: &InferArguments, stop: &AtomicBool) -> Result<()> {
    let file_name = arguments.file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let name = arguments.name.clone().unwrap_or_else(|| names::pipeline(&file_name));
    let (mut proposal, findings, doubts) =
        propose(&arguments.file, &file_name, name, &arguments.partner, arguments.rows.unwrap_or(u64::MAX))?;
    let contract_path = arguments.out.join(proposal.contract_file());
    let pipeline_path = arguments.out.join(proposal.pipeline_file());
    if !arguments.force
        && let Some(there) = [&contract_path, &pipeline_path].into_iter().find(|path| path.exists())
    {
        return Err(Fault::usage(format!(
            "{} is there already; --force replaces it, --name or --out choose another place",
            there.display()
        )));
    }
    let report = settle(&mut proposal, &arguments.file, stop)?;
    std::fs::create_dir_all(&arguments.out).file("make the folder", &arguments.out)?;
    std::fs::write(&contract_path, proposal.contract()).file("write", &contract_path)?;
    std::fs::write(&pipeline_path, proposal.pipeline()).file("write", &pipeline_path)?;
    terminal::line(format!("{}\n{}", contract_path.display(), pipeline_path.display()))?;
    tell(&proposal, &findings, &doubts);
    let totals = &report.tally.totals;
    terminal::note(format!(
        "\nChecked with the same file: {} accepted, {} rejected. Next: sluice check {} --pipeline {}",
        count(totals.accepted),
        count(totals.rejected),
        arguments.file.display(),
        pipeline_path.display()
    ));
    Ok(())
}

/// Says what was found, how sure that is, and what a person should look at.
fn tell(proposal: &Proposal, findings: &[Finding], doubts: &[String]) {
    let (columns, rows) = (plural(proposal.columns.len() as u64, "column"), plural(proposal.rows, "row"));
    terminal::note(format!("\n{columns} and {rows} seen."));
    let mut table = Table::new(&[("found", Align::Left), ("", Align::Left), ("sure", Align::Right), ("because", Align::Left)]);
    for finding in findings {
        table.row([finding.what.to_owned(), tame(&finding.found), format!("{} %", finding.sure), tame(&finding.why)]);
    }
    if !table.is_empty() {
        terminal::note(format!("\n{table}"));
    }
    let of_file = findings.iter().filter(|f| f.is_unsure()).map(|f| format!("{} is {}: {} % sure", f.what, f.found, f.sure));
    let of_columns = proposal.columns.iter().flat_map(|c| c.doubts.iter().map(|doubt| format!("{} ({} % sure): {doubt}", c.name, c.sure)));
    let unsure: Vec<String> = of_file.chain(doubts.iter().cloned()).chain(of_columns).collect();
    terminal::note(if unsure.is_empty() { "Nothing unsure." } else { "Unsure about:" });
    for doubt in &unsure {
        terminal::note(format!("  - {}", tame(doubt)));
    }
}

fn propose(file: &Path, file_name: &str, name: String, partner: &str, most_rows: u64) -> Result<(Proposal, Vec<Finding>, Vec<String>)> {
    let mut source = Source::open(file)?;
    let look = match source.kind {
        source::Kind::Delimited => delimited::look(&mut source, most_rows)?,
        source::Kind::Ndjson => look::ndjson(&source, most_rows)?,
        source::Kind::Parquet => look::parquet(file)?,
    };
    let path = match names::extensions(file_name) {
        Some(extensions) => format!("{name}/*.{extensions}"),
        None => format!("{name}/*"),
    };
    let proposal = Proposal {
        path,
        name,
        partner: partner.to_owned(),
        file: file_name.to_owned(),
        rows: look.rows,
        partial: look.partial,
        format: look.format,
        spelling: look.spelling,
        columns: look.columns,
    };
    Ok((proposal, look.findings, look.doubts))
}

/// Puts the proposal to the engine with the same file, and takes back what the engine does not read as it was read here.
fn settle(proposal: &mut Proposal, file: &Path, stop: &AtomicBool) -> Result<Report> {
    for _ in 0..MAX_ROUNDS {
        let compiled = compile(proposal)?;
        let report = check::quietly(&compiled, file, stop)?;
        // A header alone is enough for a draft, though no run would take it.
        if let Some(refusal) = report.refusals.iter().find(|refusal| refusal.code != Code::NoRows) {
            if leave_header(proposal, refusal.code) {
                continue;
            }
            return Err(Fault::data(format!("the engine refuses this file: {refusal}{}", check::report::place(refusal))));
        }
        if !overshoots(proposal, &report) && !relax(proposal, &report) {
            return Ok(report);
        }
    }
    Err(Fault::internal("the proposal and the engine do not come to terms over this file"))
}

fn compile(proposal: &Proposal) -> Result<std::sync::Arc<Compiled>> {
    let (pipeline, contract) = (proposal.pipeline(), proposal.contract());
    let plan = Plan::parse(&Sources {
        pipeline_file: &proposal.pipeline_file(),
        pipeline: &pipeline,
        contract_file: &proposal.contract_file(),
        contract: &contract,
    })
    .map_err(|mistakes| mistaken(&mistakes))?;
    Compiled::new(plan, std::collections::BTreeMap::new(), ReferenceTables::default(), Secrets::default())
        .map_err(|mistakes| mistaken(&mistakes))
}

/// Takes columns by position if the engine cannot read the header as it was read here, such as one with a stray quote; `false` if that
/// is not what is wrong.
fn leave_header(proposal: &mut Proposal, code: Code) -> bool {
    let FileFormat::Csv(shape) = &mut proposal.format else { return false };
    let is_about_header = matches!(code, Code::MissingColumns | Code::RepeatedColumn | Code::HeaderTooLong | Code::HeaderEncoding);
    let Some(line) = shape.first_row_line.filter(|_| is_about_header && shape.header > 0) else { return false };
    shape.header = 0;
    shape.repeats_header = false;
    shape.dialect.skip_lines = line - 1;
    let why = format!("the engine does not take the header ({code}): the columns are taken as they stand (header: none)");
    shape.findings.push(Finding::new("columns", "by position", 50, why.clone()));
    for column in &mut proposal.columns {
        column.source.clone_from(&column.name);
    }
    if let Some(first) = proposal.columns.first_mut() {
        first.doubts.push(why);
    }
    true
}

/// Takes the pattern for rows that are no data back if it matches more rows than it was made from; `false` if it does not.
fn overshoots(proposal: &mut Proposal, report: &Report) -> bool {
    let FileFormat::Csv(shape) = &mut proposal.format else { return false };
    let found = report.tally.repairs.get("skippedRows").copied().unwrap_or(0);
    if shape.skip_rows.is_none() || found <= shape.skipped {
        return false;
    }
    shape.skip_rows = None;
    shape.findings.retain(|finding| finding.what != "skipRows");
    true
}

/// Takes back promises that rows of the sample break; `false` if there are none left to take back.
fn relax(proposal: &mut Proposal, report: &Report) -> bool {
    let mut changed = false;
    for problem in &report.tally.problems {
        // A rule such as `unique:order_id` names its column.
        let name = problem.column.as_deref().or_else(|| problem.rule.as_deref()?.strip_prefix("unique:"));
        let Some(column) = name.and_then(|name| proposal.columns.iter_mut().find(|c| c.name == name)) else { continue };
        match problem.code {
            Code::Required if column.required => {
                column.required = false;
                column.doubts.push(format!("{} without a value", plural(problem.count, "row")));
            }
            Code::RepeatedUnique if column.unique => {
                column.unique = false;
                column.doubts.push(format!("{} repeat a value", plural(problem.count, "row")));
            }
            Code::Required
            | Code::RepeatedUnique
            | Code::NulCharacter
            | Code::InvalidEncoding
            | Code::RepeatedHeader
            | Code::TextAfterQuote
            | Code::TooFewFields
            | Code::TooManyFields => continue,
            _ if !is_spelled(&proposal.format, &column.kind) => continue,
            code => {
                column.doubts.push(format!("taken as text, because of {} otherwise ({code})", plural(problem.count, "problem")));
                column.kind = Kind::Text;
            }
        }
        changed = true;
    }
    changed
}

/// Whether values of this type stand as text in the file, so that the column can be text instead.
fn is_spelled(format: &FileFormat, kind: &Kind) -> bool {
    match format {
        FileFormat::Csv(_) => *kind != Kind::Text,
        FileFormat::Ndjson => matches!(kind, Kind::Date { .. } | Kind::Timestamp { .. } | Kind::Time { .. } | Kind::Uuid),
        FileFormat::Parquet => false,
    }
}

#[cfg(test)]
mod dialect_tests;
#[cfg(test)]
mod tests;
