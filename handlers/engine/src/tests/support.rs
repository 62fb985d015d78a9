//! A run on a desk: what the steps of a run do, in order and in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::strategy::Strategy;
use serde_json::{Map, Value};
use sluice_contract::{Parameters, Plan, Sources};

use crate::compile::ROW_COLUMN;
use crate::{
    AcceptedFile, Chunk, ChunkPlanner, ChunkReport, ChunkStart, Compiled, EngineError, HeaderEnd, HeldRow, Overrides, ReferenceTables,
    Refusal, RunReport, Scanner, Secrets, SegmentNotes, Splitting, Stream, Transformer, parquet_chunks, parquet_footer_len, read_header,
    splittable,
};

/// A plan from the format, the columns (a YAML flow list) and further keys of the pipeline.
pub(crate) fn plan(format: &str, columns: &str, rest: &str) -> Plan {
    plan_with(format, columns, "", rest)
}

/// As [`plan`], with keys of the contract's table, such as `quality: [...]`.
pub(crate) fn plan_with(format: &str, columns: &str, table: &str, rest: &str) -> Plan {
    let publish = if rest.contains("publish:") { "" } else { "publish: {table: t}\n" };
    let pipeline = format!(
        "apiVersion: sluice/v1\nkind: Pipeline\nname: t\ncontract: t.odcs.yaml\nintake: {{partner: acme, path: '**', format: {{{format}}}}}\n{publish}{rest}"
    );
    let table = if table.is_empty() { String::new() } else { format!(", {table}") };
    let contract = format!(
        "apiVersion: v3.1.0\nkind: DataContract\nid: t\nversion: 1.0.0\nstatus: active\nschema: [{{name: t, properties: [{columns}]{table}}}]\n"
    );
    let sources = Sources { pipeline_file: "t.yaml", pipeline: &pipeline, contract_file: "t.odcs.yaml", contract: &contract };
    Plan::parse(&sources).unwrap_or_else(|e| panic!("{e}\n{pipeline}\n{contract}"))
}

/// Compiles a plan that needs no tables and no secrets.
pub(crate) fn compile(plan: Plan) -> Arc<Compiled> {
    Compiled::new(plan, Parameters::new(), ReferenceTables::default(), Secrets::default()).unwrap_or_else(|e| panic!("{e}"))
}

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

/// How a file is cut.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cut {
    pub(crate) segment: usize,
    pub(crate) chunk: u64,
    pub(crate) piece: usize,
}

impl Cut {
    pub(crate) const NONE: Self = Self { segment: usize::MAX >> 1, chunk: u64::MAX >> 1, piece: usize::MAX >> 1 };
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

/// The chunks of a plain text, scanned in segments.
pub(crate) fn text_chunks(plan: &Plan, bytes: &[u8], start: HeaderEnd, cut: Cut) -> Vec<Chunk> {
    let mut planner = ChunkPlanner::new(plan, start, cut.chunk);
    let scan = |mut scanner: Scanner, bytes: &[u8]| {
        for piece in bytes.chunks(cut.piece) {
            scanner.feed(piece);
        }
        let notes = serde_json::to_string(&scanner.finish()).expect("notes are JSON");
        serde_json::from_str::<SegmentNotes>(&notes).expect("their own JSON")
    };
    for segment in bytes.chunks(cut.segment) {
        let notes = scan(Scanner::new(plan), segment);
        if let Some(again) = planner.push(segment.len() as u64, &notes) {
            let notes = scan(again.scanner(plan), &bytes[again.from as usize..again.to as usize]);
            planner.rescanned(&notes);
        }
    }
    planner.finish(bytes.len() as u64)
}

fn starts(compiled: &Compiled, bytes: &[u8], cut: Cut) -> Result<Vec<ChunkStart>, Refusal> {
    let plan = compiled.plan();
    let kind = splittable(plan, &bytes[..bytes.len().min(16)], "file");
    let file_len = bytes.len() as u64;
    let (header, footer, chunks) = match kind {
        Splitting::Records => {
            let header = read_header(plan, bytes, true)?;
            let chunks = text_chunks(plan, bytes, HeaderEnd::from(&header), cut);
            (header.names, None, chunks)
        }
        Splitting::Whole => (None, None, vec![Chunk { start: 0, end: file_len, first_row: 0, first_line: 1, row_groups: vec![] }]),
        Splitting::RowGroups => {
            let len = parquet_footer_len(&bytes[bytes.len().saturating_sub(8)..])? as usize;
            let footer = &bytes[bytes.len().saturating_sub(len)..];
            (None, Some(Arc::from(footer)), parquet_chunks(plan, footer, file_len, cut.chunk)?)
        }
    };
    let start = |(i, chunk)| ChunkStart {
        run: "run-1".to_owned(),
        index: i as u32,
        chunk,
        header: header.clone(),
        kind,
        footer: footer.clone(),
        file_len,
    };
    Ok(chunks.into_iter().enumerate().map(start).collect())
}

/// All chunks of a file, once.
pub(crate) fn pass(compiled: &Arc<Compiled>, bytes: &[u8], cut: Cut, overrides: &Overrides) -> Result<Pass, EngineError> {
    let mut pass = Pass { streams: BTreeMap::new(), reports: Vec::new(), files: Vec::new() };
    for start in starts(compiled, bytes, cut)? {
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
    let mut ends = Vec::new();
    let mut report = RunReport::default();
    for chunk in &done.reports {
        assert_eq!(chunk.first_row, ends.len() as u64, "rows are numbered without gaps");
        chunk.check_balance().expect("each row in one set");
        for row in 0..chunk.rows as u32 {
            let sets = [
                ("accepted", &chunk.accepted),
                ("rejected", &chunk.rejected),
                ("filtered", &chunk.filtered),
                ("duplicate", &chunk.duplicate),
                ("held", &chunk.held),
            ];
            ends.push(sets.iter().find(|(_, set)| set.contains(row)).expect("in one set").0);
        }
        report.merge(chunk);
    }
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
