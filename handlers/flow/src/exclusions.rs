//! Rows that repeat a key of the run. They are found in passes over the key records of all chunks, each pass within the memory allowed, and
//! kept in blobs sorted by row with an index by chunk, so that a chunk reads its own rows only.

use std::{collections::BTreeMap, ops::Range};

use futures::{StreamExt as _, TryStreamExt as _};
use serde::{Deserialize, Serialize};
use sluice_engine::{Compiled, Exclude, KEY_RECORD_BYTES, KeyPass, Overrides};

use crate::{
    BlobPath, Context, Error, Result, cpu, layout,
    run::Run,
    writer::{self, BlobWriter},
};

/// What one pass found; blob `review/<run>/exclusions/<passes>-<pass>.json`, unless there is one pass only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    /// Key rule to the number of rows that repeat a key.
    pub repeats: BTreeMap<String, u64>,
    /// Chunk to its bytes in `review/<run>/exclusions/<passes>-<pass>.ndjson`.
    pub ranges: BTreeMap<u32, Range<u64>>,
}

/// What all passes found; blob `review/<run>/exclusions.json`, there only if rows are taken out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exclusions {
    /// Chunks with rows that are taken out, in order: part `n` of a transform of generation 1 is the `n`th of them.
    pub chunks: Vec<u32>,
    /// Key rule to the number of rows that repeat a key.
    pub repeats: BTreeMap<String, u64>,
    /// Each pass's ranges.
    pub passes: Vec<BTreeMap<u32, Range<u64>>>,
}

/// One line of a pass.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    row: u64,
    why: Vec<Exclude>,
}

fn blob(run: &Run) -> BlobPath {
    run.review("exclusions.json")
}

/// Passes of another number of passes look at other keys, so that number is part of the name.
fn pass_blob(run: &Run, passes: u32, pass: u32, extension: &str) -> BlobPath {
    run.review(&format!("exclusions/{passes:06}-{pass:06}.{extension}"))
}

impl Exclusions {
    /// Those of a run in generation 1.
    ///
    /// # Errors
    /// Those of the lake.
    pub async fn load(context: &Context, run: &Run) -> Result<Self> {
        writer::read_json(context, &blob(run)).await
    }

    /// Stores them, create-only: what is there already, from passes of another size perhaps, is as good and is what counts.
    ///
    /// # Errors
    /// Those of the lake.
    pub async fn store(self, context: &Context, run: &Run) -> Result<Self> {
        if context.lake.head(&blob(run)).await?.is_some() {
            return Self::load(context, run).await;
        }
        writer::write_json(context, blob(run), &self).await?;
        Ok(self)
    }

    /// Adds a pass.
    fn add(&mut self, pass: Pass) {
        for (rule, count) in pass.repeats {
            *self.repeats.entry(rule).or_default() += count;
        }
        self.chunks.extend(pass.ranges.keys());
        self.passes.push(pass.ranges);
        self.chunks.sort_unstable();
        self.chunks.dedup();
    }

    /// The rows of a chunk that are taken out.
    ///
    /// # Errors
    /// Those of the lake; [`crate::Kind::Bug`] `K0500` if a line has another shape.
    pub async fn of_chunk(&self, context: &Context, run: &Run, chunk: u32) -> Result<Overrides> {
        let mut all = Overrides::default();
        for (pass, ranges) in (0u32..).zip(&self.passes) {
            let Some(range) = ranges.get(&chunk) else { continue };
            let path = pass_blob(run, self.passes.len() as u32, pass, "ndjson");
            let bytes = context.lake.read(&path, range.clone(), None).await?;
            for line in bytes.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
                let Line { row, why } = serde_json::from_slice(line)
                    .map_err(|e| Error::bug("K0500", format!("{path} does not have the expected shape")).because(e))?;
                all.merge(Overrides { rows: BTreeMap::from([(row, why)]), repeats: BTreeMap::new() });
            }
        }
        Ok(all)
    }
}

/// Where the search for repeated keys stands.
pub(crate) enum Search {
    /// One more pass is done, others remain.
    Unfinished,
    /// All passes are done.
    Done(Exclusions),
}

/// Does the next pass, if one remains. `first_rows` are those of the chunks, in order; `keys` is the size of each chunk's key records in bytes.
pub(crate) async fn search(context: &Context, run: &Run, compiled: &Compiled, first_rows: &[u64], keys: &[u64]) -> Result<Search> {
    let mut exclusions = Exclusions::default();
    let records: u64 = keys.iter().sum::<u64>() / KEY_RECORD_BYTES as u64;
    if records == 0 {
        return Ok(Search::Done(exclusions));
    }
    let passes = u32::try_from(records.div_ceil(context.sizes.keys_in_memory.max(1))).unwrap_or(u32::MAX);
    let mut worked = false;
    for pass in 0..passes {
        let index = pass_blob(run, passes, pass, "json");
        let found = if passes > 1 && context.lake.head(&index).await?.is_some() {
            writer::read_json(context, &index).await?
        } else if worked {
            return Ok(Search::Unfinished);
        } else {
            worked = true;
            let found = do_pass(context, run, compiled, (pass, passes), first_rows, keys).await?;
            if passes > 1 {
                writer::write_json(context, index, &found).await?;
            }
            found
        };
        exclusions.add(found);
    }
    Ok(Search::Done(exclusions))
}

async fn do_pass(
    context: &Context,
    run: &Run,
    compiled: &Compiled,
    (pass, passes): (u32, u32),
    first_rows: &[u64],
    keys: &[u64],
) -> Result<Pass> {
    let mut finder = KeyPass::new(compiled.keys(), pass, passes);
    // Whole records, so that pieces of different chunks can follow each other.
    let piece = run.piece_bytes / KEY_RECORD_BYTES as u64 * KEY_RECORD_BYTES as u64;
    let pieces: Vec<(BlobPath, Range<u64>)> = (0u32..)
        .zip(keys)
        .flat_map(|(chunk, bytes)| {
            let path = layout::keys(run, 0, chunk);
            (0..*bytes).step_by(piece as usize).map(move |start| (path.clone(), start..(start + piece).min(*bytes)))
        })
        .collect();
    let mut pieces = futures::stream::iter(pieces)
        .map(|(path, range)| async move {
            let bytes = context.lake.read(&path, range.clone(), None).await?;
            let whole = bytes.len() as u64 == range.end - range.start;
            if whole { Ok(bytes) } else { Err(Error::bug("J0503", format!("expected {} bytes of key records in {path}", range.end))) }
        })
        .buffered(4);
    while let Some(bytes) = pieces.try_next().await? {
        finder = cpu::run(bytes.len(), move || finder.feed(&bytes).map(|()| finder)).await??;
    }
    let found = finder.finish()?;
    let lines = BlobWriter::new(pass_blob(run, passes, pass, "ndjson"), run.piece_bytes);
    store_lines(context, lines, found, first_rows).await
}

/// Stores the rows of a pass, sorted, and notes where those of each chunk are.
async fn store_lines(context: &Context, mut lines: BlobWriter, found: Overrides, first_rows: &[u64]) -> Result<Pass> {
    let mut index = Pass { repeats: found.repeats, ranges: BTreeMap::new() };
    for (row, why) in found.rows {
        let mut line =
            serde_json::to_vec(&Line { row, why }).map_err(|e| Error::bug("K0501", "an exclusion could not be serialized").because(e))?;
        line.push(b'\n');
        let chunk = first_rows.partition_point(|first| *first <= row).saturating_sub(1) as u32;
        let (start, end) = (lines.len(), lines.len() + line.len() as u64);
        index.ranges.entry(chunk).or_insert(start..end).end = end;
        lines.write(context, &line).await?;
    }
    if !index.ranges.is_empty() {
        lines.finish(context).await?;
    }
    Ok(index)
}
