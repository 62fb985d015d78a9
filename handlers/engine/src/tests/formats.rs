//! NDJSON, Parquet and compressed files.

use std::io::Write as _;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Decimal128Array, Float64Array, Int64Array, LargeStringArray, RecordBatch, StringArray,
    TimestampNanosecondArray, UInt8Array,
};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use serde_json::json;

use super::support::{Cut, batches, compile, pass, plan, problems, refusal, run};
use crate::{Code, Overrides};

const COLUMNS: &str = "{name: id, logicalType: integer, physicalType: bigint, required: true}, {name: amount, logicalType: number, physicalType: 'decimal(10,2)'}, {name: ok, logicalType: boolean}, {name: note, logicalType: string}, {name: more, logicalType: object}";

#[test]
fn ndjson_values_are_typed_and_what_does_not_fit_is_said() {
    let compiled = compile(plan("ndjson: {}", COLUMNS, ""));
    let text = br#"{"id":1,"amount":12.5,"ok":true,"note":"a \"b\" \u00fc","more":{"x": [1, 2.50]}}
{"id":"9007199254740993","amount":"0.10","note":null,"unknown":1}

{"id":1.5,"amount":1.234,"ok":"maybe","note":7,"more":1}
{"id":1
[1]
{"id":3,"id":4}
{"note":"no id"}
"#;
    let outcome = run(&compiled, text, Cut::NONE);
    assert_eq!(
        json!(outcome.accepted[&0]),
        json!({"id": 1, "amount": "12.50", "ok": true, "note": "a \"b\" ü", "more": "{\"x\":[1,2.50]}"})
    );
    assert_eq!(json!(outcome.accepted[&1]), json!({"id": "9007199254740993", "amount": "0.10"}));
    assert_eq!(json!(outcome.report.tally.repairs), json!({"unknownKeys": 1}));
    let expected: Vec<(u64, String)> = [
        (2, "R0101 id"),
        (2, "R0104 amount"),
        (2, "R0107 ok"),
        (2, "R0112 more"),
        (2, "R0112 note"),
        (3, "R0006"),
        (4, "R0006"),
        (5, "R0007 id"),
        (6, "R0201 id"),
    ]
    .map(|(row, code)| (row, code.to_owned()))
    .into();
    assert_eq!(problems(&outcome), expected);
    let rejected: Vec<serde_json::Value> = outcome.rejected.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(rejected[0]["record"]["note"], 7);
    assert_eq!((&rejected[1]["record"], &rejected[1]["_line"]), (&json!("{\"id\":1"), &json!(5)));
}

#[test]
fn unknown_keys_are_rejected_where_the_pipeline_says_so() {
    let compiled = compile(plan("ndjson: {rejectUnknown: true}", "{name: a, logicalType: integer}", ""));
    assert_eq!(problems(&run(&compiled, b"{\"a\":1,\"b\":2}\n", Cut::NONE)), [(0, "R0008".to_owned())]);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("in memory");
    encoder.finish().expect("in memory")
}

#[test]
fn compressed_text_gives_what_plain_text_gives() {
    let compiled = compile(plan("csv: {}", "{name: a, logicalType: string}, {name: b, logicalType: integer}", ""));
    let text: String = std::iter::once("a,b\n".to_owned())
        .chain((0..20_000).map(|i| format!("\"x{i}\ny\",{}\n", if i % 7 == 0 { "?" } else { "1" })))
        .collect();
    let plain = run(&compiled, text.as_bytes(), Cut { segment: 10_000, chunk: 1, piece: 999 });
    assert_eq!(plain.ends.len(), 20_000);
    for bytes in [gzip(text.as_bytes()), zstd::encode_all(text.as_bytes(), 3).expect("in memory")] {
        for piece in [1 << 20, 777] {
            assert_eq!(run(&compiled, &bytes, Cut { piece, ..Cut::NONE }), plain);
        }
    }
}

#[test]
fn compressed_files_that_are_cut_or_grow_too_much_are_refused() {
    let mut plan = plan("csv: {}", "{name: a, logicalType: string}", "");
    plan.pipeline.limits.expansion = 20;
    let compiled = compile(plan);
    let bytes = gzip(b"a\nx\n");
    assert_eq!(refusal(&compiled, &bytes[..bytes.len() - 3]).code, Code::TruncatedCompression);
    assert_eq!(refusal(&compiled, &bytes[..3]).code, Code::TruncatedCompression);
    let bomb = gzip(&[b"a\n".as_slice(), &b"x\n".repeat(100_000)].concat());
    assert_eq!(refusal(&compiled, &bomb).code, Code::ExpandsTooMuch);
    assert_eq!(refusal(&compiled, &gzip(b"")).code, Code::EmptyFile);
    assert_eq!(refusal(&compiled, &gzip(&bytes)).code, Code::WrongKind);
    assert_eq!(refusal(&compiled, &gzip(b"b\n1\n")).code, Code::MissingColumns);
}

fn parquet(columns: Vec<(&str, ArrayRef)>, group_rows: usize) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).expect("a batch");
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(group_rows)).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).expect("a writer");
    writer.write(&batch).expect("in memory");
    writer.into_inner().expect("in memory")
}

fn orders() -> Vec<u8> {
    parquet(
        vec![
            ("id", Arc::new(Int64Array::from(vec![Some(1), None, Some(3), Some(4)]))),
            (
                "amount",
                Arc::new(
                    Decimal128Array::from(vec![Some(125), Some(1234), None, Some(1)]).with_precision_and_scale(12, 3).expect("a decimal"),
                ),
            ),
            ("ok", Arc::new(BooleanArray::from(vec![true, false, true, false]))),
            ("note", Arc::new(LargeStringArray::from(vec!["a", "b", "ü", "d"]))),
            ("more", Arc::new(StringArray::from(vec!["{\"x\": 1}", "[]", "1", "{}"]))),
            ("unused", Arc::new(Float64Array::from(vec![f64::NAN; 4]))),
        ],
        3,
    )
}

#[test]
fn parquet_rows_are_checked_as_text_rows_are() {
    let compiled = compile(plan("parquet: {}", COLUMNS, "rules: [{name: odd, when: 'id = 4', outcome: review}]\n"));
    let bytes = orders();
    let whole = run(&compiled, &bytes, Cut::NONE);
    let expected: Vec<_> = [(0, "R0104 amount"), (1, "R0104 amount"), (1, "R0201 id"), (2, "R0111 more"), (3, "R0104 amount")]
        .map(|(r, c)| (r, c.to_owned()))
        .into();
    assert_eq!(problems(&whole), expected);
    let first: serde_json::Value = serde_json::from_str(whole.rejected.lines().next().expect("a line")).expect("JSON");
    assert_eq!(first["record"], json!({"id": 1, "amount": 0.125, "ok": true, "note": "a", "more": "{\"x\": 1}"}));
    let cut = run(&compiled, &bytes, Cut { segment: 1, chunk: 1, piece: 10 });
    assert_eq!(cut, whole);
}

#[test]
fn parquet_types_are_matched_to_the_contract() {
    let columns = "{name: n, logicalType: integer, physicalType: tinyint}, {name: t, logicalType: timestamp}, {name: f, logicalType: number, physicalType: 'decimal(10,2)'}, {name: s, logicalType: string}";
    let compiled = compile(plan("parquet: {}", columns, ""));
    let file = |zone: Option<&str>| {
        let zone = zone.map(Arc::from);
        parquet(
            vec![
                ("n", Arc::new(UInt8Array::from(vec![7, 200]))),
                ("t", Arc::new(TimestampNanosecondArray::from(vec![1_000, 1_001]).with_timezone_opt(zone))),
                ("f", Arc::new(Float64Array::from(vec![0.1, 0.123]))),
                ("s", Arc::new(BinaryArray::from(vec![b"x".as_slice(), b"\xff"]))),
            ],
            10,
        )
    };
    let zoned = matches!(compiled.plan().contract.columns[1].data_type, sluice_contract::DataType::Timestamp { zoned: true });
    let (good, bad) = if zoned { (file(Some("UTC")), file(None)) } else { (file(None), file(Some("UTC"))) };
    let outcome = run(&compiled, &good, Cut::NONE);
    assert_eq!(outcome.ends, ["accepted", "rejected"]);
    let codes: Vec<_> = problems(&outcome).into_iter().map(|(_, c)| c).collect();
    assert_eq!(codes, ["R0009 s", "R0102 n", "R0104 f", "R0109 t"]);
    assert_eq!(refusal(&compiled, &bad).code, Code::ParquetType);
}

#[test]
fn damaged_parquet_is_refused_and_never_crashes() {
    let compiled = compile(plan("parquet: {}", COLUMNS, ""));
    let bytes = orders();
    assert_eq!(refusal(&compiled, b"PAR1").code, Code::UnreadableParquet);
    assert_eq!(refusal(&compiled, b"id,amount\n1,2\n").code, Code::UnreadableParquet);
    assert_eq!(refusal(&compiled, &bytes[..bytes.len() - 1]).code, Code::UnreadableParquet);
    let missing = parquet(vec![("id", Arc::new(Int64Array::from(vec![1])))], 10);
    assert_eq!(refusal(&compiled, &missing).code, Code::MissingColumns);
    for at in (4..bytes.len()).step_by(3) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x55;
        match super::support::try_run(&compiled, &damaged, Cut::NONE) {
            Ok(outcome) => assert!(outcome.ends.len() <= 8),
            Err(crate::EngineError::Refused(_)) => {}
            Err(e) => panic!("byte {at}: {e}"),
        }
    }
}

#[test]
fn accepted_files_are_partitioned_described_and_the_same_every_time() {
    let columns = "{name: d, logicalType: date}, {name: n, logicalType: integer, physicalType: int}, {name: s, logicalType: string}, {name: x, logicalType: number, physicalType: double}";
    let compiled = compile(plan("csv: {nullValues: ['']}", columns, "publish: {table: t, partitionBy: [d]}\n"));
    let text = b"d,n,s,x\n2024-01-01,5,b,0.5\n2024-01-02,,a,\n2024-01-01,-3,,1e3\n,1,z,2\n";
    let once = pass(&compiled, text, Cut::NONE, &Overrides::default()).expect("taken");
    let paths: Vec<_> = once.files.iter().map(|(f, _)| f.partition.as_str()).collect();
    assert_eq!(paths, ["d=2024-01-01", "d=2024-01-02", "d=__HIVE_DEFAULT_PARTITION__"]);
    let (first, bytes) = &once.files[0];
    assert_eq!(json!(first.partition_values), json!({"d": "2024-01-01"}));
    assert_eq!((first.rows, &first.null_count["s"], &first.null_count["n"]), (2, &1, &0));
    assert_eq!(json!(first.min_values), json!({"n": -3, "s": "b", "x": 0.5, "_sluice_run": "run-1", "_sluice_row": 0}));
    assert_eq!(json!(first.max_values), json!({"n": 5, "s": "b", "x": 1000.0, "_sluice_run": "run-1", "_sluice_row": 2}));
    let read = &batches(bytes.clone())[0];
    assert_eq!(read.schema().fields().iter().map(|f| f.name().as_str()).collect::<Vec<_>>(), ["n", "s", "x", "_sluice_run", "_sluice_row"]);
    let again = pass(&compiled, text, Cut { piece: 1, ..Cut::NONE }, &Overrides::default()).expect("taken");
    assert_eq!(once.files, again.files);
}

#[test]
fn many_partitions_are_written_with_few_open_files() {
    let columns = "{name: k, logicalType: string}, {name: n, logicalType: integer}";
    let compiled = compile(plan("csv: {}", columns, "publish: {table: t, partitionBy: [k]}\n"));
    let text: String = std::iter::once("k,n\n".to_owned()).chain((0..20_000).map(|i| format!("{},{i}\n", i * 7919 % 500))).collect();
    let outcome = run(&compiled, text.as_bytes(), Cut::NONE);
    assert_eq!(outcome.accepted.len(), 20_000);
}
