//! Every mistake: what is written, and the codes, lines and paths that are reported.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use sluice_contract::{Code, Contract, Mistakes, Pipeline};

use crate::documents::{COLUMNS, PIPELINE_HEAD, contract, found, pipeline, plan};

/// A snippet and the mistakes in it, each as `code line path`.
type Case<'a> = (&'a str, &'a [&'a str]);

/// Properties of a contract; the first one stands in line 9.
const PROPERTIES: &[Case<'_>] = &[
    ("      - {name: a, logicalType: string, requierd: true}\n", &["C0001 9 schema[0].properties[0].requierd"]),
    ("      - {logicalType: string}\n", &["C0002 9 schema[0].properties[0]"]),
    (
        "      - {name: 5, logicalType: string, required: yes}\n",
        &["C0003 9 schema[0].properties[0].name", "C0003 9 schema[0].properties[0].required"],
    ),
    ("      - {name: a, logicalType: text}\n", &["C0004 9 schema[0].properties[0].logicalType"]),
    ("      - {name: a, logicalType: string, examples: no list}\n", &["C0003 9 schema[0].properties[0].examples"]),
    (
        "      - {name: a, logicalType: string, customProperties: [{property: x, valu: 1}]}\n",
        &["C0001 9 schema[0].properties[0].customProperties[0].valu"],
    ),
    (
        "      - name: a\n        logicalType: object\n        properties: [{name: x, logicalType: string, required: true}]\n",
        &["C0008 11 schema[0].properties[0].properties[0].required"],
    ),
    (
        "      - {name: a, logicalType: array, logicalTypeOptions: {minItems: 1}}\n",
        &["C0008 9 schema[0].properties[0].logicalTypeOptions.minItems"],
    ),
    (
        "      - {name: a, logicalType: timestamp, logicalTypeOptions: {defaultTimezone: Europe/Berlin}}\n",
        &["C0008 9 schema[0].properties[0].logicalTypeOptions.defaultTimezone"],
    ),
    ("      - {name: a, logicalType: string}\n      - {name: A, logicalType: string}\n", &["C0101 10 schema[0].properties[1].name"]),
    (
        "      - {name: a, logicalType: string}\n      - {name: b, physicalName: a, logicalType: string}\n",
        &["C0102 10 schema[0].properties[1].name"],
    ),
    ("      - {name: a b, logicalType: string}\n", &["C0103 9 schema[0].properties[0].name"]),
    ("      - {name: a}\n", &["C0104 9 schema[0].properties[0]"]),
    ("      - {name: a, physicalType: varchr(3)}\n", &["C0105 9 schema[0].properties[0].physicalType"]),
    ("      - {name: a, logicalType: integer, physicalType: double}\n", &["C0105 9 schema[0].properties[0].physicalType"]),
    (
        "      - {name: a, logicalType: integer, physicalType: int, logicalTypeOptions: {format: i64}}\n",
        &["C0105 9 schema[0].properties[0].logicalTypeOptions.format"],
    ),
    (
        "      - {name: a, logicalType: integer, logicalTypeOptions: {format: u64}}\n",
        &["C0105 9 schema[0].properties[0].logicalTypeOptions.format"],
    ),
    (
        "      - {name: a, logicalType: timestamp, physicalType: timestamptz, logicalTypeOptions: {timezone: false}}\n",
        &["C0105 9 schema[0].properties[0].logicalTypeOptions.timezone"],
    ),
    ("      - {name: a, logicalType: number, physicalType: \"decimal(39,2)\"}\n", &["C0106 9 schema[0].properties[0].physicalType"]),
    (
        "      - {name: a, logicalType: integer, logicalTypeOptions: {maxLength: 3}}\n",
        &["C0107 9 schema[0].properties[0].logicalTypeOptions.maxLength"],
    ),
    (
        "      - {name: a, logicalType: boolean, logicalTypeOptions: {minimum: 3}}\n",
        &["C0107 9 schema[0].properties[0].logicalTypeOptions.minimum"],
    ),
    (
        "      - {name: a, logicalType: integer, physicalType: tinyint, logicalTypeOptions: {maximum: 128}}\n",
        &["C0108 9 schema[0].properties[0].logicalTypeOptions.maximum"],
    ),
    (
        "      - {name: a, logicalType: date, logicalTypeOptions: {minimum: \"2013-02-30\"}}\n",
        &["C0108 9 schema[0].properties[0].logicalTypeOptions.minimum"],
    ),
    (
        "      - {name: a, logicalType: number, logicalTypeOptions: {multipleOf: 0}}\n",
        &["C0108 9 schema[0].properties[0].logicalTypeOptions.multipleOf"],
    ),
    (
        "      - {name: a, logicalType: number, logicalTypeOptions: {minimum: \"1\"}}\n",
        &["C0003 9 schema[0].properties[0].logicalTypeOptions.minimum"],
    ),
    (
        "      - {name: a, logicalType: integer, logicalTypeOptions: {minimum: 5, maximum: 4}}\n",
        &["C0109 9 schema[0].properties[0].logicalTypeOptions.maximum"],
    ),
    (
        "      - {name: a, logicalType: integer, logicalTypeOptions: {exclusiveMinimum: 5, maximum: 5}}\n",
        &["C0109 9 schema[0].properties[0].logicalTypeOptions.maximum"],
    ),
    (
        "      - {name: a, logicalType: string, logicalTypeOptions: {minLength: 5, maxLength: 4}}\n",
        &["C0109 9 schema[0].properties[0].logicalTypeOptions.maxLength"],
    ),
    (
        "      - {name: a, logicalType: string, logicalTypeOptions: {pattern: \"[a\"}}\n",
        &["C0110 9 schema[0].properties[0].logicalTypeOptions.pattern"],
    ),
    (
        "      - {name: a, logicalType: string, logicalTypeOptions: {pattern: \"(?=a)\"}}\n",
        &["C0110 9 schema[0].properties[0].logicalTypeOptions.pattern"],
    ),
    (
        "      - {name: a, logicalType: string, logicalTypeOptions: {format: emial}}\n",
        &["C0111 9 schema[0].properties[0].logicalTypeOptions.format"],
    ),
    (
        "      - {name: a, logicalType: date, logicalTypeOptions: {format: YYYY-MM-DD}}\n",
        &["C0111 9 schema[0].properties[0].logicalTypeOptions.format"],
    ),
    (
        "      - {name: a, logicalType: date, logicalTypeOptions: {format: \"yyyy-MM-dd HH:mm\"}}\n",
        &["C0111 9 schema[0].properties[0].logicalTypeOptions.format"],
    ),
    (
        "      - {name: a, logicalType: timestamp, logicalTypeOptions: {format: \"yyyy-MM-dd HH:mmXXX\"}}\n",
        &["C0111 9 schema[0].properties[0].logicalTypeOptions.format"],
    ),
    ("      - {name: a, logicalType: string, primaryKeyPosition: 1}\n", &["C0112 9 schema[0].properties[0].primaryKeyPosition"]),
    (
        "      - {name: a, logicalType: string, primaryKey: true, primaryKeyPosition: 1}\n      - {name: b, logicalType: string, primaryKey: true, primaryKeyPosition: 1}\n",
        &["C0112 10 schema[0].properties[1].name"],
    ),
    ("      - {name: a, logicalType: string, quality: [{metric: nullValues}]}\n", &["C0201 9 schema[0].properties[0].quality[0]"]),
    (
        "      - {name: a, logicalType: string, quality: [{metric: nullValues, mustBe: 0, mustBeLessThan: 3}]}\n",
        &["C0201 9 schema[0].properties[0].quality[0]"],
    ),
    (
        "      - {name: a, logicalType: string, quality: [{metric: nullCount, mustBe: 0}]}\n",
        &["C0202 9 schema[0].properties[0].quality[0].metric"],
    ),
    (
        "      - {name: a, logicalType: string, quality: [{metric: rowCount, mustBe: 0}]}\n",
        &["C0202 9 schema[0].properties[0].quality[0].metric"],
    ),
    (
        "      - {name: a, logicalType: string, quality: [{metric: invalidValues, mustBe: 0}]}\n",
        &["C0203 9 schema[0].properties[0].quality[0]"],
    ),
    (
        "      - {name: a, logicalType: integer, quality: [{metric: invalidValues, arguments: {validValues: [1, x]}, mustBe: 0}]}\n",
        &["C0203 9 schema[0].properties[0].quality[0].arguments.validValues[1]"],
    ),
    (
        "      - {name: a, logicalType: integer, quality: [{metric: invalidValues, arguments: {pattern: x}, mustBe: 0}]}\n",
        &["C0203 9 schema[0].properties[0].quality[0].arguments.pattern"],
    ),
    (
        "      - {name: a, logicalType: string, quality: [{metric: nullValues, mustBeLessThan: 0}]}\n",
        &["C0204 9 schema[0].properties[0].quality[0]"],
    ),
    (
        "      - {name: a, logicalType: string, quality: [{metric: nullValues, mustBe: 101, unit: percent}]}\n",
        &["C0204 9 schema[0].properties[0].quality[0]"],
    ),
    (
        "      - {name: a, logicalType: string, quality: [{metric: nullValues, mustBeBetween: [5, 3]}]}\n",
        &["C0204 9 schema[0].properties[0].quality[0].mustBeBetween"],
    ),
    (
        "      - {name: a, logicalType: string, quality: [{type: sql, query: select 1, mustBe: 1}]}\n",
        &["C0008 9 schema[0].properties[0].quality[0].type"],
    ),
    (
        "      - {name: a, logicalType: string, quality: [{metric: nullValues, mustBe: 0, severity: fatal}]}\n",
        &["C0004 9 schema[0].properties[0].quality[0].severity"],
    ),
    (
        "      - {name: a, logicalType: string}\n    quality:\n      - {metric: duplicateValues, arguments: {properties: [a, bb]}, mustBe: 0}\n",
        &["C0205 11 schema[0].quality[0].arguments.properties[1]"],
    ),
    (
        "      - {name: a, logicalType: string}\n    quality:\n      - {metric: nullValues, mustBe: 0}\n",
        &["C0202 11 schema[0].quality[0].metric"],
    ),
];

/// Whole contracts.
const CONTRACTS: &[Case<'_>] = &[
    ("{}", &["C0002 1 ", "C0002 1 ", "C0002 1 ", "C0002 1 ", "C0002 1 ", "C0002 1 "]),
    ("- a\n", &["C0003 1 "]),
    (
        "apiVersion: v2.2.2\nkind: DataContract\nid: c\nversion: 1.0.0\nstatus: active\nschema: [{name: t, properties: [{name: a, logicalType: string}]}]\n",
        &["C0005 1 apiVersion"],
    ),
    (
        "apiVersion: v3.1.0\nkind: Contract\nid: c\nversion: 1.0\nstatus: active\nschema: []\n",
        &["C0004 2 kind", "C0003 4 version", "C0006 6 schema"],
    ),
    (
        "apiVersion: v3.1.0\nkind: DataContract\nid: c\nversion: '1'\nstatus: active\nschema:\n  - name: t\n    properties: []\n",
        &["C0007 7 schema[0]"],
    ),
    (
        "apiVersion: v3.1.0\nkind: DataContract\nid: c\nversion: '1'\nstatus: active\nteam: {members: [{user: x}]}\nschema:\n  - {name: t, properties: [{name: a, logicalType: string}]}\n  - {name: u, properties: [{name: a, logicalType: string}]}\n",
        &["C0001 6 team.members[0].user", "C0006 8 schema"],
    ),
    ("", &["S0003 0 "]),
    ("a: [1, 2\n", &["S0002 2 "]),
    ("a: 1\n---\nb: 2\n", &["S0004 2 "]),
];

/// Ends of a pipeline, from line 10 on, with the columns a, b and c.
const PIPELINES: &[Case<'_>] = &[
    ("taks: []\n", &["P0001 10 taks"]),
    ("review: 5\n", &["P0003 10 review"]),
    ("archive: {tier: cold storage}\n", &["P0004 10 archive.tier"]),
    ("limits: {rejectedPercent: 101}\n", &["P0005 10 limits.rejectedPercent"]),
    ("limits: {rowBytes: 0, expansion: 1000000000}\n", &["P0005 10 limits.rowBytes", "P0005 10 limits.expansion"]),
    ("review: {approvers: 3}\n", &["P0005 10 review.approvers"]),
    (
        "parameters:\n  Max: {type: integer, default: 1}\nrules:\n  - {name: r, when: a > $Max, outcome: warn}\n",
        &["P0201 11 parameters.Max"],
    ),
    (
        "parameters:\n  max: {type: integer, default: 1.5}\nrules:\n  - {name: r, when: a > $max, outcome: warn}\n",
        &["P0003 11 parameters.max.default"],
    ),
    (
        "parameters:\n  day: {type: date, default: 2013-02-30}\nrules:\n  - {name: r, when: c > $day, outcome: warn}\n",
        &["P0202 11 parameters.day.default"],
    ),
    ("rules:\n  - {name: r, when: a > $max, outcome: warn}\n", &["P0203 11 rules[0].when"]),
    (
        "parameters:\n  max: {type: integer, default: 1}\nrules:\n  - {name: r, when: \"b = '$max'\", outcome: warn}\n",
        &["P0204 11 parameters.max"],
    ),
    ("tasks:\n  - {}\n", &["P0301 11 tasks[0]"]),
    ("tasks:\n  - filter: a > 1\n    select: [a]\n", &["P0301 11 tasks[0]"]),
    ("tasks:\n  - fliter: a > 1\n", &["P0001 11 tasks[0].fliter"]),
    ("tasks:\n  - mask: {column: bb, with: redact}\n", &["P0302 11 tasks[0].mask.column"]),
    ("tasks:\n  - select: [a, b]\n  - rename: {c: d}\n", &["P0302 12 tasks[1].rename.c"]),
    ("tasks:\n  - rename: {a: x}\n  - deduplicate: {by: [a]}\n", &["P0302 12 tasks[1].deduplicate.by[0]"]),
    ("tasks:\n  - lookup: {table: r, on: {x: k}, take: {n: name}}\n  - select: [n]\n", &["P0302 11 tasks[0].lookup.on.x"]),
    ("tasks:\n  - deduplicate: {by: [a]}\n  - filter: a > 1\n", &["P0303 12 tasks[1]"]),
    ("tasks:\n  - aggregate: {by: [a], take: {n: count(*)}}\n  - deduplicate: {by: [a]}\n", &["P0303 12 tasks[1]"]),
    (
        "tasks:\n  - aggregate: {by: [a], take: {n: count(*)}}\n  - aggregate: {by: [b], take: {m: count(*)}}\n",
        &["P0303 12 tasks[1]", "P0302 12 tasks[1].aggregate.by[0]"],
    ),
    ("tasks:\n  - rename: {a: B}\n", &["P0304 11 tasks[0].rename.a"]),
    ("tasks:\n  - select: [a, a]\n", &["P0304 11 tasks[0].select[1]"]),
    ("tasks:\n  - lookup: {table: r, on: {a: k}, take: {b: name}}\n", &["P0304 11 tasks[0].lookup.take.b"]),
    ("tasks:\n  - select: []\n", &["P0305 11 tasks[0].select"]),
    ("tasks:\n  - derive:\n", &["P0305 11 tasks[0].derive"]),
    ("tasks:\n  - cast: {a: \"varchar(3)\", b: itn}\n", &["P0306 11 tasks[0].cast.a", "P0306 11 tasks[0].cast.b"]),
    ("tasks:\n  - derive: {\"x y\": a + 1}\n", &["P0307 11 tasks[0].derive.x y"]),
    ("tasks:\n  - filter: \"b = 'x\"\n", &["P0308 11 tasks[0].filter"]),
    ("tasks:\n  - filter: \"\"\n", &["P0308 11 tasks[0].filter"]),
    ("tasks:\n  - mask: {column: b, with: redact, key: k}\n", &["P0309 11 tasks[0].mask.key"]),
    ("tasks:\n  - mask: {column: b, with: hmac-sha256, key: \"a secret!\"}\n", &["P0309 11 tasks[0].mask.key"]),
    ("tasks:\n  - mask: {column: b, with: truncate}\n", &["P0002 11 tasks[0].mask"]),
    ("rules:\n  - {name: r, when: a > 1, outcome: warn}\n  - {name: r, when: a > 2, outcome: reject}\n", &["P0401 12 rules[1].name"]),
    ("rules:\n  - {name: R 1, when: a > 1, outcome: drop}\n", &["P0101 11 rules[0].name", "P0004 11 rules[0].outcome"]),
    ("rules:\n  - {name: r, when: a > 1, outcome: warn, because: \"{a} is over {max}\"}\n", &["P0402 11 rules[0].because"]),
    ("review: {dueWithin: 2 days}\n", &["P0501 10 review.dueWithin"]),
    ("review: {dueWithin: PT1S}\narchive: {retain: PT36H}\n", &["P0501 10 review.dueWithin", "P0501 11 archive.retain"]),
];

/// Whole pipelines with one line changed: the line as it is, what stands there instead, and the mistakes.
const CHANGES: &[(&str, &str, &[&str])] = &[
    ("apiVersion: sluice/v1", "apiVersion: sluice/v2", &["P0004 1 apiVersion"]),
    ("kind: Pipeline\n", "", &["P0002 1 "]),
    ("name: p", "name: My_Pipeline", &["P0101 3 name"]),
    ("contract: c.odcs.yaml", "contract: ../c.odcs.yaml", &["P0102 4 contract"]),
    ("partner: skyline", "partner: Sky--line", &["P0101 6 intake.partner"]),
    ("path: in/*.csv", "path: /in/*.csv", &["P0103 7 intake.path"]),
    ("path: in/*.csv", "path: in/../*.csv", &["P0103 7 intake.path"]),
    ("path: in/*.csv", "path: \"in/[a.csv\"", &["P0103 7 intake.path"]),
    ("format: csv", "format: {csv: {}, parquet: {}}", &["P0104 8 intake.format"]),
    ("format: csv", "format: cvs", &["P0004 8 intake.format"]),
    ("format: csv", "format: {csv: {quote: ab}}", &["P0105 8 intake.format.csv.quote"]),
    (
        "format: csv",
        "format: {csv: {delimiter: \"\", decimal: x}}",
        &["P0105 8 intake.format.csv.delimiter", "P0105 8 intake.format.csv.decimal"],
    ),
    ("format: csv", "format: {csv: {delimiter: \"\\n\"}}", &["P0105 8 intake.format.csv.delimiter"]),
    ("format: csv", "format: {csv: {delimiter: \"'\", quote: \"'\"}}", &["P0106 8 intake.format.csv.delimiter"]),
    ("format: csv", "format: {csv: {thousands: \".\"}}", &["P0106 8 intake.format.csv.thousands"]),
    ("format: csv", "format: {csv: {header: 11}}", &["P0005 8 intake.format.csv.header"]),
    ("format: csv", "format: {csv: {header: last}}", &["P0004 8 intake.format.csv.header"]),
    ("format: csv", "format: {csv: {skipRows: \"(\"}}", &["P0108 8 intake.format.csv.skipRows"]),
    ("format: csv", "format: {csv: {skipUntil: \"\"}}", &["P0108 8 intake.format.csv.skipUntil"]),
    ("format: csv", "format: {csv: {header: none, headerMatch: loose}}", &["P0106 8 intake.format.csv.headerMatch"]),
    ("format: csv", "format: {csv: {trueValues: [Y, no]}}", &["P0106 8 intake.format.csv"]),
    ("format: csv", "format: parquet\n  compression: gzip", &["P0107 9 intake.compression"]),
    ("format: csv", "format: {csv: {delimter: \";\"}}", &["P0001 8 intake.format.csv.delimter"]),
    ("publish: { table: t }", "publish: { table: T-1 }", &["P0101 9 publish.table"]),
    ("publish: { table: t }", "publish: { table: t, partitionBy: [d] }", &["P0302 9 publish.partitionBy[0]"]),
    ("publish: { table: t }", "publish: { table: t, partitionBy: [a, b, c] }", &["P0502 9 publish.partitionBy"]),
    ("name: p", "name: p\nname: q", &["S0006 4 "]),
    ("name: p", "name: !secret p", &["S0007 3 "]),
    ("name: p", "? [name]\n: p", &["P0002 1 ", "S0009 3 "]),
];

/// Bounds on hostile text, too long to write down.
fn hostile() -> Vec<(String, &'static str)> {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for i in 1..8 {
        let before = format!("*a{}, ", i - 1).repeat(10);
        let _infallible = writeln!(bomb, "a{i}: &a{i} [{before}]");
    }
    vec![("x".repeat((1 << 20) + 1), "S0001 0 "), ("[".repeat(33) + &"]".repeat(33), "S0005 1 "), (bomb, "S0008 5 ")]
}

fn check<T>(text: &str, result: Result<T, Mistakes>, expected: &[&str], seen: &mut BTreeSet<String>) {
    let found = found(result);
    assert_eq!(found, expected, "in\n{text}");
    seen.extend(found.iter().map(|f| f[..5].to_owned()));
}

#[test]
fn every_mistake_is_reported_with_its_place() {
    let mut seen = BTreeSet::new();
    for (text, expected) in PROPERTIES {
        let text = contract(text);
        check(&text, Contract::parse("c.yaml", &text), expected, &mut seen);
    }
    for (text, expected) in CONTRACTS {
        check(text, Contract::parse("c.yaml", text), expected, &mut seen);
    }
    for (text, expected) in PIPELINES {
        let text = pipeline(text);
        check(&text, plan(&text, &contract(COLUMNS)), expected, &mut seen);
    }
    for (old, new, expected) in CHANGES {
        let text = PIPELINE_HEAD.replacen(old, new, 1);
        assert_ne!(text, PIPELINE_HEAD, "{old} is not in the pipeline");
        check(&text, plan(&text, &contract(COLUMNS)), expected, &mut seen);
    }
    for (text, expected) in hostile() {
        check("hostile text", Pipeline::parse("p.yaml", &text), &[expected], &mut seen);
    }
    // Only a value that an operator sets can have it.
    seen.insert(Code::ParameterUnknown.as_str().to_owned());
    let all: BTreeSet<String> = Code::ALL.iter().map(|code| code.as_str().to_owned()).collect();
    assert_eq!(seen, all, "every code needs an example here");
}

#[test]
fn the_documents_of_the_tests_are_right() {
    plan(PIPELINE_HEAD, &contract(COLUMNS)).unwrap();
}

#[test]
fn mistakes_of_both_files_come_together_and_do_not_cause_others() {
    let contract = contract("      - {name: a, logicalType: integr}\n      - {logicalType: string}\n");
    let pipeline = pipeline("tasks:\n  - select: [unknown]\nreview: {approvers: 0}\n");
    assert_eq!(
        found(plan(&pipeline, &contract)),
        ["P0005 12 review.approvers", "C0004 9 schema[0].properties[0].logicalType", "C0002 10 schema[0].properties[1]",]
    );
}

#[test]
fn a_message_says_where_and_what_to_do() {
    let text = PIPELINE_HEAD.replace("format: csv", "format: {csv: {delimter: \";\"}}");
    let mistakes = Pipeline::parse("p.yaml", &text).unwrap_err();
    assert_eq!(mistakes.to_string(), "p.yaml:8:18: P0001 intake.format.csv.delimter: unknown key `delimter`; did you mean `delimiter`?");
}
