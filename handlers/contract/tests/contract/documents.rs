//! The smallest documents that are right, for tests to change one thing.

use sluice_contract::{Mistakes, Plan, Sources};

/// A contract whose only table has these `properties` lines (indented by six) and nothing else.
pub(crate) fn contract(properties: &str) -> String {
    format!("{CONTRACT_HEAD}    properties:\n{properties}")
}

/// Lines before `properties`: 8.
const CONTRACT_HEAD: &str = "apiVersion: v3.1.0
kind: DataContract
id: c
version: 1.0.0
status: active
schema:
  - name: t
";

/// Columns that the pipelines of the tests use.
pub(crate) const COLUMNS: &str = "      - {name: a, logicalType: integer}
      - {name: b, logicalType: string}
      - {name: c, logicalType: date}
";

/// Lines of a pipeline that are always the same: 9.
pub(crate) const PIPELINE_HEAD: &str = "apiVersion: sluice/v1
kind: Pipeline
name: p
contract: c.odcs.yaml
intake:
  partner: skyline
  path: in/*.csv
  format: csv
publish: { table: t }
";

/// A pipeline with these lines at its end, from line 10 on.
pub(crate) fn pipeline(more: &str) -> String {
    format!("{PIPELINE_HEAD}{more}")
}

/// Reads both.
pub(crate) fn plan(pipeline: &str, contract: &str) -> Result<Plan, Mistakes> {
    Plan::parse(&Sources { pipeline_file: "p.yaml", pipeline, contract_file: "c.yaml", contract })
}

/// Each mistake as `code line path`.
pub(crate) fn found<T>(result: Result<T, Mistakes>) -> Vec<String> {
    let Err(Mistakes(mistakes)) = result else { return Vec::new() };
    mistakes.iter().map(|m| format!("{} {} {}", m.code, m.line, m.path)).collect()
}
