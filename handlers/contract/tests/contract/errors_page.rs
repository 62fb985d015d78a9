//! docs/ERRORS.md against the codes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use sluice_contract::Code;

const HEADING: &str = "## Contract and pipeline files";

#[test]
fn the_page_has_a_row_for_every_code_and_no_other() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/ERRORS.md")).unwrap();
    let (_, section) = page.split_once(HEADING).expect("the section of this crate");
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows: Vec<Vec<&str>> = section.lines().filter(|l| l.starts_with("| `")).map(|l| l.split('|').map(str::trim).collect()).collect();
    for row in &rows {
        assert!(row.len() == 5 && !row[2].is_empty() && !row[3].is_empty(), "a row has a code, a meaning and what to do: {row:?}");
    }
    let documented: Vec<&str> = rows.iter().map(|row| row[1].trim_matches('`')).collect();
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(documented, codes);
    assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len(), "no code is given twice");
}
