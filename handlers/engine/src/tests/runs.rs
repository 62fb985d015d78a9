//! Keys over a whole run.

use super::support::{Cut, compile, pass, plan, problems, run};
use crate::{Overrides, Stream};

const COLUMNS: &str = "{name: id, logicalType: integer, primaryKey: true, primaryKeyPosition: 1}, {name: mail, logicalType: string, unique: true}, {name: v, logicalType: integer}";

#[test]
fn the_first_row_of_a_key_stays_whatever_the_chunks() {
    let compiled = compile(plan("csv: {nullValues: ['']}", COLUMNS, ""));
    let text = b"id,mail,v\n1,a,1\n2,b,2\n1,c,3\n3,,4\n4,,5\n5,a,6\nx,b,7\n5,e,8\n";
    let whole = run(&compiled, text, Cut::NONE);
    assert_eq!(whole.ends, ["accepted", "accepted", "rejected", "accepted", "accepted", "rejected", "rejected", "rejected"]);
    let expected: Vec<_> = [(2, "R0210 id"), (5, "R0211 mail"), (6, "R0101 id"), (7, "R0210 id")].map(|(r, c)| (r, c.to_owned())).into();
    assert_eq!(problems(&whole), expected);
    for segment in [3, 10, 25] {
        assert_eq!(run(&compiled, text, Cut { segment, chunk: 1, piece: 2 }), whole);
    }
}

#[test]
fn deduplication_keeps_the_first_row_after_the_tasks() {
    let columns = "{name: k, logicalType: string}, {name: v, logicalType: integer}";
    let rest = "tasks: [{derive: {key: 'lower(k)'}}, {deduplicate: {by: [key]}}]\nrules: [{name: held, when: 'v = 9', outcome: review}]\n";
    let outcome = run(&compile(plan("csv: {nullValues: ['']}", columns, rest)), b"k,v\nA,1\na,2\nb,9\nB,9\n,3\n,4\n", Cut::NONE);
    assert_eq!(outcome.ends, ["accepted", "duplicate", "held", "duplicate", "accepted", "duplicate"]);
}

#[test]
fn the_reasons_of_a_row_stand_in_the_order_of_the_rules_whichever_was_found_first() {
    let compiled = compile(plan("csv: {nullValues: ['']}", COLUMNS, ""));
    let text = b"id,mail,v\n1,a,1\n1,a,2\n";
    let mut overrides = run(&compiled, text, Cut::NONE).overrides;
    assert_eq!(overrides.rows[&1].len(), 2);
    let rejected = |overrides: &Overrides| pass(&compiled, text, Cut::NONE, overrides).expect("taken").streams[&Stream::Rejected].clone();
    let once = rejected(&overrides);
    overrides.rows.values_mut().for_each(|reasons| reasons.reverse());
    assert_eq!(rejected(&overrides), once);
}
