//! Bad files, one a defect: what becomes of each, however it is cut, and whether places are true.
//!
//! `corpus/<defect>.csv` is the file, `corpus/<defect>.expected.json` what must come of it. Its pipeline is `corpus/<defect>.pipeline.yaml`, or
//! `corpus/default.pipeline.yaml` if there is none. With `SLUICE_CORPUS=write` in the environment expectations are written instead of
//! compared; look at what changed before you keep it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};
use sluice_contract::{Format, Plan, Sources};

use super::support::{Cut, Outcome, compile, try_run};
use crate::decode::utf16::{Utf16, stored_len};
use crate::header::find_header;
use crate::{Code, Compiled, EngineError, Problem};

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/corpus"))
}

fn names(suffix: &str) -> BTreeSet<String> {
    let files = std::fs::read_dir(folder()).expect("the corpus");
    files.filter_map(|f| f.expect("a file").file_name().to_str()?.strip_suffix(suffix).map(str::to_owned)).collect()
}

fn read(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn compiled(defect: &str) -> Arc<Compiled> {
    let own = format!("{defect}.pipeline.yaml");
    let pipeline_file = if folder().join(&own).exists() { own } else { "default.pipeline.yaml".to_owned() };
    let pipeline = read(&pipeline_file);
    let contract_file = pipeline.lines().find_map(|line| line.strip_prefix("contract: ")).expect("the name of a contract").to_owned();
    let contract = read(&contract_file);
    let sources = Sources { pipeline_file: &pipeline_file, pipeline: &pipeline, contract_file: &contract_file, contract: &contract };
    compile(Plan::parse(&sources).unwrap_or_else(|e| panic!("{e}")))
}

/// What became of a file, as an expectation says it.
fn found(compiled: &Compiled, result: &Result<Outcome, EngineError>) -> Value {
    let outcome = match result {
        Ok(outcome) => outcome,
        Err(EngineError::Refused(refusal)) => {
            return json!({ "refused": [refusal.code], "line": refusal.line, "message": refusal.message });
        }
        Err(EngineError::Bug(bug)) => panic!("{bug}"),
    };
    let refused: Vec<Code> = outcome.report.refusals(compiled.plan(), &outcome.overrides).iter().map(|r| r.code).collect();
    let mut ends = BTreeMap::new();
    outcome.ends.iter().for_each(|end| *ends.entry(*end).or_insert(0_u64) += 1);
    let problems: Vec<Value> = problems(outcome)
        .iter()
        .map(|p| {
            let mut problem = json!({ "code": p.code, "row": p.row, "line": p.line, "offset": p.offset, "message": p.message });
            for (key, value) in [("column", &p.column), ("value", &p.value)] {
                if let Some(value) = value {
                    problem[key] = json!(value);
                }
            }
            problem
        })
        .collect();
    json!({
        "refused": refused,
        "rows": ends,
        "repairs": outcome.report.tally.repairs,
        "problems": problems,
        "accepted": outcome.accepted.values().collect::<Vec<_>>(),
    })
}

/// All problems, by row.
fn problems(outcome: &Outcome) -> Vec<&Problem> {
    let counts = &outcome.report.tally.problems;
    assert!(counts.iter().all(|c| c.count == c.samples.len() as u64), "a corpus file has at most five problems of a kind");
    let mut all: Vec<_> = counts.iter().flat_map(|c| &c.samples).collect();
    all.sort_by_key(|p| (p.row, p.code, p.column.clone()));
    all
}

#[test]
fn every_file_has_an_expectation_and_every_expectation_its_file() {
    let (files, expectations) = (names(".csv"), names(".expected.json"));
    assert!(files.len() > 50, "only {} files", files.len());
    assert_eq!(files, expectations, "each corpus/<defect>.csv needs a corpus/<defect>.expected.json");
    let mut pipelines = names(".pipeline.yaml");
    assert!(pipelines.remove("default"));
    assert!(pipelines.is_subset(&files), "a pipeline without its file: {:?}", pipelines.difference(&files));
}

#[test]
fn every_file_ends_as_expected() {
    let is_writing = std::env::var("SLUICE_CORPUS").is_ok_and(|v| v == "write");
    let mut wrong = Vec::new();
    for defect in names(".csv") {
        let bytes = std::fs::read(folder().join(format!("{defect}.csv"))).expect("the file");
        let compiled = compiled(&defect);
        let found = found(&compiled, &try_run(&compiled, &bytes, Cut::NONE));
        let text = serde_json::to_string_pretty(&found).expect("JSON") + "\n";
        let file = format!("{defect}.expected.json");
        if is_writing {
            std::fs::write(folder().join(&file), text).expect("the corpus can be written");
        } else if serde_json::from_str::<Value>(&read(&file)).expect("JSON") != found {
            wrong.push(format!("{file}: found instead\n{text}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_cut_changes_anything() {
    for defect in names(".csv") {
        let bytes = std::fs::read(folder().join(format!("{defect}.csv"))).expect("the file");
        let compiled = compiled(&defect);
        let whole = found(&compiled, &try_run(&compiled, &bytes, Cut::NONE));
        for segment in [1, 2, 3, 7, 16, 37, bytes.len().div_ceil(2).max(1), bytes.len().max(1)] {
            for (chunk, piece) in [(1, 1), (1, 5), (40, 3), (u64::MAX >> 1, 2)] {
                let cut = found(&compiled, &try_run(&compiled, &bytes, Cut { segment, chunk, piece }));
                assert_eq!(cut, whole, "{defect} in segments of {segment}, chunks of {chunk}, pieces of {piece}");
            }
        }
    }
}

/// Where the first record begins in the file.
fn data_start(compiled: &Compiled, bytes: &[u8]) -> usize {
    let plan = compiled.plan();
    let Format::Csv(csv) = &plan.pipeline.intake.format else { panic!("CSV") };
    if !csv.encoding.is_utf16() {
        return find_header(plan, bytes, true).expect("a header").expect("a header").end as usize;
    }
    let mut text = Vec::new();
    let mut sink = |piece: &[u8]| {
        text.extend_from_slice(piece);
        Ok(())
    };
    let mut utf16 = Utf16::new(csv.encoding);
    utf16.push(bytes, &mut sink).and_then(|()| utf16.finish(&mut sink)).expect("UTF-16");
    let end = find_header(plan, &text, true).expect("a header").expect("a header").end as usize;
    stored_len(&text[..end]) as usize
}

/// Header and the file from the place of a problem on: the first row must have the same problem, and as many rows must follow.
#[test]
fn a_file_cut_at_the_place_of_a_problem_begins_with_its_row() {
    let of_row = |outcome: &Outcome, row: u64| -> Vec<(Code, Option<String>, Option<String>, String)> {
        let of_row = problems(outcome).into_iter().filter(|p| p.row == row);
        of_row.map(|p| (p.code, p.column.clone(), p.value.clone(), p.message.clone())).collect()
    };
    let mut checked = 0;
    for defect in names(".csv") {
        let bytes = std::fs::read(folder().join(format!("{defect}.csv"))).expect("the file");
        let compiled = compiled(&defect);
        let is_compressed = bytes.starts_with(b"\x1f\x8b");
        let Some(outcome) = try_run(&compiled, &bytes, Cut::NONE).ok().filter(|_| !is_compressed) else { continue };
        let head = &bytes[..data_start(&compiled, &bytes)];
        let lines_before = |at: usize| {
            let before = &bytes[..at];
            let ends = |(i, b): &(usize, &u8)| **b == b'\n' || (**b == b'\r' && bytes.get(i + 1) != Some(&b'\n'));
            before.iter().enumerate().filter(ends).count() as u64
        };
        for problem in problems(&outcome) {
            if matches!(problem.code, Code::RepeatedPrimaryKey | Code::RepeatedUnique) {
                continue;
            }
            let at = problem.offset as usize;
            let cut = [head, &bytes[at..]].concat();
            let again = try_run(&compiled, &cut, Cut::NONE).unwrap_or_else(|e| panic!("{defect}: {e}"));
            assert_eq!(of_row(&again, 0), of_row(&outcome, problem.row), "{defect}: row {} is not at byte {at}", problem.row);
            assert_eq!(again.ends.len(), outcome.ends.len() - problem.row as usize, "{defect}: rows after byte {at}");
            if !bytes.contains(&0) {
                assert_eq!(problem.line, lines_before(at) + 1, "{defect}: line of row {}", problem.row);
            }
            checked += 1;
        }
    }
    assert!(checked > 40, "only {checked} problems");
}
