//! Everything that went into a run and came out of it, with hashes: what an auditor needs to check, or to do it all again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sluice_contract::Parameters;

use crate::{
    BlobPath, RunId, SubmissionId,
    review::ReviewCase,
    run::{AuditHead, Content, Counts, Failure, Run, Source, State},
    writer::Output,
};

/// A manifest; `archive/<run>/manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Form of this file.
    pub format: u32,
    /// The run.
    pub run: RunId,
    /// Its submission.
    pub submission: SubmissionId,
    /// How it ended.
    pub outcome: State,
    /// Why it ended badly.
    pub failure: Option<Failure>,
    /// The landing blob.
    pub source: Source,
    /// Hashes of the file; `None` if it was not read to its end.
    pub content: Option<Content>,
    /// The unchanged copy; `None` if there is none.
    pub raw: Option<BlobPath>,
    /// Pipeline and contract as they were, and their values; `None` if no pipeline takes the file.
    pub plan: Option<PinnedPlan>,
    /// Rows by outcome.
    pub counts: Option<Counts>,
    /// Generation of each chunk that counts; its ledger is among the outputs.
    pub chunks: Vec<u32>,
    /// Review cases with what people decided.
    pub cases: Vec<ReviewCase>,
    /// Every blob that the run wrote and that counts, but this one, in order of their paths.
    pub outputs: Vec<Output>,
    /// Table and version that published it.
    pub published: Option<(String, u64)>,
    /// ISO 8601 date up to which `archive.retain` of the pipeline asks to keep the raw copy and the records of the run; `None` for ever.
    #[serde(default)]
    pub keep_until: Option<String>,
    /// Head of the audit chain that is exported beside this file.
    pub audit: AuditHead,
}

/// What a run was pinned to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PinnedPlan {
    /// Pipeline name.
    pub name: String,
    /// Pipeline version.
    pub version: u32,
    /// BLAKE3 of both texts, hex.
    pub hash: String,
    /// YAML text of the pipeline.
    pub pipeline: String,
    /// YAML text of the contract.
    pub contract: String,
    /// Values of the parameters.
    pub parameters: Parameters,
    /// Reference tables: the name of each blob holds the BLAKE3 of its content.
    pub tables: BTreeMap<String, BlobPath>,
    /// Version of the engine.
    pub engine: String,
}

/// Where a run's manifest lies.
pub fn blob(run: &Run) -> BlobPath {
    run.archive("manifest.json")
}

/// Where the audit chain of a run is exported to, one event a line.
pub fn audit(run: &Run) -> BlobPath {
    run.archive("audit.ndjson")
}
