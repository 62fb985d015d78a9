//! The typed view of a pipeline file (`apiVersion: sluice/v1, kind: Pipeline`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ParameterSpec;

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

/// How bytes become rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Format {
    /// Delimited text (RFC 4180 and its dialects).
    Csv(CsvFormat),
    /// One JSON object a line.
    Ndjson(NdjsonFormat),
    /// Apache Parquet.
    Parquet,
}

/// Compression around a text format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Compression {
    /// By the file's first bytes (gzip 1f 8b, zstd 28 b5 2f fd).
    Auto,
    /// Plain bytes.
    None,
    /// RFC 1952, several members allowed.
    Gzip,
    /// RFC 8878, several frames allowed.
    Zstd,
}

/// A CSV dialect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CsvFormat {
    /// One or more bytes between fields.
    pub delimiter: String,
    /// Quote byte; `None` turns quoting off.
    pub quote: Option<char>,
    /// How a quote inside a quoted field is written.
    pub escape: Escape,
    /// Lines that start with this text are no rows.
    pub comment: Option<String>,
    /// Where column names come from.
    pub header: Header,
    /// Lines to pass over before the header.
    pub skip_lines: u32,
    /// Spellings of null; an unquoted or quoted field equal to one is null.
    pub null_values: Vec<String>,
    /// What to do with a row of too few or too many fields.
    pub short_row: ShortRow,
    /// Decimal separator of numbers.
    pub decimal: char,
    /// Thousands separator that is dropped from numbers.
    pub thousands: Option<char>,
    /// Words for true, lower case.
    pub true_values: Vec<String>,
    /// Words for false, lower case.
    pub false_values: Vec<String>,
    /// Character encoding of the file.
    pub encoding: Encoding,
    /// Trim ASCII blanks around unquoted fields.
    pub trim: bool,
}

/// How a quote inside a quoted field is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Escape {
    /// The quote is doubled.
    Double,
    /// A backslash before it.
    Backslash,
    /// It cannot be written.
    None,
}

/// Where column names come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Header {
    /// The first record; columns are matched by name, in any order.
    First,
    /// There is none; columns are in contract order.
    None,
}

/// What becomes of a row whose number of fields is not the header's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ShortRow {
    /// Rejected with a reason.
    Reject,
    /// Missing fields are null, extra fields are dropped; both are counted as repairs.
    Pad,
    /// Held for a person.
    Review,
}

/// Character encodings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// UTF-8; a byte order mark is dropped.
    Utf8,
    /// ISO 8859-1.
    Latin1,
    /// Windows-1252.
    Windows1252,
}

/// NDJSON options.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NdjsonFormat {
    /// Strings that mean null.
    pub null_values: Vec<String>,
    /// Reject a row that has a key the contract does not name (otherwise it is ignored and counted).
    pub reject_unknown: bool,
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

/// How held rows are decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Review {
    /// 1, or 2 for four eyes.
    pub approvers: u8,
    /// ISO 8601 duration in seconds.
    pub due_within_seconds: u64,
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
