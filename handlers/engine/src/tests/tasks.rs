//! Tasks and rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use sluice_contract::{ParameterValue, Parameters};

use super::support::{Cut, Outcome, plan, problems, run};
use crate::{Compiled, ReferenceTables, Secrets};

const COLUMNS: &str = "{name: k, logicalType: string}, {name: n, logicalType: integer, physicalType: bigint}, {name: d, logicalType: number, physicalType: 'decimal(10,2)'}, {name: day, logicalType: date}";
const TEXT: &[u8] = b"k,n,d,day\nJFK,10,1.10,2024-01-31\nLGA,0,2.00,2024-02-29\nXXX,-5,,\n,7,0.01,2024-03-01\n";

fn compiled(rest: &str) -> Arc<Compiled> {
    let table = ReferenceTables::read_csv("airports", b"faa,name,zone\nJFK,Kennedy,-5\nLGA,La Guardia,\n").expect("a table");
    let tables = ReferenceTables(BTreeMap::from([("airports".to_owned(), table)]));
    let secrets = Secrets(BTreeMap::from([("key-1".to_owned(), b"Jefe".to_vec())]));
    let plan = plan("csv: {nullValues: ['']}", COLUMNS, rest);
    Compiled::new(plan, Parameters::new(), tables, secrets).unwrap_or_else(|e| panic!("{e}"))
}

fn work(rest: &str) -> Outcome {
    run(&compiled(rest), TEXT, Cut::NONE)
}

fn column(outcome: &Outcome, name: &str) -> Vec<serde_json::Value> {
    outcome.accepted.values().map(|row| row.get(name).cloned().unwrap_or_default()).collect()
}

#[test]
fn derived_columns_see_those_before_them_and_decimals_stay_exact() {
    let outcome =
        work("tasks: [{derive: {twice: 'd * 2', thrice: 'twice + d', half: 'd * 0.5', month: \"date_part('month', day)\", n: 'n + 1'}}]\n");
    assert_eq!(column(&outcome, "thrice")[0], "3.30");
    assert_eq!(column(&outcome, "half")[0], "0.550");
    assert_eq!(column(&outcome, "month"), [json!(1), json!(2), json!(null), json!(3)]);
    assert_eq!(column(&outcome, "n"), [json!(11), json!(1), json!(-4), json!(8)]);
}

#[test]
fn an_expression_without_a_value_rejects_its_row_alone() {
    let outcome = work("tasks: [{derive: {q: '100 / n', big: 'n * 1000000000000000000'}}]\n");
    assert_eq!(outcome.ends, ["rejected", "rejected", "accepted", "accepted"]);
    assert_eq!(problems(&outcome), [(0, "R0302 big".to_owned()), (1, "R0302 q".to_owned())]);
    let said: Vec<_> = outcome.report.tally.problems.iter().flat_map(|p| p.samples.iter().map(|s| s.message.as_str())).collect();
    assert!(said.iter().any(|m| m.contains("division by zero")) && said.iter().any(|m| m.to_lowercase().contains("overflow")), "{said:?}");
}

#[test]
fn rename_select_and_cast_change_names_and_types_exactly() {
    let outcome = work("tasks: [{rename: {n: count, k: code}}, {select: [count, d, code]}, {cast: {d: integer, count: string}}]\n");
    assert_eq!(outcome.ends, ["rejected", "accepted", "accepted", "rejected"]);
    assert_eq!(json!(outcome.accepted[&1]), json!({"count": "0", "d": 2, "code": "LGA"}));
    assert_eq!(problems(&outcome), [(0, "R0301 d".to_owned()), (3, "R0301 d".to_owned())]);
}

#[test]
fn a_filter_keeps_what_is_true() {
    let outcome = work("tasks: [{filter: 'd > 1'}, {filter: '10 / n > 0'}]\n");
    assert_eq!(outcome.ends, ["accepted", "rejected", "filtered", "filtered"]);
}

#[test]
fn a_lookup_leaves_null_rejects_holds_or_warns() {
    let task =
        |missing: &str| format!("tasks: [{{lookup: {{table: airports, on: {{k: faa}}, take: {{name: name, zone: zone}}{missing}}}}}]\n");
    let outcome = work(&task(""));
    assert_eq!(column(&outcome, "name"), [json!("Kennedy"), json!("La Guardia"), json!(null), json!(null)]);
    assert_eq!(work(&task(", missing: reject")).ends, ["accepted", "accepted", "rejected", "accepted"]);
    let held = work(&task(", missing: review"));
    assert_eq!((held.ends[2], held.held[0].cause.name.as_str()), ("held", "R0303"));
    let warned = work(&task(", missing: warn"));
    assert_eq!(json!(warned.report.tally.warnings), json!({"lookup:airports": 1}));
}

#[test]
fn lookup_keys_are_compared_in_the_rows_type() {
    let table = ReferenceTables::read_csv("numbers", b"id,word\n010,ten\n-5,minus\n").expect("a table");
    let tables = ReferenceTables(BTreeMap::from([("numbers".to_owned(), table)]));
    let plan = plan("csv: {nullValues: ['']}", COLUMNS, "tasks: [{lookup: {table: numbers, on: {n: id}, take: {word: word}}}]\n");
    let compiled = Compiled::new(plan, Parameters::new(), tables, Secrets::default()).unwrap_or_else(|e| panic!("{e}"));
    let outcome = run(&compiled, TEXT, Cut::NONE);
    assert_eq!(column(&outcome, "word"), [json!("ten"), json!(null), json!("minus"), json!(null)]);
}

#[test]
fn masks_hide_values_and_keep_null() {
    let mask = |with: &str| format!("tasks: [{{mask: {{column: k, {with}}}}}]\n");
    let outcome = work(&mask("with: hmac-sha256, key: key-1"));
    assert_eq!(column(&outcome, "k")[0].as_str().map(str::len), Some(64));
    assert_eq!(column(&outcome, "k")[3], json!(null));
    assert_eq!(column(&work(&mask("with: redact")), "k")[..2], [json!("***"), json!("***")]);
    assert_eq!(column(&work(&mask("with: truncate, keep: 1")), "k")[..2], [json!("J"), json!("L")]);
}

#[test]
fn every_rule_is_asked_and_reject_beats_review_beats_warn() {
    let rules = "parameters: {limit: {type: integer, default: 5}}
rules:
  - {name: big, when: 'n > $limit', outcome: review, because: 'n is {n}, over {limit}, on {day}'}
  - {name: jfk, when: \"k = 'JFK'\", outcome: reject}
  - {name: any, when: 'n > -100', outcome: warn}
";
    let outcome = work(rules);
    assert_eq!(outcome.ends, ["rejected", "accepted", "accepted", "held"]);
    assert_eq!(json!(outcome.report.tally.warnings), json!({"any": 4}));
    let held = &outcome.held[0];
    assert_eq!((held.row, held.line, held.cause.name.as_str()), (3, 5, "big"));
    assert_eq!(held.problems[0].message, "n is 7, over 5, on 2024-03-01");
    assert_eq!(held.raw, ",7,0.01,2024-03-01");
    assert_eq!(json!(held.proposed), json!({"k": null, "n": 7, "d": "0.01", "day": "2024-03-01"}));
    assert_eq!(problems(&outcome), [(0, "R0401".to_owned()), (0, "R0402".to_owned()), (3, "R0402".to_owned())]);
}

/// Few rows that are left out stay in the batch until it is written; many are taken out at once. Neither may change what becomes of any row.
#[test]
fn each_row_ends_as_it_would_alone() {
    let rest = "tasks:
  - derive: {q: '100 / (n - 40)', twice: 'n * 2'}
  - cast: {d: integer}
  - filter: 'n <> 90'
  - lookup: {table: airports, on: {k: faa}, take: {name: name}, missing: reject}
  - derive: {r: '100 / (n - 70)'}
rules:
  - {name: high, when: 'twice > 390', outcome: review}
  - {name: fifty, when: 'n = 50 or d = 60', outcome: reject}
";
    let compiled = compiled(rest);
    let header = "k,n,d,day\n";
    let row = |n: u32| match n {
        10 => "JFK,ten,1,2024-01-31\n".to_owned(),
        20 => "JFK,20,1.5,2024-01-31\n".to_owned(),
        30 => "XXX,30,1,2024-01-31\n".to_owned(),
        60 => "LGA,60,60,2024-01-31\n".to_owned(),
        80 => "LGA,x,1.5,2024-02-30\n".to_owned(),
        n => format!("JFK,{n},1,2024-01-31\n"),
    };
    for rows in [0..200, 0..25, 5..35, 35..95] {
        let text = header.to_owned() + &rows.clone().map(row).collect::<String>();
        let whole = run(&compiled, text.as_bytes(), Cut::NONE);
        let found = problems(&whole);
        for (at, n) in rows.clone().enumerate() {
            let alone = run(&compiled, format!("{header}{}", row(n)).as_bytes(), Cut::NONE);
            assert_eq!(whole.ends[at], alone.ends[0], "row {n} of {rows:?}");
            let own: Vec<_> = found.iter().filter(|(row, _)| *row == at as u64).map(|(_, problem)| problem).collect();
            assert_eq!(own, problems(&alone).iter().map(|(_, problem)| problem).collect::<Vec<_>>(), "row {n} of {rows:?}");
            assert_eq!(whole.accepted.get(&(at as u64)), alone.accepted.get(&0), "row {n} of {rows:?}");
        }
    }
    let ends = run(&compiled, (header.to_owned() + &(0..200).map(row).collect::<String>()).as_bytes(), Cut::NONE).ends;
    let rejected: Vec<_> = (0..200).filter(|n| ends[*n] == "rejected").collect();
    assert_eq!(rejected, [10, 20, 30, 40, 50, 60, 70, 80]);
    assert_eq!((ends[90], ends[195], ends[196], ends[0]), ("filtered", "accepted", "held", "accepted"));
}

#[test]
fn parameters_change_the_outcome_without_a_new_plan() {
    let rest = "parameters: {limit: {type: integer, default: 5}}\nrules: [{name: big, when: 'n > $limit', outcome: reject}]\n";
    let plan = plan("csv: {nullValues: ['']}", COLUMNS, rest);
    let values = Parameters::from([("limit".to_owned(), ParameterValue::Integer(8))]);
    let compiled = Compiled::new(plan, values, ReferenceTables::default(), Secrets::default()).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(run(&compiled, TEXT, Cut::NONE).report.tally.totals.rejected, 1);
}

#[test]
fn secrets_and_their_uses_are_not_shown() {
    let compiled = compiled("tasks: [{mask: {column: k, with: hmac-sha256, key: key-1}}]\n");
    let secrets = Secrets(BTreeMap::from([("key-1".to_owned(), b"Jefe".to_vec())]));
    let shown = format!("{compiled:?} {:?} {secrets:?}", compiled.stages);
    assert!(!shown.contains("Jefe") && !shown.contains("74, 101"), "{shown}");
    assert_eq!(Compiled::required_secrets(compiled.plan()), ["key-1"]);
}
