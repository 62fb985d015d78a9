//! What can be wrong: with a row ([`Problem`]), with a file as a whole ([`Refusal`]), or with this program ([`EngineError::Bug`]).

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// A stable code. `R` is a problem of one row, `F` a fault of a whole file, `E` a mistake in an expression of a pipeline.
        /// docs/ERRORS.md says what each means and what to do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// Every code, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as it is shown, such as `R0101`.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)*
                }
            }
        }
    };
}

codes! {
    /// Fewer fields than the header.
    TooFewFields = "R0001",
    /// More fields than the header.
    TooManyFields = "R0002",
    /// A quote was opened and never closed within the longest row allowed.
    UnclosedQuote = "R0003",
    /// Text stands after a closing quote.
    TextAfterQuote = "R0004",
    /// The record is longer than `limits.rowBytes`.
    RowTooLong = "R0005",
    /// The line is no JSON object.
    NotJsonObject = "R0006",
    /// A JSON key stands twice in one object.
    RepeatedKey = "R0007",
    /// A JSON key that the contract does not name, where the pipeline forbids it.
    UnknownKey = "R0008",
    /// The bytes are no valid text in the file's encoding.
    InvalidEncoding = "R0009",
    /// A NUL character in a value.
    NulCharacter = "R0010",
    /// The row is the header once more.
    RepeatedHeader = "R0011",
    /// Not an integer.
    NotInteger = "R0101",
    /// An integer that does not fit its width.
    IntegerOutOfRange = "R0102",
    /// Not a decimal number.
    NotDecimal = "R0103",
    /// More digits after the point than the contract allows.
    TooManyFractionDigits = "R0104",
    /// More digits before the point than the contract allows.
    DecimalOutOfRange = "R0105",
    /// Not a number.
    NotNumber = "R0106",
    /// Not true or false in one of the spellings of the pipeline.
    NotBoolean = "R0107",
    /// Not a date that exists.
    NotDate = "R0108",
    /// Not a point in time.
    NotTimestamp = "R0109",
    /// Not a time of day.
    NotTime = "R0110",
    /// Not JSON.
    NotJson = "R0111",
    /// A JSON value of another kind than the column's.
    WrongJsonKind = "R0112",
    /// A required value is missing.
    Required = "R0201",
    /// Smaller than the contract's minimum.
    BelowMinimum = "R0202",
    /// Larger than the contract's maximum.
    AboveMaximum = "R0203",
    /// Fewer characters than allowed.
    TooShort = "R0204",
    /// More characters than allowed.
    TooLong = "R0205",
    /// Does not match the contract's pattern.
    PatternMismatch = "R0206",
    /// Not in the named text format.
    FormatMismatch = "R0207",
    /// Not a multiple of the contract's number.
    NotMultiple = "R0208",
    /// Not one of the contract's values.
    NotAllowed = "R0209",
    /// Another row of the run, with a smaller number, has the same primary key.
    RepeatedPrimaryKey = "R0210",
    /// Another row of the run, with a smaller number, has the same value in a unique column.
    RepeatedUnique = "R0211",
    /// Another row of the run, with a smaller number, has the same deduplication key.
    Duplicate = "R0212",
    /// A value could not be changed to the type a cast asks for.
    CastFailed = "R0301",
    /// An expression has no value for this row, such as a division by zero.
    ExpressionFailed = "R0302",
    /// The key is not in the reference table.
    LookupMissing = "R0303",
    /// A business rule rejects the row.
    RuleReject = "R0401",
    /// A business rule holds the row for a person.
    RuleReview = "R0402",
    /// A person who reviewed the row rejects it.
    PersonReject = "R0403",
    /// A person who reviewed the row sends it back to the partner.
    PersonReturn = "R0404",
    /// The file has no bytes.
    EmptyFile = "F0001",
    /// The file has no rows.
    NoRows = "F0002",
    /// Columns of the contract are not in the file.
    MissingColumns = "F0003",
    /// A column name stands twice in the header.
    RepeatedColumn = "F0004",
    /// The header does not end within the first part of the file.
    HeaderTooLong = "F0005",
    /// The header is no valid text in the file's encoding.
    HeaderEncoding = "F0006",
    /// The file is of another kind than the pipeline says.
    WrongKind = "F0007",
    /// The text is in an encoding that the pipeline does not say.
    WrongEncoding = "F0008",
    /// Columns that the contract does not name, where the pipeline refuses them.
    ExtraColumns = "F0009",
    /// The compressed file ends too early.
    TruncatedCompression = "F0010",
    /// The compressed bytes are damaged.
    DamagedCompression = "F0011",
    /// The file grows beyond `limits.expansion` when it is decompressed.
    ExpandsTooMuch = "F0012",
    /// The file cannot be read as Parquet.
    UnreadableParquet = "F0020",
    /// A Parquet column has a type that the contract's type cannot take.
    ParquetType = "F0021",
    /// One row group is larger than a chunk can be.
    RowGroupTooLarge = "F0022",
    /// A quality rule of the contract does not hold for the whole file.
    QualityBroken = "F0030",
    /// More rows are rejected than `limits.rejectedPercent` allows.
    TooManyRejected = "F0031",
    /// An aggregate over the accepted rows overflows or has no value.
    AggregateFailed = "F0032",
    /// A reference table cannot be read.
    UnreadableReference = "F0040",
    /// An expression is no SQL.
    ExpressionSyntax = "E0001",
    /// An expression names a column that is not there.
    UnknownColumn = "E0002",
    /// An expression names a parameter that is not declared.
    UnknownParameter = "E0003",
    /// The types in an expression do not fit.
    ExpressionType = "E0004",
    /// A condition is not boolean.
    NotACondition = "E0005",
    /// An expression depends on more than its row (a clock, a random number, an aggregate, a subquery).
    NotRepeatable = "E0006",
    /// The type of a column cannot be published.
    UnpublishableType = "E0007",
    /// A task adds or renames to a column that is there already.
    ColumnExists = "E0008",
    /// A cast between types that cannot be.
    ImpossibleCast = "E0009",
    /// A reference table is not given.
    UnknownTable = "E0010",
    /// A reference table lacks a column.
    UnknownTableColumn = "E0011",
    /// A key of a reference table stands in two rows, or does not fit the column's type.
    BadTableKey = "E0012",
    /// A secret is not given.
    UnknownSecret = "E0013",
    /// A task stands after a run-wide task that cannot be followed by it.
    TaskOrder = "E0014",
    /// A value or pattern of a check does not fit its column.
    BadCheck = "E0015",
    /// A file format setting that cannot work.
    BadFormat = "E0016",
    /// A text names something in braces that is neither a column nor a parameter.
    BadBecause = "E0017",
    /// A parameter's value is not of its declared type, or is not given.
    BadParameter = "E0018",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::ALL.iter().copied().find(|c| c.as_str() == text).ok_or_else(|| serde::de::Error::custom(format!("unknown code {text}")))
    }
}

/// One thing that is wrong with one row. It is data, not an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Stable code.
    pub code: Code,
    /// 0-based number of the row in the file.
    pub row: u64,
    /// 1-based line on which the row starts.
    pub line: u64,
    /// Byte offset of the record in the (decompressed) text; for Parquet, where there is no text, 0.
    pub offset: u64,
    /// Column of the contract (or of a task); `None` if the whole row is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The raw value, at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Name of the rule that says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// What was expected and what was found.
    pub message: String,
}

/// Most characters of a raw value that a [`Problem`] keeps.
pub const VALUE_CHARS: usize = 200;

/// The file as a whole is at fault and no row of it is taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refusal {
    /// Stable code.
    pub code: Code,
    /// What was expected, what was found and what to do.
    pub message: String,
    /// 1-based line, where one is at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Byte offset, where one is at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
}

impl Refusal {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), line: None, offset: None }
    }

    pub(crate) fn at_offset(mut self, offset: u64) -> Self {
        self.offset = Some(offset);
        self
    }

    pub(crate) fn at_line(mut self, line: u64) -> Self {
        self.line = Some(line);
        self
    }
}

/// Why a chunk could not be worked through.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The data is at fault; doing it again gives the same.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// This program is at fault.
    #[error("internal fault of the engine: {0}")]
    Bug(String),
}

impl EngineError {
    /// For errors of libraries that cannot come from data.
    pub(crate) fn bug(what: &str, error: impl fmt::Display) -> Self {
        Self::Bug(format!("{what}: {error}"))
    }
}
