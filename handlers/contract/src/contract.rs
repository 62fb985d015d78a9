//! The typed view of an ODCS v3.1 contract: columns, their checks, and quality rules over the whole file.

use serde::{Deserialize, Serialize};

use crate::Mistakes;
use crate::parse::contract;
use crate::reader::{CONTRACT, Cursor, Report};

/// A checked contract. One contract describes one table (`schema[0]`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contract {
    /// ODCS `id`.
    pub id: String,
    /// ODCS `version`.
    pub version: String,
    /// `schema[0].name`.
    pub table: String,
    /// `schema[0].properties`, in order.
    pub columns: Vec<Column>,
    /// Quality rules over the whole file or one column.
    pub quality: Vec<Quality>,
}

impl Contract {
    /// Reads an ODCS file.
    ///
    /// # Errors
    /// Every mistake in the file, in file order.
    pub fn parse(file: &str, text: &str) -> Result<Self, Mistakes> {
        let report = Report::new(file, CONTRACT);
        let root = report.load(text);
        let contract = root.as_ref().and_then(|root| contract::read(&Cursor::root(root, &report)).contract);
        report.finish(contract)
    }

    /// Stands for a contract that cannot be read.
    pub(crate) fn unknown() -> Self {
        Self { id: String::new(), version: String::new(), table: String::new(), columns: Vec::new(), quality: Vec::new() }
    }

    /// Names of the primary key columns in `primaryKeyPosition` order; empty if there is none.
    pub fn primary_key(&self) -> Vec<&str> {
        let mut key: Vec<_> = self.columns.iter().filter_map(|c| c.primary_key.map(|p| (p, c.name.as_str()))).collect();
        key.sort_unstable();
        key.into_iter().map(|(_, name)| name).collect()
    }
}

/// One column a partner promises.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// ODCS `name`: the name in the lake.
    pub name: String,
    /// ODCS `physicalName`: the name in the partner's file (the same as `name` unless said otherwise).
    pub source: String,
    /// From `logicalType`, `physicalType` and `logicalTypeOptions`.
    pub data_type: DataType,
    /// ODCS `required`; a primary key column is always required.
    pub required: bool,
    /// ODCS `unique`.
    pub unique: bool,
    /// ODCS `primaryKeyPosition` (1-based) when `primaryKey` is true.
    pub primary_key: Option<u32>,
    /// Checks on a single value, in the order of the contract.
    pub checks: Vec<Check>,
}

/// A column's type, as Arrow will hold it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DataType {
    /// UTF-8 text.
    Text,
    /// true or false.
    Boolean,
    /// Signed integer of 8, 16, 32 or 64 bits.
    Integer {
        /// Width in bits.
        bits: u8,
    },
    /// IEEE 754 with 32 or 64 bits.
    Float {
        /// Width in bits.
        bits: u8,
    },
    /// Exact decimal; `precision` up to 38.
    Decimal {
        /// Total digits.
        precision: u8,
        /// Digits after the point.
        scale: i8,
    },
    /// Calendar date, days.
    Date,
    /// Microseconds since the epoch; with a zone, values are stored in UTC.
    Timestamp {
        /// Whether the value is an instant (has an offset) or a wall-clock time.
        zoned: bool,
    },
    /// Time of day, microseconds.
    Time,
    /// JSON object or array, kept as canonical JSON text.
    Json,
}

/// A check on one value. Null is never checked here: see [`Column::required`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Check {
    /// Smallest value allowed, as written in the contract; compared in the column's type.
    Minimum(String),
    /// Largest value allowed.
    Maximum(String),
    /// Must be greater than this.
    ExclusiveMinimum(String),
    /// Must be less than this.
    ExclusiveMaximum(String),
    /// Fewest characters (Unicode scalar values).
    MinLength(u64),
    /// Most characters (Unicode scalar values).
    MaxLength(u64),
    /// A regular expression that must match somewhere in the value (anchor it with ^ and $).
    Pattern(String),
    /// A named text format.
    Format(TextFormat),
    /// A multiple of this number.
    MultipleOf(String),
    /// One of these values (ODCS quality `invalidValues` with `validValues`, when it must be 0).
    OneOf(Vec<String>),
    /// A date/timestamp/time format to parse with, in JDK `DateTimeFormatter` letters as ODCS says (yyyy-MM-dd).
    ParseFormat(String),
}

/// Named text formats of ODCS `logicalTypeOptions.format` for strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TextFormat {
    /// RFC 4122 UUID.
    Uuid,
    /// addr-spec of RFC 5321, without comments.
    Email,
    /// RFC 3986 URI with a scheme.
    Uri,
    /// RFC 1123 host name.
    Hostname,
    /// Dotted IPv4 address.
    Ipv4,
    /// IPv6 address.
    Ipv6,
}

/// What a quality rule counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Metric {
    /// Rows in the file.
    RowCount,
    /// Nulls in a column.
    NullValues,
    /// Values that count as missing in a column.
    MissingValues {
        /// Spellings that count as missing; null always does.
        values: Vec<String>,
    },
    /// Values outside a set or pattern.
    InvalidValues {
        /// The allowed values; `None` if not restricted.
        valid: Option<Vec<String>>,
        /// A regular expression values must match; `None` if not restricted.
        pattern: Option<String>,
    },
    /// Rows that repeat the value(s) of these columns.
    DuplicateValues {
        /// The columns taken together.
        columns: Vec<String>,
    },
}

/// One ODCS `quality` entry with `metric` and a `mustBe...` operator. It fails the run (`severity: error`) or is noted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// `name`, or the metric and column.
    pub name: String,
    /// The column measured; `None` for the whole file.
    pub column: Option<String>,
    /// What is counted.
    pub metric: Metric,
    /// What the count (or percentage) must be.
    pub must: Bounds,
    /// `unit: percent`: the count is a share of all rows in percent.
    pub percent: bool,
    /// `severity: warning` or `info`: noted in the report, the run goes on.
    pub warn_only: bool,
}

/// The `mustBe...` operators of ODCS as an interval (or its negation).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Bounds {
    /// mustBe
    Equal(f64),
    /// mustNotBe
    NotEqual(f64),
    /// mustBeGreaterThan
    Greater(f64),
    /// mustBeGreaterOrEqualTo
    AtLeast(f64),
    /// mustBeLessThan
    Less(f64),
    /// mustBeLessOrEqualTo
    AtMost(f64),
    /// mustBeBetween, both ends included
    Between(f64, f64),
    /// mustNotBeBetween, both ends included
    NotBetween(f64, f64),
}

impl Bounds {
    /// Whether `value` keeps the promise.
    pub fn holds(&self, value: f64) -> bool {
        match *self {
            // Counts are whole and percentages are compared as computed: an exact comparison is what the contract says.
            #[expect(clippy::float_cmp, reason = "mustBe is exact by definition")]
            Self::Equal(x) => value == x,
            #[expect(clippy::float_cmp, reason = "mustNotBe is exact by definition")]
            Self::NotEqual(x) => value != x,
            Self::Greater(x) => value > x,
            Self::AtLeast(x) => value >= x,
            Self::Less(x) => value < x,
            Self::AtMost(x) => value <= x,
            Self::Between(low, high) => low <= value && value <= high,
            Self::NotBetween(low, high) => value < low || high < value,
        }
    }
}
