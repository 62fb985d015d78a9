//! `sluice check` on the samples and on broken files.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;
use tempfile::tempdir;

use super::{flights, run, sluice};

fn check(file: &Path) -> Command {
    let mut command = sluice();
    command.arg("check").arg(file).arg("--pipeline").arg(flights().join("flights.pipeline.yaml"));
    command
}

fn report(command: &mut Command) -> (i32, Value) {
    let (code, out, err) = run(command.arg("--json"));
    (code, serde_json::from_str(&out).unwrap_or_else(|_| panic!("no JSON: {out}\n{err}")))
}

fn total(report: &Value, outcome: &str) -> u64 {
    report["tally"]["totals"][outcome].as_u64().unwrap()
}

fn lines(path: &Path) -> u64 {
    fs::read_to_string(path).unwrap().lines().count() as u64
}

#[test]
fn every_row_of_the_sample_has_one_outcome() {
    let file = flights().join("flights-2013-01.csv");
    let (code, found) = report(&mut check(&file));
    assert_eq!(code, 0, "{found}");
    assert_eq!(total(&found, "rows"), lines(&file) - 1);
    let sum: u64 = ["accepted", "rejected", "filtered", "duplicate", "held"].map(|o| total(&found, o)).iter().sum();
    assert_eq!(sum, total(&found, "rows"));
    // The pipeline holds flights that arrive more than 300 minutes late, unless another rule rejects them.
    let late = fs::read_to_string(&file)
        .unwrap()
        .lines()
        .skip(1)
        .filter(|l| l.split(',').nth(8).and_then(|d| d.parse::<i64>().ok()).is_some_and(|d| d > 300))
        .count();
    let held = found["tally"]["held"].as_array().unwrap();
    let by_rule = |name: &str| held.iter().find(|h| h["cause"]["name"] == name).map_or(0, |h| h["count"].as_u64().unwrap());
    assert_eq!(by_rule("long-delay"), late as u64, "{held:?}");
}

#[test]
fn a_parameter_changes_the_outcome() {
    let file = flights().join("flights-2013-01.csv");
    let (_, usual) = report(&mut check(&file));
    let (_, strict) = report(check(&file).args(["--set", "long_delay_minutes=60"]));
    assert!(total(&strict, "held") > total(&usual, "held"));
    let (code, _, err) = run(check(&file).args(["--set", "long_delay_minute=60"]));
    assert!(code == 2 && err.contains("long_delay_minutes"), "{err}");
}

#[test]
fn outputs_hold_what_the_report_counts() {
    let folder = tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let file = flights().join("flights-dirty.csv");
    let (code, out, err) = run(check(&file)
        .arg("--rejected")
        .arg(at("rejected.csv"))
        .arg("--parquet")
        .arg(at("accepted.parquet"))
        .arg("--report")
        .arg(at("report.json")));
    assert!(code == 0 || code == 1, "{out}{err}");
    assert!(err.contains("throwaway key"), "{err}");
    let found: Value = serde_json::from_slice(&fs::read(at("report.json")).unwrap()).unwrap();
    assert!(total(&found, "rejected") > 0 && total(&found, "accepted") > 0, "{found}");
    let accepted = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(at("accepted.parquet")).unwrap()).unwrap();
    assert_eq!(accepted.metadata().file_metadata().num_rows() as u64, total(&found, "accepted"));
    assert!(accepted.schema().field_with_name("month").is_ok(), "the partition column is in the one file");
    // Rejected rows come back byte by byte, also those that are no UTF-8.
    let rejected = String::from_utf8_lossy(&fs::read(at("rejected.csv")).unwrap()).into_owned();
    assert!(rejected.starts_with("year,month,"), "{}", rejected.lines().next().unwrap());
    assert!(rejected.lines().count() as u64 > total(&found, "rejected"));
    assert!(out.contains("first places"), "{out}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "nothing else is left behind");
}

#[test]
fn threads_and_compression_change_nothing() {
    let folder = tempdir().unwrap();
    let plain = flights().join("flights-2013-01.csv");
    let packed = folder.path().join("f.csv.gz");
    let mut gzip = flate2::write::GzEncoder::new(fs::File::create(&packed).unwrap(), flate2::Compression::fast());
    gzip.write_all(&fs::read(&plain).unwrap()).unwrap();
    gzip.finish().unwrap();
    let outcome =
        |file: &Path, threads: &str| report(check(file).args(["--threads", threads, "--secret", "tailnum-key=k"])).1["tally"].clone();
    let one = outcome(&plain, "1");
    assert_eq!(one, outcome(&plain, "4"));
    assert_eq!(one["totals"], outcome(&packed, "2")["totals"]);
}

#[test]
fn strict_makes_bad_rows_a_fault() {
    let file = flights().join("flights-2013-01.csv");
    let (code, _, err) = run(check(&file).arg("--strict"));
    assert!(code == 1 && err.contains("--strict"), "{err}");
}

#[test]
fn a_file_that_a_run_refuses_is_a_fault_of_the_data() {
    let folder = tempdir().unwrap();
    let header = "year,month,day\n";
    for (name, content) in [("empty.csv", ""), ("other.csv", header), ("binary.csv", "\u{0}\u{1}\u{2}ELF\n")] {
        let file = folder.path().join(name);
        fs::write(&file, content).unwrap();
        let (code, out, err) = run(&mut check(&file));
        assert_eq!(code, 1, "{name}: {out}{err}");
        assert!(out.contains("would be refused"), "{name}: {out}");
    }
    let whole = fs::read(flights().join("flights-dirty.csv")).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&whole).unwrap();
    let packed = gzip.finish().unwrap();
    let cut = folder.path().join("cut.csv.gz");
    fs::write(&cut, &packed[..packed.len() / 2]).unwrap();
    assert_eq!(run(&mut check(&cut)).0, 1);
}

#[test]
fn mistakes_of_the_configuration_are_said_all_at_once() {
    let folder = tempdir().unwrap();
    for name in ["flights.odcs.yaml", "flights.pipeline.yaml"] {
        fs::copy(flights().join(name), folder.path().join(name)).unwrap();
    }
    let pipeline = folder.path().join("flights.pipeline.yaml");
    let text =
        fs::read_to_string(&pipeline).unwrap().replace("approvers: 1", "approvers: 9").replace("shortRow: reject", "shortRow: maybe");
    fs::write(&pipeline, &text).unwrap();
    let file = flights().join("flights-dirty.csv");
    let (code, _, err) = run(sluice().arg("check").arg(&file).arg("--pipeline").arg(&pipeline));
    assert_eq!(code, 2);
    assert!(err.contains("review.approvers") && err.contains("shortRow"), "{err}");
    fs::write(&pipeline, text.replace("dep_delay - arr_delay", "dep_delay - arr_dela")).unwrap();
    let tables = ["airlines", "airports"].map(|name| format!("{name}={}", flights().join(format!("reference/{name}.csv")).display()));
    let (code, _, err) =
        run(sluice().arg("check").arg(&file).arg("--pipeline").arg(&pipeline).args(tables.iter().flat_map(|t| ["--table", t])));
    assert_eq!(code, 2);
    assert!(["review.approvers", "shortRow", "arr_dela"].iter().all(|what| err.contains(what)), "{err}");
    fs::write(&pipeline, text.replace("take: { carrier_name: name }", "take: { carrier_name: nome }")).unwrap();
    let (_, _, err) =
        run(sluice().arg("check").arg(&file).arg("--pipeline").arg(&pipeline).args(tables.iter().flat_map(|t| ["--table", t])));
    let line = text.lines().position(|l| l.contains("table: airlines")).unwrap() + 1;
    assert!(err.contains(&format!("flights.pipeline.yaml:{line}:")) && err.contains("E0011"), "{err}");
    for missing in ["nowhere.yaml", "flights.odcs.yaml"] {
        assert_eq!(run(sluice().arg("check").arg(&file).arg("--pipeline").arg(folder.path().join(missing))).0, 2, "{missing}");
    }
    fs::copy(flights().join("flights.pipeline.yaml"), &pipeline).unwrap();
    let (code, _, err) = run(sluice().arg("check").arg(&file).arg("--pipeline").arg(&pipeline));
    assert!(code == 2 && err.contains("--table airlines=FILE"), "{err}");
    // A table that is missing hides nothing, and causes nothing: what is taken from it is known to be text.
    let text = fs::read_to_string(&pipeline)
        .unwrap()
        .replace("approvers: 1", "approvers: 9")
        .replace("dep_delay - arr_delay", "dep_delay - arr_dela");
    fs::write(&pipeline, text).unwrap();
    let (code, _, err) = run(sluice().arg("check").arg(&file).arg("--pipeline").arg(&pipeline).args(["--set", "long_delay_minutes=soon"]));
    assert_eq!(code, 2);
    for what in
        ["--table airlines=FILE", "--table airports=FILE", "review.approvers", "there is no column arr_dela", "found `soon`", "4 mistakes"]
    {
        assert!(err.contains(what), "{what} in {err}");
    }
}

#[test]
fn the_first_example_of_the_documentation_takes_its_own_file() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/CONTRACTS.md")).unwrap();
    let (_, after) = page.split_once("Say that a partner sends this file:").unwrap();
    let file: String = after.lines().skip_while(|l| l.is_empty()).map_while(|l| l.strip_prefix("    ")).map(|l| format!("{l}\n")).collect();
    let examples: Vec<&str> = page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let folder = tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let (csv, _) = (write("customers.csv", &file), write("customers.odcs.yaml", examples[0]));
    let pipeline = write("customers.pipeline.yaml", examples[1]);
    let (code, report) = report(sluice().arg("check").arg(&csv).arg("--pipeline").arg(&pipeline));
    assert_eq!(code, 0, "{report}");
    assert_eq!((total(&report, "accepted"), total(&report, "rejected")), (2, 0), "{report}");
}

#[test]
fn a_pipeline_that_names_no_contract_has_the_codes_of_its_mistakes() {
    let folder = tempdir().unwrap();
    let pipeline = folder.path().join("p.pipeline.yaml");
    let file = flights().join("flights-dirty.csv");
    for (text, code) in [("name: [p\n", "S0002"), ("kind: Pipeline\nname: p\n", "P0002"), ("", "S0003")] {
        fs::write(&pipeline, text).unwrap();
        let (exit, _, err) = run(sluice().arg("check").arg(&file).arg("--pipeline").arg(&pipeline));
        assert!(exit == 2 && err.contains(code) && err.contains("names no contract"), "{text}: {err}");
    }
    // One whose contract is not there is told with what else is wrong.
    fs::write(&pipeline, "kind: Pipe\nname: p\ncontract: gone.odcs.yaml\n").unwrap();
    let (exit, _, err) = run(sluice().arg("check").arg(&file).arg("--pipeline").arg(&pipeline));
    assert!(exit == 2 && err.contains("gone.odcs.yaml") && err.contains("P0004 kind"), "{err}");
}

#[test]
fn rejected_rows_can_go_to_standard_output() {
    let folder = tempdir().unwrap();
    let file = flights().join("flights-dirty.csv");
    let to_file = folder.path().join("rejected.csv");
    assert_eq!(run(check(&file).arg("--rejected").arg(&to_file)).0, 0);
    let output = check(&file).args(["--rejected", "-"]).current_dir(folder.path()).output().unwrap();
    assert_eq!(output.stdout, fs::read(&to_file).unwrap(), "the rows and nothing else");
    assert!(String::from_utf8_lossy(&output.stderr).contains("first places"), "the summary is still said");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no file of the name `-`");
    for wrong in [&["--parquet", "-"][..], &["--report", "-"], &["--rejected", "-", "--json"]] {
        let (code, out, err) = run(check(&file).args(wrong).current_dir(folder.path()));
        assert!(code == 2 && out.is_empty() && err.contains(wrong[0]), "{wrong:?}: {err}");
    }
}
