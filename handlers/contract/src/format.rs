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
            skip_lines: 0,
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
