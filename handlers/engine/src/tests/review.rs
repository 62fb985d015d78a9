//! Held rows that people decided on.

use std::collections::BTreeMap;

use serde_json::json;

use super::support::{Cut, batches, compile, plan, run};
use crate::{Cause, Code, HeldRow, RevisedOutcome, RevisedRow, revise};

const COLUMNS: &str = "{name: id, logicalType: integer, physicalType: bigint, required: true}, {name: day, logicalType: date, logicalTypeOptions: {format: dd.MM.yyyy}}, {name: d, logicalType: number, physicalType: 'decimal(20,2)'}, {name: t, logicalType: boolean}, {name: j, logicalType: object}, {name: s, logicalType: string}";
const REST: &str = "tasks: [{derive: {twice: 'd * 2'}}, {filter: \"s IS NULL OR s <> 'out'\"}]
rules:
  - {name: big, when: 'd > 100', outcome: review}
  - {name: late, when: \"day > DATE '2024-06-01'\", outcome: review}
  - {name: bad, when: \"s = 'bad'\", outcome: reject}
";
const TEXT: &[u8] = b"id;day;d;t;j;s\n9007199254740993;31.12.2024;12345678901234567,89;ja;{\"a\": 1.50};x\n2;01.01.2024;500,00;;;y\n";

fn held() -> (std::sync::Arc<crate::Compiled>, Vec<HeldRow>) {
    let compiled = compile(plan(
        "csv: {delimiter: ';', decimal: ',', nullValues: [''], trueValues: [ja], falseValues: [nein], quote: none}",
        COLUMNS,
        REST,
    ));
    let outcome = run(&compiled, TEXT, Cut::NONE);
    assert_eq!(outcome.ends, ["held", "held"]);
    (compiled, outcome.held)
}

fn row(held: &HeldRow, waive: &[Cause], corrections: &[(&str, Option<&str>)]) -> RevisedRow {
    let corrections: BTreeMap<_, _> = corrections.iter().map(|(k, v)| ((*k).to_owned(), v.map(str::to_owned))).collect();
    RevisedRow { held: held.clone(), waive: waive.to_vec(), corrections }
}

#[test]
fn approved_rows_are_published_as_they_were_proposed() {
    let (compiled, held) = held();
    assert_eq!(held[0].causes().iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["big", "late"]);
    let rows: Vec<_> = held.iter().map(|h| row(h, &h.causes(), &[])).collect();
    let revised = revise(&compiled, "run-1", &rows).expect("revised");
    for (outcome, held) in revised.outcomes.iter().zip(&held) {
        assert_eq!(*outcome, RevisedOutcome::Accepted { proposed: held.proposed.clone() });
    }
    assert_eq!(held[0].proposed["id"], "9007199254740993");
    assert_eq!(held[0].proposed["twice"], "24691357802469135.78");
    let bytes = revised.files.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
    let published = &batches(bytes)[0];
    assert_eq!(published.num_rows(), 2);
    assert_eq!(
        published.schema(),
        compiled.output_schema().project(&(0..9).collect::<Vec<_>>()).map(std::sync::Arc::new).expect("all columns")
    );
    assert_eq!(revised.accepted[0].rows, 2);
}

#[test]
fn a_reason_that_is_not_waived_still_holds_and_a_rejection_cannot_be_waived() {
    let (compiled, held) = held();
    let big = &held[0].causes()[..1];
    let reject = Cause { name: "bad".to_owned(), ..big[0].clone() };
    let rows = [row(&held[0], big, &[]), row(&held[1], &[held[1].cause.clone(), reject], &[("s", Some("bad"))])];
    let revised = revise(&compiled, "run-1", &rows).expect("revised");
    let codes: Vec<Vec<_>> = revised
        .outcomes
        .iter()
        .map(|outcome| match outcome {
            RevisedOutcome::Problems(problems) => problems.iter().map(|p| (p.code, p.rule.clone().unwrap_or_default())).collect(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(codes, [vec![(Code::RuleReview, "late".to_owned())], vec![(Code::RuleReject, "bad".to_owned())]]);
    assert!(revised.accepted.is_empty() && revised.keys.is_empty());
}

#[test]
fn corrections_are_typed_validated_and_go_through_the_tasks() {
    let (compiled, held) = held();
    let good = row(&held[1], &[], &[("d", Some("7.5")), ("day", Some("2024-05-31")), ("s", None)]);
    let dialect = row(&held[1], &[], &[("d", Some("7.5")), ("day", Some("31.05.2024"))]);
    let bad = row(&held[1], &[], &[("d", Some("7,5")), ("id", None), ("nothing", Some("x"))]);
    let out = row(&held[1], &[], &[("d", Some("7.5")), ("s", Some("out"))]);
    let revised = revise(&compiled, "run-1", &[good, dialect, bad, out]).expect("revised");
    let RevisedOutcome::Accepted { proposed } = &revised.outcomes[0] else { panic!("{:?}", revised.outcomes[0]) };
    assert_eq!(json!(proposed), json!({"id": 2, "day": "2024-05-31", "d": "7.50", "t": null, "j": null, "s": null, "twice": "15.00"}));
    assert!(matches!(revised.outcomes[1], RevisedOutcome::Accepted { .. }));
    let RevisedOutcome::Problems(problems) = &revised.outcomes[2] else { panic!("{:?}", revised.outcomes[2]) };
    let mut codes: Vec<_> = problems.iter().map(|p| p.code).collect();
    codes.sort();
    assert_eq!(codes, [Code::UnknownKey, Code::NotDecimal, Code::Required]);
    assert_eq!(revised.outcomes[3], RevisedOutcome::Filtered);
}

#[test]
fn a_short_row_is_published_once_its_shape_is_waived() {
    let compiled = compile(plan("csv: {shortRow: review}", "{name: a, logicalType: string}, {name: b, logicalType: string}", ""));
    let outcome = run(&compiled, b"a,b\nx\n", Cut::NONE);
    let held = &outcome.held[0];
    let revised = revise(&compiled, "r", &[row(held, &[], &[]), row(held, &held.causes(), &[])]).expect("revised");
    assert!(matches!(revised.outcomes[0], RevisedOutcome::Problems(_)));
    assert!(matches!(revised.outcomes[1], RevisedOutcome::Accepted { .. }));
    let record = crate::rejected_record(&compiled, Some(&["a".to_owned(), "b".to_owned()]), &held.raw, &held.problems);
    assert_eq!(String::from_utf8(record).expect("text"), "x,,0,2,\"R0001: expected 2 fields, found 1\"\n");
}
