//! `logicalTypeOptions`: what narrows a column's type and what its values must keep.

use std::cmp::Ordering;

use crate::code::Code;
use crate::contract::{Check, DataType, TextFormat};
use crate::data_type::{self, Physical};
use crate::date_format::{self, DatePart};
use crate::number::Number;
use crate::reader::{Cursor, Fields, one_of, shorten};
use crate::value::Value;

use super::column::{Logical, Typed};

const BOUNDS: [&str; 4] = ["minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"];
const TEXT: &[&str] = &["minLength", "maxLength", "pattern", "format"];
const DATE: &[&str] = &["format", "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"];
const TIME: &[&str] = &["format", "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "timezone", "defaultTimezone"];
const NUMBER: &[&str] = &["multipleOf", "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "format"];
const OBJECT: &[&str] = &["maxProperties", "minProperties", "required"];
const ARRAY: &[&str] = &["maxItems", "minItems", "uniqueItems"];

/// Every option that some type has.
fn all() -> Vec<&'static str> {
    let mut all: Vec<&str> = [TEXT, TIME, NUMBER, OBJECT, ARRAY].concat();
    all.sort_unstable();
    all.dedup();
    all
}

fn options_of(logical: Logical) -> &'static [&'static str] {
    match logical {
        Logical::String => TEXT,
        Logical::Date => DATE,
        Logical::Timestamp | Logical::Time => TIME,
        Logical::Integer | Logical::Number => NUMBER,
        Logical::Object => OBJECT,
        Logical::Array => ARRAY,
        Logical::Boolean => &[],
    }
}

/// Reads the options; narrows the column's type and returns its checks in the order of the contract.
pub(crate) fn read(options: &Cursor<'_>, typed: &mut Typed) -> Vec<Check> {
    let Some(fields) = options.fields(&all()) else { return Vec::new() };
    // The type first: bounds are read in it, wherever they stand.
    narrow(&fields, typed);
    let own = options_of(typed.logical);
    let mut checks = Vec::new();
    for (key, value) in fields.all() {
        if !all().contains(&key) {
            continue;
        }
        if own.contains(&key) {
            checks.extend(read_option(key, &value, typed));
        } else {
            let expected = if own.is_empty() { "it has none".to_owned() } else { format!("it has {}", one_of(own)) };
            value.mistake(Code::OptionForType, format!("`{key}` is no option of this logicalType; {expected}"));
        }
    }
    checks.extend(unsigned_checks(&fields, typed));
    check_lengths(&fields);
    check_bounds(&fields, typed.data_type);
    checks
}

fn narrow(fields: &Fields<'_>, typed: &mut Typed) {
    match typed.logical {
        Logical::Timestamp => {
            if let Some(value) = fields.get("timezone")
                && let Some(zoned) = value.boolean()
            {
                if let Some(Physical::Timestamp { zoned: Some(other) }) = typed.physical
                    && other != zoned
                {
                    value.mistake(Code::PhysicalType, "the physicalType says the opposite; change one of them");
                }
                typed.data_type = DataType::Timestamp { zoned };
            }
        }
        Logical::Integer => {
            if let Some(value) = fields.get("format")
                && let Some(bits) = integer_width(&value)
            {
                match (typed.physical, typed.data_type) {
                    (None, _) => typed.data_type = DataType::Integer { bits },
                    (_, DataType::Integer { bits: physical }) if physical >= bits => {}
                    _ => value.mistake(Code::PhysicalType, "the physicalType holds fewer or other values; change one of them"),
                }
            }
        }
        Logical::Number => {
            if let Some(value) = fields.get("format")
                && let Some(bits) = value.choice(&[("f32", 32), ("f64", 64)])
            {
                match (typed.physical, typed.data_type) {
                    (None, _) => typed.data_type = DataType::Float { bits },
                    (_, DataType::Float { bits: physical }) if physical == bits => {}
                    _ => value.mistake(Code::PhysicalType, "the physicalType says otherwise; change one of them"),
                }
            }
        }
        _ => {}
    }
}

/// Widths that hold the integers of a format of ODCS.
const INTEGERS: &[(&str, u8)] = &[("i8", 8), ("i16", 16), ("i32", 32), ("i64", 64), ("u8", 16), ("u16", 32), ("u32", 64)];

fn integer_width(value: &Cursor<'_>) -> Option<u8> {
    if let Some(text @ ("i128" | "u64" | "u128")) = value.text() {
        let message = format!("`{text}` is wider than 64 bits with a sign; use logicalType number with physicalType decimal(38,0)");
        value.mistake(Code::PhysicalType, message);
        return None;
    }
    value.choice(INTEGERS)
}

/// An unsigned format is held in the next wider type, within its own bounds.
fn unsigned_checks(fields: &Fields<'_>, typed: &Typed) -> Vec<Check> {
    let format = fields.get("format").filter(|_| typed.logical == Logical::Integer && typed.data_type != DataType::Text);
    let maximum = match format.and_then(|value| value.text()) {
        Some("u8") => u64::from(u8::MAX),
        Some("u16") => u64::from(u16::MAX),
        Some("u32") => u64::from(u32::MAX),
        _ => return Vec::new(),
    };
    vec![Check::Minimum("0".to_owned()), Check::Maximum(maximum.to_string())]
}

fn read_option(key: &str, value: &Cursor<'_>, typed: &Typed) -> Option<Check> {
    match key {
        "minLength" => value.integer(0..=u64::MAX).map(Check::MinLength),
        "maxLength" => value.integer(0..=u64::MAX).map(Check::MaxLength),
        "pattern" => pattern(value, Code::Pattern).map(Check::Pattern),
        "format" if typed.logical == Logical::String => text_format(value),
        "format" if matches!(typed.logical, Logical::Date | Logical::Timestamp | Logical::Time) => date_format(value, typed),
        "minimum" => bound(value, typed.data_type).map(Check::Minimum),
        "maximum" => bound(value, typed.data_type).map(Check::Maximum),
        "exclusiveMinimum" => bound(value, typed.data_type).map(Check::ExclusiveMinimum),
        "exclusiveMaximum" => bound(value, typed.data_type).map(Check::ExclusiveMaximum),
        "multipleOf" => multiple_of(value, typed.data_type).map(Check::MultipleOf),
        "timezone" => {
            if typed.logical == Logical::Time && value.boolean() == Some(true) {
                value.mistake(Code::ContractUnenforced, "a time of day with an offset is not supported; use a timestamp");
            }
            None
        }
        "defaultTimezone" => {
            if let Some(zone) = value.text()
                && !["UTC", "Etc/UTC", "Z"].contains(&zone)
            {
                let message = format!(
                    "only UTC is supported, found `{}`; let the partner write an offset, or take wall-clock times and derive",
                    shorten(zone)
                );
                value.mistake(Code::ContractUnenforced, message);
            }
            None
        }
        _ if OBJECT.contains(&key) || ARRAY.contains(&key) => {
            let message =
                format!("`{key}` is not enforced, so nobody may rely on it; remove it, or check the value with a rule of the pipeline");
            value.mistake(Code::ContractUnenforced, message);
            None
        }
        // Widths, read by `narrow`.
        _ => None,
    }
}

/// A regular expression that compiles.
pub(crate) fn pattern(value: &Cursor<'_>, code: Code) -> Option<String> {
    let text = value.text()?;
    match regex::Regex::new(text) {
        Ok(_) => Some(text.to_owned()),
        Err(error) => {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
            value.mistake(
                code,
                format!("this regular expression does not compile: {reason} (look-around and back-references are not supported)"),
            );
            None
        }
    }
}

const TEXT_FORMATS: &[(&str, TextFormat)] = &[
    ("uuid", TextFormat::Uuid),
    ("email", TextFormat::Email),
    ("uri", TextFormat::Uri),
    ("hostname", TextFormat::Hostname),
    ("ipv4", TextFormat::Ipv4),
    ("ipv6", TextFormat::Ipv6),
];

fn text_format(value: &Cursor<'_>) -> Option<Check> {
    let text = value.text()?;
    if let Some((_, format)) = TEXT_FORMATS.iter().find(|(word, _)| *word == text) {
        return Some(Check::Format(*format));
    }
    // Any text can be a password: nothing to check.
    if text == "password" {
        return None;
    }
    let words: Vec<&str> = TEXT_FORMATS.iter().map(|(word, _)| *word).collect();
    let hint = value.did_you_mean(text, &words);
    value.mistake(
        Code::FormatName,
        format!("expected {}, found `{}`{hint}; use `pattern` for anything else", one_of(&words), shorten(text)),
    );
    None
}

fn date_format(value: &Cursor<'_>, typed: &Typed) -> Option<Check> {
    let text = value.text()?;
    let wrong = |what: &str| value.mistake(Code::FormatName, format!("the format `{}` cannot be used: {what}", shorten(text)));
    let parts = match date_format::parts(text) {
        Ok(parts) => parts,
        Err(reason) => {
            wrong(&reason);
            return None;
        }
    };
    let has = |part: DatePart| parts.contains(&part);
    let (year, month, day) = (has(DatePart::Year), has(DatePart::Month), has(DatePart::Day));
    let (full_hour, half_hour, half_day) = (has(DatePart::Hour), has(DatePart::HalfDayHour), has(DatePart::HalfDay));
    let finer = has(DatePart::Minute) || has(DatePart::Second) || has(DatePart::Fraction);
    let offset = has(DatePart::Offset);
    let hour = full_hour || half_hour;
    let twice = parts.iter().enumerate().any(|(i, part)| parts[..i].contains(part));
    let problem = match typed.data_type {
        _ if twice => Some("a part stands there twice"),
        _ if half_hour != half_day => Some("hh (1 to 12) needs a (AM or PM), and the other way round"),
        _ if full_hour && half_hour => Some("HH and hh exclude each other"),
        DataType::Date | DataType::Timestamp { .. } if !(year && month && day) => Some("a date needs year, month and day"),
        DataType::Date if hour || finer || offset => Some("a date has no time of day; use logicalType timestamp"),
        DataType::Time if year || month || day || offset => Some("a time of day has no date and no offset"),
        DataType::Time if !hour => Some("a time of day needs the hour"),
        DataType::Timestamp { .. } if finer && !hour => Some("minutes and seconds need the hour"),
        DataType::Timestamp { zoned: false } if offset => Some("it reads an offset; add `timezone: true`"),
        _ => None,
    };
    if let Some(problem) = problem {
        wrong(problem);
        return None;
    }
    Some(Check::ParseFormat(text.to_owned()))
}

/// The text of a bound: numbers are YAML numbers, dates and times are text.
fn bound_text<'a>(value: &Cursor<'a>, data_type: DataType) -> Option<&'a str> {
    match data_type {
        DataType::Integer { .. } | DataType::Float { .. } | DataType::Decimal { .. } => value.number_text(),
        _ => value.text(),
    }
}

fn bound(value: &Cursor<'_>, data_type: DataType) -> Option<String> {
    let text = bound_text(value, data_type)?;
    let parsed = Value::parse(data_type, text);
    if parsed.is_none() {
        value.mistake(Code::BoundValue, format!("expected a value of type {}, found `{}`", data_type::describe(data_type), shorten(text)));
    }
    parsed.map(|v| v.to_string())
}

fn multiple_of(value: &Cursor<'_>, data_type: DataType) -> Option<String> {
    let text = value.number_text()?;
    let number = Number::parse(text).filter(Number::is_positive).filter(|_| Value::parse(data_type, text).is_some());
    if number.is_none() {
        let message = format!("expected a number above 0 of type {}, found `{}`", data_type::describe(data_type), shorten(text));
        value.mistake(Code::BoundValue, message);
    }
    number.map(|n| n.to_string())
}

fn check_lengths(fields: &Fields<'_>) {
    let length = |key: &str| {
        let value = fields.get(key)?;
        let digits = value.spelling()?.parse::<u64>().ok()?;
        Some((digits, value))
    };
    if let (Some((minimum, _)), Some((maximum, value))) = (length("minLength"), length("maxLength"))
        && minimum > maximum
    {
        value.mistake(Code::BoundsEmpty, format!("maxLength {maximum} is less than minLength {minimum}, so no text fits"));
    }
}

/// The tightest bounds must leave room for a value.
fn check_bounds(fields: &Fields<'_>, data_type: DataType) {
    let read = |key: &str| {
        let place = fields.get(key)?;
        let text = if place.is_map() || place.is_list() || place.is_null() { return None } else { place.spelling()? };
        Some((key.to_owned(), Value::parse(data_type, text)?, place))
    };
    let [minimum, above, maximum, below] = BOUNDS.map(read);
    for low in [&minimum, &above].into_iter().flatten() {
        for high in [&maximum, &below].into_iter().flatten() {
            let exclusive = low.0.starts_with("exclusive") || high.0.starts_with("exclusive");
            let empty = match low.1.compare(&high.1) {
                Some(Ordering::Greater) => true,
                Some(Ordering::Equal) => exclusive,
                _ => false,
            };
            if empty {
                let message = format!("no value fits: {} is {} and {} is {}", low.0, low.1, high.0, high.1);
                high.2.mistake(Code::BoundsEmpty, message);
            }
        }
    }
}
