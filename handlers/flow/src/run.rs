//! A run: one submission through one pipeline version, as an explicit state machine in the catalog.
//!
//! All documents of a run share the partition `run:<id>`:
//! `run` (this), `audit:<seq>`, `segment:<n>`, `digest`, `fan:<step>:<generation>:<level>:<group>`, `plan:<page>`,
//! `chunk:<generation>:<n>`, `stall`, `case:<n>`, `decision:<case>:<n>`, `deadletter:<message>`.

use serde::{Deserialize, Serialize};
use sluice_contract::Parameters;
use sluice_engine::Splitting;

use crate::{BlobPath, ETag, RunId, Step, SubmissionId};

/// Id of the run's own document.
pub const RUN_DOCUMENT: &str = "run";

/// Where a run stands. It only moves forward, or into one of the terminal states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Segments are copied to raw.
    Moving,
    /// The raw copy is committed and chunks are planned.
    Sealing,
    /// Chunks are transformed.
    Transforming,
    /// Whole-run checks.
    Gathering,
    /// Held rows wait for people.
    Reviewing,
    /// The accepted files are committed to the table.
    Publishing,
    /// Manifest and receipt are written.
    Archiving,
    /// Published and archived. Terminal.
    Completed,
    /// The data is at fault. Terminal.
    Rejected,
    /// Something else is at fault; an operator can reprocess. Terminal.
    Failed,
    /// An operator stopped it. Terminal.
    Cancelled,
}

impl State {
    /// Whether nothing more happens to the data of the run (its receipt may still be written).
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Rejected | Self::Failed | Self::Cancelled)
    }

    /// The states in which something is still to happen.
    pub const UNFINISHED: [Self; 7] =
        [Self::Moving, Self::Sealing, Self::Transforming, Self::Gathering, Self::Reviewing, Self::Publishing, Self::Archiving];

    /// As stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Moving => "moving",
            Self::Sealing => "sealing",
            Self::Transforming => "transforming",
            Self::Gathering => "gathering",
            Self::Reviewing => "reviewing",
            Self::Publishing => "publishing",
            Self::Archiving => "archiving",
            Self::Completed => "completed",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// The blob that a run reads: the landing blob, or, for a later attempt when that is gone, the raw copy of an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// `landing-<partner>/<path>`.
    pub blob: BlobPath,
    /// The version this run reads.
    pub etag: ETag,
    /// Bytes.
    pub size: u64,
    /// Checksums the partner declared: blob metadata `sha256`, `blake3`, `md5` (hex), the Content-MD5 property, or the grant.
    #[serde(default)]
    pub declared: Declared,
}

/// Declared checksums, lower case hex.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    /// 32 hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub md5: Option<String>,
    /// 64 hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// 64 hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blake3: Option<String>,
    /// Bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// What a run is pinned to, so that the same inputs give the same bytes (invariant 7).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pinned {
    /// Pipeline name.
    pub pipeline: String,
    /// Its version (1-based).
    pub pipeline_version: u32,
    /// BLAKE3 of pipeline and contract text, hex.
    pub plan_hash: String,
    /// Parameter values, complete.
    pub parameters: Parameters,
    /// Version of the parameters (0 = the defaults).
    pub parameters_version: u32,
    /// Reference tables by name: content-addressed blobs.
    pub tables: std::collections::BTreeMap<String, BlobPath>,
    /// Version of the engine.
    pub engine: String,
}

/// Why a run ended badly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Stable code (docs/ERRORS.md).
    pub code: String,
    /// What was expected, what was found and what to do.
    pub message: String,
    /// Step in which it was found.
    pub step: String,
    /// 1-based line in the file, if the fault has a place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Byte offset in the (decompressed) file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
}

/// Rows by outcome: `rows` is their sum (invariant 5), `returned` being a part of `rejected`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Rows in the file.
    pub rows: u64,
    /// Published as they came.
    pub published: u64,
    /// Published after a person corrected or approved them.
    pub corrected: u64,
    /// Rejected by contract, rule or person.
    pub rejected: u64,
    /// Those of the rejected that a person sent back to the partner.
    #[serde(default)]
    pub returned: u64,
    /// Left out by a filter task.
    pub filtered: u64,
    /// Left out as a repeat of an earlier row.
    pub duplicate: u64,
    /// Waiting for a person.
    pub held: u64,
}

impl Counts {
    /// Whether every row has exactly one outcome.
    pub fn balanced(&self) -> bool {
        self.rows == self.published + self.corrected + self.rejected + self.filtered + self.duplicate + self.held
            && self.returned <= self.rejected
    }
}

/// The head of the run's audit chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditHead {
    /// Number of the newest event (0-based).
    pub seq: u64,
    /// Its hash, hex.
    pub hash: String,
}

/// The content of a sealed file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// BLAKE3, hex: equals `b3sum` of the partner's file.
    pub blake3: String,
    /// SHA-256, hex.
    pub sha256: String,
    /// The first submission of this partner with the same bytes, if this is a repeat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<SubmissionId>,
}

/// The run document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its id (stored as `run_id`, since `id` is the store's).
    pub run_id: RunId,
    /// Its submission.
    pub submission: SubmissionId,
    /// 1-based.
    pub attempt: u32,
    /// Partner id, from the container name.
    pub partner: String,
    /// Pipeline name, also in `pinned`; `None` if no pipeline takes the file. Kept at the top for queries.
    pub pipeline: Option<String>,
    /// Path below the partner's container, as the partner chose it. Kept at the top for queries, and since a later attempt may read the raw
    /// copy of an earlier one.
    pub path: String,
    /// The submission whose rows this one repairs. Kept at the top for queries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixes: Option<SubmissionId>,
    /// What the run is pinned to; `None` if no pipeline takes the file.
    pub pinned: Option<Pinned>,
    /// What it reads.
    pub source: Source,
    /// Where it stands.
    pub state: State,
    /// RFC 3339 UTC with milliseconds, so that text order is time order.
    pub created_at: String,
    /// Time of the last state change, likewise.
    pub updated_at: String,
    /// Segments to move.
    pub segments: u32,
    /// Bytes of a segment but the last: a power of two.
    pub segment_bytes: u64,
    /// Bytes of one read and of one staged block: a power of two, a multiple of [`crate::integrity::BLOCK`].
    pub piece_bytes: u64,
    /// How the file can be worked through, from its first bytes; `None` if no pipeline takes it.
    pub splitting: Option<Splitting>,
    /// Set by seal.
    pub content: Option<Content>,
    /// Chunks to transform; set by seal.
    pub chunks: u32,
    /// Column names of the file's header; set by seal where the file has one and is read in chunks.
    pub header: Option<Vec<String>>,
    /// Generation of the transform whose outputs count.
    pub generation: u32,
    /// Set by gather, kept current by decisions.
    pub counts: Option<Counts>,
    /// Review cases not yet decided.
    pub open_cases: u32,
    /// Review cases in all.
    pub cases: u32,
    /// Whether the decisions are being applied: none can be made or taken back any more.
    #[serde(default)]
    pub review_closed: bool,
    /// Delta version that published it.
    pub table_version: Option<u64>,
    /// Why it ended badly.
    pub failure: Option<Failure>,
    /// Whether the receipt is written (`archive/<run>/receipt.json`).
    pub receipt: bool,
    /// A step of this run is in a dead-letter queue: what and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_letter: Option<Failure>,
    /// Head of the audit chain.
    pub audit: AuditHead,
}

impl Run {
    /// The step whose message brings a run in this state forward.
    pub fn current_step(&self) -> Option<Step> {
        match self.state {
            State::Moving => Some(Step::Move),
            State::Sealing => Some(Step::Seal),
            State::Transforming => Some(Step::Transform),
            State::Gathering => Some(Step::Gather),
            State::Reviewing => Some(Step::Decisions),
            State::Publishing => Some(Step::Publish),
            State::Archiving => Some(Step::Archive),
            State::Completed | State::Rejected | State::Failed | State::Cancelled => (!self.receipt).then_some(Step::Archive),
        }
    }

    /// The unchanged copy in the raw zone: `raw/<run>/<file name>`.
    pub fn raw(&self) -> BlobPath {
        let name = self.path.rsplit('/').next().unwrap_or("data");
        BlobPath::new(crate::lake::RAW, format!("{}/{name}", self.run_id))
    }

    /// A place in the archive: `archive/<run>/<name>`.
    pub fn archive(&self, name: &str) -> BlobPath {
        BlobPath::new(crate::lake::ARCHIVE, format!("{}/{name}", self.run_id))
    }

    /// A place in the review zone: `review/<run>/<name>`.
    pub fn review(&self, name: &str) -> BlobPath {
        BlobPath::new(crate::lake::REVIEW, format!("{}/{name}", self.run_id))
    }
}
