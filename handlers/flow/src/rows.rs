//! Where one row of a file ended, and why.

use futures::TryStreamExt as _;
use serde::{Deserialize, Serialize};
use sluice_engine::{Chunk, ChunkReport, ChunkStart, Overrides, Problem, RecordFinder, Splitting, Transformer};

use crate::{
    BlobPath, Context, Result,
    exclusions::Exclusions,
    held::HeldReader,
    layout,
    ledger::ChunkLedger,
    raw::Raw,
    review::{Decision, ReviewCase},
    reviews, revision,
    run::Run,
    runs::optional,
    steps::decisions,
    writer,
};

/// Most bytes of a raw record that are shown.
const RAW_BYTES: usize = 64 << 10;

/// Where a row ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RowOutcome {
    /// Published, or ready to be.
    Published,
    /// Published after a decision.
    Corrected,
    /// Rejected by contract, rule or person.
    Rejected,
    /// Left out by a filter task.
    Filtered,
    /// Left out as a repeat of an earlier row.
    Duplicate,
    /// Waiting for a person.
    Held,
}

/// What is known of one row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RowExplanation {
    /// 0-based number in the file.
    pub row: u64,
    /// Chunk that holds it.
    pub chunk: u32,
    /// Generation of the chunk that counts.
    pub generation: u32,
    /// Where it ended.
    pub outcome: RowOutcome,
    /// 1-based line; `None` where the file is not text, or is compressed and the row has no problem.
    pub line: Option<u64>,
    /// Byte offset in the (decompressed) text, likewise.
    pub offset: Option<u64>,
    /// The record as it came, from the verified raw copy; lossy only where it is no valid text.
    pub raw: Option<String>,
    /// Everything that is wrong with it.
    pub problems: Vec<Problem>,
    /// Rules that warned of it.
    pub warnings: Vec<String>,
    /// Review case that holds or held it.
    pub case_id: Option<String>,
    /// What people decided about its case.
    pub decision: Option<Decision>,
    /// Files that its chunk (or the decisions) wrote for accepted rows; the row is in one of them if it is published.
    pub files: Vec<BlobPath>,
    /// Table that the run publishes to.
    pub table: String,
    /// Version of the table that published it.
    pub table_version: Option<u64>,
}

/// Explains a row; `None` if the file has no such row, or its chunk is not done.
///
/// # Errors
/// Those of catalog, lake and engine.
pub async fn explain(context: &Context, run: &Run, row: u64) -> Result<Option<RowExplanation>> {
    let Some((index, chunk)) = find_chunk(context, run, row).await? else { return Ok(None) };
    let generation = layout::effective_chunks(context, run).await?.get(index as usize).copied().unwrap_or_default();
    let Some(ledger) = optional(writer::read_json::<ChunkLedger>(context, &layout::ledger(run, generation, index)).await)? else {
        return Ok(None);
    };
    let Some(outcome) = outcome(&ledger.report, row) else { return Ok(None) };
    let compiled = context.plans.of_run(context, run).await?;
    let plan = compiled.plan();
    let accepted =
        ledger.report.files.iter().map(|f| layout::accepted(run, plan, compiled.aggregates(), generation, index, &f.partition, f.part));
    let mut explanation = RowExplanation {
        row,
        chunk: index,
        generation,
        outcome,
        line: None,
        offset: None,
        raw: None,
        problems: Vec::new(),
        warnings: Vec::new(),
        case_id: None,
        decision: None,
        files: if outcome == RowOutcome::Published { accepted.collect() } else { Vec::new() },
        table: plan.pipeline.publish.table.clone(),
        table_version: None,
    };
    match run.splitting {
        Some(Splitting::Records) => again(context, run, index, generation, &chunk, &mut explanation).await?,
        _ => from_samples(&ledger.report, &mut explanation),
    }
    if outcome == RowOutcome::Held {
        held(context, run, generation, index, &mut explanation).await?;
    }
    if matches!(explanation.outcome, RowOutcome::Published | RowOutcome::Corrected) {
        explanation.table_version = run.table_version;
    }
    Ok(Some(explanation))
}

/// The chunk that a row is planned to be in.
pub(crate) async fn find_chunk(context: &Context, run: &Run, row: u64) -> Result<Option<(u32, Chunk)>> {
    if run.chunks == 0 {
        return Ok(None);
    }
    // The last page that starts at or before the row.
    let (mut low, mut high) = (0, (run.chunks - 1) / layout::PAGE);
    while low < high {
        let middle = (low + high).div_ceil(2);
        let starts = layout::plan_page(context, &run.run_id, middle).await?.first().map(|c| c.first_row);
        if starts.is_some_and(|first| first <= row) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    let page = layout::plan_page(context, &run.run_id, low).await?;
    let within = page.partition_point(|c| c.first_row <= row).saturating_sub(1);
    Ok(page.into_iter().nth(within).map(|chunk| (low * layout::PAGE + within as u32, chunk)))
}

fn outcome(report: &ChunkReport, row: u64) -> Option<RowOutcome> {
    let place = u32::try_from(row.checked_sub(report.first_row)?).ok()?;
    let sets = [
        (&report.accepted, RowOutcome::Published),
        (&report.rejected, RowOutcome::Rejected),
        (&report.filtered, RowOutcome::Filtered),
        (&report.duplicate, RowOutcome::Duplicate),
        (&report.held, RowOutcome::Held),
    ];
    sets.into_iter().find(|(set, _)| set.contains(place)).map(|(_, outcome)| outcome)
}

/// The engine looks at this record alone once more, under the same plan: it says the same as it did.
async fn again(context: &Context, run: &Run, index: u32, generation: u32, chunk: &Chunk, explanation: &mut RowExplanation) -> Result<()> {
    let compiled = context.plans.of_run(context, run).await?;
    let raw = Raw::open(context, run, chunk.start..chunk.end).await?;
    let mut finder = RecordFinder::new(compiled.plan(), chunk, explanation.row);
    let mut record = None;
    {
        let mut pieces = std::pin::pin!(raw.pieces(context, chunk.start..chunk.end));
        let mut read = chunk.start;
        while let Some(piece) = pieces.try_next().await? {
            read += piece.len() as u64;
            record = finder.push(&piece, read >= chunk.end);
            if record.is_some() {
                break;
            }
        }
    }
    let Some(record) = record else { return Ok(()) };
    let bytes = raw.read(context, record.start..record.end).await?;
    explanation.line = Some(record.first_line);
    explanation.offset = Some(record.start);
    let shown = &bytes[..bytes.len().min(RAW_BYTES)];
    explanation.raw = Some(String::from_utf8_lossy(shown).trim_end_matches(['\r', '\n']).to_owned());
    let overrides = if generation > 0 {
        let exclusions = Exclusions::load(context, run).await?.of_chunk(context, run, index).await?;
        exclusions.slice(explanation.row, 1)
    } else {
        Overrides::default()
    };
    let start = ChunkStart {
        run: run.run_id.to_string(),
        index,
        chunk: record,
        header: run.header.clone(),
        kind: Splitting::Records,
        footer: None,
        file_len: run.source.size,
    };
    let mut engine = Transformer::new(&compiled, start, &overrides)?;
    engine.push(&bytes)?;
    let (_, report) = engine.finish()?;
    from_samples(&report, explanation);
    explanation.warnings = report.tally.warnings.into_keys().collect();
    Ok(())
}

/// Problems of the row among the samples of an account: all of them if it is the row's own.
fn from_samples(report: &ChunkReport, explanation: &mut RowExplanation) {
    let samples = report.tally.problems.iter().flat_map(|count| &count.samples);
    explanation.problems = samples.filter(|p| p.row == explanation.row).cloned().collect();
    if let Some(problem) = explanation.problems.first() {
        explanation.line = Some(problem.line);
        explanation.offset = Some(problem.offset);
    }
}

/// What people were shown of a held row, and what they decided.
async fn held(context: &Context, run: &Run, generation: u32, index: u32, explanation: &mut RowExplanation) -> Result<()> {
    let mut reader = HeldReader::new(context, layout::held(run, generation, index), 0);
    let mut found = None;
    while let Some((row, _)) = reader.next().await? {
        if row.row != explanation.row {
            continue;
        }
        let cases = decisions::cases(context, run).await?;
        let case: Option<ReviewCase> = cases.into_iter().find(|case| reviews::belongs(case, &row.cause));
        explanation.case_id = case.as_ref().map(|c| c.case_id.clone());
        explanation.decision = case.and_then(|c| c.decisions.last().cloned());
        explanation.line = Some(row.line);
        explanation.offset = Some(row.offset);
        explanation.problems.clone_from(&row.problems);
        found = Some(row);
        break;
    }
    let revision = revision::load(context, run).await?;
    if let (Some(row), Some(decision)) = (&found, explanation.decision.as_ref().filter(|_| revision.is_some())) {
        explanation.problems.extend(decisions::by_person(row, decision.of(row.row), &decision.comment));
    }
    explanation.raw = found.map(|row| row.raw);
    let Some(revision) = revision else { return Ok(()) };
    if revision.corrected.contains(explanation.row) {
        explanation.outcome = RowOutcome::Corrected;
        explanation.files = revision.files.into_iter().map(|f| f.output.blob).collect();
    } else if revision.rejected.contains(explanation.row) {
        explanation.outcome = RowOutcome::Rejected;
    } else if revision.filtered.contains(explanation.row) {
        explanation.outcome = RowOutcome::Filtered;
    }
    Ok(())
}
