//! Every code of this crate stands in docs/ERRORS.md, and the section about runs names no other.

use std::{collections::BTreeSet, fs, path::Path};

const DOCS: &str = include_str!("../../../../docs/ERRORS.md");

/// Letters of the codes that the section about runs explains.
const RUNS: &str = "AIJKLMTV";

fn codes_in(text: &str, quote: char) -> BTreeSet<String> {
    let parts: Vec<&str> = text.split(quote).collect();
    let is_code = |p: &&&str| p.len() == 5 && p.starts_with(|c: char| c.is_ascii_uppercase()) && p[1..].bytes().all(|b| b.is_ascii_digit());
    parts.iter().filter(is_code).map(|p| (*p).to_owned()).collect()
}

fn sources(folder: &Path, found: &mut String) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && path.file_name().is_some_and(|n| n != "tests") {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push_str(&fs::read_to_string(&path).expect("a source file"));
        }
    }
}

#[test]
fn every_code_is_documented() {
    let mut text = String::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut text);
    let used = codes_in(&text, '"');
    let documented = codes_in(DOCS, '`');
    let missing: Vec<_> = used.difference(&documented).collect();
    assert!(missing.is_empty(), "codes that docs/ERRORS.md does not explain: {missing:?}");
}

#[test]
fn the_section_about_runs_names_no_code_that_is_not_used() {
    no_unused_code("Runs", RUNS);
}

#[test]
fn the_section_about_review_and_publishing_names_no_code_that_is_not_used() {
    no_unused_code("Review, publishing and archive", "DGW");
}

fn no_unused_code(title: &str, letters: &str) {
    let section = DOCS.split("\n## ").find(|s| s.strip_prefix(title).is_some_and(|s| s.starts_with('\n')));
    let section = section.unwrap_or_else(|| panic!("docs/ERRORS.md has no section {title:?}"));
    let mut text = String::new();
    let handlers = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the folder of all crates");
    for name in ["flow", "azure", "app"] {
        sources(&handlers.join(name).join("src"), &mut text);
    }
    let used = codes_in(&text, '"');
    let unused: Vec<_> = codes_in(section, '`').into_iter().filter(|c| letters.contains(&c[..1]) && !used.contains(c)).collect();
    assert!(unused.is_empty(), "codes that nothing gives: {unused:?}");
}
