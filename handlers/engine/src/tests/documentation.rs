//! docs/ERRORS.md lists exactly the codes of this crate.

use std::collections::BTreeSet;

use crate::Code;

#[test]
fn every_code_is_documented_once_and_nothing_else_is() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/ERRORS.md");
    let text = std::fs::read_to_string(path).expect("docs/ERRORS.md");
    let section = text.split("\n## ").find(|s| s.starts_with("Rows and files")).expect("a section \"Rows and files\"");
    let rows = section.lines().filter(|l| l.starts_with("| `"));
    let mut documented = BTreeSet::new();
    for row in rows {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let code = cells[1].trim_matches('`');
        assert!(documented.insert(code), "{code} stands twice");
        assert!(cells.len() == 5 && cells[2].len() > 5 && cells[3].len() > 5, "{code} lacks a meaning or what to do");
    }
    let known: BTreeSet<_> = Code::ALL.iter().map(|c| c.as_str()).collect();
    assert_eq!(documented, known);
    assert_eq!(known.len(), Code::ALL.len(), "a code is given twice");
}
