//! A local file through the engine: the steps of a run (seal, transform, gather) without a cloud, in flat memory.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::ProgressBar;
use sluice_engine::{
    Chunk, ChunkReport, ChunkStart, Chunker, Compiled, EngineError, HeaderEnd, Overrides, Refusal, RunReport, Splitting, Transformer,
    parquet_chunks, parquet_footer_len, read_header, splittable,
};

use super::chunk_outputs::{Outputs, accepted_folder, report_file};
use super::joined::InOrder;
use super::repeats::{self, Search};
use super::supply::{Supply, Work};
use crate::fault::FileContext as _;
use crate::{Fault, Result};

/// Bytes of a chunk, about; the unit of parallel work.
pub(super) const CHUNK_BYTES: u64 = 8 << 20;
/// Bytes handed to the engine at once.
pub(super) const PIECE: usize = 256 << 10;
/// Most bytes looked at for a header, beside the longest row.
const HEADER_ROOM: u64 = 1 << 20;
/// Bytes of a chunk of Parquet, about. Read, they are several times as many, and so are the rows that wait to be encoded.
const PARQUET_CHUNK_BYTES: u64 = 4 << 20;

/// What is kept of the rows.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Keep {
    pub(crate) accepted: bool,
    pub(crate) rejected: bool,
}

/// What a file turned out to be.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// No row of it can be taken.
    Refused(Refusal),
    /// Every row was looked at.
    Read(Scan),
}

/// The account of a file, and where its outputs are.
#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) report: RunReport,
    /// How many rows repeat a key, by its rule.
    pub(crate) repeats: Overrides,
    pub(crate) header: Option<Vec<String>>,
    pub(crate) chunks: usize,
}

/// A scan in the making.
pub(crate) struct Scanning<'a> {
    pub(crate) compiled: &'a Arc<Compiled>,
    pub(crate) path: &'a Path,
    /// An empty folder for the outputs of the chunks.
    pub(crate) work: &'a Path,
    pub(crate) keep: Keep,
    /// Takes accepted rows as soon as their chunk is done: for files whose rows do not depend on each other.
    pub(crate) joined: Option<&'a InOrder>,
    pub(crate) threads: usize,
    pub(crate) bar: &'a ProgressBar,
    /// Set to stop early.
    pub(crate) stop: &'a AtomicBool,
}

/// How the file is cut.
struct Layout {
    kind: Splitting,
    chunks: Vec<Chunk>,
    header: Option<Vec<String>>,
    footer: Option<Arc<[u8]>>,
    file_len: u64,
}

/// Why a scan ends early.
pub(super) enum Stop {
    Refused(Refusal),
    Fault(Fault),
}

impl From<EngineError> for Stop {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Refused(refusal) => Self::Refused(refusal),
            EngineError::Bug(_) => Self::Fault(Fault::internal(error.to_string())),
        }
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Self::Fault(Fault::usage(format!("cannot read or write: {error}")))
    }
}

impl Scanning<'_> {
    /// Reads the whole file.
    pub(crate) fn run(&self) -> Result<Outcome> {
        match self.try_run() {
            Ok(scan) => Ok(Outcome::Read(scan)),
            Err(Stop::Refused(refusal)) => Ok(Outcome::Refused(refusal)),
            Err(Stop::Fault(fault)) => Err(fault),
        }
    }

    fn try_run(&self) -> Result<Scan, Stop> {
        let (mut layout, supply) = self.layout()?;
        self.transform(&layout, &supply, false)?;
        if let Some(chunks) = supply.into_cut() {
            layout.chunks = chunks;
        }
        let check_stop = || self.check_stop();
        let search = Search { rules: self.compiled.keys(), work: self.work, chunks: layout.chunks.len(), check_stop: &check_stop };
        let found = search.run()?;
        if !found.chunks.is_empty() {
            self.bar.inc_length(found.chunks.iter().map(|i| layout.chunks[*i].end - layout.chunks[*i].start).sum());
            self.transform(&layout, &Supply::known(&layout.chunks, found.chunks.iter().copied()), true)?;
        }
        let mut report = RunReport::default();
        for index in 0..layout.chunks.len() {
            report.merge(&self.chunk_report(index)?);
        }
        let repeats = Overrides { repeats: found.counts, ..Overrides::default() };
        Ok(Scan { report, repeats, header: layout.header, chunks: layout.chunks.len() })
    }

    /// How the file is cut, and the chunks of the first pass.
    fn layout(&self) -> Result<(Layout, Supply), Stop> {
        let plan = self.compiled.plan();
        let mut file = File::open(self.path).file("read", self.path)?;
        let file_len = file.metadata()?.len();
        let name = self.path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let head = read_up_to(&mut file, plan.pipeline.limits.row_bytes.saturating_add(HEADER_ROOM))?;
        let kind = splittable(plan, &head, &name);
        let listed = |layout: Layout| {
            let supply = Supply::known(&layout.chunks, 0..layout.chunks.len());
            (layout, supply)
        };
        let whole = |chunks| Layout { kind, chunks, header: None, footer: None, file_len };
        match kind {
            Splitting::Whole => {
                let chunk = Chunk { start: 0, end: file_len, first_row: 0, first_line: 1, row_groups: Vec::new() };
                Ok(listed(whole(vec![chunk])))
            }
            Splitting::RowGroups => {
                let footer = footer(&mut file, file_len)?;
                let chunks = parquet_chunks(plan, &footer, file_len, PARQUET_CHUNK_BYTES)?;
                Ok(listed(Layout { footer: Some(footer.into()), ..whole(chunks) }))
            }
            Splitting::Records => {
                let header = read_header(plan, &head, head.len() as u64 == file_len)?;
                let chunker = Chunker::new(plan, HeaderEnd::from(&header), CHUNK_BYTES);
                file.seek(SeekFrom::Start(0))?;
                let supply = Supply::cut(self.path, file, file_len, chunker);
                Ok((Layout { header: header.names, ..whole(Vec::new()) }, supply))
            }
        }
    }

    fn check_stop(&self) -> Result<(), Stop> {
        if self.stop.load(Ordering::Relaxed) { Err(Stop::Fault(Fault::interrupted())) } else { Ok(()) }
    }

    /// Works through the chunks on all threads, perhaps without the rows that repeat a key; the first fault, by the order of chunks, ends it.
    fn transform(&self, layout: &Layout, supply: &Supply, is_again: bool) -> Result<(), Stop> {
        let failed: Mutex<Option<(usize, Stop)>> = Mutex::new(None);
        let fail = |index: usize, stop: Stop| {
            let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
            if failed.as_ref().is_none_or(|(first, _)| index < *first) {
                *failed = Some((index, stop));
            }
        };
        let has_failed = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..self.threads.max(1) {
                scope.spawn(|| {
                    while !has_failed.load(Ordering::Relaxed) {
                        let (index, result) = match supply.next(|| self.check_stop()) {
                            Ok(None) => return,
                            Ok(Some(work)) => (work.index, self.chunk(layout, supply, work, is_again)),
                            // What was cut before comes first.
                            Err(stop) => (usize::MAX, Err(stop)),
                        };
                        if let Err(stop) = result {
                            has_failed.store(true, Ordering::Relaxed);
                            fail(index, stop);
                        }
                    }
                });
            }
        });
        match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some((_, stop)) => Err(stop),
            None => Ok(()),
        }
    }

    fn chunk(&self, layout: &Layout, supply: &Supply, work: Work, is_again: bool) -> Result<(), Stop> {
        let Work { index, chunk, held } = work;
        let overrides = if is_again { repeats::of_chunk(self.compiled.keys(), self.work, index)? } else { Overrides::default() };
        let start = ChunkStart {
            run: "check".to_owned(),
            index: index as u32,
            chunk: chunk.clone(),
            header: layout.header.clone(),
            kind: layout.kind,
            footer: layout.footer.clone(),
            file_len: layout.file_len,
        };
        let mut transformer = Transformer::new(self.compiled, start, &overrides)?;
        // A file that is one chunk may have more accepted rows than memory holds.
        let holds_accepted = self.joined.is_some() && layout.kind != Splitting::Whole;
        let mut outputs = Outputs::new(self.work, index, self.keep, holds_accepted);
        let mut push = |bytes: &[u8]| -> Result<(), Stop> {
            self.check_stop()?;
            transformer.push(bytes)?;
            outputs.write(transformer.drain())?;
            self.bar.inc(bytes.len() as u64);
            Ok(())
        };
        match held {
            Some((bytes, from)) => {
                push(&bytes[from..])?;
                supply.give_back(bytes);
            }
            None => each_piece(self.path, chunk.start, chunk.end, &mut push)?,
        }
        let (pieces, report) = transformer.finish()?;
        outputs.write(pieces)?;
        report.check_balance().map_err(|what| Fault::internal(format!("the rows of chunk {index} do not add up: {what}")))?;
        let text = serde_json::to_vec(&report).map_err(|e| Fault::internal(e.to_string()))?;
        std::fs::write(report_file(self.work, index), text)?;
        if let Some(joined) = self.joined {
            joined.add(index, outputs.accepted()?, &accepted_folder(self.work, index))?;
        }
        Ok(())
    }

    fn chunk_report(&self, index: usize) -> Result<ChunkReport, Stop> {
        let text = std::fs::read(report_file(self.work, index))?;
        serde_json::from_slice(&text).map_err(|e| Stop::Fault(Fault::internal(e.to_string())))
    }
}

fn read_up_to(file: &mut File, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn footer(file: &mut File, file_len: u64) -> Result<Vec<u8>, Stop> {
    let tail = |file: &mut File, len: u64| {
        file.seek(SeekFrom::Start(file_len - len))?;
        read_up_to(file, len)
    };
    let last = tail(file, file_len.min(8))?;
    let len = parquet_footer_len(&last)?;
    Ok(tail(file, len.min(file_len))?)
}

pub(super) fn became_shorter(path: &Path) -> Stop {
    Fault::usage(format!("{} became shorter while it was read", path.display())).into()
}

/// Hands the bytes `from..to` of a file on, piece by piece.
fn each_piece(path: &Path, from: u64, to: u64, mut take: impl FnMut(&[u8]) -> Result<(), Stop>) -> Result<(), Stop> {
    let mut file = File::open(path).file("read", path)?;
    file.seek(SeekFrom::Start(from))?;
    let mut left = to - from;
    let mut piece = vec![0; PIECE];
    while left > 0 {
        let most = left.min(PIECE as u64) as usize;
        let read = file.read(&mut piece[..most])?;
        if read == 0 {
            return Err(became_shorter(path));
        }
        take(&piece[..read])?;
        left -= read as u64;
    }
    Ok(())
}
