//! The contracts and pipelines that stand in samples/.

use std::fs;
use std::path::{Path, PathBuf};

use sluice_contract::{Check, DataType, Pipeline, Plan, Sources, Task};

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples")
}

fn read(folder: &str) -> Plan {
    let file = format!("{folder}.pipeline.yaml");
    let pipeline = fs::read_to_string(samples().join(folder).join(&file)).expect("a pipeline of the samples");
    let contract_file = Pipeline::parse(&file, &pipeline).unwrap_or_else(|mistakes| panic!("{mistakes}")).contract;
    let contract = fs::read_to_string(samples().join(folder).join(&contract_file)).expect("a contract of the samples");
    let sources = Sources { pipeline_file: &file, pipeline: &pipeline, contract_file: &contract_file, contract: &contract };
    Plan::parse(&sources).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

#[test]
fn flights_are_read_as_they_are_written() {
    let plan = read("flights");
    let header = fs::read_to_string(samples().join("flights/flights-2013-01.csv")).unwrap();
    let header: Vec<&str> = header.lines().next().unwrap().split(',').collect();
    let sources: Vec<&str> = plan.contract.columns.iter().map(|c| c.source.as_str()).collect();
    assert_eq!(sources, header);
    assert_eq!(plan.contract.primary_key(), ["year", "month", "day", "carrier", "flight", "origin"]);
    let column = |name: &str| plan.contract.columns.iter().find(|c| c.name == name).unwrap();
    assert_eq!(column("time_hour").data_type, DataType::Timestamp { zoned: true });
    assert_eq!(column("month").data_type, DataType::Integer { bits: 8 });
    assert_eq!(column("origin").checks, [Check::MaxLength(3), Check::OneOf(vec!["EWR".into(), "JFK".into(), "LGA".into()])]);
    assert_eq!(plan.contract.quality.len(), 3);
    assert_eq!(plan.pipeline.review.due_within_seconds, 172_800);
    assert_eq!(plan.pipeline.archive.retain_days, Some(7 * 366));
}

#[test]
fn orders_are_read_as_they_are_written() {
    let plan = read("orders");
    assert!(plan.contract.primary_key().is_empty());
    assert_eq!(plan.pipeline.tasks.iter().filter(|t| t.is_run_wide()).count(), 1);
    assert!(matches!(plan.pipeline.tasks.last(), Some(Task::Deduplicate { by }) if by == &["order_id"]));
    let total = plan.contract.columns.iter().find(|c| c.name == "total").unwrap();
    assert_eq!(total.data_type, DataType::Decimal { precision: 12, scale: 2 });
}

#[test]
fn every_sample_pipeline_is_read() {
    let mut read_pipelines = 0;
    for entry in fs::read_dir(samples()).unwrap() {
        let folder = entry.unwrap().file_name().into_string().unwrap();
        if samples().join(&folder).join(format!("{folder}.pipeline.yaml")).exists() {
            read(&folder);
            read_pipelines += 1;
        }
    }
    assert!(read_pipelines >= 2);
}
