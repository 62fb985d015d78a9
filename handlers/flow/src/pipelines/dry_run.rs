//! Trying a pipeline on a sample: the same engine, nothing stored.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sluice_contract::Sources;
use sluice_engine::{
    Chunk, ChunkReport, ChunkStart, Compiled, EngineError, HeldRow, Overrides, Refusal, RunReport, Splitting, Stream, Tally, Transformer,
    Verdict, parquet_chunks, parquet_footer_len, read_header, rejected_header, splittable,
};

use super::{PutError, tables::compile};
use crate::{Context, Error, Result, RunId, audit, cpu, raw::Raw};

/// What a chunk gave, and its account.
type Worked = (Vec<(Stream, Vec<u8>)>, ChunkReport);

/// What a pipeline is tried on.
#[derive(Debug, Clone)]
pub enum Sample {
    /// These bytes, as a file of this name.
    Bytes {
        /// Name of the file.
        name: String,
        /// Its content.
        bytes: Bytes,
    },
    /// The beginning of the raw copy of a past run.
    Run(RunId),
}

/// What a dry run found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DryRun {
    /// Whether only the beginning of the file was tried.
    pub truncated: bool,
    /// Column names of the file's header.
    pub header: Option<Vec<String>>,
    /// Where the rows went and why.
    pub tally: Tally,
    /// Whether each quality rule holds for the sample.
    pub verdicts: Vec<Verdict>,
    /// Why the file as a whole would be refused.
    pub refusals: Vec<Refusal>,
    /// The first rejected rows with reasons, in the file's own format.
    pub rejected: String,
    /// The first held rows.
    pub held: Vec<HeldRow>,
}

/// Most bytes of rejected rows that a dry run shows.
const REJECTED_BYTES: usize = 64 << 10;
/// Most held rows that a dry run shows.
const HELD_ROWS: usize = 50;
/// Most bytes that a dry run reads, whatever the caller allows.
const MOST_BYTES: u64 = 64 << 20;

/// Tries the texts on a sample of at most `limit` bytes. A longer text is cut after its last whole line.
///
/// # Errors
/// Every mistake in the texts; [`crate::Kind::Refused`] `A0016` if the sample is too long and cannot be cut.
pub async fn dry_run(context: &Context, sources: &Sources<'_>, sample: Sample, limit: u64) -> Result<DryRun, PutError> {
    let compiled = compile(context, sources).await?;
    let limit = limit.min(MOST_BYTES);
    let (name, total, bytes) = match sample {
        Sample::Bytes { name, bytes } => (name, bytes.len() as u64, bytes.slice(..bytes.len().min(limit as usize))),
        Sample::Run(id) => {
            let run = audit::load(context, &id).await?.run;
            let end = run.source.size.min(limit);
            let bytes = Raw::open(context, &run, 0..end).await?.read(context, 0..end).await?;
            (run.source.blob.path, run.source.size, bytes)
        }
    };
    let kind = splittable(compiled.plan(), &bytes[..bytes.len().min(64)], &name);
    let truncated = (bytes.len() as u64) < total;
    if truncated && kind != Splitting::Records {
        let message = format!("the sample has {total} bytes and cannot be cut: give one of at most {}", bytes.len());
        return Err(Error::refused("A0016", message).into());
    }
    let done = cpu::run(bytes.len(), move || try_out(&compiled, kind, &bytes, truncated)).await?;
    Ok(done.map_err(Error::from)?)
}

fn try_out(compiled: &Arc<Compiled>, kind: Splitting, bytes: &[u8], truncated: bool) -> Result<DryRun, EngineError> {
    let mut found = DryRun {
        truncated,
        header: None,
        tally: Tally::default(),
        verdicts: Vec::new(),
        refusals: Vec::new(),
        rejected: String::new(),
        held: Vec::new(),
    };
    match run_sample(compiled, kind, bytes, truncated, &mut found) {
        Err(EngineError::Refused(refusal)) => found.refusals.push(refusal),
        other => other?,
    }
    Ok(found)
}

fn run_sample(compiled: &Arc<Compiled>, kind: Splitting, bytes: &[u8], truncated: bool, found: &mut DryRun) -> Result<(), EngineError> {
    let plan = compiled.plan();
    let mut footer: Option<Arc<[u8]>> = None;
    let whole = Chunk { start: 0, end: bytes.len() as u64, first_row: 0, first_line: 1, row_groups: Vec::new() };
    let chunks = match kind {
        Splitting::Whole => vec![whole],
        Splitting::RowGroups => {
            let len = parquet_footer_len(&bytes[bytes.len().saturating_sub(8)..])?;
            let last = &bytes[bytes.len().saturating_sub(len as usize)..];
            footer = Some(last.into());
            parquet_chunks(plan, last, bytes.len() as u64, MOST_BYTES)?
        }
        Splitting::Records => {
            let info = read_header(plan, bytes, !truncated)?;
            found.header.clone_from(&info.names);
            let end = if truncated { bytes.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1) } else { bytes.len() };
            vec![Chunk { start: info.end, end: (end as u64).max(info.end), first_line: info.lines + 1, ..whole }]
        }
    };
    let run = |overrides: &Overrides| -> Result<Vec<Worked>, EngineError> {
        let mut done = Vec::new();
        for (index, chunk) in (0u32..).zip(&chunks) {
            let start = ChunkStart {
                run: "dry-run".to_owned(),
                index,
                chunk: chunk.clone(),
                header: found.header.clone(),
                kind,
                footer: footer.clone(),
                file_len: bytes.len() as u64,
            };
            let mut transformer = Transformer::new(compiled, start, overrides)?;
            transformer.push(&bytes[chunk.start as usize..chunk.end as usize])?;
            let mut outputs = transformer.drain();
            let (last, report) = transformer.finish()?;
            outputs.extend(last);
            done.push((outputs, report));
        }
        Ok(done)
    };
    let mut done = run(&Overrides::default())?;
    let keys = done.iter().flat_map(|(outputs, _)| outputs).filter(|(stream, _)| *stream == Stream::Keys);
    let repeats = Overrides::find(compiled.keys(), keys.map(|(_, piece)| piece.as_slice()))?;
    if !repeats.is_empty() {
        done = run(&repeats)?;
    }
    let mut report = RunReport::default();
    let mut rejected = rejected_header(compiled, found.header.as_deref());
    let mut held = Vec::new();
    for (outputs, chunk) in &done {
        report.merge(chunk);
        for (stream, piece) in outputs {
            match stream {
                Stream::Rejected => rejected.extend_from_slice(piece),
                Stream::Held => held.extend_from_slice(piece),
                Stream::Accepted { .. } | Stream::Keys => {}
            }
        }
    }
    rejected.truncate(REJECTED_BYTES);
    found.rejected = String::from_utf8_lossy(&rejected).into_owned();
    let lines = held.split(|b| *b == b'\n').filter(|l| !l.is_empty()).take(HELD_ROWS);
    for line in lines {
        found.held.push(serde_json::from_slice(line).map_err(|e| EngineError::Bug(format!("a held row is not what was written: {e}")))?);
    }
    found.verdicts = report.verdicts(compiled.plan(), &repeats);
    found.refusals = report.refusals(compiled.plan(), &repeats);
    found.tally = report.tally;
    Ok(())
}
