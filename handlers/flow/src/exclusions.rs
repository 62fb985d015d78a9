//! Rows that repeat a key of the run. They are found in passes over the key records of all chunks, each pass within the memory allowed, and
//! kept in blobs in the order of chunks with an index by chunk, so that a chunk reads its own rows only.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
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

/// Does the next pass, if one remains. `keys` is the size of each chunk's key records in bytes, in the order of chunks.
pub(crate) async fn search(context: &Context, run: &Run, compiled: &Compiled, keys: &[u64]) -> Result<Search> {
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
            let found = do_pass(context, run, compiled, (pass, passes), keys).await?;
            if passes > 1 {
                writer::write_json(context, index, &found).await?;
            }
            found
        };
        exclusions.add(found);
    }
    Ok(Search::Done(exclusions))
}

async fn do_pass(context: &Context, run: &Run, compiled: &Compiled, (pass, passes): (u32, u32), keys: &[u64]) -> Result<Pass> {
    let mut finder = KeyPass::new(compiled.keys(), pass, passes);
    let mut records = pieces(context, run, keys);
    while let Some((_, bytes)) = records.try_next().await? {
        finder = cpu::run(bytes.len(), move || finder.feed(&bytes).map(|()| finder)).await??;
    }
    let repeated = Arc::new(finder.finish());
    let mut found = Pass::default();
    if repeated.is_empty() {
        return Ok(found);
    }
    // The records are read once more, so that nothing kept in memory grows with the rows that repeat a key.
    let mut lines = BlobWriter::new(pass_blob(run, passes, pass, "ndjson"), run.piece_bytes);
    let mut records = pieces(context, run, keys);
    while let Some((chunk, bytes)) = records.try_next().await? {
        let keys = repeated.clone();
        let repeats = cpu::run(bytes.len(), move || keys.repeats(&bytes)).await??;
        let mut rows = Overrides::default();
        for repeat in repeats {
            rows.add(compiled.keys(), repeat);
        }
        for (rule, count) in rows.repeats {
            *found.repeats.entry(rule).or_default() += count;
        }
        for (row, why) in rows.rows {
            let mut line = serde_json::to_vec(&Line { row, why })
                .map_err(|e| Error::bug("K0501", "an exclusion could not be serialized").because(e))?;
            line.push(b'\n');
            let (start, end) = (lines.len(), lines.len() + line.len() as u64);
            found.ranges.entry(chunk).or_insert(start..end).end = end;
            lines.write(context, &line).await?;
        }
    }
    if !lines.is_empty() {
        lines.finish(context).await?;
    }
    Ok(found)
}

/// The key records of all chunks in pieces of whole records, each with its chunk, in order.
fn pieces<'a>(context: &'a Context, run: &'a Run, keys: &'a [u64]) -> BoxStream<'a, Result<(u32, Bytes)>> {
    let piece = run.piece_bytes / KEY_RECORD_BYTES as u64 * KEY_RECORD_BYTES as u64;
    let ranges = (0u32..)
        .zip(keys)
        .flat_map(move |(chunk, bytes)| (0..*bytes).step_by(piece as usize).map(move |start| (chunk, start..(start + piece).min(*bytes))));
    let read = move |(chunk, range): (u32, Range<u64>)| async move {
        let path = layout::keys(run, 0, chunk);
        let bytes = context.lake.read(&path, range.clone(), None).await?;
        let whole = bytes.len() as u64 == range.end - range.start;
        if whole { Ok((chunk, bytes)) } else { Err(Error::bug("J0503", format!("expected {} bytes of key records in {path}", range.end))) }
    };
    futures::stream::iter(ranges).map(read).buffered(4).boxed()
}
