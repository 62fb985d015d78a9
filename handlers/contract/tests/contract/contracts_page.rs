//! docs/CONTRACTS.md against the code: its examples are right, and it explains every key of a pipeline.

use std::fs;
use std::path::Path;

use sluice_contract::{DataType, Mistakes, Pipeline};

use crate::documents::{PIPELINE_HEAD, pipeline, plan};

fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/CONTRACTS.md")).expect("the page")
}

#[test]
fn the_first_examples_are_right() {
    let page = page();
    let examples: Vec<&str> = page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let plan = plan(examples[1], examples[0]).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert_eq!(plan.contract.columns.len(), 4);
    assert_eq!(plan.contract.columns[3].data_type, DataType::Decimal { precision: 15, scale: 2 });
    assert_eq!(plan.contract.columns[0].source, "Customer No");
}

/// Keys that may stand beside `zzzz`, as the message about it lists them.
fn keys_beside(text: &str) -> Vec<String> {
    let Err(Mistakes(mistakes)) = Pipeline::parse("p.yaml", text) else { panic!("an unknown key is a mistake in\n{text}") };
    let message = &mistakes.iter().find(|m| m.code == "P0001").expect("an unknown key").message;
    let (_, expected) = message.split_once("expected ").expect("the keys that are known");
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_key_of_a_pipeline_is_explained() {
    let page = page();
    let mut texts: Vec<String> = [
        "zzzz: 1\n",
        "parameters: {a: {zzzz: 1}}\n",
        "tasks: [{zzzz: 1}]\n",
        "tasks: [{lookup: {zzzz: 1}}]\n",
        "tasks: [{mask: {zzzz: 1}}]\n",
        "tasks: [{deduplicate: {zzzz: 1}}]\n",
        "tasks: [{aggregate: {zzzz: 1}}]\n",
        "rules: [{zzzz: 1}]\n",
        "limits: {zzzz: 1}\n",
        "review: {zzzz: 1}\n",
        "archive: {zzzz: 1}\n",
    ]
    .map(pipeline)
    .to_vec();
    for (old, new) in [
        ("partner: skyline", "zzzz: 1"),
        ("format: csv", "format: {csv: {zzzz: 1}}"),
        ("format: csv", "format: {ndjson: {zzzz: 1}}"),
        ("table: t", "zzzz: 1"),
    ] {
        texts.push(PIPELINE_HEAD.replacen(old, new, 1));
    }
    let mut keys = 0;
    for text in texts {
        for key in keys_beside(&text) {
            let explained = page.contains(&format!("`{key}`")) || page.contains(&format!(".{key}` |"));
            assert!(explained, "`{key}` is not explained");
            keys += 1;
        }
    }
    assert!(keys > 60, "only {keys} keys were found");
}
