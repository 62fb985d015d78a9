//! Plans from little YAML, for tests, benchmarks and fuzz targets; the latter two take this file in by its path.

use std::sync::Arc;

use sluice_contract::{Parameters, Plan, Sources};
use sluice_engine::{Compiled, ReferenceTables, Secrets};

/// A plan from the format, the columns (a YAML flow list) and further keys of the pipeline.
pub(crate) fn plan(format: &str, columns: &str, rest: &str) -> Plan {
    plan_with(format, columns, "", rest)
}

/// As [`plan`], with keys of the contract's table, such as `quality: [...]`.
pub(crate) fn plan_with(format: &str, columns: &str, table: &str, rest: &str) -> Plan {
    let publish = if rest.contains("publish:") { "" } else { "publish: {table: t}\n" };
    let pipeline = format!(
        "apiVersion: sluice/v1\nkind: Pipeline\nname: t\ncontract: t.odcs.yaml\nintake: {{partner: acme, path: '**', format: {{{format}}}}}\n{publish}{rest}"
    );
    let table = if table.is_empty() { String::new() } else { format!(", {table}") };
    let contract = format!(
        "apiVersion: v3.1.0\nkind: DataContract\nid: t\nversion: 1.0.0\nstatus: active\nschema: [{{name: t, properties: [{columns}]{table}}}]\n"
    );
    let sources = Sources { pipeline_file: "t.yaml", pipeline: &pipeline, contract_file: "t.odcs.yaml", contract: &contract };
    Plan::parse(&sources).unwrap_or_else(|e| panic!("{e}\n{pipeline}\n{contract}"))
}

/// Compiles a plan that needs no tables and no secrets.
pub(crate) fn compile(plan: Plan) -> Arc<Compiled> {
    Compiled::new(plan, Parameters::new(), ReferenceTables::default(), Secrets::default()).unwrap_or_else(|e| panic!("{e}"))
}
