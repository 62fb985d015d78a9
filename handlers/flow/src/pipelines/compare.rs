//! Which rows of a past run would end otherwise under another plan.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sluice_contract::Sources;
use sluice_engine::{Chunk, ChunkReport, Compiled, EngineError, Problem, RecordFinder, Refusal, Splitting};

use super::{
    PutError,
    sample::{Sample, SampleBytes, Work, Worked},
    tables::compile,
};
use crate::{Context, Error, Result, RunId, cpu, runs};

/// Most changed rows that are told.
const TOLD_ROWS: usize = 1000;

/// Bytes that are searched for a record at once: the next one mostly stands near.
const PIECE_BYTES: usize = 16 << 10;

/// What changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// Rows that were compared.
    pub rows: u64,
    /// How many of them end otherwise.
    pub changed_rows: u64,
    /// The first of those.
    pub changed: Vec<ChangedRow>,
    /// Whether there are more rows than were compared, or more changed rows than are told.
    pub truncated: bool,
    /// Why the file as a whole would be refused.
    pub refusals: Vec<Refusal>,
}

/// A row that ends otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangedRow {
    /// 0-based number in the file.
    pub row: u64,
    /// Where it ends under the run's own plan; `None` if the file has no such row under it.
    pub before: Option<SampleOutcome>,
    /// Where it would end; `None` likewise.
    pub after: Option<SampleOutcome>,
    /// Why it would end there.
    pub reasons: Vec<Problem>,
}

/// Where a row of a sample ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SampleOutcome {
    /// Ready to be published.
    Accepted,
    /// Rejected by contract or rule.
    Rejected,
    /// Waits for a person.
    Held,
    /// Left out by a filter.
    Filtered,
    /// Left out as a repeat.
    Duplicate,
}

impl SampleOutcome {
    /// As stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Held => "held",
            Self::Filtered => "filtered",
            Self::Duplicate => "duplicate",
        }
    }
}

/// Works through the first `limit` bytes of a run's raw file under the plan that the run is pinned to and under the given one.
///
/// # Errors
/// Every mistake in the texts; [`crate::Kind::Refused`] `W0404` if there is no such run, `W0412` if it has no pipeline, `A0016` if the file
/// is a longer Parquet file.
pub async fn compare(context: &Context, sources: &Sources<'_>, id: &RunId, limit: u64) -> Result<Comparison, PutError> {
    let run = runs::get(context, id).await?;
    if run.pinned.is_none() {
        return Err(Error::refused("W0412", "no pipeline took the file of this run: there is nothing to compare with").into());
    }
    let after = compile(context, sources).await?;
    let before = context.plans.of_run(context, &run).await?;
    let sample = SampleBytes::read(context, Sample::Run(id.clone()), limit).await?;
    let (kind_before, kind_after) = (sample.kind(&before)?, sample.kind(&after)?);
    let done = cpu::run(sample.len() * 2, move || compare_samples((&before, kind_before), (&after, kind_after), &sample)).await?;
    Ok(done.map_err(Error::from)?)
}

type Planned<'a> = (&'a Arc<Compiled>, Splitting);

fn compare_samples(before: Planned<'_>, after: Planned<'_>, sample: &SampleBytes) -> Result<Comparison, EngineError> {
    let truncated = sample.is_truncated();
    let mut comparison = Comparison { rows: 0, changed_rows: 0, changed: Vec::new(), truncated, refusals: Vec::new() };
    let work = |(compiled, kind): Planned<'_>, refusals: &mut Vec<Refusal>| match Work::new(compiled, kind, sample).run() {
        Ok(worked) => Ok(Some(worked)),
        Err(EngineError::Refused(refusal)) => {
            refusals.push(refusal);
            Ok(None)
        }
        Err(error) => Err(error),
    };
    // That the run itself was refused is known; it has no outcomes then.
    let was = work(before, &mut Vec::new())?;
    let becomes = work(after, &mut comparison.refusals)?;
    let outcomes = |worked: &Option<Worked>| worked.as_ref().map(outcomes).unwrap_or_default();
    let (old, new) = (outcomes(&was), outcomes(&becomes));
    comparison.truncated |= was.iter().chain(&becomes).any(|worked| worked.is_truncated);
    comparison.rows = old.len().max(new.len()) as u64;
    for row in 0..old.len().max(new.len()) {
        let (before, after) = (old.get(row).copied().flatten(), new.get(row).copied().flatten());
        if before == after {
            continue;
        }
        comparison.changed_rows += 1;
        if comparison.changed.len() < TOLD_ROWS {
            comparison.changed.push(ChangedRow { row: row as u64, before, after, reasons: Vec::new() });
        } else {
            comparison.truncated = true;
        }
    }
    if let Some(worked) = &becomes {
        explain(after, sample, worked, &mut comparison.changed)?;
    }
    Ok(comparison)
}

/// Where each row ended, by its number.
fn outcomes(worked: &Worked) -> Vec<Option<SampleOutcome>> {
    let mut outcomes = Vec::new();
    for (_, report) in &worked.done {
        let first = report.first_row as usize;
        if outcomes.len() < first + report.rows as usize {
            outcomes.resize(first + report.rows as usize, None);
        }
        for (set, outcome) in [
            (&report.accepted, SampleOutcome::Accepted),
            (&report.rejected, SampleOutcome::Rejected),
            (&report.filtered, SampleOutcome::Filtered),
            (&report.duplicate, SampleOutcome::Duplicate),
            (&report.held, SampleOutcome::Held),
        ] {
            for row in set {
                outcomes[first + row as usize] = Some(outcome);
            }
        }
    }
    outcomes
}

/// Finds the reasons of rows. An account has a few samples of each problem only, so that the engine looks at each row of a text once more,
/// alone.
fn explain((compiled, kind): Planned<'_>, sample: &SampleBytes, worked: &Worked, rows: &mut [ChangedRow]) -> Result<(), EngineError> {
    let (Splitting::Records, [chunk]) = (kind, worked.chunks.as_slice()) else {
        for row in rows.iter_mut() {
            row.reasons = worked.done.iter().flat_map(|(_, report)| problems(report, row.row)).collect();
        }
        return Ok(());
    };
    let mut work = Work::new(compiled, kind, sample);
    work.header.clone_from(&worked.header);
    let mut rest = chunk.clone();
    for row in rows.iter_mut().filter(|row| row.after.is_some_and(|after| after != SampleOutcome::Accepted)) {
        let Some(record) = find(compiled, sample, &rest, row.row) else { return Ok(()) };
        let (_, report) = work.chunk(0, &record, &worked.repeats.slice(row.row, 1))?;
        row.reasons = problems(&report, row.row).collect();
        rest = Chunk { start: record.start, first_row: row.row, first_line: record.first_line, ..rest };
    }
    Ok(())
}

/// The record of a row that is in `rest`.
fn find(compiled: &Compiled, sample: &SampleBytes, rest: &Chunk, row: u64) -> Option<Chunk> {
    let mut finder = RecordFinder::new(compiled.plan(), rest, row);
    let mut pieces = sample.bytes()[rest.start as usize..rest.end as usize].chunks(PIECE_BYTES).peekable();
    while let Some(piece) = pieces.next() {
        let found = finder.push(piece, pieces.peek().is_none());
        if found.is_some() {
            return found;
        }
    }
    None
}

fn problems(report: &ChunkReport, row: u64) -> impl Iterator<Item = Problem> {
    let samples = report.tally.problems.iter().flat_map(|count| &count.samples);
    samples.filter(move |problem| problem.row == row).cloned()
}
