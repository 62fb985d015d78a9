//! Pipelines as stored: immutable numbered versions, and which of them is live.

mod compare;
mod drafts;
mod dry_run;
mod file_dry_run;
mod find;
mod parameters;
mod put;
mod sample;
mod tables;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sluice_contract::{Mistakes, Parameters, Sources};

pub use compare::{ChangedRow, Comparison, SampleOutcome, compare};
pub use drafts::{Over, PipelineDraft, approve_draft, delete_draft, draft, put_draft};
pub use dry_run::{DryRun, dry_run};
pub use file_dry_run::{FileDryRun, dry_run_file};
pub use find::{find, nearest_paths, paths_of, taker};
pub use parameters::{parameter_history, parameters, set_parameters};
pub use put::{Author, put};
pub use sample::Sample;
pub use tables::{put_table, tables};

pub(crate) use find::pin;
pub(crate) use tables::{Missing, load_secrets, load_tables};

use crate::{BlobPath, Context, Error, Query, Result};

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

/// One version; document `version:<n>` (8 digits) in partition `pipeline:<name>`, kind `pipelineVersion`. Never changed.
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
    /// Name of the author, if one was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by_name: Option<String>,
    /// Object id of who made a draft of somebody else this version; `None` if it was stored without a draft.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    /// Name of who approved it, if one was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by_name: Option<String>,
}

/// Values of a pipeline's parameters; document `parameters:<n>` (8 digits) in partition `pipeline:<name>`, kind `parameters`. Never changed.
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

impl PipelineVersion {
    /// Its texts, under the names that messages use.
    pub fn sources(&self) -> Sources<'_> {
        Sources { pipeline_file: "pipeline.yaml", pipeline: &self.pipeline, contract_file: "contract.odcs.yaml", contract: &self.contract }
    }
}

/// Why something could not be stored.
#[derive(Debug, thiserror::Error)]
pub enum PutError {
    /// The texts or values are wrong: every mistake at once.
    #[error(transparent)]
    Mistakes(#[from] Mistakes),
    /// It could not be stored, or is not allowed ([`crate::Kind::Refused`]).
    #[error(transparent)]
    Error(#[from] Error),
}

/// Partition of a pipeline's versions and parameters.
fn partition(name: &str) -> String {
    format!("pipeline:{name}")
}

/// The live pipelines, by name.
///
/// # Errors
/// Those of the catalog.
pub async fn list(context: &Context) -> Result<Vec<PipelinePointer>> {
    all(context, Query { kind: "pipeline", partition: Some(PIPELINES.to_owned()), ..Query::default() }).await
}

/// All versions of a pipeline, oldest first; empty if there is no such pipeline.
///
/// # Errors
/// Those of the catalog.
pub async fn versions(context: &Context, name: &str) -> Result<Vec<PipelineVersion>> {
    all(context, Query { kind: "pipelineVersion", partition: Some(partition(name)), ..Query::default() }).await
}

/// One version of a pipeline.
///
/// # Errors
/// Those of the catalog; [`crate::Kind::Refused`] `A0404` if there is no such version.
pub async fn get(context: &Context, name: &str, version: u32) -> Result<PipelineVersion> {
    let document = context.catalog.get(&partition(name), &version_id(version)).await?;
    document.ok_or_else(|| Error::refused("A0404", format!("there is no version {version} of pipeline {name}")))?.parse()
}

fn version_id(version: u32) -> String {
    format!("version:{version:08}")
}

fn pointer_id(name: &str) -> String {
    format!("pipeline:{name}")
}

/// The live version of a pipeline.
///
/// # Errors
/// Those of the catalog; [`crate::Kind::Refused`] `A0404` if there is no such pipeline.
pub async fn live(context: &Context, name: &str) -> Result<PipelinePointer> {
    let missing = || Error::refused("A0404", format!("there is no pipeline {name:?}"));
    // What no pipeline can be named may not be an id, either.
    check_name("the name of a pipeline", name).map_err(|_| missing())?;
    let document = context.catalog.get(PIPELINES, &pointer_id(name)).await?;
    document.ok_or_else(missing)?.parse()
}

/// Every document of a query, through all pages.
async fn all<T: DeserializeOwned>(context: &Context, mut query: Query) -> Result<Vec<T>> {
    query.limit = 200;
    let mut found = Vec::new();
    loop {
        let page = context.catalog.query(&query).await?;
        for document in &page.documents {
            found.push(document.parse()?);
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(found),
        }
    }
}

/// Whether a name can stand in document ids and blob paths.
fn check_name(what: &str, name: &str) -> Result<()> {
    let valid =
        !name.is_empty() && name.len() <= 64 && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b));
    if valid {
        Ok(())
    } else {
        Err(Error::refused("A0012", format!("{what} is 1 to 64 lower case letters, digits, - and _, found {name:?}")))
    }
}
