//! What a run publishes, proven against the accounts of its chunks and of people's decisions.

use std::collections::BTreeMap;

use futures::{StreamExt as _, TryStreamExt as _};
use roaring::RoaringTreemap;
use serde::{Deserialize, Serialize};
use sluice_engine::{AcceptedFile, Compiled};

use crate::{
    BlobPath, Context, Error, Result, layout,
    ledger::{ChunkLedger, Proof},
    revision::{self, RevisedFile, Revision},
    run::{Counts, Run},
    writer::Output,
};

/// Chunk ledgers read at once.
const AT_ONCE: usize = 8;

/// A file with rows that are accepted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AcceptedBlob {
    /// Where.
    pub blob: BlobPath,
    /// Its account.
    pub facts: AcceptedFile,
}

/// What was proven.
#[derive(Debug, Clone, PartialEq)]
pub struct Proven {
    /// Rows by outcome, from the accounts.
    pub counts: Counts,
    /// Files of accepted rows in order of chunks, those of corrected rows last.
    pub files: Vec<AcceptedBlob>,
}

/// The files of an aggregate; `archive/<run>/aggregate.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Aggregate {
    /// In order.
    pub files: Vec<RevisedFile>,
}

/// Where the account of an aggregate lies.
pub fn aggregate(run: &Run) -> BlobPath {
    run.archive("aggregate.json")
}

/// The accounts of all chunks with their generations, in order, a few at a time.
pub(crate) fn ledgers<'a>(
    context: &'a Context,
    run: &'a Run,
    generations: &'a [u32],
) -> impl futures::Stream<Item = Result<(u32, u32, Output, ChunkLedger)>> + Send + 'a {
    let numbered = (0u32..).zip(generations.iter().copied());
    futures::stream::iter(numbered)
        .map(move |(chunk, generation)| async move {
            let blob = layout::ledger(run, generation, chunk);
            let bytes = context.lake.read(&blob, 0..u64::MAX, None).await.map_err(|e| match e.code() {
                "L0404" => Error::bug("D0201", format!("chunk {chunk} of run {} has no account", run.run_id)),
                _ => e,
            })?;
            let output = hashed(blob, &bytes);
            let ledger = serde_json::from_slice(&bytes)
                .map_err(|e| Error::bug("K0500", format!("{} does not have the expected shape", output.blob)).because(e))?;
            Ok((chunk, generation, output, ledger))
        })
        .buffered(AT_ONCE)
}

/// A small blob that was read, with its hash.
pub(crate) fn hashed(blob: BlobPath, bytes: &[u8]) -> Output {
    use sha2::{Digest as _, Sha256};
    Output { blob, bytes: bytes.len() as u64, sha256: hex::encode(Sha256::digest(bytes)) }
}

/// Proves that every row has exactly one outcome, that the run's counts say the same, and that every held row was decided.
///
/// # Errors
/// [`crate::Kind::Bug`]: `J0301` the accounts do not balance, `D0201` one is missing, `D0202` they do not agree with the decisions or with
/// the run's counts. Those of catalog and lake.
pub async fn prove(context: &Context, run: &Run, compiled: &Compiled) -> Result<Proven> {
    let generations = layout::effective_chunks(context, run).await?;
    let revision = if run.cases > 0 { revision::load(context, run).await? } else { None };
    let mut planned = planned_rows(context, run).await?.into_iter();
    let (mut proof, mut held, mut files) = (Proof::default(), RoaringTreemap::new(), Vec::new());
    let mut ledgers = std::pin::pin!(ledgers(context, run, &generations));
    while let Some((chunk, generation, _, ledger)) = ledgers.try_next().await? {
        let report = ledger.report;
        proof.add(planned.next().unwrap_or(u64::MAX), &report)?;
        held.extend(report.held.iter().map(|row| report.first_row + u64::from(row)));
        for facts in report.files {
            let blob = layout::accepted(run, compiled.plan(), compiled.aggregates(), generation, chunk, &facts.partition, facts.part);
            files.push(AcceptedBlob { blob, facts });
        }
    }
    let totals = proof.finish(run.chunks)?;
    let revision = revision.unwrap_or_default();
    check_revision(run, &revision, &held)?;
    let counts = Counts {
        rows: totals.rows,
        published: totals.accepted,
        corrected: revision.corrected.len(),
        rejected: totals.rejected + revision.rejected.len(),
        returned: revision.returned.len(),
        filtered: totals.filtered + revision.filtered.len(),
        duplicate: totals.duplicate,
        held: 0,
    };
    if run.counts != Some(counts) || !counts.balanced() {
        return Err(Error::bug("D0202", format!("run {} says {:?}, its accounts say {counts:?}", run.run_id, run.counts)));
    }
    files.extend(revision.files.into_iter().map(|file| AcceptedBlob { blob: file.output.blob, facts: file.facts }));
    Ok(Proven { counts, files })
}

/// Every held row is decided once, no other row is, and the files hold the corrected rows.
fn check_revision(run: &Run, revision: &Revision, held: &RoaringTreemap) -> Result<()> {
    let broken = |what: String| Err(Error::bug("D0202", format!("the decisions of run {} do not fit its held rows: {what}", run.run_id)));
    let decided = &(&revision.corrected | &revision.rejected) | &revision.filtered;
    if decided.len() != revision.decided() {
        return broken("a row has two outcomes".to_owned());
    }
    if let Some(row) = (held - &decided).min() {
        return broken(format!("row {row} is held and not decided"));
    }
    if let Some(row) = (&decided - held).min() {
        return broken(format!("row {row} is decided and was not held"));
    }
    if let Some(row) = (&revision.returned - &revision.rejected).min() {
        return broken(format!("row {row} is sent back and not rejected"));
    }
    let in_files: u64 = revision.files.iter().map(|f| f.facts.rows).sum();
    if in_files != revision.corrected.len() {
        return broken(format!("{} rows are corrected, {in_files} are in files", revision.corrected.len()));
    }
    Ok(())
}

/// First row of every chunk as planned before any row was read.
async fn planned_rows(context: &Context, run: &Run) -> Result<Vec<u64>> {
    let mut rows = Vec::with_capacity(run.chunks as usize);
    for page in 0..run.chunks.div_ceil(layout::PAGE) {
        rows.extend(layout::plan_page(context, &run.run_id, page).await?.iter().map(|c| c.first_row));
    }
    Ok(rows)
}

/// The aggregate of a run, if it was made.
///
/// # Errors
/// Those of the lake.
pub async fn load_aggregate(context: &Context, run: &Run) -> Result<Option<Aggregate>> {
    crate::runs::optional(crate::writer::read_json(context, &aggregate(run)).await)
}

/// Files by table path, for the commit.
pub(crate) fn data_files(table: &str, files: Vec<AcceptedBlob>) -> Vec<crate::delta::DataFile> {
    let prefix = format!("{table}/");
    let below = |blob: BlobPath| blob.path.strip_prefix(&prefix).map_or_else(|| blob.path.clone(), str::to_owned);
    files.into_iter().map(|file| crate::delta::DataFile { path: below(file.blob), facts: file.facts }).collect()
}

/// Counts for an audit event or a commit.
pub(crate) fn summary(counts: &Counts, files: usize) -> BTreeMap<&'static str, u64> {
    BTreeMap::from([("rows", counts.published + counts.corrected), ("corrected", counts.corrected), ("files", files as u64)])
}
