//! docs/ARCHITECTURE.md against the manifests of the crates: which may use which.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Crates of this repository that a manifest names under `[dependencies]`, in the short form of the page.
fn used(manifest: &str) -> BTreeSet<String> {
    let section = manifest.split("\n[dependencies]\n").nth(1).unwrap_or_default();
    let section = section.split("\n[").next().unwrap_or_default();
    let names = section.lines().filter_map(|line| line.split(['.', ' ', '=']).next());
    names.filter_map(|name| name.strip_prefix("sluice-").or((name == "devhost").then_some(name))).map(str::to_owned).collect()
}

#[test]
fn the_page_says_which_crate_uses_which() {
    let page = fs::read_to_string(root().join("docs/ARCHITECTURE.md")).unwrap();
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let members = workspace.split("members = [").nth(1).and_then(|rest| rest.split(']').next()).unwrap();
    let members: Vec<&str> = members.split('"').skip(1).step_by(2).collect();
    let mut documented = BTreeMap::new();
    let mut found = BTreeMap::new();
    for folder in &members {
        let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        let row = page.lines().find(|line| line.starts_with(&format!("| `{folder}` |"))).unwrap_or_else(|| panic!("no row for {folder}"));
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        assert!(manifest.contains(&format!("name = \"{}\"", cells[2].trim_matches('`'))), "{folder} is no crate {}", cells[2]);
        let may_use = match cells[4] {
            "nothing of ours" => BTreeSet::new(),
            listed => listed.split(", ").map(str::to_owned).collect(),
        };
        documented.insert(*folder, may_use);
        found.insert(*folder, used(&manifest));
    }
    assert!(found.values().any(|names| names.len() > 2), "the manifests are not understood: {found:?}");
    assert_eq!(documented, found);
}
