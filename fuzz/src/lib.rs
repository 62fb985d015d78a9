//! A run on a desk, through the public API of the engine: a file is cut, every chunk is transformed, keys that repeat are taken out, and
//! everything that a run says about its rows is kept, so that two runs can be compared.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use sluice_engine::{ChunkReport, ChunkStart, Compiled, EngineError, HeldRow, Overrides, Refusal, RunReport, Stream, Transformer};

#[path = "../../handlers/engine/src/tests/desk.rs"]
mod desk;
#[path = "../../handlers/engine/src/tests/plans.rs"]
mod plans;

pub use desk::Cut;

impl Cut {
    /// A cut that three bytes choose.
    pub fn of([segment, chunk, piece]: [u8; 3]) -> Self {
        Self { segment: usize::from(segment) + 1, chunk: u64::from(chunk) + 1, piece: usize::from(piece) + 1 }
    }
}

/// What a run says, without what depends on the cut.
#[derive(Debug, PartialEq)]
pub struct Outcome {
    /// Where each row ended.
    pub ends: Vec<&'static str>,
    pub accepted: Option<RecordBatch>,
    pub rejected: String,
    pub held: Vec<HeldRow>,
    pub report: RunReport,
    pub overrides: Overrides,
}

/// Compiles a pipeline (its `intake.format` and further keys) over the columns of a contract, both as YAML.
pub fn compile(format: &str, columns: &str, rest: &str) -> Arc<Compiled> {
    plans::compile(plans::plan(format, columns, rest))
}

/// A file through the whole engine. A fault of the program is a panic: no bytes may cause one.
///
/// # Errors
/// The file is refused.
pub fn run(compiled: &Arc<Compiled>, bytes: &[u8], cut: Cut) -> Result<Outcome, Refusal> {
    let refused = |error| match error {
        EngineError::Refused(refusal) => refusal,
        EngineError::Bug(bug) => panic!("a fault of the engine: {bug}"),
    };
    let starts = desk::starts(compiled, bytes, cut)?;
    let mut pass = Pass::of(compiled, bytes, &starts, cut, &Overrides::default()).map_err(refused)?;
    let overrides = Overrides::find(compiled.keys(), std::iter::once(pass.keys.as_slice())).map_err(refused)?;
    if !overrides.is_empty() {
        pass = Pass::of(compiled, bytes, &starts, cut, &overrides).map_err(refused)?;
    }
    Ok(pass.outcome(overrides))
}

/// A file through the whole engine, cut as three bytes choose and not at all, which must say the same. `None` if it is refused.
pub fn run_both(compiled: &Arc<Compiled>, bytes: &[u8], cut: [u8; 3]) -> Option<Outcome> {
    let whole = run(compiled, bytes, Cut::NONE);
    assert_same(&run(compiled, bytes, Cut::of(cut)), &whole);
    whole.ok()
}

/// Whether the engine opens a file before it reads its text, which places are then counted in.
pub fn is_compressed(file: &[u8]) -> bool {
    file.starts_with(b"\x1f\x8b") || file.starts_with(b"\x28\xb5\x2f\xfd")
}

#[derive(Default)]
struct Pass {
    reports: Vec<ChunkReport>,
    accepted: Vec<RecordBatch>,
    rejected: Vec<u8>,
    held: Vec<u8>,
    keys: Vec<u8>,
}

impl Pass {
    fn of(compiled: &Arc<Compiled>, bytes: &[u8], starts: &[ChunkStart], cut: Cut, overrides: &Overrides) -> Result<Self, EngineError> {
        let mut pass = Self::default();
        for start in starts {
            let mut files: BTreeMap<Stream, Vec<u8>> = BTreeMap::new();
            let mut take = |pieces: Vec<(Stream, Vec<u8>)>| {
                for (stream, bytes) in pieces {
                    let target = match stream {
                        Stream::Rejected => &mut pass.rejected,
                        Stream::Held => &mut pass.held,
                        Stream::Keys => &mut pass.keys,
                        Stream::Accepted { .. } => files.entry(stream).or_default(),
                    };
                    target.extend(bytes);
                }
            };
            let mut transformer = Transformer::new(compiled, start.clone(), overrides)?;
            for piece in bytes[start.chunk.start as usize..start.chunk.end as usize].chunks(cut.piece) {
                transformer.push(piece)?;
                take(transformer.drain());
            }
            let (pieces, report) = transformer.finish()?;
            take(pieces);
            for account in &report.files {
                let stream = Stream::Accepted { partition: account.partition.clone(), part: account.part };
                let file = files.remove(&stream).expect("an account has its file");
                assert_eq!(account.bytes, file.len() as u64);
                let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(file)).and_then(ParquetRecordBatchReaderBuilder::build);
                let batches = reader.expect("accepted rows are Parquet").collect::<Result<Vec<_>, _>>().expect("accepted rows can be read");
                assert_eq!(account.rows, batches.iter().map(|b| b.num_rows() as u64).sum::<u64>());
                pass.accepted.extend(batches);
            }
            assert!(files.is_empty(), "a file has its account");
            pass.reports.push(report);
        }
        Ok(pass)
    }

    /// Puts the chunks together; every row must have ended in exactly one way.
    fn outcome(self, overrides: Overrides) -> Outcome {
        let (ends, report) = desk::ends(&self.reports);
        let count = |end| ends.iter().filter(|e| **e == end).count();
        let accepted = self.accepted.first().map(|first| concat_batches(&first.schema(), &self.accepted).expect("files of one schema"));
        assert_eq!(count("accepted"), accepted.as_ref().map_or(0, RecordBatch::num_rows));
        let held: Vec<HeldRow> = self.held.split(|b| *b == b'\n').filter(|l| !l.is_empty()).map(held).collect();
        assert_eq!(count("held"), held.len());
        let rejected = String::from_utf8_lossy(&self.rejected).into_owned();
        Outcome { ends, accepted, rejected, held, report, overrides }
    }
}

fn held(line: &[u8]) -> HeldRow {
    serde_json::from_slice(line).expect("a held row is JSON")
}

impl Outcome {
    /// Every place that is said: row, line and offset, of held rows and of the samples of problems.
    pub fn places(&self) -> BTreeMap<u64, (u64, u64)> {
        let held = self.held.iter().map(|h| (h.row, (h.line, h.offset)));
        let samples = self.report.tally.problems.iter().flat_map(|p| &p.samples).map(|p| (p.row, (p.line, p.offset)));
        let mut places = BTreeMap::new();
        for (row, place) in held.chain(samples) {
            assert!((row as usize) < self.ends.len(), "row {row} is no row of the file");
            assert_eq!(*places.entry(row).or_insert(place), place, "row {row} has two places");
        }
        let mut before = None;
        for place in places.values() {
            assert!(
                before < Some(*place) && before.is_none_or(|b: (u64, u64)| b.1 < place.1),
                "places do not go on: {before:?}, {place:?}"
            );
            before = Some(*place);
        }
        places
    }

    /// Checks the places against a text whose characters begin where its bytes do: each row begins a line, its line is counted right, and a
    /// held row stands there as it is quoted. `cr_ends`: a carriage return alone ends a line, too.
    pub fn check_places(&self, text: &[u8], cr_ends: bool) {
        let is_end = |at: usize| text[at] == b'\n' || (cr_ends && text[at] == b'\r' && text.get(at + 1) != Some(&b'\n'));
        for (row, (line, offset)) in self.places() {
            let at = offset as usize;
            assert!(at <= text.len(), "row {row} lies behind the end");
            assert!(at == 0 || is_end(at - 1) || at == 3 && text.starts_with(b"\xef\xbb\xbf"), "row {row} at {at} begins no line");
            assert_eq!((0..at).filter(|i| is_end(*i)).count() as u64 + 1, line, "row {row} at {at} is on another line");
        }
        for held in &self.held {
            let there = String::from_utf8_lossy(&text[held.offset as usize..]);
            let quoted = held.raw.split('\u{fffd}').next().unwrap_or_default();
            assert!(there.starts_with(quoted), "row {} is not at {}", held.row, held.offset);
        }
    }
}

/// Two runs of one file must say the same.
pub fn assert_same(cut: &Result<Outcome, Refusal>, whole: &Result<Outcome, Refusal>) {
    match (cut, whole) {
        (Ok(cut), Ok(whole)) => {
            assert_eq!(cut.ends, whole.ends);
            assert_eq!(cut.rejected, whole.rejected);
            assert_eq!(cut, whole);
        }
        (Err(cut), Err(whole)) => assert_eq!((cut.code, &cut.message, cut.line), (whole.code, &whole.message, whole.line)),
        (Ok(cut), Err(whole)) => panic!("cut: {} rows; whole: {whole}", cut.ends.len()),
        (Err(cut), Ok(whole)) => panic!("cut: {cut}; whole: {} rows", whole.ends.len()),
    }
}
