//! What the API answers, as far as it is shown here.

use serde::Deserialize;

/// A run, in a listing or in full.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names of the API")]
pub(crate) struct Run {
    pub(crate) run_id: String,
    pub(crate) partner: String,
    pub(crate) pipeline: Option<String>,
    pub(crate) pipeline_version: Option<u32>,
    pub(crate) path: String,
    pub(crate) size: u64,
    pub(crate) state: String,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
    pub(crate) counts: Option<Counts>,
    #[serde(default)]
    pub(crate) open_cases: u32,
    #[serde(default)]
    pub(crate) cases: u32,
    pub(crate) failure: Option<Failure>,
    pub(crate) dead_letter: Option<Failure>,
    #[serde(default)]
    pub(crate) receipt: bool,
    pub(crate) blake3: Option<String>,
    pub(crate) sha256: Option<String>,
    pub(crate) repeats: Option<String>,
    pub(crate) segments: Option<u32>,
    pub(crate) chunks: Option<u32>,
    pub(crate) table_version: Option<u64>,
}

impl Run {
    /// Nothing more happens to the data.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.state.as_str(), "completed" | "rejected" | "failed" | "cancelled")
    }

    /// Published and archived.
    pub(crate) fn is_completed(&self) -> bool {
        self.state == "completed"
    }

    /// Whether nobody but a person can bring it forward.
    pub(crate) fn waits_for_people(&self) -> bool {
        self.state == "reviewing" && self.open_cases > 0
    }
}

/// Rows by outcome.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Counts {
    pub(crate) rows: u64,
    pub(crate) published: u64,
    pub(crate) corrected: u64,
    pub(crate) rejected: u64,
    #[serde(default)]
    pub(crate) returned: u64,
    pub(crate) filtered: u64,
    pub(crate) duplicate: u64,
    pub(crate) held: u64,
}

/// What went wrong.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Failure {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) step: String,
    pub(crate) line: Option<u64>,
}

/// An event of the audit chain.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Event {
    pub(crate) seq: u64,
    pub(crate) at: String,
    pub(crate) actor: Actor,
    pub(crate) action: String,
    #[serde(default)]
    pub(crate) detail: serde_json::Value,
}

/// Who did something.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Actor {
    pub(crate) name: String,
}
