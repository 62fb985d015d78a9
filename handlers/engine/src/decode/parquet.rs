//! Typed values of Arrow arrays, as Parquet files have them.

use arrow::array::cast::AsArray as _;
use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{self as types, DataType, TimeUnit};

use crate::typed::raw::Raw;

/// A value of an array. Types that [`is_readable`] refuses read as null.
pub(crate) fn raw_value(array: &ArrayRef, row: usize) -> Raw<'_> {
    if array.is_null(row) {
        return Raw::Null;
    }
    macro_rules! number {
        ($t:ty) => {
            Raw::Integer(i128::from(array.as_primitive::<$t>().value(row)))
        };
    }
    match array.data_type() {
        DataType::Utf8 => Raw::Text(array.as_string::<i32>().value(row).as_bytes()),
        DataType::LargeUtf8 => Raw::Text(array.as_string::<i64>().value(row).as_bytes()),
        DataType::Utf8View => Raw::Text(array.as_string_view().value(row).as_bytes()),
        DataType::Binary => Raw::Text(array.as_binary::<i32>().value(row)),
        DataType::LargeBinary => Raw::Text(array.as_binary::<i64>().value(row)),
        DataType::BinaryView => Raw::Text(array.as_binary_view().value(row)),
        DataType::Boolean => Raw::Boolean(array.as_boolean().value(row)),
        DataType::Int8 => number!(types::Int8Type),
        DataType::Int16 => number!(types::Int16Type),
        DataType::Int32 => number!(types::Int32Type),
        DataType::Int64 => number!(types::Int64Type),
        DataType::UInt8 => number!(types::UInt8Type),
        DataType::UInt16 => number!(types::UInt16Type),
        DataType::UInt32 => number!(types::UInt32Type),
        DataType::UInt64 => number!(types::UInt64Type),
        DataType::Float16 => Raw::Float(f64::from(array.as_primitive::<types::Float16Type>().value(row))),
        DataType::Float32 => Raw::Float(f64::from(array.as_primitive::<types::Float32Type>().value(row))),
        DataType::Float64 => Raw::Float(array.as_primitive::<types::Float64Type>().value(row)),
        DataType::Decimal32(_, scale) => Raw::Decimal(i128::from(array.as_primitive::<types::Decimal32Type>().value(row)), *scale),
        DataType::Decimal64(_, scale) => Raw::Decimal(i128::from(array.as_primitive::<types::Decimal64Type>().value(row)), *scale),
        DataType::Decimal128(_, scale) => Raw::Decimal(array.as_primitive::<types::Decimal128Type>().value(row), *scale),
        DataType::Date32 => Raw::Date(array.as_primitive::<types::Date32Type>().value(row)),
        DataType::Timestamp(unit, zone) => {
            let (value, per_unit) = match unit {
                TimeUnit::Second => (array.as_primitive::<types::TimestampSecondType>().value(row), 1_000_000_000),
                TimeUnit::Millisecond => (array.as_primitive::<types::TimestampMillisecondType>().value(row), 1_000_000),
                TimeUnit::Microsecond => (array.as_primitive::<types::TimestampMicrosecondType>().value(row), 1000),
                TimeUnit::Nanosecond => (array.as_primitive::<types::TimestampNanosecondType>().value(row), 1),
            };
            Raw::Timestamp(i128::from(value) * per_unit, zone.is_some())
        }
        DataType::Time32(TimeUnit::Second) => {
            Raw::Time(i64::from(array.as_primitive::<types::Time32SecondType>().value(row)) * 1_000_000_000)
        }
        DataType::Time32(_) => Raw::Time(i64::from(array.as_primitive::<types::Time32MillisecondType>().value(row)) * 1_000_000),
        DataType::Time64(TimeUnit::Microsecond) => {
            Raw::Time(array.as_primitive::<types::Time64MicrosecondType>().value(row).saturating_mul(1000))
        }
        DataType::Time64(_) => Raw::Time(array.as_primitive::<types::Time64NanosecondType>().value(row)),
        _ => Raw::Null,
    }
}

/// Whether values of a Parquet column can be read at all.
pub(crate) fn is_readable(data_type: &DataType) -> bool {
    data_type.is_primitive()
        && !matches!(data_type, DataType::Decimal256(..) | DataType::Duration(_) | DataType::Interval(_) | DataType::Date64)
        || matches!(
            data_type,
            DataType::Utf8
                | DataType::LargeUtf8
                | DataType::Utf8View
                | DataType::Binary
                | DataType::LargeBinary
                | DataType::BinaryView
                | DataType::Boolean
        )
}

/// A value as JSON text, numbers as they are.
pub(crate) fn raw_json(raw: Raw<'_>) -> String {
    match raw {
        Raw::Null => "null".to_owned(),
        Raw::Number(_) | Raw::Boolean(_) | Raw::Integer(_) | Raw::Decimal(..) | Raw::Json(_) => {
            raw.text(sluice_contract::Encoding::Utf8).into_owned()
        }
        Raw::Float(value) if value.is_finite() => serde_json::Value::from(value).to_string(),
        Raw::Text(_) | Raw::Float(_) | Raw::Date(_) | Raw::Timestamp(..) | Raw::Time(_) => {
            serde_json::Value::from(raw.text(sluice_contract::Encoding::Utf8)).to_string()
        }
    }
}
