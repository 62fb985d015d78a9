//! A plan made ready to run: expressions parsed and type-checked, reference tables indexed, output types known.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use serde::{Deserialize, Serialize};
use sluice_contract::{Mistakes, Parameters, Plan};

use crate::Refusal;

/// Reference tables by name. All columns are text; a lookup types them by need.
#[derive(Debug, Clone, Default)]
pub struct ReferenceTables(pub BTreeMap<String, RecordBatch>);

impl ReferenceTables {
    /// Reads a reference table from CSV (RFC 4180, UTF-8, header first). An empty field is null.
    ///
    /// # Errors
    /// The table cannot be read; the message names it and the line.
    pub fn read_csv(name: &str, bytes: &[u8]) -> Result<RecordBatch, Refusal> {
        let _ = (name, bytes);
        todo!()
    }
}

/// Secrets by name. `Debug` shows names only.
#[derive(Clone, Default)]
pub struct Secrets(pub BTreeMap<String, Vec<u8>>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// What follows from two rows with the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum KeyKind {
    /// Primary key of the contract: later rows are rejected.
    PrimaryKey,
    /// Unique column of the contract: later rows are rejected.
    Unique,
    /// Deduplicate task: later rows end as `duplicate`.
    Deduplicate,
    /// `duplicateValues` quality metric: rows are counted only.
    Count,
}

/// A key that is compared over the whole run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyRule {
    /// Unique in the plan, such as `primaryKey`, `unique:email`, `deduplicate:1`, or the quality rule's name after `quality:`.
    pub name: String,
    /// What a repeated key means.
    pub kind: KeyKind,
    /// The columns taken together.
    pub columns: Vec<String>,
}

/// A plan made ready to run. Cheap to share between threads.
pub struct Compiled {
    plan: Plan,
}

impl Compiled {
    /// Compiles a plan with the values and tables of one run.
    ///
    /// # Errors
    /// Every mistake found, each with code, path, line and column in the pipeline file.
    pub fn new(plan: Plan, parameters: Parameters, tables: ReferenceTables, secrets: Secrets) -> Result<Arc<Self>, Mistakes> {
        let _ = (&parameters, &tables, &secrets);
        Ok(Arc::new(Self { plan }))
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The columns of published rows: what the tasks leave, then `_sluice_run` (text) and `_sluice_row` (int64).
    /// With an aggregate task: its columns, then `_sluice_run`.
    pub fn output_schema(&self) -> SchemaRef {
        todo!()
    }

    /// Keys that are compared over the whole run.
    pub fn keys(&self) -> &[KeyRule] {
        todo!()
    }

    /// Whether the run ends in an aggregate task, so that accepted rows go through [`crate::aggregate`] before publishing.
    pub fn aggregates(&self) -> bool {
        todo!()
    }

    /// Names of the secrets a plan needs, sorted.
    pub fn required_secrets(plan: &Plan) -> Vec<String> {
        let _ = plan;
        todo!()
    }

    /// Names of the reference tables a plan needs, sorted.
    pub fn required_tables(plan: &Plan) -> Vec<String> {
        let _ = plan;
        todo!()
    }
}
