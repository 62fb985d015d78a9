//! Arrow arrays of the contract's types.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Decimal128Builder, Float32Builder, Float64Builder, Int8Builder, Int16Builder, Int32Builder,
    Int64Builder, Time64MicrosecondBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType as ArrowType, TimeUnit};
use arrow::error::ArrowError;
use chrono::{DateTime, NaiveDate, Utc};
use sluice_contract::DataType;

use super::number::decimal_text;
use super::text_builder::TextBuilder;

/// The Arrow type of a contract type.
pub(crate) fn arrow_type(data_type: DataType) -> ArrowType {
    match data_type {
        DataType::Text | DataType::Json => ArrowType::Utf8,
        DataType::Boolean => ArrowType::Boolean,
        DataType::Integer { bits: 8 } => ArrowType::Int8,
        DataType::Integer { bits: 16 } => ArrowType::Int16,
        DataType::Integer { bits: 32 } => ArrowType::Int32,
        DataType::Integer { .. } => ArrowType::Int64,
        DataType::Float { bits: 32 } => ArrowType::Float32,
        DataType::Float { .. } => ArrowType::Float64,
        DataType::Decimal { precision, scale } => ArrowType::Decimal128(precision, scale),
        DataType::Date => ArrowType::Date32,
        DataType::Timestamp { zoned } => ArrowType::Timestamp(TimeUnit::Microsecond, zoned.then(|| "UTC".into())),
        DataType::Time => ArrowType::Time64(TimeUnit::Microsecond),
    }
}

/// A contract type in words.
pub(crate) fn type_name(data_type: DataType) -> String {
    match data_type {
        DataType::Text => "text".to_owned(),
        DataType::Boolean => "a boolean".to_owned(),
        DataType::Integer { bits } => format!("an integer of {bits} bits"),
        DataType::Float { bits } => format!("a float of {bits} bits"),
        DataType::Decimal { precision, scale } => format!("a decimal({precision},{scale})"),
        DataType::Date => "a date".to_owned(),
        DataType::Timestamp { zoned: true } => "a timestamp with an offset from UTC".to_owned(),
        DataType::Timestamp { zoned: false } => "a timestamp without an offset".to_owned(),
        DataType::Time => "a time of day".to_owned(),
        DataType::Json => "a JSON object or array".to_owned(),
    }
}

/// `2013-01-31`.
pub(crate) fn date_text(days: i32) -> String {
    let epoch = NaiveDate::default();
    epoch
        .checked_add_signed(chrono::TimeDelta::days(i64::from(days)))
        .map_or_else(|| days.to_string(), |d| d.format("%Y-%m-%d").to_string())
}

/// `2013-01-31T10:30:00.5Z`; without `Z` for a wall-clock time.
pub(crate) fn timestamp_text(micros: i64, zoned: bool) -> String {
    nano_timestamp_text(i128::from(micros) * 1000, zoned)
}

/// As [`timestamp_text`], to the nanosecond. A number of nanoseconds where there is no such year.
pub(crate) fn nano_timestamp_text(nanos: i128, zoned: bool) -> String {
    let format = if zoned { "%Y-%m-%dT%H:%M:%S%.fZ" } else { "%Y-%m-%dT%H:%M:%S%.f" };
    instant(nanos).map_or_else(|| nanos.to_string(), |t| t.format(format).to_string())
}

/// `10:30:00.5`.
pub(crate) fn time_text(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros).map_or_else(|| micros.to_string(), |t| t.format("%H:%M:%S%.f").to_string())
}

/// As [`time_text`], to the nanosecond.
pub(crate) fn nano_time_text(nanos: i64) -> String {
    instant(i128::from(nanos)).map_or_else(|| nanos.to_string(), |t| t.format("%H:%M:%S%.f").to_string())
}

fn instant(nanos: i128) -> Option<DateTime<Utc>> {
    const SECOND: i128 = 1_000_000_000;
    let seconds = i64::try_from(nanos.div_euclid(SECOND)).ok()?;
    DateTime::from_timestamp(seconds, nanos.rem_euclid(SECOND) as u32)
}

/// A column under construction.
#[derive(Debug)]
pub(crate) enum Builder {
    Text(TextBuilder),
    Boolean(BooleanBuilder),
    Int8(Int8Builder),
    Int16(Int16Builder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    Float32(Float32Builder),
    Float64(Float64Builder),
    Decimal(Decimal128Builder),
    Date(Date32Builder),
    Timestamp(TimestampMicrosecondBuilder),
    Time(Time64MicrosecondBuilder),
}

macro_rules! each {
    ($builder:expr, $b:ident => $do:expr) => {
        match $builder {
            Builder::Text($b) => $do,
            Builder::Boolean($b) => $do,
            Builder::Int8($b) => $do,
            Builder::Int16($b) => $do,
            Builder::Int32($b) => $do,
            Builder::Int64($b) => $do,
            Builder::Float32($b) => $do,
            Builder::Float64($b) => $do,
            Builder::Decimal($b) => $do,
            Builder::Date($b) => $do,
            Builder::Timestamp($b) => $do,
            Builder::Time($b) => $do,
        }
    };
}

impl Builder {
    pub(crate) fn new(data_type: DataType, rows: usize) -> Self {
        match data_type {
            DataType::Text | DataType::Json => Self::Text(TextBuilder::with_capacity(rows)),
            DataType::Boolean => Self::Boolean(BooleanBuilder::with_capacity(rows)),
            DataType::Integer { bits: 8 } => Self::Int8(Int8Builder::with_capacity(rows)),
            DataType::Integer { bits: 16 } => Self::Int16(Int16Builder::with_capacity(rows)),
            DataType::Integer { bits: 32 } => Self::Int32(Int32Builder::with_capacity(rows)),
            DataType::Integer { .. } => Self::Int64(Int64Builder::with_capacity(rows)),
            DataType::Float { bits: 32 } => Self::Float32(Float32Builder::with_capacity(rows)),
            DataType::Float { .. } => Self::Float64(Float64Builder::with_capacity(rows)),
            DataType::Decimal { .. } => Self::Decimal(Decimal128Builder::with_capacity(rows).with_data_type(arrow_type(data_type))),
            DataType::Date => Self::Date(Date32Builder::with_capacity(rows)),
            DataType::Timestamp { .. } => {
                Self::Timestamp(TimestampMicrosecondBuilder::with_capacity(rows).with_data_type(arrow_type(data_type)))
            }
            DataType::Time => Self::Time(Time64MicrosecondBuilder::with_capacity(rows)),
        }
    }

    #[inline]
    pub(crate) fn null(&mut self) {
        each!(self, b => b.append_null());
    }

    pub(crate) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        match self {
            Self::Text(b) => b.finish(),
            Self::Boolean(b) => Ok(Arc::new(b.finish())),
            Self::Int8(b) => Ok(Arc::new(b.finish())),
            Self::Int16(b) => Ok(Arc::new(b.finish())),
            Self::Int32(b) => Ok(Arc::new(b.finish())),
            Self::Int64(b) => Ok(Arc::new(b.finish())),
            Self::Float32(b) => Ok(Arc::new(b.finish())),
            Self::Float64(b) => Ok(Arc::new(b.finish())),
            Self::Decimal(b) => Ok(Arc::new(b.finish())),
            Self::Date(b) => Ok(Arc::new(b.finish())),
            Self::Timestamp(b) => Ok(Arc::new(b.finish())),
            Self::Time(b) => Ok(Arc::new(b.finish())),
        }
    }
}

/// A typed value of an array as text in its canonical form; `None` for null. Nested types have none.
pub(crate) fn value_text(array: &dyn arrow::array::Array, row: usize) -> Option<String> {
    use arrow::array::cast::AsArray as _;
    use arrow::datatypes as t;
    if array.is_null(row) {
        return None;
    }
    Some(match array.data_type() {
        ArrowType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
        ArrowType::Boolean => array.as_boolean().value(row).to_string(),
        ArrowType::Int8 => array.as_primitive::<t::Int8Type>().value(row).to_string(),
        ArrowType::Int16 => array.as_primitive::<t::Int16Type>().value(row).to_string(),
        ArrowType::Int32 => array.as_primitive::<t::Int32Type>().value(row).to_string(),
        ArrowType::Int64 => array.as_primitive::<t::Int64Type>().value(row).to_string(),
        ArrowType::Float32 => array.as_primitive::<t::Float32Type>().value(row).to_string(),
        ArrowType::Float64 => array.as_primitive::<t::Float64Type>().value(row).to_string(),
        ArrowType::Decimal128(_, scale) => decimal_text(array.as_primitive::<t::Decimal128Type>().value(row), *scale),
        ArrowType::Date32 => date_text(array.as_primitive::<t::Date32Type>().value(row)),
        ArrowType::Timestamp(TimeUnit::Microsecond, zone) => {
            timestamp_text(array.as_primitive::<t::TimestampMicrosecondType>().value(row), zone.is_some())
        }
        ArrowType::Time64(TimeUnit::Microsecond) => time_text(array.as_primitive::<t::Time64MicrosecondType>().value(row)),
        _ => return None,
    })
}

/// A typed value as JSON; numbers that JSON readers would round become strings.
pub(crate) fn value_json(array: &dyn arrow::array::Array, row: usize) -> serde_json::Value {
    use arrow::array::cast::AsArray as _;
    use arrow::datatypes as t;
    use serde_json::Value;
    /// Largest whole number that a double holds exactly together with its neighbours.
    const SAFE: u64 = (1 << 53) - 1;
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        ArrowType::Boolean => Value::Bool(array.as_boolean().value(row)),
        ArrowType::Int8 => Value::from(array.as_primitive::<t::Int8Type>().value(row)),
        ArrowType::Int16 => Value::from(array.as_primitive::<t::Int16Type>().value(row)),
        ArrowType::Int32 => Value::from(array.as_primitive::<t::Int32Type>().value(row)),
        ArrowType::Int64 => {
            let value = array.as_primitive::<t::Int64Type>().value(row);
            if value.unsigned_abs() <= SAFE { Value::from(value) } else { Value::from(value.to_string()) }
        }
        ArrowType::Float32 => float_json(array.as_primitive::<t::Float32Type>().value(row).to_string()),
        ArrowType::Float64 => float_json(array.as_primitive::<t::Float64Type>().value(row).to_string()),
        _ => value_text(array, row).map_or(Value::Null, Value::from),
    }
}

/// The shortest text of a float is a JSON number unless it is not finite.
fn float_json(text: String) -> serde_json::Value {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => serde_json::Value::from(value),
        _ => serde_json::Value::from(text),
    }
}
