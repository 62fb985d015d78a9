//! The short ways of NDJSON and Parquet give what the long way gives.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
    Time64MicrosecondArray, TimestampMicrosecondArray, UInt8Array,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use sluice_contract::Format;

use super::support::{compile, plan};
use crate::Compiled;
use crate::decode::batch::BatchBuilder;
use crate::decode::ndjson::NdjsonRecords;
use crate::decode::parquet::raw_value;
use crate::split::index::Record;
use crate::typed::raw::Reading;

const COLUMNS: &str = "{name: id, logicalType: integer, physicalType: bigint, required: true}, \
    {name: small, logicalType: integer, physicalType: tinyint, logicalTypeOptions: {minimum: -5, exclusiveMaximum: 100}}, \
    {name: amount, logicalType: number, physicalType: 'decimal(10,2)', logicalTypeOptions: {minimum: -0.5, maximum: 99.99}}, \
    {name: ratio, logicalType: number, physicalType: double}, {name: narrow, logicalType: number, physicalType: float}, \
    {name: day, logicalType: date, logicalTypeOptions: {minimum: '2000-01-01'}}, {name: at, logicalType: timestamp}, \
    {name: hour, logicalType: time}, {name: ok, logicalType: boolean}, \
    {name: mode, logicalType: string, quality: [{name: known, metric: invalidValues, arguments: {validValues: [AIR, 'REG AIR', 'ü']}, mustBe: 0}]}, \
    {name: short, logicalType: string, required: true, logicalTypeOptions: {minLength: 1, maxLength: 4}}, \
    {name: note, logicalType: string}, \
    {name: counted, logicalType: integer, quality: [{name: few, metric: nullValues, mustBeLessThan: 50, unit: percent}]}, \
    {name: more, logicalType: object}";

/// Everything that reading rows leaves behind, to be compared.
type Read = (RecordBatch, String, BTreeMap<String, u64>, BTreeMap<String, u64>);

fn builder(compiled: &Compiled, reading: Reading) -> BatchBuilder {
    BatchBuilder::new(Arc::clone(&compiled.columns), Arc::clone(&compiled.parsed_schema), reading)
}

fn finish(mut rows: BatchBuilder) -> Read {
    let read = rows.finish(&[]).expect("a batch");
    (read.parsed, format!("{:?}", read.notes), rows.metrics, rows.repairs)
}

/// The lines of a text that are not empty.
fn lines(text: &[u8]) -> Vec<Record> {
    let mut start = 0;
    let mut records = Vec::new();
    for end in memchr::memchr_iter(b'\n', text) {
        if end > start {
            let (start, end, next) = (start as u32, end as u32, end as u32 + 1);
            records.push(Record { start, end, next, first: 0, fields: 0, lines: 1, has_doubled: false });
        }
        start = end + 1;
    }
    records
}

fn read_lines(compiled: &Compiled, text: &[u8], at_once: usize, is_short: bool) -> Read {
    let Format::Ndjson(ndjson) = &compiled.plan().pipeline.intake.format else { panic!("NDJSON") };
    let mut records = NdjsonRecords::new(ndjson, &compiled.columns);
    let mut rows = builder(compiled, Reading::ndjson(ndjson));
    for lines in lines(text).chunks(at_once) {
        let first = rows.len();
        for (at, line) in lines.iter().enumerate() {
            rows.begin((first + at) as u64, 1, u64::from(line.start), 0..0, None);
        }
        if is_short {
            records.read_all(text, lines, first, &mut rows);
            continue;
        }
        for (at, line) in lines.iter().enumerate() {
            rows.go_to(first + at);
            records.read(&text[line.start as usize..line.end as usize], &mut rows);
        }
    }
    finish(rows)
}

fn json_value() -> impl Strategy<Value = String> {
    let usual = vec![
        "1",
        "0",
        "-3",
        "99",
        "127",
        "128",
        "1.50",
        "0.1",
        "-0.5",
        "100.00",
        "9223372036854775807",
        "12345678901234567890",
        "0.12345678901234567",
        "1e2",
        "1.5E-1",
        "-0",
        "true",
        "false",
        "null",
        "\"\"",
        "\"NA\"",
        "\"7\"",
        "\"1.25\"",
        "\"x\"",
        "\"AIR\"",
        "\"REG AIR\"",
        "\"ü\"",
        "\"abcde\"",
        "\"2013-02-28\"",
        "\"2013-02-30\"",
        "\"1999-12-31\"",
        "\"2013-01-31T10:30:00Z\"",
        "\"2013-01-31T10:30:00\"",
        "\"10:30:00\"",
        "\"a text that is longer than sixteen bytes, and than thirty-two\"",
        "\"with \\\"quotes\\\" and \\u00fc\"",
        "\"\\ud800\"",
        "\"\\u0000\"",
        "\"\\n\"",
        "{}",
        "[]",
        "{\"a\": [1, \"b\"], \"c\" : null}",
        "[[1], {\"x\":\"\\\\\"}]",
    ];
    let wrong =
        vec!["01", "1.", ".5", "+1", "-", "1e", "truth", "nul", "\"\\x\"", "\"\t\"", "{\"a\":}", "[1,]", "\"open", "'x'", "", "NaN", "1 2"];
    prop_oneof![40 => select(usual).prop_map(str::to_owned), 1 => select(wrong).prop_map(str::to_owned), 5 => "-?[0-9]{1,4}(\\.[0-9]{1,3})?"]
}

/// A line: some members in some order, with blanks here and there.
fn line() -> impl Strategy<Value = String> {
    let keys = vec!["id", "small", "amount", "ratio", "narrow", "day", "at", "hour", "ok", "mode", "short", "note", "counted", "more"];
    let all: Vec<_> = keys.iter().map(|k| format!("\"{k}\"")).collect();
    let other = select(vec!["\"other\"", "\"i\\u0064\"", "\"\"", "\"ü\"", "\"a key that is longer than thirty-two bytes\"", "id"]);
    let key = prop_oneof![20 => select(all.clone()), 1 => other.prop_map(str::to_owned)];
    let style = select(vec![("", "", ""), ("", " ", " "), (" ", " ", " "), ("", "\t", "")]);
    let in_order = (Just(all), vec(json_value(), 14), vec(any::<bool>(), 14), any::<bool>()).prop_map(|(keys, values, kept, is_whole)| {
        keys.into_iter().zip(values).zip(kept).filter(|(_, k)| is_whole || *k).map(|(m, _)| m).collect::<Vec<_>>()
    });
    let in_no_order = vec((key, json_value()), 0..6);
    (prop_oneof![4 => in_order, 1 => in_no_order], style, select(vec!["", "", "", "\r", " "])).prop_map(
        |(members, (before, after, colon), end)| {
            let members: Vec<_> = members.iter().map(|(key, value)| format!("{key}{before}:{colon}{value}")).collect();
            format!("{{{before}{}{before}}}{end}", members.join(&format!("{before},{after}")))
        },
    )
}

/// Lines, some of them damaged in one byte.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let damage = option::weighted(0.15, (any::<Index>(), select(b"\"\\{}[],: \t\r0a\x00\xff\xc3".to_vec()), any::<bool>()));
    vec((line(), damage), 1..12).prop_map(|lines| {
        let mut text = Vec::new();
        for (line, damage) in lines {
            let mut line = line.into_bytes();
            if let Some((at, byte, is_added)) = damage {
                let at = at.index(line.len());
                line.splice(at..at + usize::from(!is_added), [byte]);
            }
            text.extend(line);
            text.push(b'\n');
        }
        text
    })
}

fn arrays() -> impl Strategy<Value = Vec<ArrayRef>> {
    fn cells<T: Clone + std::fmt::Debug + 'static>(
        rows: usize,
        nulls: f64,
        value: impl Strategy<Value = T> + 'static,
    ) -> BoxedStrategy<Vec<Option<T>>> {
        vec(option::weighted(1.0 - nulls, value), rows).boxed()
    }
    fn arc(array: impl arrow::array::Array + 'static) -> ArrayRef {
        Arc::new(array)
    }
    let text = || {
        prop_oneof![8 => select(vec!["AIR", "REG AIR", "ü", "", "x", "abcd", "abcde", "üüüü", "{}", "2013-02-28"]), 1 => Just("a\0b")]
            .prop_map(str::to_owned)
    };
    let decimal = |scale: i8| {
        cells(20, 0.05, prop_oneof![9 => -50..=9999_i128, 1 => -20_000_000_000..20_000_000_000_i128])
            .prop_map(move |v| arc(Decimal128Array::from(v).with_precision_and_scale(12, scale).expect("a decimal")))
    };
    let same =
        cells(20, 0.05, -60..=10_100_i128).prop_map(|v| arc(Decimal128Array::from(v).with_precision_and_scale(10, 2).expect("a decimal")));
    let integer = prop_oneof![20 => -10..=130_i64, 1 => any::<i64>()];
    let wide = (cells(20, 0.02, integer), any::<bool>()).prop_map(|(v, is_whole)| {
        arc(if is_whole { v.into_iter().map(|v| Some(v.unwrap_or(7))).collect::<Int64Array>() } else { Int64Array::from(v) })
    });
    let floats = || prop_oneof![9 => -2.0..2.0_f64, 1 => select(vec![f64::NAN, f64::INFINITY, 1e300])];
    let texts = || {
        (cells(20, 0.05, text()), any::<bool>())
            .prop_map(|(v, is_clean)| arc(v.into_iter().map(|v| v.filter(|v| !is_clean || !v.contains('\0'))).collect::<StringArray>()))
    };
    (
        (
            prop_oneof![wide.clone(), cells(20, 0.02, any::<i32>()).prop_map(|v| arc(Int32Array::from(v)))],
            prop_oneof![wide, cells(20, 0.02, any::<u8>()).prop_map(|v| arc(UInt8Array::from(v)))],
        ),
        prop_oneof![same, decimal(2), decimal(3)],
        cells(20, 0.05, floats()).prop_map(|v| arc(Float64Array::from(v))),
        cells(20, 0.05, floats()).prop_map(|v| arc(v.into_iter().map(|v| v.map(|v| v as f32)).collect::<Float32Array>())),
        cells(20, 0.05, 10_900..20_000_i32).prop_map(|v| arc(Date32Array::from(v))),
        (any::<bool>(), cells(20, 0.05, any::<i64>()))
            .prop_map(|(zoned, v)| arc(TimestampMicrosecondArray::from(v).with_timezone_opt(zoned.then_some("UTC")))),
        cells(20, 0.05, prop_oneof![0..86_400_000_000_i64, any::<i64>()]).prop_map(|v| arc(Time64MicrosecondArray::from(v))),
        cells(20, 0.05, any::<bool>()).prop_map(|v| arc(BooleanArray::from(v))),
        (texts(), texts(), texts()),
        (cells(20, 0.3, any::<i32>()).prop_map(|v| arc(Int32Array::from(v))), texts()),
    )
        .prop_map(|((id, small), amount, ratio, narrow, day, at, hour, ok, (mode, short, note), (counted, more))| {
            vec![id, small, amount, ratio, narrow, day, at, hour, ok, mode, short, note, counted, more]
        })
}

fn read_arrays(compiled: &Compiled, arrays: &[ArrayRef], is_short: bool) -> Read {
    let mut rows = builder(compiled, Reading::canonical());
    for row in 0..arrays[0].len() {
        rows.begin(row as u64, row as u64 + 1, 0, 0..0, None);
    }
    for (column, array) in arrays.iter().enumerate() {
        if is_short {
            rows.array(column, array);
            continue;
        }
        for row in 0..array.len() {
            rows.go_to(row);
            rows.value(column, raw_value(array, row));
        }
    }
    finish(rows)
}

proptest! {
    #[test]
    fn lines_are_read_alike_in_both_ways(text in text(), at_once in 1_usize..8, reject_unknown in any::<bool>()) {
        let compiled = compile(plan(&format!("ndjson: {{nullValues: ['NA'], rejectUnknown: {reject_unknown}}}"), COLUMNS, ""));
        prop_assert_eq!(
            read_lines(&compiled, &text, at_once, true),
            read_lines(&compiled, &text, at_once, false),
            "{}",
            text.escape_ascii()
        );
    }

    #[test]
    fn arrays_are_read_alike_in_both_ways(arrays in arrays()) {
        let compiled = compile(plan("parquet: {}", COLUMNS, ""));
        prop_assert_eq!(read_arrays(&compiled, &arrays, true), read_arrays(&compiled, &arrays, false));
    }
}

#[test]
fn an_array_of_the_column_s_type_is_taken_over_also_with_values_that_break_a_check() {
    let compiled = compile(plan(
        "parquet: {}",
        "{name: n, logicalType: integer, physicalType: int, logicalTypeOptions: {maximum: 5}}, {name: s, logicalType: string}",
        "",
    ));
    let arrays: Vec<ArrayRef> = vec![Arc::new(Int32Array::from(vec![1, 6, 5])), Arc::new(StringArray::from(vec!["a", "b", "c"]))];
    let (parsed, notes, ..) = read_arrays(&compiled, &arrays, true);
    assert!(parsed.columns().iter().zip(&arrays).all(|(taken, array)| Arc::ptr_eq(taken, array)));
    assert_eq!(notes.matches("AboveMaximum").count(), 1);
}
