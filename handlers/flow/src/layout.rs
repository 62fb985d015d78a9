//! Where the outputs of a run lie, how its chunks are planned, and which generation of a chunk counts.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use sluice_contract::{Format, Plan};
use sluice_engine::Chunk;

use crate::{BlobPath, Committed, Context, Error, Result, RunId, Write, catalog::body, exclusions::Exclusions, lake::CURATED, run::Run};

/// Chunks in one `plan:<page>` document.
pub const PAGE: u32 = 256;

/// A chunk as stored: row groups follow each other, so their range is enough.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Planned {
    start: u64,
    end: u64,
    first_row: u64,
    first_line: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    groups: Option<Range<u32>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct PlanPage {
    chunks: Vec<Planned>,
}

fn page_id(page: u32) -> String {
    format!("plan:{page:06}")
}

/// Stores the plan of a run. Planning again gives the same plan, so pages that are there are left alone.
///
/// # Errors
/// Those of the catalog; [`crate::Kind::Bug`] `J0502` if the row groups of a chunk do not follow each other.
pub async fn store_plan(context: &Context, run: &RunId, chunks: &[Chunk]) -> Result<()> {
    for (page, chunks) in (0u32..).zip(chunks.chunks(PAGE as usize)) {
        let chunks = chunks.iter().map(planned).collect::<Result<_>>()?;
        let write = Write::Create { id: page_id(page), kind: "plan", body: body(&PlanPage { chunks })? };
        let (Committed::Done | Committed::Conflict { .. }) = context.catalog.commit(&run.partition(), vec![write]).await?;
    }
    Ok(())
}

fn planned(chunk: &Chunk) -> Result<Planned> {
    let groups = match (chunk.row_groups.first(), chunk.row_groups.last()) {
        (Some(first), Some(last)) => Some(*first..*last + 1),
        _ => None,
    };
    if !groups.clone().unwrap_or_default().eq(chunk.row_groups.iter().copied()) {
        return Err(Error::bug("J0502", "the row groups of a chunk do not follow each other"));
    }
    Ok(Planned { start: chunk.start, end: chunk.end, first_row: chunk.first_row, first_line: chunk.first_line, groups })
}

impl From<Planned> for Chunk {
    fn from(planned: Planned) -> Self {
        Self {
            start: planned.start,
            end: planned.end,
            first_row: planned.first_row,
            first_line: planned.first_line,
            row_groups: planned.groups.map(Iterator::collect).unwrap_or_default(),
        }
    }
}

/// The chunks of one page of the plan, in order.
///
/// # Errors
/// Those of the catalog; [`crate::Kind::Transient`] `J0411` if the page cannot be seen yet.
pub async fn plan_page(context: &Context, run: &RunId, page: u32) -> Result<Vec<Chunk>> {
    let document = context.catalog.get(&run.partition(), &page_id(page)).await?;
    let document = document.ok_or_else(|| Error::transient("J0411", format!("page {page} of the plan of run {run} is not there yet")))?;
    Ok(document.parse::<PlanPage>()?.chunks.into_iter().map(Chunk::from).collect())
}

/// One chunk of the plan.
///
/// # Errors
/// As [`plan_page`]; [`crate::Kind::Bug`] `M0004` if the run has no such chunk.
pub async fn chunk(context: &Context, run: &RunId, index: u32) -> Result<Chunk> {
    let page = plan_page(context, run, index / PAGE).await?;
    page.into_iter().nth((index % PAGE) as usize).ok_or_else(|| Error::bug("M0004", format!("run {run} has no chunk {index}")))
}

/// Id of the document that says that a chunk is done.
pub fn chunk_id(generation: u32, index: u32) -> String {
    format!("chunk:{generation}:{index:06}")
}

/// The generation of each chunk, in order, whose outputs count: those of chunks without excluded rows stay at 0.
///
/// # Errors
/// Those of the lake.
pub async fn effective_chunks(context: &Context, run: &Run) -> Result<Vec<u32>> {
    let mut generations = vec![0; run.chunks as usize];
    if run.generation > 0 {
        for index in Exclusions::load(context, run).await?.chunks {
            if let Some(generation) = generations.get_mut(index as usize) {
                *generation = run.generation;
            }
        }
    }
    Ok(generations)
}

/// Parquet file of accepted rows. With an aggregate task they wait in the review zone for publish to group them.
pub fn accepted(run: &Run, plan: &Plan, aggregates: bool, generation: u32, chunk: u32, partition: &str, part: u32) -> BlobPath {
    let folder = if partition.is_empty() { String::new() } else { format!("{partition}/") };
    let part = if part > 1 { format!("-{part}") } else { String::new() };
    let name = format!("{folder}{}-g{generation}-{chunk:06}{part}.parquet", run.run_id);
    if aggregates {
        run.review(&format!("staged/{name}"))
    } else {
        BlobPath::new(CURATED, format!("{}/{name}", plan.pipeline.publish.table))
    }
}

/// Rejected rows of a chunk, in the partner's own format.
pub fn rejected(run: &Run, plan: &Plan, generation: u32, chunk: u32) -> BlobPath {
    let extension = if matches!(plan.pipeline.intake.format, Format::Csv(_)) { "csv" } else { "ndjson" };
    run.archive(&format!("g{generation}/rejected/{chunk:06}.{extension}"))
}

/// Held rows of a chunk.
pub fn held(run: &Run, generation: u32, chunk: u32) -> BlobPath {
    run.review(&format!("g{generation}/held/{chunk:06}.ndjson"))
}

/// Key records of a chunk.
pub fn keys(run: &Run, generation: u32, chunk: u32) -> BlobPath {
    run.review(&format!("g{generation}/keys/{chunk:06}.bin"))
}

/// The account of a chunk ([`crate::ledger::ChunkLedger`]).
pub fn ledger(run: &Run, generation: u32, chunk: u32) -> BlobPath {
    run.archive(&format!("g{generation}/ledger/{chunk:06}.json"))
}

/// The account of a run ([`crate::ledger::StoredReport`]).
pub fn report(run: &Run) -> BlobPath {
    run.archive("report.json")
}
