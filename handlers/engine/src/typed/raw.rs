//! A value as a decoder hands it over.

use std::borrow::Cow;

use sluice_contract::{CsvFormat, Encoding, NdjsonFormat};

use super::number::{NumberStyle, decimal_text};
use crate::split::automaton::encode;

/// A value before it is typed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Raw<'a> {
    Null,
    /// A CSV field or the content of a JSON string.
    Text(&'a [u8]),
    /// A JSON number as written.
    Number(&'a [u8]),
    Boolean(bool),
    /// A JSON object or array as written.
    Json(&'a [u8]),
    /// Typed values of Parquet.
    Integer(i128),
    Decimal(i128, i8),
    Float(f64),
    /// Days since the epoch.
    Date(i32),
    /// Nanoseconds since the epoch; whether it is an instant.
    Timestamp(i128, bool),
    /// Nanoseconds of the day.
    Time(i64),
}

impl Raw<'_> {
    /// As text, for messages and for comparing with spellings of the contract.
    pub(crate) fn text(&self, encoding: Encoding) -> Cow<'_, str> {
        match *self {
            Self::Null => Cow::Borrowed(""),
            Self::Text(bytes) => super::text::decode_lossy(bytes, encoding),
            Self::Number(bytes) | Self::Json(bytes) => String::from_utf8_lossy(bytes),
            Self::Boolean(value) => Cow::Borrowed(if value { "true" } else { "false" }),
            Self::Integer(value) => Cow::Owned(value.to_string()),
            Self::Decimal(value, scale) => Cow::Owned(decimal_text(value, scale)),
            Self::Float(value) => Cow::Owned(value.to_string()),
            Self::Date(days) => Cow::Owned(super::builder::date_text(days)),
            Self::Timestamp(nanos, zoned) => Cow::Owned(super::builder::nano_timestamp_text(nanos, zoned)),
            Self::Time(nanos) => Cow::Owned(super::builder::nano_time_text(nanos)),
        }
    }

    /// What kind of value it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Text(_) => "a string",
            Self::Number(_) | Self::Integer(_) | Self::Decimal(..) | Self::Float(_) => "a number",
            Self::Boolean(_) => "true or false",
            Self::Json([b'[', ..]) => "an array",
            Self::Json(_) => "an object",
            Self::Date(_) => "a date",
            Self::Timestamp(..) => "a timestamp",
            Self::Time(_) => "a time",
        }
    }
}

/// How text values are to be read.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    pub(crate) numbers: NumberStyle,
    pub(crate) true_values: Vec<Vec<u8>>,
    pub(crate) false_values: Vec<Vec<u8>>,
    pub(crate) null_values: Vec<Vec<u8>>,
    pub(crate) encoding: Encoding,
    /// Dates and times may be in ISO form whatever the contract's format is.
    pub(crate) iso_first: bool,
}

impl Reading {
    /// A point in decimals, true and false, nothing means null.
    pub(crate) fn canonical() -> Self {
        Self {
            numbers: NumberStyle::default(),
            true_values: vec![b"true".to_vec()],
            false_values: vec![b"false".to_vec()],
            null_values: Vec::new(),
            encoding: Encoding::Utf8,
            iso_first: false,
        }
    }

    /// As people type a value and as this program writes it.
    pub(crate) fn typed() -> Self {
        Self { iso_first: true, ..Self::canonical() }
    }

    pub(crate) fn csv(csv: &CsvFormat) -> Self {
        let all = |words: &[String]| words.iter().map(|w| encode(w, csv.encoding)).collect();
        let bytes = |c: char| encode(&c.to_string(), csv.encoding);
        Self {
            numbers: NumberStyle { decimal: (csv.decimal != '.').then(|| bytes(csv.decimal)), thousands: csv.thousands.map(bytes) },
            true_values: all(&csv.true_values),
            false_values: all(&csv.false_values),
            null_values: all(&csv.null_values),
            encoding: csv.encoding,
            iso_first: false,
        }
    }

    pub(crate) fn ndjson(ndjson: &NdjsonFormat) -> Self {
        Self { null_values: ndjson.null_values.iter().map(|v| v.clone().into_bytes()).collect(), ..Self::canonical() }
    }

    #[inline]
    pub(crate) fn is_null(&self, text: &[u8]) -> bool {
        self.null_values.iter().any(|null| null.as_slice() == text)
    }

    pub(crate) fn boolean(&self, text: &[u8]) -> Option<bool> {
        let is_one_of = |words: &[Vec<u8>]| words.iter().any(|w| w.eq_ignore_ascii_case(text));
        if is_one_of(&self.true_values) {
            return Some(true);
        }
        is_one_of(&self.false_values).then_some(false)
    }
}
