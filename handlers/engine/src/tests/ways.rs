//! The short way of NDJSON gives what the long way gives.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use sluice_contract::Format;

use super::support::{compile, plan};
use crate::Compiled;
use crate::decode::batch::BatchBuilder;
use crate::decode::ndjson::NdjsonRecords;
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
    let read = rows.finish(Vec::new()).expect("a batch");
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
}
