//! Held rows that people decided on go through the same engine again.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::{AcceptedFile, Cause, Compiled, EngineError, HeldRow, Problem, Stream};

/// A held row with what was decided.
#[derive(Debug, Clone)]
pub struct RevisedRow {
    /// The row as it was held.
    pub held: HeldRow,
    /// Causes that hold the row no longer (approved).
    pub waive: Vec<Cause>,
    /// Contract column to a value as one types it (ISO dates, a point in decimals); `None` is null.
    pub corrections: BTreeMap<String, Option<String>>,
}

/// What became of a revised row.
#[derive(Debug, Clone, PartialEq)]
pub enum RevisedOutcome {
    /// It can be published.
    Accepted {
        /// What would be published, by column.
        proposed: Map<String, Value>,
    },
    /// It still cannot: every reason (also a filter that leaves it out).
    Problems(Vec<Problem>),
}

/// What became of revised rows.
#[derive(Debug)]
pub struct Revised {
    /// One for each row, in the same order.
    pub outcomes: Vec<RevisedOutcome>,
    /// Accepted rows as Parquet.
    pub files: Vec<(Stream, Vec<u8>)>,
    /// The files' accounts.
    pub accepted: Vec<AcceptedFile>,
}

/// Puts rows through validation, tasks and rules again. Files are written only for rows that are accepted.
///
/// # Errors
/// Only faults of this program: a value that does not fit is a problem of its row.
pub fn revise(compiled: &Arc<Compiled>, run: &str, rows: &[RevisedRow]) -> Result<Revised, EngineError> {
    let _ = (compiled, run, rows);
    todo!()
}
