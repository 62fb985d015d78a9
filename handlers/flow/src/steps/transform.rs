//! Transform: one chunk through the engine, its outputs into the lake, its account into the ledger.

use std::{collections::BTreeMap, sync::Arc};

use futures::TryStreamExt as _;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sluice_engine::{Chunk, ChunkReport, ChunkStart, Compiled, EngineError, Overrides, Splitting, Stream, Transformer};

use super::{Begin, begin, messages, resume::transform_parts};
use crate::{
    Context, Error, Message, Outputs, Result, Step, Write,
    audit::{self, Actor, Change},
    catalog::body,
    cpu,
    exclusions::Exclusions,
    fanin, layout,
    ledger::ChunkLedger,
    parquet_footer,
    raw::Raw,
    run::{Run, State},
    writer::{self, BlobWriter, Output},
};

/// A chunk that is done; document `chunk:<generation>:<n>`, kind `chunk`. Its account is in the lake ([`layout::ledger`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkDone {
    /// 0-based.
    pub index: u32,
    /// 0, or 1 if rows were taken out by run-wide checks.
    pub generation: u32,
    /// Number of its first row.
    pub first_row: u64,
    /// Rows.
    pub rows: u64,
    /// Rows ready to be published.
    pub accepted: u64,
    /// Rejected rows.
    pub rejected: u64,
    /// Rows waiting for a person.
    pub held: u64,
    /// Size of its key records in bytes.
    pub key_bytes: u64,
    /// RFC 3339.
    pub done_at: String,
}

/// Transforms part `message.first`, unless that was done before; the last one to be done starts the gathering. In generation 0 a part is a
/// chunk, in generation 1 one of the chunks with rows that are taken out.
///
/// # Errors
/// [`crate::Kind::Refused`] with the engine's code if the file as a whole is at fault; [`crate::Kind::Permanent`] `I0001`, `I0002`; those of
/// lake and catalog.
pub async fn run(context: &Context, message: Message) -> Result<Outputs> {
    let read = match begin(context, &message, State::Transforming).await? {
        Begin::Work(read) => read,
        Begin::Later(run) if run.state == State::Gathering && run.generation == message.generation => return messages(context, &run).await,
        Begin::Later(_) => return Ok(Outputs::none()),
        Begin::Over(outputs) => return Ok(outputs),
    };
    let run = &read.run;
    let (part, parts, index, overrides) = part(context, run, message.first).await?;
    if context.catalog.get(&run.run_id.partition(), &layout::chunk_id(run.generation, index)).await?.is_none() {
        transform(context, run, index, overrides).await?;
    }
    if !fanin::done(context, &run.run_id, Step::Transform, run.generation, parts, part).await? {
        return Ok(Outputs::none());
    }
    let generation = run.generation;
    let run = audit::update_read(context, &read, |run| {
        if run.state != State::Transforming || run.generation != generation {
            return Ok(None);
        }
        run.state = State::Gathering;
        let detail = json!({ "chunks": parts, "generation": generation });
        Ok(Some(Change { actor: Actor::step("transform"), action: "run.transformed", detail, writes: Vec::new() }))
    })
    .await?;
    if run.state == State::Gathering && run.generation == generation { messages(context, &run).await } else { Ok(Outputs::none()) }
}

/// The part, how many there are, the chunk it stands for, and the rows that are taken out of it.
async fn part(context: &Context, run: &Run, part: u32) -> Result<(u32, u32, u32, Option<Exclusions>)> {
    let none = || Error::bug("M0004", format!("run {} has no part {part} to transform in generation {}", run.run_id, run.generation));
    if run.generation == 0 {
        let parts = transform_parts(context, run).await?;
        return if part < parts { Ok((part, parts, part, None)) } else { Err(none()) };
    }
    let exclusions = Exclusions::load(context, run).await?;
    let index = *exclusions.chunks.get(part as usize).ok_or_else(none)?;
    Ok((part, exclusions.chunks.len() as u32, index, Some(exclusions)))
}

async fn transform(context: &Context, run: &Run, index: u32, exclusions: Option<Exclusions>) -> Result<()> {
    let _place = context.places.chunk().await?;
    let compiled = context.plans.of_run(context, run).await?;
    let chunk = layout::chunk(context, &run.run_id, index).await?;
    let overrides = match exclusions {
        Some(exclusions) => exclusions.of_chunk(context, run, index).await?,
        None => Overrides::default(),
    };
    let (range, first_row) = (chunk.start..chunk.end, chunk.first_row);
    let raw = Raw::open(context, run, range.clone()).await?;
    let mut engine = start(context, run, &compiled, index, chunk, &overrides).await?;
    let mut outputs = ChunkOutputs { run, compiled: &compiled, index, writers: BTreeMap::new() };
    let mut pieces = std::pin::pin!(raw.pieces(context, range));
    let mut ahead = pieces.try_next().await?;
    let mut ready = Vec::new();
    // Three things at once: the engine works on a piece, the next one is read, and what came out of the last one is written.
    while let Some(bytes) = ahead {
        let work = cpu::run(bytes.len(), move || {
            engine.push(&bytes)?;
            let drained = engine.drain();
            Ok::<_, EngineError>((engine, drained))
        });
        let (worked, next, written) = tokio::join!(work, pieces.try_next(), outputs.write(context, std::mem::take(&mut ready)));
        written?;
        (engine, ready) = worked??;
        ahead = next?;
    }
    outputs.write(context, ready).await?;
    // What is left to do is about a row group of Arrow data, whatever the size of the chunk.
    let (last, report) = cpu::run(usize::MAX, move || engine.finish()).await??;
    outputs.write(context, last).await?;
    let key_bytes = outputs.writers.get(&Stream::Keys).map_or(0, BlobWriter::len);
    let written = outputs.finish(context).await?;
    account(context, run, report, written, first_row, key_bytes).await
}

async fn start(
    context: &Context,
    run: &Run,
    compiled: &Arc<Compiled>,
    index: u32,
    chunk: Chunk,
    overrides: &Overrides,
) -> Result<Transformer> {
    let size = run.source.size;
    let kind = run.splitting.ok_or_else(|| Error::bug("J0504", format!("run {} has no pipeline", run.run_id)))?;
    let footer = match kind {
        Splitting::RowGroups => {
            // The footer says itself how long it is: all of the file may be asked for.
            let end = Raw::open(context, run, size.saturating_sub(parquet_footer::MOST_BYTES)..size).await?;
            Some(parquet_footer::read(context, &end, size).await?)
        }
        Splitting::Records | Splitting::Whole => None,
    };
    let start = ChunkStart { run: run.run_id.to_string(), index, chunk, header: run.header.clone(), kind, footer, file_len: size };
    Ok(Transformer::new(compiled, start, overrides)?)
}

/// Notes the chunk as done: first its account in the lake, then the document that says so.
async fn account(context: &Context, run: &Run, report: ChunkReport, outputs: Vec<Output>, first_row: u64, key_bytes: u64) -> Result<()> {
    let (index, generation) = (report.index, run.generation);
    report.check_balance().map_err(|e| Error::bug("J0301", format!("the ledger does not balance in chunk {index}: {e}")))?;
    let totals = report.tally.totals;
    let ledger = ChunkLedger { report, outputs };
    writer::write_json(context, layout::ledger(run, generation, index), &ledger).await?;
    let done = ChunkDone {
        index,
        generation,
        first_row,
        rows: totals.rows,
        accepted: totals.accepted,
        rejected: totals.rejected,
        held: totals.held,
        key_bytes,
        done_at: context.now(),
    };
    let write = Write::Create { id: layout::chunk_id(generation, index), kind: "chunk", body: body(&done)? };
    // A conflict means that the same message was worked on twice at once: both did the same.
    context.catalog.commit(&run.run_id.partition(), vec![write]).await.map(drop)
}

/// The blobs of a chunk, one for each stream.
struct ChunkOutputs<'a> {
    run: &'a Run,
    compiled: &'a Compiled,
    index: u32,
    writers: BTreeMap<Stream, BlobWriter>,
}

impl ChunkOutputs<'_> {
    async fn write(&mut self, context: &Context, pieces: Vec<(Stream, Vec<u8>)>) -> Result<()> {
        for (stream, bytes) in pieces.into_iter().filter(|(_, bytes)| !bytes.is_empty()) {
            let path = self.path(&stream);
            let piece = self.run.piece_bytes;
            self.writers.entry(stream).or_insert_with(|| BlobWriter::new(path, piece)).write(context, &bytes).await?;
        }
        Ok(())
    }

    fn path(&self, stream: &Stream) -> crate::BlobPath {
        let (run, generation, index, plan) = (self.run, self.run.generation, self.index, self.compiled.plan());
        match stream {
            Stream::Accepted { partition, part } => {
                layout::accepted(run, plan, self.compiled.aggregates(), generation, index, partition, *part)
            }
            Stream::Rejected => layout::rejected(run, plan, generation, index),
            Stream::Held => layout::held(run, generation, index),
            Stream::Keys => layout::keys(run, generation, index),
        }
    }

    async fn finish(self, context: &Context) -> Result<Vec<Output>> {
        let mut outputs = Vec::with_capacity(self.writers.len());
        for writer in self.writers.into_values() {
            outputs.push(writer.finish(context).await?);
        }
        outputs.sort_by(|a, b| a.blob.cmp(&b.blob));
        Ok(outputs)
    }
}
