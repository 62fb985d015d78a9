//! `sluice infer` on the samples.

use std::fs;

use tempfile::tempdir;

use super::{flights, repository, run, sluice};

#[test]
fn the_flights_keep_the_contract_drafted_from_them() {
    let folder = tempdir().unwrap();
    let file = flights().join("flights-2013-01.csv");
    let infer = || {
        let mut command = sluice();
        command.arg("infer").arg(&file).arg("--out").arg(folder.path()).args(["--partner", "skyline"]);
        command
    };
    let (code, out, err) = run(&mut infer());
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("flights.odcs.yaml") && out.contains("flights.pipeline.yaml"), "{out}");
    let pipeline = folder.path().join("flights.pipeline.yaml");
    let text = fs::read_to_string(&pipeline).unwrap();
    assert!(text.contains("nullValues: [\"\", NA]") && text.contains("flights/*.csv"), "{text}");
    let contract = fs::read_to_string(folder.path().join("flights.odcs.yaml")).unwrap();
    assert!(contract.contains("physicalType: timestamptz"), "{contract}");
    let (code, out, err) = run(sluice().arg("check").arg(&file).arg("--strict").arg("--pipeline").arg(&pipeline));
    assert_eq!(code, 0, "{out}{err}");

    let (code, _, err) = run(&mut infer());
    assert!(code == 2 && err.contains("--force"), "{err}");
    assert_eq!(run(infer().arg("--force")).0, 0);
}

#[test]
fn the_orders_keep_the_contract_drafted_from_them() {
    let folder = tempdir().unwrap();
    let file = repository().join("samples/orders/orders-2024-05.ndjson");
    let (code, _, err) = run(sluice().arg("infer").arg(&file).arg("--out").arg(folder.path()));
    assert_eq!(code, 0, "{err}");
    let (code, out, err) =
        run(sluice().arg("check").arg(&file).arg("--json").arg("--pipeline").arg(folder.path().join("orders.pipeline.yaml")));
    assert_eq!(code, 0, "{out}{err}");
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    // One line is cut off, one address is a text, one boolean is a word.
    assert_eq!(report["tally"]["totals"]["rejected"], 3, "{out}");
}

#[test]
fn accepted_parquet_can_be_a_sample_too() {
    let folder = tempdir().unwrap();
    let accepted = folder.path().join("accepted.parquet");
    let (code, _, err) = run(sluice()
        .arg("check")
        .arg(flights().join("flights-2013-01.csv"))
        .arg("--pipeline")
        .arg(flights().join("flights.pipeline.yaml"))
        .arg("--parquet")
        .arg(&accepted));
    assert_eq!(code, 0, "{err}");
    let (code, _, err) = run(sluice().arg("infer").arg(&accepted).arg("--out").arg(folder.path()));
    assert_eq!(code, 0, "{err}");
    let (code, out, err) =
        run(sluice().arg("check").arg(&accepted).arg("--strict").arg("--pipeline").arg(folder.path().join("accepted.pipeline.yaml")));
    assert_eq!(code, 0, "{out}{err}");
}

#[test]
fn a_file_that_is_not_there_is_a_usage_fault() {
    let (code, _, err) = run(sluice().args(["infer", "nowhere.csv"]));
    assert!(code == 2 && err.contains("nowhere.csv"), "{err}");
}
