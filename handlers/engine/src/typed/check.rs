//! Checks of the contract on single typed values.

use std::collections::HashSet;

use regex::Regex;
use sluice_contract::{Check, Column, DataType, TextFormat};

use super::builder::type_name;
use super::instant::{self, Pattern};
use super::{format, number};
use crate::Code;

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: Code,
    pub(crate) message: String,
}

impl Fault {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// The checks of a column in its own type.
#[derive(Debug)]
pub(crate) enum Checks {
    Text(Vec<TextCheck>),
    Integer(Vec<NumberCheck<i64>>),
    Decimal(Vec<NumberCheck<i128>>),
    Float(Vec<NumberCheck<f64>>),
}

/// A check on text.
#[derive(Debug)]
pub(crate) enum TextCheck {
    MinLength(u64),
    MaxLength(u64),
    Pattern(Regex),
    Format(TextFormat),
    OneOf(HashSet<String>, String),
}

/// A check on a number, date or time; with the limit as the contract writes it.
#[derive(Debug)]
pub(crate) struct NumberCheck<N> {
    test: Test<N>,
    limit: String,
}

#[derive(Debug)]
enum Test<N> {
    Minimum(N),
    Maximum(N),
    Above(N),
    Below(N),
    MultipleOf(N),
    OneOf(Vec<N>),
}

/// A number that can be a multiple of another.
pub(crate) trait Number: Copy + PartialOrd {
    fn is_multiple_of(self, unit: Self) -> bool;
}

impl Number for i64 {
    fn is_multiple_of(self, unit: Self) -> bool {
        unit != 0 && self.wrapping_rem(unit) == 0
    }
}

impl Number for i128 {
    fn is_multiple_of(self, unit: Self) -> bool {
        unit != 0 && self.wrapping_rem(unit) == 0
    }
}

impl Number for f64 {
    /// Within the rounding of one division: 0.3 is a multiple of 0.1.
    fn is_multiple_of(self, unit: Self) -> bool {
        let times = self / unit;
        times.is_finite() && (times - times.round()).abs() <= times.abs().max(1.0) * 4.0 * Self::EPSILON
    }
}

/// A number of which there is a next one.
pub(crate) trait Whole: Number + Ord {
    fn up(self) -> Option<Self>;
    fn down(self) -> Option<Self>;
}

impl Whole for i64 {
    fn up(self) -> Option<Self> {
        self.checked_add(1)
    }

    fn down(self) -> Option<Self> {
        self.checked_sub(1)
    }
}

impl Whole for i128 {
    fn up(self) -> Option<Self> {
        self.checked_add(1)
    }

    fn down(self) -> Option<Self> {
        self.checked_sub(1)
    }
}

impl<N: Whole> NumberCheck<N> {
    /// The least and the greatest value that keep the check; `None` if it is no bound.
    pub(crate) fn closed_bounds(&self) -> Option<(Option<N>, Option<N>)> {
        match self.test {
            Test::Minimum(limit) => Some((Some(limit), None)),
            Test::Maximum(limit) => Some((None, Some(limit))),
            Test::Above(limit) => Some((Some(limit.up()?), None)),
            Test::Below(limit) => Some((None, Some(limit.down()?))),
            Test::MultipleOf(_) | Test::OneOf(_) => None,
        }
    }
}

impl<N: Number> NumberCheck<N> {
    #[inline]
    pub(crate) fn fault(&self, value: N) -> Option<Fault> {
        let (is_kept, code, must) = match &self.test {
            Test::Minimum(limit) => (value >= *limit, Code::BelowMinimum, "at least"),
            Test::Maximum(limit) => (value <= *limit, Code::AboveMaximum, "at most"),
            Test::Above(limit) => (value > *limit, Code::BelowMinimum, "greater than"),
            Test::Below(limit) => (value < *limit, Code::AboveMaximum, "less than"),
            Test::MultipleOf(unit) => (value.is_multiple_of(*unit), Code::NotMultiple, "a multiple of"),
            Test::OneOf(values) => (values.contains(&value), Code::NotAllowed, "one of"),
        };
        (!is_kept).then(|| Fault::new(code, format!("must be {must} {}", self.limit)))
    }
}

impl TextCheck {
    pub(crate) fn fault(&self, value: &str) -> Option<Fault> {
        let count = || value.chars().count() as u64;
        match self {
            // A text has at least a quarter as many characters as bytes: most lengths need no counting.
            Self::MinLength(min) if (value.len() as u64) < *min || ((value.len() as u64) < min.saturating_mul(4) && count() < *min) => {
                Some(Fault::new(Code::TooShort, format!("must have at least {min} characters, has {}", count())))
            }
            Self::MaxLength(max) if value.len() as u64 > *max && count() > *max => {
                Some(Fault::new(Code::TooLong, format!("must have at most {max} characters, has {}", count())))
            }
            Self::Pattern(pattern) if !pattern.is_match(value) => {
                Some(Fault::new(Code::PatternMismatch, format!("must match the pattern {}", pattern.as_str())))
            }
            Self::Format(named) if !format::matches(*named, value) => {
                Some(Fault::new(Code::FormatMismatch, format!("must be {}", format::name(*named))))
            }
            Self::OneOf(values, shown) if !values.contains(value) => Some(Fault::new(Code::NotAllowed, format!("must be one of {shown}"))),
            _ => None,
        }
    }
}

/// The checks of a column, and its pattern for dates and times.
///
/// # Errors
/// Checks that do not fit the column, in words.
pub(crate) fn compile(column: &Column) -> Result<(Checks, Option<Pattern>), Vec<String>> {
    let mut faults = Vec::new();
    let pattern = column.checks.iter().find_map(|check| match check {
        Check::ParseFormat(format) => Some(Pattern::parse(format).map_err(|e| format!("format \"{format}\": {e}"))),
        _ => None,
    });
    let pattern = pattern.transpose().unwrap_or_else(|e| {
        faults.push(e);
        None
    });
    if let Some(pattern) = &pattern {
        match column.data_type {
            DataType::Date | DataType::Timestamp { .. } if !pattern.has_date() => faults.push("the format gives no full date".to_owned()),
            DataType::Timestamp { zoned: false } if pattern.has_offset() => {
                faults.push("the format has an offset, but the type is a timestamp without one".to_owned());
            }
            _ => {}
        }
    }
    let rest = column.checks.iter().filter(|c| !matches!(c, Check::ParseFormat(_)));
    let mut add = |result: Result<(), String>| {
        if let Err(e) = result {
            faults.push(e);
        }
    };
    let checks = match column.data_type {
        DataType::Text | DataType::Json | DataType::Boolean => {
            let mut checks = Vec::new();
            for check in rest {
                add(text_check(check, column.data_type).map(|c| checks.push(c)));
            }
            Checks::Text(checks)
        }
        DataType::Decimal { precision, scale } => {
            let mut checks = Vec::new();
            for check in rest {
                // A limit may have more digits than the column: compared with 38 digits at the column's scale.
                let parse = |t: &str| number::decimal(t.as_bytes(), 38.max(precision), scale).ok();
                add(number_check(check, column.data_type, parse).map(|c| checks.push(c)));
            }
            Checks::Decimal(checks)
        }
        DataType::Float { .. } => {
            let mut checks = Vec::new();
            for check in rest {
                add(number_check(check, column.data_type, |t| number::float(t.as_bytes()).ok()).map(|c| checks.push(c)));
            }
            Checks::Float(checks)
        }
        DataType::Integer { .. } | DataType::Date | DataType::Timestamp { .. } | DataType::Time => {
            let mut checks = Vec::new();
            for check in rest {
                let parse = |t: &str| whole(t.as_bytes(), column.data_type, pattern.as_ref());
                add(number_check(check, column.data_type, parse).map(|c| checks.push(c)));
            }
            Checks::Integer(checks)
        }
    };
    if faults.is_empty() { Ok((checks, pattern)) } else { Err(faults) }
}

/// A limit of a type that is held as a whole number: in ISO form, or in the column's own pattern.
fn whole(text: &[u8], data_type: DataType, pattern: Option<&Pattern>) -> Option<i64> {
    match data_type {
        DataType::Date => instant::date(text).or_else(|| pattern?.date(text)).map(i64::from),
        DataType::Timestamp { zoned } => instant::timestamp(text, zoned).or_else(|| pattern?.timestamp(text)),
        DataType::Time => instant::time(text).or_else(|| pattern?.time(text)),
        _ => number::decimal(text, 19, 0).ok().and_then(|v| i64::try_from(v).ok()),
    }
}

fn number_check<N: Number>(check: &Check, data_type: DataType, parse: impl Fn(&str) -> Option<N>) -> Result<NumberCheck<N>, String> {
    let one = |text: &str| parse(text).ok_or_else(|| format!("\"{text}\" is no limit for {}", type_name(data_type)));
    let (test, limit) = match check {
        Check::Minimum(text) => (Test::Minimum(one(text)?), text.clone()),
        Check::Maximum(text) => (Test::Maximum(one(text)?), text.clone()),
        Check::ExclusiveMinimum(text) => (Test::Above(one(text)?), text.clone()),
        Check::ExclusiveMaximum(text) => (Test::Below(one(text)?), text.clone()),
        Check::MultipleOf(text) => (Test::MultipleOf(one(text)?), text.clone()),
        Check::OneOf(values) => (Test::OneOf(values.iter().map(|v| one(v)).collect::<Result<_, _>>()?), list(values)),
        other => return Err(format!("the check {other:?} does not fit {}", type_name(data_type))),
    };
    Ok(NumberCheck { test, limit })
}

fn text_check(check: &Check, data_type: DataType) -> Result<TextCheck, String> {
    Ok(match check {
        Check::MinLength(min) => TextCheck::MinLength(*min),
        Check::MaxLength(max) => TextCheck::MaxLength(*max),
        Check::Pattern(pattern) => TextCheck::Pattern(Regex::new(pattern).map_err(|e| format!("pattern: {e}"))?),
        Check::Format(format) => TextCheck::Format(*format),
        Check::OneOf(values) => TextCheck::OneOf(values.iter().cloned().collect(), list(values)),
        other => return Err(format!("the check {other:?} does not fit {}", type_name(data_type))),
    })
}

/// Allowed values for messages: the first few.
fn list(values: &[String]) -> String {
    let shown: Vec<_> = values.iter().take(10).map(String::as_str).collect();
    let more = if values.len() > 10 { format!(" and {} more", values.len() - 10) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}
