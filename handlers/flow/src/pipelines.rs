//! Pipelines as stored: immutable numbered versions, and which of them is live.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sluice_contract::Parameters;

use crate::BlobPath;

/// Partition of the `pipeline:<name>` pointers.
pub const PIPELINES: &str = "pipelines";

/// Which version of a pipeline is live; document `pipeline:<name>` in [`PIPELINES`], kind `pipeline`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PipelinePointer {
    /// Pipeline name.
    pub name: String,
    /// Partner it takes files from.
    pub partner: String,
    /// Path glob below the partner's container.
    pub path: String,
    /// The live version.
    pub version: u32,
    /// RFC 3339.
    pub updated_at: String,
}

/// One version; document `version:<n>` in partition `pipeline:<name>`, kind `pipelineVersion`. Never changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PipelineVersion {
    /// Pipeline name.
    pub name: String,
    /// 1-based.
    pub version: u32,
    /// YAML text of the pipeline.
    pub pipeline: String,
    /// YAML text of the contract.
    pub contract: String,
    /// BLAKE3 of both texts, hex.
    pub hash: String,
    /// RFC 3339.
    pub created_at: String,
    /// Object id of the author.
    pub created_by: String,
}

/// Values of a pipeline's parameters; document `parameters:<n>` in partition `pipeline:<name>`, kind `parameters`. Never changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ParametersVersion {
    /// Pipeline name.
    pub name: String,
    /// 1-based; 0 is the defaults.
    pub version: u32,
    /// The values set (those not set keep the pipeline's default).
    pub values: Parameters,
    /// Why they were changed.
    pub comment: String,
    /// RFC 3339.
    pub created_at: String,
    /// Object id of the author.
    pub created_by: String,
}

/// The newest content of a reference table; document `table:<name>` in partition `tables`, kind `table`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReferenceTable {
    /// Table name.
    pub name: String,
    /// `reference/<name>/<blake3>.csv`.
    pub blob: BlobPath,
    /// Column names.
    pub columns: Vec<String>,
    /// Rows.
    pub rows: u64,
    /// RFC 3339.
    pub updated_at: String,
    /// Object id of the author.
    pub updated_by: String,
}

/// Names of tables to blobs, as pinned by a run.
pub type PinnedTables = BTreeMap<String, BlobPath>;
