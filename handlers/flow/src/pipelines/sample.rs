//! A sample of a file, worked through by the engine as one small run, with nothing stored.

use std::sync::Arc;

use bytes::Bytes;
use sluice_engine::{
    Chunk, ChunkReport, ChunkStart, Compiled, EngineError, Overrides, Splitting, Stream, Transformer, parquet_chunks, parquet_footer_len,
    read_header, splittable,
};

use crate::{Context, Error, Result, RunId, audit, raw::Raw};

/// Most bytes of a sample, whatever the caller allows.
const MOST_BYTES: u64 = 64 << 20;
/// Most bytes of a compressed sample that are opened.
const MOST_OPENED: u64 = 32 << 20;

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

/// The bytes of a sample.
#[derive(Debug, Clone)]
pub(super) struct SampleBytes {
    /// Name of the file.
    name: String,
    /// Bytes that the whole file has.
    total: u64,
    /// Its beginning.
    bytes: Bytes,
}

impl SampleBytes {
    /// The beginning of a file of `total` bytes.
    pub(super) fn beginning(name: &str, bytes: Bytes, total: u64) -> Self {
        Self { name: name.to_owned(), total, bytes }
    }

    /// Reads at most `limit` bytes.
    pub(super) async fn read(context: &Context, sample: Sample, limit: u64) -> Result<Self> {
        let limit = limit.min(MOST_BYTES);
        match sample {
            Sample::Bytes { name, bytes } => {
                Ok(Self { name, total: bytes.len() as u64, bytes: bytes.slice(..bytes.len().min(limit as usize)) })
            }
            Sample::Run(id) => {
                let run = audit::load(context, &id).await?.run;
                let end = run.source.size.min(limit);
                let bytes = Raw::open(context, &run, 0..end).await?.read(context, 0..end).await?;
                Ok(Self { name: run.source.blob.path, total: run.source.size, bytes })
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether only the beginning of the file is there.
    pub(super) fn is_truncated(&self) -> bool {
        (self.bytes.len() as u64) < self.total
    }

    /// How the sample is read under a plan.
    ///
    /// # Errors
    /// [`crate::Kind::Refused`] `A0016` if it is only a part of a Parquet file.
    pub(super) fn kind(&self, compiled: &Compiled) -> Result<Splitting> {
        let kind = splittable(compiled.plan(), &self.bytes[..self.bytes.len().min(64)], &self.name);
        if self.is_truncated() && kind == Splitting::RowGroups {
            let message = format!(
                "a Parquet file can be tried as a whole only, since its end says how to read it: these are {} of its {} bytes; try a smaller \
                 file, or upload this one, which checks all of it",
                self.bytes.len(),
                self.total
            );
            return Err(Error::refused("A0016", message));
        }
        Ok(kind)
    }
}

/// What a chunk gave, and its account.
pub(super) type Done = (Vec<(Stream, Vec<u8>)>, ChunkReport);

/// What the engine made of a sample.
pub(super) struct Worked {
    /// Column names of the file's header.
    pub(super) header: Option<Vec<String>>,
    /// What was read.
    pub(super) chunks: Vec<Chunk>,
    /// What each chunk gave.
    pub(super) done: Vec<Done>,
    /// Rows that repeat a key.
    pub(super) repeats: Overrides,
    /// Whether there is more of the file than was worked through.
    pub(super) is_truncated: bool,
}

/// A sample on its way through the engine. The header is kept when what follows is refused.
pub(super) struct Work<'a> {
    compiled: &'a Arc<Compiled>,
    kind: Splitting,
    bytes: &'a [u8],
    file_len: u64,
    is_truncated: bool,
    /// Column names of the file's header, once it is read.
    pub(super) header: Option<Vec<String>>,
    footer: Option<Arc<[u8]>>,
}

impl<'a> Work<'a> {
    pub(super) fn new(compiled: &'a Arc<Compiled>, kind: Splitting, sample: &'a SampleBytes) -> Self {
        let (bytes, file_len, is_truncated) = (sample.bytes(), sample.total, sample.is_truncated());
        Self { compiled, kind, bytes, file_len, is_truncated, header: None, footer: None }
    }

    /// Works through all of it; twice if rows repeat a key.
    pub(super) fn run(&mut self) -> Result<Worked, EngineError> {
        let chunks = self.chunks()?;
        let mut done = self.pass(&chunks, &Overrides::default())?;
        let keys = done.iter().flat_map(|(outputs, _)| outputs).filter(|(stream, _)| *stream == Stream::Keys);
        let repeats = Overrides::find(self.compiled.keys(), keys.map(|(_, piece)| piece.as_slice()))?;
        if !repeats.is_empty() {
            done = self.pass(&chunks, &repeats)?;
        }
        Ok(Worked { header: self.header.clone(), chunks, done, repeats, is_truncated: self.is_truncated })
    }

    fn chunks(&mut self) -> Result<Vec<Chunk>, EngineError> {
        let (plan, bytes) = (self.compiled.plan(), self.bytes);
        let whole = Chunk { start: 0, end: bytes.len() as u64, first_row: 0, first_line: 1, row_groups: Vec::new() };
        Ok(match self.kind {
            Splitting::Whole => vec![whole],
            Splitting::RowGroups => {
                let len = parquet_footer_len(&bytes[bytes.len().saturating_sub(8)..])?;
                let last = &bytes[bytes.len().saturating_sub(len as usize)..];
                self.footer = Some(last.into());
                parquet_chunks(plan, last, bytes.len() as u64, MOST_BYTES)?
            }
            Splitting::Records => {
                let info = read_header(plan, bytes, !self.is_truncated)?;
                self.header = info.names;
                vec![Chunk { start: info.end, first_line: info.lines + 1, ..whole }]
            }
        })
    }

    fn pass(&mut self, chunks: &[Chunk], overrides: &Overrides) -> Result<Vec<Done>, EngineError> {
        (0u32..).zip(chunks).map(|(index, chunk)| self.chunk(index, chunk, overrides)).collect()
    }

    /// Works through one chunk. Of a file that goes on, it ends with its last whole record.
    pub(super) fn chunk(&mut self, index: u32, chunk: &Chunk, overrides: &Overrides) -> Result<Done, EngineError> {
        let start = ChunkStart {
            run: "dry-run".to_owned(),
            index,
            chunk: chunk.clone(),
            header: self.header.clone(),
            kind: self.kind,
            footer: self.footer.clone(),
            file_len: self.file_len,
        };
        let mut transformer = Transformer::new(self.compiled, start, overrides)?;
        transformer.at_most(MOST_OPENED);
        transformer.push(&self.bytes[chunk.start as usize..chunk.end as usize])?;
        let mut outputs = transformer.drain();
        self.is_truncated |= transformer.is_cut();
        let ends_early = self.is_truncated && chunk.end == self.bytes.len() as u64;
        let (last, report) = if ends_early { transformer.finish_cut()? } else { transformer.finish()? };
        outputs.extend(last);
        Ok((outputs, report))
    }
}
