//! What one spelled value could be. A column is what all of its values could be.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};

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
    /// 2013-01-31
    DateIso,
    /// 2013/01/31
    DateSlashed,
    /// 20130131
    DateCompact,
    /// 31/01/2013
    DateDayFirst,
    /// 01/31/2013
    DateMonthFirst,
    /// 31.01.2013
    DateDotted,
    /// 2013-01-31T23:59:59Z or with an offset.
    Instant,
    /// 2013-01-31T23:59:59
    WallClock,
    /// 2013-01-31 23:59:59
    WallClockBlank,
    /// 23:59 or 23:59:59
    Time,
    /// 8-4-4-4-12 hex digits.
    Uuid,
}

impl Shape {
    /// All of them, in order.
    pub(crate) const EVERY: [Self; 21] = [
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
        Self::DateIso,
        Self::DateSlashed,
        Self::DateCompact,
        Self::DateDayFirst,
        Self::DateMonthFirst,
        Self::DateDotted,
        Self::Instant,
        Self::WallClock,
        Self::WallClockBlank,
        Self::Time,
        Self::Uuid,
    ];

    /// What a person calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Integer => "integers",
            Self::Point | Self::Comma | Self::CommaGroups | Self::PointGroups | Self::Float => "numbers",
            Self::TrueFalse | Self::YesNo | Self::YN | Self::TF => "booleans",
            Self::DateIso | Self::DateSlashed | Self::DateCompact | Self::DateDayFirst | Self::DateMonthFirst | Self::DateDotted => "dates",
            Self::Instant | Self::WallClock | Self::WallClockBlank => "timestamps",
            Self::Time => "times of day",
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
        let none = Self::NONE;
        // The longest spelling of a number or a time; anything longer is text.
        if value.is_empty() || value.len() > 64 || !value.is_ascii() {
            return none;
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
            return none;
        }
        numbers(value).union(dates(value))
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
    none.with(Shape::Point, point)
        .with(Shape::Comma, fixed(','))
        .with(Shape::CommaGroups, groups(',', '.'))
        .with(Shape::PointGroups, groups('.', ','))
        .with(Shape::Float, point || exponent())
}

fn dates(value: &str) -> Shapes {
    let none = Shapes::NONE;
    let bytes = value.as_bytes();
    if !bytes[0].is_ascii_digit() || value.len() < 5 {
        return none;
    }
    let date = |format: &str| NaiveDate::parse_from_str(value, format).is_ok_and(|d| (1000..=9999).contains(&chrono::Datelike::year(&d)));
    match value.len() {
        8 if bytes.iter().all(u8::is_ascii_digit) => none.with(Shape::DateCompact, date("%Y%m%d")),
        5 | 8..=15 if bytes[2] == b':' => none.with(Shape::Time, is_time(value)),
        10 if bytes[4] == b'-' && bytes[7] == b'-' => none.with(Shape::DateIso, date("%Y-%m-%d")),
        10 if bytes[4] == b'/' && bytes[7] == b'/' => none.with(Shape::DateSlashed, date("%Y/%m/%d")),
        10 if bytes[2] == b'/' && bytes[5] == b'/' => {
            none.with(Shape::DateDayFirst, date("%d/%m/%Y")).with(Shape::DateMonthFirst, date("%m/%d/%Y"))
        }
        10 if bytes[2] == b'.' && bytes[5] == b'.' => none.with(Shape::DateDotted, date("%d.%m.%Y")),
        19.. if bytes[4] == b'-' && bytes[10] == b'T' => none
            .with(Shape::Instant, DateTime::parse_from_rfc3339(value).is_ok())
            .with(Shape::WallClock, NaiveDateTime::parse_from_str(value, "%Y-%m-%dT%H:%M:%S%.f").is_ok()),
        19.. if bytes[4] == b'-' && bytes[10] == b' ' => {
            none.with(Shape::WallClockBlank, NaiveDateTime::parse_from_str(value, "%Y-%m-%d %H:%M:%S%.f").is_ok())
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
            ("TRUE", Shape::TrueFalse),
            ("2013-01-31", Shape::DateIso),
            ("20130131", Shape::DateCompact),
            ("31/01/2013", Shape::DateDayFirst),
            ("01/31/2013", Shape::DateMonthFirst),
            ("31.01.2013", Shape::DateDotted),
            ("2013-01-31T23:59:59Z", Shape::Instant),
            ("2013-01-31T23:59:59.123+02:00", Shape::Instant),
            ("2013-01-31T23:59:59", Shape::WallClock),
            ("2013-01-31 23:59:59", Shape::WallClockBlank),
            ("23:59", Shape::Time),
            ("23:59:59.5", Shape::Time),
            ("123e4567-e89b-12d3-a456-426614174000", Shape::Uuid),
        ] {
            assert!(Shapes::of(value).has(shape), "{value} as {shape:?}");
        }
    }

    #[test]
    fn what_would_lose_something_is_text() {
        for value in ["007", "-", "+", "1 000", "2013-02-30", "24:00", "1.2.3", "9,99,999", "N14228", "٣", "1e999", "0x1F", "."] {
            assert_eq!(Shapes::of(value), Shapes::NONE, "{value}");
        }
        assert!(!Shapes::of("99999999999999999999").has(Shape::Integer), "wider than 64 bits");
    }
}
