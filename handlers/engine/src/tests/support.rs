//! A run on a desk: what the steps of a run do, in order and in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::strategy::Strategy;
use serde_json::{Map, Value};

use super::desk;
pub(crate) use super::desk::{Cut, text_chunks};
pub(crate) use super::plans::{compile, plan, plan_with};
use crate::compile::ROW_COLUMN;
use crate::{AcceptedFile, ChunkReport, Compiled, EngineError, HeldRow, Overrides, Refusal, RunReport, Stream, Transformer};

/// Pieces of CSV that meet in all the ways that matter; what is likelier stands twice.
pub(crate) const CSV_PIECES: &[&[u8]] = &[
    b",",
    b",",
    b"\"",
    b"\"",
    b"\"\"",
    b"\n",
    b"\n",
    b"\r",
    b"\r\n",
    b"\\",
    b"#",
    b"##",
    b" ",
    b"a",
    b"7",
    b"x,1,y\n",
    b"\"q\",2,\"\"\n",
    b"\0",
    b"\xff",
    b"abcdefghijklmnopqrstuvwxyz",
];

/// Up to `most` of [`CSV_PIECES`] and `more`, one after the other.
pub(crate) fn csv_text(more: &[&'static [u8]], most: usize) -> impl Strategy<Value = Vec<u8>> {
    let pieces = [CSV_PIECES, more].concat();
    proptest::collection::vec(proptest::sample::select(pieces), 0..most).prop_map(|pieces| pieces.concat())
}

/// Everything that does not depend on the cut.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Outcome {
    /// Published columns by row number, without the run's id.
    pub(crate) accepted: BTreeMap<u64, Map<String, Value>>,
    pub(crate) rejected: String,
    pub(crate) held: Vec<HeldRow>,
    /// Where each row ended.
    pub(crate) ends: Vec<&'static str>,
    pub(crate) report: RunReport,
    pub(crate) overrides: Overrides,
}

/// What one pass gives.
pub(crate) struct Pass {
    pub(crate) streams: BTreeMap<Stream, Vec<u8>>,
    pub(crate) reports: Vec<ChunkReport>,
    pub(crate) files: Vec<(AcceptedFile, Vec<u8>)>,
}

/// All chunks of a file, once.
pub(crate) fn pass(compiled: &Arc<Compiled>, bytes: &[u8], cut: Cut, overrides: &Overrides) -> Result<Pass, EngineError> {
    let mut pass = Pass { streams: BTreeMap::new(), reports: Vec::new(), files: Vec::new() };
    for start in desk::starts(compiled, bytes, cut)? {
        let range = start.chunk.start as usize..start.chunk.end as usize;
        let mut transformer = Transformer::new(compiled, start, overrides)?;
        let mut outputs: BTreeMap<Stream, Vec<u8>> = BTreeMap::new();
        for piece in bytes[range].chunks(cut.piece) {
            transformer.push(piece)?;
            for (stream, bytes) in transformer.drain() {
                outputs.entry(stream).or_default().extend(bytes);
            }
        }
        let (rest, report) = transformer.finish()?;
        for (stream, bytes) in rest {
            outputs.entry(stream).or_default().extend(bytes);
        }
        for file in &report.files {
            let stream = Stream::Accepted { partition: file.partition.clone(), part: file.part };
            pass.files.push((file.clone(), outputs.remove(&stream).expect("a file for each account")));
        }
        assert!(outputs.keys().all(|s| !matches!(s, Stream::Accepted { .. })), "an account for each file");
        for (stream, bytes) in outputs {
            pass.streams.entry(stream).or_default().extend(bytes);
        }
        let json = serde_json::to_string(&report).expect("a report is JSON");
        assert_eq!(serde_json::from_str::<ChunkReport>(&json).expect("its own JSON"), report);
        pass.reports.push(report);
    }
    Ok(pass)
}

/// The batches of a Parquet file.
pub(crate) fn batches(bytes: Vec<u8>) -> Vec<RecordBatch> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes)).expect("Parquet").build().expect("Parquet");
    reader.map(|batch| batch.expect("a batch")).collect()
}

/// A file through the whole engine.
pub(crate) fn try_run(compiled: &Arc<Compiled>, bytes: &[u8], cut: Cut) -> Result<Outcome, EngineError> {
    let mut done = pass(compiled, bytes, cut, &Overrides::default())?;
    let overrides = Overrides::find(compiled.keys(), done.streams.get(&Stream::Keys).map(Vec::as_slice).into_iter())?;
    if !overrides.is_empty() {
        done = pass(compiled, bytes, cut, &overrides)?;
    }
    Ok(outcome(done, overrides))
}

/// As [`try_run`], for files that are taken.
pub(crate) fn run(compiled: &Arc<Compiled>, bytes: &[u8], cut: Cut) -> Outcome {
    try_run(compiled, bytes, cut).unwrap_or_else(|e| panic!("{e}"))
}

fn outcome(done: Pass, overrides: Overrides) -> Outcome {
    let mut accepted = BTreeMap::new();
    for (account, bytes) in done.files {
        assert_eq!(account.bytes, bytes.len() as u64);
        let mut rows = 0;
        for batch in batches(bytes) {
            rows += batch.num_rows() as u64;
            for row in 0..batch.num_rows() {
                let mut object = crate::write::held::object(&batch, row);
                object.retain(|_, v| !v.is_null());
                assert_eq!(object.remove("_sluice_run"), Some(Value::from("run-1")));
                let number = object.remove(ROW_COLUMN).and_then(|n| n.as_u64()).expect("a row number");
                for (name, value) in &account.partition_values {
                    object.insert(name.clone(), value.clone().map_or(Value::Null, Value::from));
                }
                assert!(accepted.insert(number, object).is_none(), "row {number} is written twice");
            }
        }
        assert_eq!(account.rows, rows);
    }
    let (ends, report) = desk::ends(&done.reports);
    let text = |stream| done.streams.get(&stream).map_or_else(String::new, |b| String::from_utf8_lossy(b).into_owned());
    let held: Vec<HeldRow> = text(Stream::Held).lines().map(|line| serde_json::from_str(line).expect("a held row")).collect();
    assert_eq!(accepted.len() as u64, report.tally.totals.accepted);
    assert_eq!(held.len() as u64, report.tally.totals.held);
    Outcome { accepted, rejected: text(Stream::Rejected), held, ends, report, overrides }
}

/// Problem codes with their columns, by row, as samples have them.
pub(crate) fn problems(outcome: &Outcome) -> Vec<(u64, String)> {
    let mut all: Vec<(u64, String)> = outcome
        .report
        .tally
        .problems
        .iter()
        .flat_map(|p| &p.samples)
        .map(|p| (p.row, p.column.as_ref().map_or_else(|| p.code.to_string(), |c| format!("{} {c}", p.code))))
        .collect();
    all.sort();
    all
}

/// The refusal of a file that must not be taken.
pub(crate) fn refusal(compiled: &Arc<Compiled>, bytes: &[u8]) -> Refusal {
    match try_run(compiled, bytes, Cut::NONE) {
        Err(EngineError::Refused(refusal)) => refusal,
        Err(other) => panic!("expected a refusal, found {other}"),
        Ok(outcome) => panic!("expected a refusal, the file is taken: {:?}", outcome.ends),
    }
}
