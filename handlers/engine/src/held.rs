//! A row held for a person.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Code, Problem};

/// What holds a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CauseKind {
    /// A business rule with outcome `review`.
    Rule,
    /// A problem that the pipeline sends to review, such as a short row.
    Problem,
}

/// The cause that decides into which review case a row goes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    /// Rule or problem.
    pub kind: CauseKind,
    /// Name of the rule, or the code of the problem.
    pub name: String,
    /// The column at fault, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
}

/// A row held for a person. Numbers that JSON would round are strings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeldRow {
    /// 0-based number in the file.
    pub row: u64,
    /// 1-based line.
    pub line: u64,
    /// Byte offset in the (decompressed) text.
    pub offset: u64,
    /// The first cause.
    pub cause: Cause,
    /// Every reason, [`Code::RuleReview`] for rules.
    pub problems: Vec<Problem>,
    /// The record as it came (JSON for Parquet input); lossy only where it is no valid text.
    pub raw: String,
    /// Typed values by contract column.
    pub parsed: Map<String, Value>,
    /// What would be published, by column after the tasks, without lineage.
    pub proposed: Map<String, Value>,
}

impl HeldRow {
    /// Every cause, the deciding one first.
    pub fn causes(&self) -> Vec<Cause> {
        self.problems.iter().filter_map(Cause::of).collect()
    }
}

impl Cause {
    /// The cause that a problem of a held row stands for.
    pub fn of(problem: &Problem) -> Option<Self> {
        match (problem.code, &problem.rule) {
            (Code::RuleReview, Some(rule)) => Some(Self { kind: CauseKind::Rule, name: rule.clone(), column: None }),
            (Code::TooFewFields | Code::TooManyFields | Code::LookupMissing, _) => {
                Some(Self { kind: CauseKind::Problem, name: problem.code.as_str().to_owned(), column: problem.column.clone() })
            }
            _ => None,
        }
    }
}
