//! Values that a contract names (bounds, valid values), read in a column's type.

use std::cmp::Ordering;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

use crate::contract::DataType;
use crate::number::Number;

/// A value that can be compared with another of the same column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Number(Number),
    Date(NaiveDate),
    Instant(DateTime<Utc>),
    WallClock(NaiveDateTime),
    Time(NaiveTime),
}

impl Value {
    /// Reads the text in the column's type; `None` if it is no such value or the type has no order.
    pub(crate) fn parse(data_type: DataType, text: &str) -> Option<Self> {
        match data_type {
            DataType::Integer { bits } => {
                let number = Number::parse(text).filter(|n| n.scale() == 0)?;
                let value = number.to_string().parse::<i64>().ok()?;
                let limit = i64::MAX >> (64 - u32::from(bits));
                (-limit - 1..=limit).contains(&value).then_some(Self::Number(number))
            }
            DataType::Float { bits } => {
                let number = Number::parse(text)?;
                let finite = if bits == 32 { text.parse::<f32>().ok()?.is_finite() } else { text.parse::<f64>().ok()?.is_finite() };
                finite.then_some(Self::Number(number))
            }
            DataType::Decimal { precision, scale } => {
                let number = Number::parse(text)?;
                let fits = number.scale() <= scale as usize && number.whole_digits() <= usize::from(precision) - scale as usize;
                fits.then_some(Self::Number(number))
            }
            DataType::Date => NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(Self::Date),
            DataType::Timestamp { zoned: true } => DateTime::parse_from_rfc3339(text).ok().map(|t| Self::Instant(t.to_utc())),
            DataType::Timestamp { zoned: false } => {
                let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"];
                formats.iter().find_map(|f| NaiveDateTime::parse_from_str(text, f).ok()).map(Self::WallClock)
            }
            DataType::Time => ["%H:%M:%S%.f", "%H:%M"].iter().find_map(|f| NaiveTime::parse_from_str(text, f).ok()).map(Self::Time),
            DataType::Text | DataType::Boolean | DataType::Json => None,
        }
    }

    /// The order of two values of one column.
    pub(crate) fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => Some(a.cmp(b)),
            (Self::Date(a), Self::Date(b)) => Some(a.cmp(b)),
            (Self::Instant(a), Self::Instant(b)) => Some(a.cmp(b)),
            (Self::WallClock(a), Self::WallClock(b)) => Some(a.cmp(b)),
            (Self::Time(a), Self::Time(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }
}

impl std::fmt::Display for Value {
    /// One spelling a value: plain digits, or ISO 8601 (instants in UTC with `Z`).
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Date(date) => write!(f, "{date}"),
            Self::Instant(instant) => write!(f, "{}", instant.format("%Y-%m-%dT%H:%M:%S%.fZ")),
            Self::WallClock(wall) => write!(f, "{}", wall.format("%Y-%m-%dT%H:%M:%S%.f")),
            Self::Time(time) => write!(f, "{}", time.format("%H:%M:%S%.f")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(data_type: DataType, text: &str) -> Option<String> {
        Value::parse(data_type, text).map(|v| v.to_string())
    }

    #[test]
    fn a_value_has_one_spelling_in_its_type() {
        let zoned = DataType::Timestamp { zoned: true };
        for (data_type, text, expected) in [
            (DataType::Integer { bits: 16 }, "1e3", "1000"),
            (DataType::Integer { bits: 64 }, "-9223372036854775808", "-9223372036854775808"),
            (DataType::Decimal { precision: 5, scale: 2 }, "-999.990", "-999.99"),
            (DataType::Date, "2013-01-31", "2013-01-31"),
            (zoned, "2013-01-01T01:00:00.5+01:00", "2013-01-01T00:00:00.500Z"),
            (DataType::Timestamp { zoned: false }, "2013-01-01 00:00:00", "2013-01-01T00:00:00"),
            (DataType::Time, "05:17", "05:17:00"),
        ] {
            assert_eq!(canonical(data_type, text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_value_outside_its_type_is_none() {
        for (data_type, text) in [
            (DataType::Integer { bits: 8 }, "128"),
            (DataType::Integer { bits: 8 }, "-129"),
            (DataType::Integer { bits: 32 }, "0.5"),
            (DataType::Integer { bits: 64 }, "9223372036854775808"),
            (DataType::Float { bits: 32 }, "1e39"),
            (DataType::Decimal { precision: 5, scale: 2 }, "0.001"),
            (DataType::Decimal { precision: 5, scale: 2 }, "1000"),
            (DataType::Date, "2013-02-30"),
            (DataType::Timestamp { zoned: true }, "2013-01-01T00:00:00"),
            (DataType::Text, "a"),
        ] {
            assert_eq!(canonical(data_type, text), None, "{text}");
        }
    }
}
