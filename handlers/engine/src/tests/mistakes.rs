//! Mistakes in a pipeline, all at once and each at its place.

use std::collections::BTreeMap;

use sluice_contract::{Parameters, Plan};

use super::support::{plan, plan_with};
use crate::{Compiled, ReferenceTables, Secrets};

const COLUMNS: &str = "{name: k, logicalType: string}, {name: n, logicalType: integer}, {name: d, logicalType: date}";

fn mistakes(plan: Plan) -> Vec<(String, String)> {
    let table = ReferenceTables::read_csv("known", b"id,word\n1,a\n1,b\n").expect("a table");
    let tables = ReferenceTables(BTreeMap::from([("known".to_owned(), table)]));
    match Compiled::new(plan, Parameters::new(), tables, Secrets::default()) {
        Ok(_) => Vec::new(),
        Err(mistakes) => mistakes.0.into_iter().map(|m| (m.code, m.path)).collect(),
    }
}

fn of(rest: &str) -> Vec<(String, String)> {
    mistakes(plan("csv: {}", COLUMNS, rest))
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(c, p)| ((*c).to_owned(), (*p).to_owned())).collect()
}

#[test]
fn every_rule_is_checked_at_once_with_its_place() {
    let rest = "rules:
  - {name: a, when: 'n >', outcome: warn}
  - {name: b, when: 'm > 1', outcome: warn}
  - {name: d, when: 'n + 1', outcome: warn}
  - {name: e, when: 'sum(n) > 1', outcome: warn}
  - {name: f, when: 'random() > 0.5', outcome: warn}
  - {name: g, when: 'd > now()', outcome: warn}
  - {name: i, when: \"d > 'not a date'\", outcome: warn}
  - {name: j, when: 'lower(n, k) = k', outcome: warn}
";
    let pipeline = plan("csv: {}", COLUMNS, rest);
    let found = Compiled::new(pipeline, Parameters::new(), ReferenceTables::default(), Secrets::default()).expect_err("mistakes");
    let codes: Vec<_> = found.0.iter().map(|m| m.code.as_str()).collect();
    assert_eq!(codes, ["E0001", "E0002", "E0005", "E0006", "E0006", "E0006", "E0004", "E0004"], "{found}");
    assert!(found.0.iter().all(|m| m.line > 6 && m.column > 0), "{found}");
    assert!(found.0[1].message.contains("there is no column m"), "{found}");
}

#[test]
fn tasks_are_checked_as_the_columns_change() {
    assert_eq!(of("tasks: [{rename: {n: m}}, {derive: {x: 'm + 1'}}]\nrules: [{name: r, when: 'x > 1', outcome: warn}]\n"), []);
    assert_eq!(of("tasks: [{derive: {x: 'n + 1', y: 'x || 1 || zz'}}]\n")[0].0, "E0002");
    assert_eq!(of("tasks: [{derive: {x: \"make_array(n)\"}}]\n").len(), 1);
    assert_eq!(of("tasks: [{filter: 'n'}]\n"), pairs(&[("E0005", "tasks[0].filter")]));
    assert_eq!(of("tasks: [{cast: {d: integer}}]\n"), pairs(&[("E0009", "tasks[0].cast.d")]));
}

#[test]
fn tables_and_secrets_must_be_there_and_fit() {
    let lookup =
        |table: &str, on: &str, take: &str| of(&format!("tasks: [{{lookup: {{table: {table}, on: {{{on}}}, take: {{{take}}}}}}}]\n"));
    assert_eq!(lookup("unknown", "n: id", "w: word"), pairs(&[("E0010", "tasks[0].lookup.table")]));
    assert_eq!(lookup("known", "n: no", "w: way").iter().map(|m| m.0.as_str()).collect::<Vec<_>>(), ["E0011", "E0011"]);
    assert_eq!(lookup("known", "n: id", "w: word"), pairs(&[("E0012", "tasks[0].lookup")]));
    assert_eq!(lookup("known", "n: word", "w: word"), pairs(&[("E0012", "tasks[0].lookup")]));
    assert_eq!(of("tasks: [{mask: {column: k, with: hmac-sha256, key: gone}}]\n"), pairs(&[("E0013", "tasks[0].mask.key")]));
}

#[test]
fn aggregates_are_type_checked_too() {
    let task = |take: &str| of(&format!("tasks: [{{aggregate: {{by: [k], take: {{{take}}}}}}}]\n"));
    assert_eq!(task("x: 'sum(n)'"), []);
    assert_eq!(task("x: 'sum(m)', y: 'sum(n) n m'").iter().map(|m| m.0.as_str()).collect::<Vec<_>>(), ["E0002", "E0001"]);
    assert_eq!(task("x: 'n + 1'")[0].0, "E0004");
}

#[test]
fn checks_and_dialects_that_cannot_work_are_refused() {
    let mut bad = plan("csv: {}", COLUMNS, "");
    if let sluice_contract::Format::Csv(csv) = &mut bad.pipeline.intake.format {
        csv.delimiter = "\"".to_owned();
        csv.comment = Some("#\n".to_owned());
    }
    bad.contract.columns[1].checks.push(sluice_contract::Check::Minimum("many".to_owned()));
    bad.contract.columns[0].checks.push(sluice_contract::Check::Pattern("(".to_owned()));
    bad.pipeline.publish.partition_by = vec!["gone".to_owned()];
    let mut rule = plan("csv: {}", COLUMNS, "rules: [{name: r, when: 'n > 1', outcome: warn, because: 'is {n}'}]\n");
    rule.pipeline.rules[0].because = Some("is {m}".to_owned());
    assert_eq!(mistakes(rule), pairs(&[("E0017", "rules[0].because")]));
    let codes: Vec<_> = mistakes(bad).into_iter().map(|m| m.0).collect();
    assert_eq!(codes, ["E0016", "E0016", "E0015", "E0015", "E0002"]);
    let quality = "quality: [{name: dup, metric: duplicateValues, arguments: {properties: [k, n]}, mustBe: 0}]";
    assert_eq!(mistakes(plan_with("csv: {}", COLUMNS, quality, "")), []);
}
