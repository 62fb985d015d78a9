//! The typed view of a pipeline file (`apiVersion: sluice/v1, kind: Pipeline`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::parse::columns::Columns;
use crate::parse::pipeline;
use crate::reader::{Cursor, PIPELINE, Report};
use crate::suggest::did_you_mean;
use crate::{Compression, Format, Mistake, Mistakes, ParameterSpec, Parameters};

/// A checked pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pipeline {
    /// Unique name; lower case letters, digits and hyphens.
    pub name: String,
    /// File name of the contract, relative to the pipeline file.
    pub contract: String,
    /// Which uploads this pipeline takes and how they are written.
    pub intake: Intake,
    /// Declared parameters by name.
    pub parameters: BTreeMap<String, ParameterSpec>,
    /// Transformations, in order.
    pub tasks: Vec<Task>,
    /// Business rules, in order, over the columns after the row-wise tasks.
    pub rules: Vec<Rule>,
    /// Limits over the whole run.
    pub limits: Limits,
    /// How held rows are decided.
    pub review: Review,
    /// Where accepted rows go.
    pub publish: Publish,
    /// What happens after publishing.
    pub archive: Archive,
}

impl Pipeline {
    /// Reads a pipeline file alone: what depends on the contract's columns is left to [`crate::Plan::parse`].
    ///
    /// # Errors
    /// Every mistake in the file, in file order.
    pub fn parse(file: &str, text: &str) -> Result<Self, Mistakes> {
        let report = Report::new(file, PIPELINE);
        let root = report.load(text);
        let read = root.as_ref().and_then(|root| pipeline::read(&Cursor::root(root, &report), Columns::default()));
        report.finish(read.and_then(pipeline::Read::whole))
    }

    /// The values that hold until somebody sets others.
    pub fn default_parameters(&self) -> Parameters {
        self.parameters.iter().map(|(name, spec)| (name.clone(), spec.default.clone())).collect()
    }

    /// The given values with defaults for the rest; a whole number given for a number becomes one.
    ///
    /// # Errors
    /// Names that the pipeline does not declare, and values of the wrong type; their `path` is the parameter's name.
    pub fn check_parameters(&self, given: &Parameters) -> Result<Parameters, Mistakes> {
        let mut complete = self.default_parameters();
        let mut mistakes = Vec::new();
        for (name, value) in given {
            let unknown = || {
                let words: Vec<&str> = self.parameters.keys().map(String::as_str).collect();
                (Code::ParameterUnknown, format!("the pipeline `{}` declares no such parameter{}", self.name, did_you_mean(name, &words)))
            };
            let checked = self
                .parameters
                .get(name)
                .ok_or_else(unknown)
                .and_then(|spec| spec.kind.accept(value).map_err(|message| (Code::ParameterValue, message)));
            match checked {
                Ok(value) => {
                    complete.insert(name.clone(), value);
                }
                Err((code, message)) => mistakes.push(Mistake {
                    code: code.as_str().to_owned(),
                    file: "parameters".to_owned(),
                    path: name.clone(),
                    line: 0,
                    column: 0,
                    message,
                }),
            }
        }
        if mistakes.is_empty() { Ok(complete) } else { Err(Mistakes(mistakes)) }
    }
}

/// Which uploads a pipeline takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intake {
    /// Partner id: lower case letters, digits and hyphens, 2 to 40; its container is `landing-<partner>`.
    pub partner: String,
    /// Glob over the path below the container (`*` stops at `/`, `**` does not).
    pub path: String,
    /// How the file is written.
    pub format: Format,
    /// Compression around text formats.
    pub compression: Compression,
}

/// A SQL expression with its place, so that a mistake in it can be shown where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expression {
    /// `DataFusion` SQL over the typed columns; `$name` is a parameter.
    pub sql: String,
    /// Path in the pipeline file.
    pub path: String,
    /// 1-based line in the pipeline file.
    pub line: usize,
    /// 1-based column in the pipeline file.
    pub column: usize,
}

/// One transformation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Task {
    /// Adds (or replaces) columns.
    Derive(Vec<Derive>),
    /// Old name to new name.
    Rename(BTreeMap<String, String>),
    /// Keeps these columns, in this order.
    Select(Vec<String>),
    /// Changes types; a value that does not fit rejects its row.
    Cast(BTreeMap<String, crate::DataType>),
    /// Keeps the rows for which it is true; the others end as `filtered`.
    Filter(Expression),
    /// Adds columns from a reference table.
    Lookup(Lookup),
    /// Hides a column's values.
    Mask(Mask),
    /// Run-wide: keeps the first row (by row number) of each key; the others end as `duplicate`.
    Deduplicate {
        /// Key columns.
        by: Vec<String>,
    },
    /// Run-wide: groups all accepted rows.
    Aggregate {
        /// Group columns.
        by: Vec<String>,
        /// New column name to aggregate expression.
        take: Vec<Derive>,
    },
}

impl Task {
    /// Run-wide tasks need all rows of the run; the others work chunk by chunk.
    pub fn is_run_wide(&self) -> bool {
        matches!(self, Self::Deduplicate { .. } | Self::Aggregate { .. })
    }
}

/// A new column and the expression that makes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Derive {
    /// Column name.
    pub name: String,
    /// Its value.
    pub expression: Expression,
}

/// Adds columns from a reference table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lookup {
    /// Reference table name.
    pub table: String,
    /// Column of the row to key column of the table.
    pub on: BTreeMap<String, String>,
    /// New column of the row to column of the table.
    pub take: BTreeMap<String, String>,
    /// What becomes of a row whose (non-null) key is not in the table: `None` leaves nulls.
    pub missing: Option<Outcome>,
}

/// Hides a column's values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mask {
    /// The column, which becomes text.
    pub column: String,
    /// How.
    pub with: MaskMethod,
}

/// How a value is hidden. Null stays null.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaskMethod {
    /// HMAC-SHA256 in lower case hex under a named secret: equal values stay equal.
    HmacSha256 {
        /// Name of the secret.
        key: String,
    },
    /// A fixed `***`.
    Redact,
    /// Only the first characters are kept.
    Truncate {
        /// How many characters stay.
        keep: u32,
    },
}

/// A business condition with an outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// Unique in the pipeline.
    pub name: String,
    /// Boolean expression; null counts as false.
    pub when: Expression,
    /// What happens to a row for which it is true.
    pub outcome: Outcome,
    /// For the people: `{name}` is replaced by a parameter or column.
    pub because: Option<String>,
}

/// What a rule does to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// Counted and noted; the row goes on.
    Warn,
    /// Held for a person.
    Review,
    /// Rejected.
    Reject,
}

/// Limits over the whole run. A run over a limit is refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Most rejected rows in percent of all rows; `None` means no limit.
    pub rejected_percent: Option<f64>,
    /// Longest record in bytes.
    pub row_bytes: u64,
    /// Most times larger the decompressed text may be than the file.
    pub expansion: u32,
}

impl Default for Limits {
    /// Rows of up to 16 MiB, text up to 200 times the size of the file, any number of rejected rows.
    fn default() -> Self {
        Self { rejected_percent: None, row_bytes: 16 << 20, expansion: 200 }
    }
}

/// How held rows are decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Review {
    /// 1, or 2 for four eyes.
    pub approvers: u8,
    /// ISO 8601 duration in seconds.
    pub due_within_seconds: u64,
}

impl Default for Review {
    /// One approver, two days.
    fn default() -> Self {
        Self { approvers: 1, due_within_seconds: 2 * 86_400 }
    }
}

/// Where accepted rows go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Publish {
    /// Delta table: `curated/<table>`.
    pub table: String,
    /// Hive-style partition columns.
    pub partition_by: Vec<String>,
}

/// What happens after publishing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Archive {
    /// Access tier of the raw copy.
    pub tier: Tier,
    /// Retention in days; `None` keeps for ever.
    pub retain_days: Option<u32>,
    /// Remove the landing blob once the run is archived.
    pub remove_landing: bool,
}

impl Default for Archive {
    /// In the cool tier, for ever; the landing blob stays.
    fn default() -> Self {
        Self { tier: Tier::Cool, retain_days: None, remove_landing: false }
    }
}

/// Blob access tiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Tier {
    /// Stay hot.
    Hot,
    /// Cool.
    Cool,
    /// Cold.
    Cold,
    /// Offline archive.
    Archive,
}
