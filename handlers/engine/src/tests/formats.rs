//! NDJSON, Parquet and compressed files.

use std::io::Write as _;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray, Float64Array, Int64Array, Int64Builder,
    LargeStringArray, ListArray, MapBuilder, RecordBatch, StringArray, StringBuilder, StructArray, Time64NanosecondArray,
    TimestampNanosecondArray, UInt8Array,
};
use arrow::datatypes::{DataType, Field, Int64Type};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use serde_json::json;

use super::support::{Cut, batches, compile, pass, plan, problems, refusal, run};
use crate::{Code, EngineError, Overrides};

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

/// One column of each Parquet type that docs/CONTRACTS.md lists, and the contract types in which at least one value of it is taken.
#[test]
fn each_parquet_type_is_taken_as_the_documented_contract_types() {
    let all: &[(&str, &str)] = &[
        ("text", "logicalType: string"),
        ("boolean", "logicalType: boolean"),
        ("integer", "logicalType: integer"),
        ("float", "logicalType: number"),
        ("decimal", "logicalType: number, physicalType: 'decimal(10,2)'"),
        ("date", "logicalType: date"),
        ("local", "logicalType: timestamp"),
        ("instant", "logicalType: timestamp, logicalTypeOptions: {timezone: true}"),
        ("time", "logicalType: time"),
        ("json", "logicalType: object"),
    ];
    let every: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
    let numbers = ["integer", "float", "decimal"];
    let cases: Vec<(ArrayRef, &[&str])> = vec![
        (Arc::new(StringArray::from(vec!["1"])), &every),
        (Arc::new(BinaryArray::from(vec![b"1".as_slice()])), &every),
        (Arc::new(BooleanArray::from(vec![true])), &["boolean"]),
        (Arc::new(Int64Array::from(vec![1])), &numbers),
        (Arc::new(UInt8Array::from(vec![1])), &numbers),
        (Arc::new(Float64Array::from(vec![1.0])), &["float", "decimal"]),
        (Arc::new(Decimal128Array::from(vec![100]).with_precision_and_scale(12, 2).expect("a decimal")), &numbers),
        (Arc::new(Date32Array::from(vec![1])), &["date", "local"]),
        (Arc::new(TimestampNanosecondArray::from(vec![1_000])), &["local"]),
        (Arc::new(TimestampNanosecondArray::from(vec![1_000]).with_timezone("UTC")), &["instant"]),
        (Arc::new(Time64NanosecondArray::from(vec![1_000])), &["time"]),
        (Arc::new(FixedSizeBinaryArray::try_from_iter(std::iter::once([7_u8; 16])).expect("one length")), &[]),
    ];
    for (array, taken) in cases {
        let file = parquet(vec![("a", Arc::clone(&array))], 10);
        for (name, declared) in all {
            let compiled = compile(plan("parquet: {}", &format!("{{name: a, {declared}}}"), ""));
            let result = super::support::try_run(&compiled, &file, Cut::NONE);
            match result {
                Ok(_) => assert!(taken.contains(name), "{} is taken as {name}", array.data_type()),
                Err(EngineError::Refused(refusal)) => {
                    assert!(refusal.code == Code::ParquetType && !taken.contains(name), "{} as {name}: {refusal}", array.data_type());
                }
                Err(other) => panic!("{other}"),
            }
        }
    }
}

#[test]
fn nested_columns_are_refused_by_name_together_with_all_that_do_not_fit() {
    let one: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let group = StructArray::from(vec![(Arc::new(Field::new("x", DataType::Int64, true)), Arc::clone(&one))]);
    let list = ListArray::from_iter_primitive::<Int64Type, _, _>(vec![Some(vec![Some(1)])]);
    let mut map = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
    map.keys().append_value("k");
    map.values().append_value(1);
    map.append(true).expect("as many keys as values");
    let file = parquet(
        vec![
            ("g", Arc::new(group)),
            ("l", Arc::new(list)),
            ("m", Arc::new(map.finish())),
            ("n", Arc::clone(&one)),
            ("free", Arc::clone(&one)),
        ],
        10,
    );
    let columns =
        "{name: g, logicalType: object}, {name: l, logicalType: array}, {name: m, logicalType: string}, {name: n, logicalType: date}";
    let found = refusal(&compile(plan("parquet: {}", columns, "")), &file);
    assert_eq!(found.code, Code::ParquetType);
    for words in [
        "column g is nested (a group of columns)",
        "column l is nested (a list)",
        "column m is nested (a map)",
        "column n has the type Int64",
    ] {
        assert!(found.message.contains(words), "{words}: {}", found.message);
    }
}

#[test]
fn values_that_are_too_fine_or_not_finite_are_shown_whole_and_named() {
    let columns = "{name: t, logicalType: timestamp}, {name: c, logicalType: time}, {name: f, logicalType: number}, {name: d, logicalType: number, physicalType: 'decimal(10,2)'}";
    let compiled = compile(plan("parquet: {}", columns, ""));
    let file = parquet(
        vec![
            ("t", Arc::new(TimestampNanosecondArray::from(vec![-1, 1_000_000_001]))),
            ("c", Arc::new(Time64NanosecondArray::from(vec![1, 3_600_000_000_001]))),
            ("f", Arc::new(Float64Array::from(vec![f64::NAN, f64::NEG_INFINITY]))),
            ("d", Arc::new(Float64Array::from(vec![f64::INFINITY, f64::NAN]))),
        ],
        10,
    );
    let outcome = run(&compiled, &file, Cut::NONE);
    let said = |column: &str| {
        let counted = outcome.report.tally.problems.iter().find(|p| p.column.as_deref() == Some(column)).expect("a problem");
        counted.samples.iter().map(|p| (p.value.clone().unwrap_or_default(), p.message.clone())).collect::<Vec<_>>()
    };
    let too_fine = "is finer than the microseconds that are kept";
    let pair = |value: &str, message: &str| (value.to_owned(), message.to_owned());
    assert_eq!(said("t"), [pair("1969-12-31T23:59:59.999999999", too_fine), pair("1970-01-01T00:00:01.000000001", too_fine)]);
    assert_eq!(said("c"), [pair("00:00:00.000000001", too_fine), pair("01:00:00.000000001", too_fine)]);
    for (column, words) in [("f", ["is NaN, and", "is infinite, and"]), ("d", ["is infinite, and", "is NaN, and"])] {
        assert!(said(column).iter().zip(words).all(|((_, message), words)| message.starts_with(words)), "{:?}", said(column));
    }
    assert!(outcome.rejected.contains("1970-01-01T00:00:01.000000001"), "{}", outcome.rejected);
}

#[test]
fn damaged_parquet_is_refused_and_never_crashes() {
    let compiled = compile(plan("parquet: {}", COLUMNS, ""));
    let bytes = orders();
    assert_eq!(refusal(&compiled, b"").code, Code::EmptyFile, "as in every other format");
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

/// A file whose footer has further bytes before its stop.
fn with_footer(file: &[u8], more: &[u8]) -> Vec<u8> {
    let (rest, tail) = file.split_at(file.len() - 8);
    let len = u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]) + more.len() as u32;
    [&rest[..rest.len() - 1], more, &rest[rest.len() - 1..], &len.to_le_bytes(), b"PAR1"].concat()
}

#[test]
fn parquet_that_claims_more_than_it_has_is_refused_at_once() {
    // Each kept a processor busy for seconds inside the Parquet library, or had it ask for all memory.
    let columns = "{name: i, logicalType: integer}, {name: b, logicalType: boolean}, {name: t, logicalType: string}, \
        {name: d, logicalType: number, physicalType: 'decimal(12,2)'}, {name: f, logicalType: number}, {name: day, logicalType: date}, \
        {name: at, logicalType: timestamp}";
    let limits = "limits: {rejectedPercent: 100, expansion: 1000}\n";
    let compiled = compile(plan("parquet: {}", columns, limits));
    for file in
        [&include_bytes!("damaged/list-in-a-page-header.parquet")[..], include_bytes!("damaged/another-list-in-a-page-header.parquet")]
    {
        let refused = refusal(&compiled, file);
        assert_eq!(refused.code, Code::UnreadableParquet);
        assert!(refused.message.contains("is damaged: "), "{}", refused.message);
    }
    let compiled = compile(plan("parquet: {}", COLUMNS, ""));
    // Field 40, which nobody knows: one boolean, and two thousand million.
    assert_eq!(run(&compiled, &with_footer(&orders(), &[0x09, 80, 0x11]), Cut::NONE).ends.len(), 4);
    let refused = refusal(&compiled, &with_footer(&orders(), &[0x09, 80, 0xf1, 0xff, 0xff, 0xff, 0xff, 0x07]));
    assert!(refused.message.contains("its footer is damaged: a list of 2147483647 entries"), "{}", refused.message);
    // Field 4 once more: as many row groups.
    let refused = refusal(&compiled, &with_footer(&orders(), &[0x09, 8, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07]));
    assert!(refused.message.contains("a list of 2147483647 entries"), "{}", refused.message);
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
