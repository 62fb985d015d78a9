//! Review: rows held back for one cause in one run are a case; people decide it; a decision is bound to what they saw.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{RunId, audit::Actor};

/// A review case; document `case:<n>` in the run's partition, kind `case`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReviewCase {
    /// `<run>.<n>`, unique.
    pub case_id: String,
    /// The run.
    pub run: RunId,
    /// Number in the run, 0-based.
    pub number: u32,
    /// Copied from the run, for queries.
    pub partner: String,
    /// Copied from the run, for queries.
    pub pipeline: String,
    /// Rule name or problem code that held the rows.
    pub cause: String,
    /// Column the cause is about, if one.
    pub column: Option<String>,
    /// What a person reads first: the rule's `because` or the problem's message of the first row.
    pub title: String,
    /// Rows held for this cause.
    pub rows: u64,
    /// BLAKE3 over the held rows (number, raw, proposed, reasons): a decision names it, and is refused if it is another.
    pub digest: String,
    /// Where it stands.
    pub status: CaseStatus,
    /// How many people must approve: 1 or 2.
    pub approvers: u8,
    /// Who works on it.
    pub claimed_by: Option<Actor>,
    /// RFC 3339; then it is overdue.
    pub due_at: String,
    /// RFC 3339.
    pub created_at: String,
    /// First decision of a case that needs two, or the decision.
    pub decisions: Vec<Decision>,
    /// Columns of the contract that a person may correct.
    #[serde(default)]
    pub correctable: Vec<String>,
    /// What people said about it, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub comments: Vec<Comment>,
}

impl ReviewCase {
    /// Id of a case: `<run>.<number>`.
    pub fn id(run: &RunId, number: u32) -> String {
        format!("{run}.{number}")
    }

    /// Id of its document in the run's partition.
    pub fn document_id(number: u32) -> String {
        format!("case:{number:06}")
    }
}

/// Where a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CaseStatus {
    /// Made by gather, not shown yet.
    Opening,
    /// Waits for a decision.
    Open,
    /// Decided once; waits for a second person.
    Confirming,
    /// Decided.
    Decided,
    /// Its run ended otherwise (cancelled, failed).
    Void,
}

/// What people decided about the rows of a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Who.
    pub by: Actor,
    /// RFC 3339.
    pub at: String,
    /// For all rows that `rows` does not name.
    pub verdict: Verdict,
    /// Row number (as text, JSON keys are) to another verdict.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rows: BTreeMap<String, Verdict>,
    /// Why.
    pub comment: String,
    /// The case's digest that was seen.
    pub digest: String,
}

impl Decision {
    /// What was decided about a row of the case.
    pub fn of(&self, row: u64) -> &Verdict {
        self.rows.get(&row.to_string()).unwrap_or(&self.verdict)
    }
}

/// What somebody said about a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// Who.
    pub by: Actor,
    /// RFC 3339.
    pub at: String,
    /// The words.
    pub text: String,
    /// The idempotency key it came with: a request that is sent again adds nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// What happens to a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "lowercase")]
pub enum Verdict {
    /// Published as proposed.
    Approve,
    /// Rejected.
    Reject,
    /// Sent back to the partner: it stands in the rejected rows with the comment of the decision.
    Return,
    /// These contract columns are replaced (text as one types; null empties), and the row goes through the engine again.
    Correct {
        /// Column name to new value.
        values: BTreeMap<String, Option<String>>,
    },
}

impl Verdict {
    /// As stored and shown.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Return => "return",
            Self::Correct { .. } => "correct",
        }
    }

    /// Whether the row ends here, without another look of the engine.
    pub fn rejects(&self) -> bool {
        matches!(self, Self::Reject | Self::Return)
    }
}
