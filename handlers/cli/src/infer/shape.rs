//! What one spelled value could be. A column is what all of its values could be.

use chrono::{DateTime, NaiveDateTime, NaiveTime};

use super::formats::{Formats, Reads};

/// A set of shapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shapes(u32);

/// One thing a value can be spelled as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Shape {
    /// Digits with a sign, without leading zeros, within 64 bits.
    Integer,
    /// Digits with a point: `12.50`.
    Point,
    /// Digits with a comma: `12,50`.
    Comma,
    /// Groups of three parted by commas: `1,234.50`.
    CommaGroups,
    /// Groups of three parted by points: `1.234,50`.
    PointGroups,
    /// A number with an exponent, or any of the above with a point.
    Float,
    /// true, false.
    TrueFalse,
    /// yes, no.
    YesNo,
    /// y, n.
    YN,
    /// t, f.
    TF,
    /// A date in one of the formats known.
    Date,
    /// 2013-01-31T23:59:59Z or with an offset.
    Instant,
    /// 2013-01-31T23:59:59, or with a blank for the T.
    WallClock,
    /// A date and a time in one of the formats known.
    Timestamp,
    /// 23:59 or 23:59:59
    Time,
    /// A time in one of the formats known.
    ClockTime,
    /// Groups of three parted by blanks or apostrophes: `1 234.50`.
    OtherGroups,
    /// As that, with a comma: `1 234,50`.
    OtherGroupsComma,
    /// 8-4-4-4-12 hex digits.
    Uuid,
}

impl Shape {
    /// All of them, in order.
    pub(crate) const EVERY: [Self; 19] = [
        Self::Integer,
        Self::Point,
        Self::Comma,
        Self::CommaGroups,
        Self::PointGroups,
        Self::Float,
        Self::TrueFalse,
        Self::YesNo,
        Self::YN,
        Self::TF,
        Self::Date,
        Self::Instant,
        Self::WallClock,
        Self::Timestamp,
        Self::Time,
        Self::ClockTime,
        Self::OtherGroups,
        Self::OtherGroupsComma,
        Self::Uuid,
    ];

    /// What a person calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Integer => "integers",
            Self::Point
            | Self::Comma
            | Self::CommaGroups
            | Self::PointGroups
            | Self::Float
            | Self::OtherGroups
            | Self::OtherGroupsComma => "numbers",
            Self::TrueFalse | Self::YesNo | Self::YN | Self::TF => "booleans",
            Self::Date => "dates",
            Self::Instant | Self::WallClock | Self::Timestamp => "timestamps",
            Self::Time | Self::ClockTime => "times of day",
            Self::Uuid => "UUIDs",
        }
    }
}

impl Shapes {
    /// Every shape.
    pub(crate) const ALL: Self = Self(u32::MAX);
    /// None: plain text.
    pub(crate) const NONE: Self = Self(0);

    pub(crate) fn has(self, shape: Shape) -> bool {
        self.0 & (1 << shape as u32) != 0
    }

    /// The shapes in the set.
    pub(crate) fn iter(self) -> impl Iterator<Item = Shape> {
        Shape::EVERY.into_iter().filter(move |shape| self.has(*shape))
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    fn with(self, shape: Shape, yes: bool) -> Self {
        if yes { Self(self.0 | 1 << shape as u32) } else { self }
    }

    /// What `value` could be.
    pub(crate) fn of(value: &str) -> Self {
        Self::with_formats(value, Formats::of(value))
    }

    /// As [`Self::of`], if the formats of dates that `value` is in are known.
    pub(crate) fn with_formats(value: &str, formats: Formats) -> Self {
        let none = Self::NONE;
        // The longest spelling of a number or a time; anything longer is text.
        if value.is_empty() || value.len() > 64 {
            return none;
        }
        let formatted = none
            .with(Shape::Date, formats.has(Reads::Date))
            .with(Shape::Timestamp, formats.has(Reads::Timestamp))
            .with(Shape::ClockTime, formats.has(Reads::Time));
        if !value.is_ascii() {
            return numbers(value);
        }
        let first = value.as_bytes()[0];
        if first.is_ascii_alphabetic() && value.len() <= 5 {
            let lower = value.to_ascii_lowercase();
            return none
                .with(Shape::TrueFalse, matches!(lower.as_str(), "true" | "false"))
                .with(Shape::YesNo, matches!(lower.as_str(), "yes" | "no"))
                .with(Shape::YN, matches!(lower.as_str(), "y" | "n"))
                .with(Shape::TF, matches!(lower.as_str(), "t" | "f"));
        }
        if value.len() == 36 {
            return none.with(Shape::Uuid, is_uuid(value));
        }
        if !(first.is_ascii_digit() || matches!(first, b'-' | b'+' | b'.' | b',')) {
            return formatted;
        }
        numbers(value).union(times(value)).union(formatted)
    }

    fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

fn is_uuid(value: &str) -> bool {
    value.bytes().enumerate().all(|(i, b)| if matches!(i, 8 | 13 | 18 | 23) { b == b'-' } else { b.is_ascii_hexdigit() })
}

fn numbers(value: &str) -> Shapes {
    let digits = value.strip_prefix(['-', '+']).unwrap_or(value);
    let none = Shapes::NONE;
    if digits.is_empty() {
        return none;
    }
    // `007` is a code, not a number: read as one it would lose its zeros.
    let coded = |whole: &str| whole.len() > 1 && whole.starts_with('0');
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if all_digits(digits) {
        let number = !coded(digits);
        let integer = number && value.parse::<i64>().is_ok();
        return none
            .with(Shape::Integer, integer)
            .with(Shape::Point, number)
            .with(Shape::Comma, number)
            .with(Shape::CommaGroups, number)
            .with(Shape::PointGroups, number)
            .with(Shape::OtherGroups, number)
            .with(Shape::OtherGroupsComma, number)
            .with(Shape::Float, number);
    }
    let fixed =
        |mark: char| digits.split_once(mark).is_some_and(|(whole, fraction)| all_digits(whole) && all_digits(fraction) && !coded(whole));
    let groups = |separator: char, mark: char| {
        let whole = digits.split_once(mark).map_or(digits, |(whole, _)| whole);
        let fraction_is_fine = digits.split_once(mark).is_none_or(|(_, fraction)| all_digits(fraction));
        let mut parts = whole.split(separator);
        let head = parts.next().unwrap_or_default();
        fraction_is_fine
            && all_digits(head)
            && head.len() <= 3
            && !coded(head)
            && (whole.contains(separator) || digits.contains(mark))
            && parts.all(|part| part.len() == 3 && all_digits(part))
    };
    let exponent = || {
        let Some((mantissa, exponent)) = digits.split_once(['e', 'E']) else { return false };
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
        all_digits(whole) && all_digits(fraction) && all_digits(exponent) && !coded(whole) && value.parse::<f64>().is_ok_and(f64::is_finite)
    };
    let point = fixed('.');
    if let Some(mark) = group_mark(digits) {
        return none.with(Shape::OtherGroups, groups(mark, '.')).with(Shape::OtherGroupsComma, groups(mark, ','));
    }
    none.with(Shape::Point, point)
        .with(Shape::Comma, fixed(','))
        .with(Shape::CommaGroups, groups(',', '.'))
        .with(Shape::PointGroups, groups('.', ','))
        .with(Shape::OtherGroups, point)
        .with(Shape::OtherGroupsComma, fixed(','))
        .with(Shape::Float, point || exponent())
}

/// The character that parts groups of three digits, if it is a blank or an apostrophe.
pub(crate) fn group_mark(number: &str) -> Option<char> {
    let mut others = number.chars().filter(|c| !c.is_ascii_digit() && !"+-.,".contains(*c));
    let mark = others.next().filter(|c| matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\''))?;
    others.all(|c| c == mark).then_some(mark)
}

/// Days of a month of the Gregorian calendar.
pub(crate) fn days_in_month(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))),
        _ => 31,
    }
}

/// Timestamps and times that a contract need not say a format for.
fn times(value: &str) -> Shapes {
    let none = Shapes::NONE;
    let bytes = value.as_bytes();
    match value.len() {
        5 | 8..=15 if bytes[2] == b':' => none.with(Shape::Time, is_time(value)),
        16.. if bytes[4] == b'-' && matches!(bytes[10], b'T' | b' ') => {
            let local = |format: &str| NaiveDateTime::parse_from_str(&value.replacen('T', " ", 1), format).is_ok();
            let is_short = value.len() == 16;
            let is_fine = local(if is_short { "%Y-%m-%d %H:%M" } else { "%Y-%m-%d %H:%M:%S%.f" });
            none.with(Shape::Instant, !is_short && DateTime::parse_from_rfc3339(value).is_ok()).with(Shape::WallClock, is_fine)
        }
        _ => none,
    }
}

fn is_time(value: &str) -> bool {
    let two_digits = value.split(':').take(2).all(|part| part.len() == 2);
    let format = if value.len() == 5 { "%H:%M" } else { "%H:%M:%S%.f" };
    two_digits && NaiveTime::parse_from_str(value, format).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_shapes_a_person_sees() {
        for (value, shape) in [
            ("-17", Shape::Integer),
            ("0", Shape::Integer),
            ("12.50", Shape::Point),
            ("12,50", Shape::Comma),
            ("1,234.50", Shape::CommaGroups),
            ("1.234.567,5", Shape::PointGroups),
            ("1e-9", Shape::Float),
            ("1 234.5", Shape::OtherGroups),
            ("1\u{a0}234,5", Shape::OtherGroupsComma),
            ("1/31/2013 9:05 PM", Shape::Timestamp),
            ("2013-01-31 23:59", Shape::WallClock),
            ("9:05", Shape::ClockTime),
            ("TRUE", Shape::TrueFalse),
            ("2013-01-31", Shape::Date),
            ("20130131", Shape::Date),
            ("31/01/2013", Shape::Date),
            ("01/31/2013", Shape::Date),
            ("31.01.2013", Shape::Date),
            ("2013-01-31T23:59:59Z", Shape::Instant),
            ("2013-01-31T23:59:59.123+02:00", Shape::Instant),
            ("2013-01-31T23:59:59", Shape::WallClock),
            ("2013-01-31 23:59:59", Shape::WallClock),
            ("23:59", Shape::Time),
            ("23:59:59.5", Shape::Time),
            ("123e4567-e89b-12d3-a456-426614174000", Shape::Uuid),
        ] {
            assert!(Shapes::of(value).has(shape), "{value} as {shape:?}");
        }
    }

    #[test]
    fn what_would_lose_something_is_text() {
        for value in ["007", "-", "+", "1 00", "2013-02-30", "24:00", "1.2.3", "9,99,999", "N14228", "٣", "1e999", "0x1F", "."] {
            assert_eq!(Shapes::of(value), Shapes::NONE, "{value}");
        }
        assert!(!Shapes::of("99999999999999999999").has(Shape::Integer), "wider than 64 bits");
    }
}
