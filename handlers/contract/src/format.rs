//! How a partner writes its files: formats, dialects, compression, encodings.

use serde::{Deserialize, Serialize};

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
#[serde(rename_all = "camelCase", default)]
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
    /// How names of the header are compared with those of the contract.
    pub header_match: HeaderMatch,
    /// What becomes of columns that the contract does not name.
    pub extra_columns: ExtraColumns,
    /// What becomes of a row that is the header once more.
    pub repeated_header: RepeatedHeader,
    /// Lines to pass over before the header.
    pub skip_lines: u32,
    /// Then lines are passed over up to the first that matches this regular expression; that one is the header.
    pub skip_until: Option<String>,
    /// Rows whose record matches this regular expression are no data, such as totals at the end.
    pub skip_rows: Option<String>,
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

impl Default for CsvFormat {
    /// RFC 4180 with a header, in UTF-8; an empty field is null.
    fn default() -> Self {
        let words = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect();
        Self {
            delimiter: ",".to_owned(),
            quote: Some('"'),
            escape: Escape::Double,
            comment: None,
            header: Header::First,
            header_match: HeaderMatch::Exact,
            extra_columns: ExtraColumns::Ignore,
            repeated_header: RepeatedHeader::Reject,
            skip_lines: 0,
            skip_until: None,
            skip_rows: None,
            null_values: words(&[""]),
            short_row: ShortRow::Reject,
            decimal: '.',
            thousands: None,
            true_values: words(&["true", "t", "yes", "y", "1"]),
            false_values: words(&["false", "f", "no", "n", "0"]),
            encoding: Encoding::Utf8,
            trim: false,
        }
    }
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
    /// The first so many records, at least two; a column's name is made of its cells, from top to bottom.
    Rows(u8),
}

impl Header {
    /// Records that the header takes.
    pub fn rows(self) -> usize {
        match self {
            Self::None => 0,
            Self::First => 1,
            Self::Rows(rows) => usize::from(rows),
        }
    }
}

/// How names of the header are compared with those of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum HeaderMatch {
    /// Character by character.
    Exact,
    /// Letters and digits only, in lower case: `Order ID` is `order_id`.
    Loose,
}

/// What becomes of columns of the file that the contract does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ExtraColumns {
    /// Passed over.
    Ignore,
    /// The file is refused.
    Refuse,
}

/// What becomes of a row that is the header once more, as in files that were joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RepeatedHeader {
    /// Rejected with a reason.
    Reject,
    /// Passed over and counted.
    Skip,
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
    /// UTF-16 in the byte order of its mark; little endian without one.
    #[serde(rename = "utf-16")]
    Utf16,
    /// UTF-16, little endian.
    #[serde(rename = "utf-16le")]
    Utf16Le,
    /// UTF-16, big endian.
    #[serde(rename = "utf-16be")]
    Utf16Be,
}

impl Encoding {
    /// Whether a character takes two bytes or four. Such a text is read as UTF-8 made from it.
    pub fn is_utf16(self) -> bool {
        matches!(self, Self::Utf16 | Self::Utf16Le | Self::Utf16Be)
    }

    /// Whether each byte is a character.
    pub fn is_single_byte(self) -> bool {
        matches!(self, Self::Latin1 | Self::Windows1252)
    }
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
