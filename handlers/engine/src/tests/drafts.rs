//! Mistakes of the texts and of what is compiled from them, all at once, and none that only follows from another.

use std::collections::BTreeMap;

use sluice_contract::{Draft, Parameters, Sources};

use crate::{Compiled, ReferenceTables, Secrets};

const COLUMNS: &str = "[{name: k, logicalType: string}, {name: n, logicalType: integer}, {name: d, logicalType: date}]";

/// Each mistake as `code path`, with the columns and the end of a pipeline given.
fn found(columns: &str, rest: &str) -> Vec<String> {
    let publish = if rest.contains("publish:") { "" } else { "publish: {table: t}\n" };
    let pipeline = format!(
        "apiVersion: sluice/v1\nkind: Pipeline\nname: t\ncontract: t.odcs.yaml\nintake: {{partner: acme, path: '**', format: csv}}\n{publish}{rest}"
    );
    let contract = format!(
        "apiVersion: v3.1.0\nkind: DataContract\nid: t\nversion: 1.0.0\nstatus: active\nschema:\n  - name: t\n    properties: {columns}\n"
    );
    let sources = Sources { pipeline_file: "t.yaml", pipeline: &pipeline, contract_file: "t.odcs.yaml", contract: &contract };
    let table = ReferenceTables::read_csv("known", b"id,word\n1,a\n2,b\n").expect("a table");
    let tables = ReferenceTables(BTreeMap::from([("known".to_owned(), table)]));
    match Compiled::of_draft(Draft::read(&sources), &sources, Parameters::new(), tables, Secrets::default()) {
        Ok(_) => Vec::new(),
        Err(mistakes) => {
            assert!(mistakes.0.iter().all(|m| m.line > 0 && m.file.starts_with("t.")), "{mistakes}");
            mistakes.0.into_iter().map(|m| format!("{} {}", m.code, m.path)).collect()
        }
    }
}

#[test]
fn everything_after_a_mistaken_task_is_checked_too() {
    let rest = "tasks:
  - derive: {x: 'zz + 1'}
  - lookup: {table: gone, on: {k: id}, take: {w: word}}
  - lookup: {table: known, on: {n: no}, take: {v: word}}
  - mask: {column: k, with: hmac-sha256, key: gone}
  - cast: {d: integer}
  - filter: 'n'
  - derive: {y: 'w + ', z: 'n'}
rules:
  - {name: r, when: 'm > 1', outcome: warn}
  - {name: s, when: 'v', outcome: warn}
";
    let expected = [
        "E0002 tasks[0].derive.x",
        "E0010 tasks[1].lookup.table",
        "E0011 tasks[2].lookup",
        "E0013 tasks[3].mask.key",
        "E0009 tasks[4].cast.d",
        "E0005 tasks[5].filter",
        "E0001 tasks[6].derive.y",
        "E0002 rules[0].when",
        "E0005 rules[1].when",
    ];
    assert_eq!(found(COLUMNS, rest), expected);
}

#[test]
fn a_column_of_unknown_type_causes_no_mistake() {
    let after = "  - derive: {y: 'x + 1', l: \"lower(x) || 'a'\", b: 'x[1]'}
  - lookup: {table: known, on: {x: id}, take: {w: word}}
  - cast: {x: integer}
  - filter: 'y > 1 AND l'
  - rename: {y: v}
  - select: [x, v, n, l, w]
  - deduplicate: {by: [v]}
";
    let rule = "rules: [{name: r, when: 'v BETWEEN 1 AND 2', outcome: warn, because: '{v}'}]\n";
    for before in ["derive: {x: 'zz + 1'}", "derive: {x: \"'a\"}", "derive: {x: 5}", "derive: {x: 'make_array(n)'}"] {
        for aggregate in ["", "  - aggregate: {by: [v], take: {s: 'sum(l)', c: 'count(*)'}}\npublish: {table: t, partitionBy: [v]}\n"] {
            let all = found(COLUMNS, &format!("tasks:\n  - {before}\n{after}{aggregate}{rule}"));
            assert!(all.len() == 1 && all[0].ends_with("tasks[0].derive.x"), "{before}: {all:?}");
        }
    }
}

#[test]
fn after_a_task_that_cannot_be_read_columns_are_unknown_until_they_are_listed() {
    let unread =
        |task: &str| found(COLUMNS, &format!("tasks:\n  - {task}\n  - filter: 'x > 1'\nrules: [{{name: r, when: x, outcome: warn}}]\n"));
    assert_eq!(unread("drive: {x: 'n + 1'}"), ["P0001 tasks[0].drive"]);
    assert_eq!(unread("rename: {n: 5}"), ["P0003 tasks[0].rename.n"]);
    assert_eq!(unread("lookup: {table: known, on: {n: id}}"), ["P0002 tasks[0].lookup"]);
    // A mask or a cast makes no columns, whatever else it does.
    assert_eq!(unread("mask: {column: k, with: sha}"), ["P0004 tasks[0].mask.with", "E0002 tasks[1].filter", "E0002 rules[0].when"]);
    assert_eq!(unread("cast: {k: itn}"), ["P0306 tasks[0].cast.k", "E0002 tasks[1].filter", "E0002 rules[0].when"]);
    let listed =
        found(COLUMNS, "tasks:\n  - drive: {x: 'n'}\n  - select: [x, n]\nrules: [{name: r, when: 'x > 1 AND y', outcome: warn}]\n");
    assert_eq!(listed, ["P0001 tasks[0].drive", "E0002 rules[0].when"]);
}

#[test]
fn what_the_texts_told_is_not_told_again() {
    for (rest, expected) in [
        ("tasks: [{select: [n, nn]}, {filter: 'nn > 1'}]\n", &["P0302 tasks[0].select[1]"][..]),
        ("tasks: [{mask: {column: kk, with: redact}}]\n", &["P0302 tasks[0].mask.column"]),
        ("tasks: [{deduplicate: {by: [n]}}, {filter: 'n'}]\n", &["P0303 tasks[1]", "E0005 tasks[1].filter"]),
        ("tasks: [{lookup: {table: known, on: {n: id}, take: {k: word}}}]\n", &["P0304 tasks[0].lookup.take.k"]),
        ("tasks: [{lookup: {on: {n: id}, take: {w: word}}}, {filter: 'w'}]\n", &["P0002 tasks[0].lookup", "E0005 tasks[1].filter"]),
        ("tasks: [{lookup: {table: known, on: {}, take: {w: word}}}]\n", &["P0305 tasks[0].lookup.on"]),
        ("tasks: [{filter: '(n'}, {derive: {x: ''}}]\n", &["P0308 tasks[0].filter", "P0308 tasks[1].derive.x"]),
        ("rules: [{name: r, when: 'n > $max AND zz', outcome: warn}]\n", &["P0203 rules[0].when", "E0002 rules[0].when"]),
        ("rules: [{name: r, when: 'n > 1', outcome: warn, because: '{zz}'}]\n", &["P0402 rules[0].because"]),
        ("rules: [{name: r, when: 'n', outcome: worn}]\n", &["E0005 rules[0].when", "P0004 rules[0].outcome"]),
        ("publish: {table: t, partitionBy: [zz]}\n", &["P0302 publish.partitionBy[0]"]),
    ] {
        assert_eq!(found(COLUMNS, rest), expected, "{rest}");
    }
}

#[test]
fn a_mistaken_parameter_causes_no_mistake_where_it_is_used() {
    let uses = "rules: [{name: r, when: 'n > $max', outcome: warn, because: 'over {max}'}]\n";
    for (declared, expected) in [
        ("{max: {type: integr, default: 1}}", "P0004 parameters.max.type"),
        ("[max]", "P0003 parameters"),
        ("{max: 1}", "P0003 parameters.max"),
    ] {
        assert_eq!(found(COLUMNS, &format!("parameters: {declared}\n{uses}")), [expected]);
    }
    let unread = "parameters: {max: {type: integer, default: 1}}\ntasks: [{fliter: 'n > $max'}]\n";
    assert_eq!(found(COLUMNS, unread), ["P0001 tasks[0].fliter"], "it is used, though nobody can say where");
}

#[test]
fn every_unknown_column_of_an_expression_is_told() {
    let codes = ["E0002 rules[0].when", "E0002 rules[0].when", "E0006 rules[0].when"];
    assert_eq!(found(COLUMNS, "rules: [{name: r, when: 'zz > 1 AND yy < now()', outcome: warn}]\n"), codes);
}

#[test]
fn a_mistaken_column_of_the_contract_causes_no_mistake_in_the_pipeline() {
    let rest = "tasks: [{derive: {x: 'q || 1'}}, {select: [q, x, n]}]\nrules: [{name: r, when: 'q > 1 AND x', outcome: warn}]\npublish: {table: t, partitionBy: [q]}\n";
    let n = "{name: n, logicalType: integer}";
    for (columns, code) in [
        (format!("[{{name: q, logicalType: strng}}, {n}]"), "C0004"),
        (format!("[{{name: q, physicalType: txet}}, {n}]"), "C0105"),
        (format!("[{{name: q}}, {n}]"), "C0104"),
        (format!("[{{name: 'q q', logicalType: string}}, {n}]"), "C0103"),
        (format!("[{{nme: q, logicalType: string}}, {n}]"), "C0001"),
        (format!("[q, {n}]"), "C0003"),
        (format!("[{{name: q, logicalType: string}}, {{name: q, logicalType: integer}}, {n}]"), "C0101"),
        // A lost `-`: the second column hides behind keys that stand twice.
        ("[{name: n, logicalType: integer, name: q, logicalType: string}]".to_owned(), "S0006"),
        ("5".to_owned(), "C0003"),
        ("[]".to_owned(), "C0007"),
    ] {
        let all = found(&columns, rest);
        assert!(all.iter().any(|m| m.starts_with(code)) && all.iter().all(|m| m.starts_with(['C', 'S'])), "{columns}: {all:?}");
    }
    // What has nothing to do with that column is told all the same.
    let more = "rules: [{name: r, when: 'n', outcome: warn}, {name: s, when: 'q', outcome: warn}]\n";
    assert_eq!(
        found(&format!("[{{name: q, logicalType: strng}}, {n}]"), more),
        ["E0005 rules[0].when", "C0004 schema[0].properties[0].logicalType"]
    );
}
