//! Dates, times and timestamps: ISO 8601 / RFC 3339, and patterns in JDK `DateTimeFormatter` letters.

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// Fields as read. Missing ones are zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Fields {
    year: i32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    micro: u32,
    /// Minutes east of UTC.
    offset: Option<i32>,
    pm: Option<bool>,
}

impl Fields {
    fn days(&self) -> Option<i32> {
        days_of(self.year, self.month, self.day)
    }

    fn day_micros(&self) -> Option<i64> {
        let hour = match self.pm {
            None => self.hour,
            Some(pm) if (1..=12).contains(&self.hour) => self.hour % 12 + if pm { 12 } else { 0 },
            Some(_) => return None,
        };
        let is_real = hour < 24 && self.minute < 60 && self.second < 60;
        is_real.then(|| (i64::from(hour) * 3600 + i64::from(self.minute) * 60 + i64::from(self.second)) * 1_000_000 + i64::from(self.micro))
    }

    fn micros(&self) -> Option<i64> {
        let local = i64::from(self.days()?).checked_mul(DAY)?.checked_add(self.day_micros()?)?;
        local.checked_sub(i64::from(self.offset.unwrap_or(0)) * 60_000_000)
    }
}

/// Days since 1970-01-01 of a date of the Gregorian calendar; `None` if it does not exist.
pub(crate) fn days_of(year: i32, month: u32, day: u32) -> Option<i32> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(is_leap),
        _ => return None,
    };
    if day == 0 || day > length {
        return None;
    }
    // Years that begin in March put the leap day last.
    let shifted = if month > 2 { year } else { year - 1 };
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let of_year = (153 * ((month as i32 + 9) % 12) + 2) / 5 + day as i32 - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

impl Fields {
    /// Why there is no such date; `None` if there is.
    fn date_fault(&self) -> Option<String> {
        if self.days().is_some() {
            return None;
        }
        let (year, month) = (self.year, self.month);
        // The last day that there is says how long the month is.
        let length = (28..=31).rev().find(|day| days_of(year, month, *day).is_some());
        Some(match length {
            Some(length) => format!("is no date that exists: {year:04}-{month:02} has {length} days and no day {}", self.day),
            None => format!("is no date that exists: there is no month {month}"),
        })
    }

    /// Why there is no such time of day; `None` if there is.
    fn time_fault(&self) -> Option<String> {
        if self.day_micros().is_some() {
            return None;
        }
        let (hour, minute, second) = (self.hour, self.minute, self.second);
        let hours = if self.pm.is_some() { "hours with AM or PM are 1 to 12" } else { "hours end at 23" };
        Some(format!("is no time that exists: {hour:02}:{minute:02}:{second:02} ({hours}, minutes and seconds end at 59)"))
    }
}

/// What of an instant a text in the shape of ISO 8601 gives.
struct Shape {
    fields: Fields,
    has_date: bool,
    has_time: bool,
    /// It has digits after the microseconds.
    is_too_fine: bool,
}

/// Reads a date, a time or both with or without an offset, whether or not they exist.
fn shape(text: &[u8]) -> Option<Shape> {
    let (mut cursor, mut fields) = (Cursor(text), Fields::default());
    let has_date = cursor.date(&mut fields).is_some();
    if has_date && cursor.0.is_empty() {
        return Some(Shape { fields, has_date, has_time: false, is_too_fine: false });
    }
    if has_date {
        cursor.0 = match cursor.0 {
            [b'T' | b't' | b' ', rest @ ..] => rest,
            _ => return None,
        };
    } else {
        (cursor, fields) = (Cursor(text), Fields::default());
    }
    // A fraction that is too fine is all that stops a time.
    let is_too_fine = cursor.time(&mut fields).is_none();
    if is_too_fine {
        let read = text.len() - cursor.0.len();
        text[..read].strip_suffix(b".")?;
        cursor.digits(7, 64)?;
    }
    if !cursor.0.is_empty() {
        fields.offset = Some(cursor.offset()?);
    }
    cursor.end()?;
    Some(Shape { fields, has_date, has_time: true, is_too_fine })
}

/// Why a text that is written like a date is none. `None` if it is not written so.
pub(crate) fn date_fault(text: &[u8]) -> Option<String> {
    let shape = shape(text).filter(|s| s.has_date)?;
    shape.fields.date_fault().or_else(|| shape.has_time.then(|| "has a time of day, which a date has not".to_owned()))
}

/// Why a text that is written like a time of day is none. `None` if it is not written so.
pub(crate) fn time_fault(text: &[u8]) -> Option<String> {
    let shape = shape(text).filter(|s| s.has_time)?;
    let other = || match () {
        () if shape.has_date => Some("has a date, which a time of day has not"),
        () if shape.fields.offset.is_some() => Some("has an offset from UTC, which a time of day has not"),
        () => shape.is_too_fine.then_some(TOO_FINE),
    };
    shape.fields.time_fault().or_else(|| other().map(str::to_owned))
}

/// Why a text that is written like a timestamp is none. `None` if it is not written so.
pub(crate) fn timestamp_fault(text: &[u8], zoned: bool) -> Option<String> {
    let shape = shape(text).filter(|s| s.has_date)?;
    let other = || match (zoned, shape.fields.offset) {
        _ if !shape.has_time => Some("is a date without a time of day"),
        _ if shape.is_too_fine => Some(TOO_FINE),
        (true, None) => Some("has no offset from UTC such as Z or +01:00 (the contract says timezone: true)"),
        (false, Some(_)) => Some("has an offset from UTC (the contract does not say timezone: true)"),
        _ => None,
    };
    shape.fields.date_fault().or_else(|| shape.fields.time_fault()).or_else(|| other().map(str::to_owned))
}

/// What is wrong with a fraction that a timestamp or a time cannot keep.
pub(crate) const TOO_FINE: &str = "is finer than the microseconds that are kept";

struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn take(&mut self, byte: u8) -> Option<()> {
        match self.0 {
            [first, rest @ ..] if *first == byte => {
                self.0 = rest;
                Some(())
            }
            _ => None,
        }
    }

    fn digits(&mut self, min: usize, max: usize) -> Option<(u32, usize)> {
        let count = self.0.iter().take(max).take_while(|b| b.is_ascii_digit()).count();
        if count < min {
            return None;
        }
        let value = self.0[..count].iter().fold(0_u32, |v, b| v.wrapping_mul(10).wrapping_add(u32::from(b - b'0')));
        self.0 = &self.0[count..];
        Some((value, count))
    }

    /// Digits after the point. More than six are taken only if the further ones are zero.
    fn fraction(&mut self) -> Option<u32> {
        let count = self.0.iter().take_while(|b| b.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at(count);
        let kept = &digits[..count.min(6)];
        if count == 0 || digits[kept.len()..].iter().any(|b| *b != b'0') {
            return None;
        }
        self.0 = rest;
        let value = kept.iter().fold(0, |v, b| v * 10 + u32::from(b - b'0'));
        Some(value * 10_u32.pow(6 - kept.len() as u32))
    }

    /// `Z`, `+01:00`, `+0100` or `+01`.
    fn offset(&mut self) -> Option<i32> {
        let sign = match self.0.first()? {
            b'Z' | b'z' => {
                self.0 = &self.0[1..];
                return Some(0);
            }
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        self.0 = &self.0[1..];
        let (hours, _) = self.digits(2, 2)?;
        let minutes = match self.0.first() {
            Some(b':') => {
                self.0 = &self.0[1..];
                self.digits(2, 2)?.0
            }
            Some(b) if b.is_ascii_digit() => self.digits(2, 2)?.0,
            _ => 0,
        };
        (hours <= 18 && minutes < 60).then_some(sign * (hours * 60 + minutes) as i32)
    }

    fn date(&mut self, fields: &mut Fields) -> Option<()> {
        fields.year = self.digits(4, 4)?.0 as i32;
        self.take(b'-')?;
        fields.month = self.digits(2, 2)?.0;
        self.take(b'-')?;
        fields.day = self.digits(2, 2)?.0;
        Some(())
    }

    fn time(&mut self, fields: &mut Fields) -> Option<()> {
        fields.hour = self.digits(2, 2)?.0;
        self.take(b':')?;
        fields.minute = self.digits(2, 2)?.0;
        if self.take(b':').is_some() {
            fields.second = self.digits(2, 2)?.0;
            if self.take(b'.').is_some() {
                fields.micro = self.fraction()?;
            }
        }
        Some(())
    }

    fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

/// `2013-01-31`, in days since 1970-01-01.
pub(crate) fn date(text: &[u8]) -> Option<i32> {
    let (mut cursor, mut fields) = (Cursor(text), Fields::default());
    cursor.date(&mut fields)?;
    cursor.end()?;
    fields.days()
}

/// `10:30`, `10:30:05` or `10:30:05.123456`, in microseconds.
pub(crate) fn time(text: &[u8]) -> Option<i64> {
    let (mut cursor, mut fields) = (Cursor(text), Fields::default());
    cursor.time(&mut fields)?;
    cursor.end()?;
    fields.day_micros()
}

/// RFC 3339, with `T` or a space, seconds optional; in microseconds since the epoch. An offset must be there if `zoned`, and must not otherwise.
pub(crate) fn timestamp(text: &[u8], zoned: bool) -> Option<i64> {
    let (mut cursor, mut fields) = (Cursor(text), Fields::default());
    cursor.date(&mut fields)?;
    match cursor.0 {
        [b'T' | b't' | b' ', rest @ ..] => cursor.0 = rest,
        _ => return None,
    }
    cursor.time(&mut fields)?;
    if zoned {
        fields.offset = Some(cursor.offset()?);
    }
    cursor.end()?;
    fields.micros()
}

/// One part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(Vec<u8>),
    Year4,
    Year2,
    Month { min: usize },
    MonthName { is_short: bool },
    Day { min: usize },
    Hour { min: usize },
    Minute { min: usize },
    Second { min: usize },
    Fraction { digits: usize },
    AmPm,
    Offset,
}

/// A pattern in JDK `DateTimeFormatter` letters (ODCS v3.1 logicalTypeOptions.format): y u M L d H h m s S a X x Z, text in single quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<Part>);

const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// A letter that is not known, in words.
    pub(crate) fn parse(pattern: &str) -> Result<Self, String> {
        let chars: Vec<char> = pattern.chars().collect();
        let mut parts = Vec::new();
        let mut i = 0;
        while i < chars.len() {
            let c = chars[i];
            if c == '\'' {
                let end = chars[i + 1..].iter().position(|c| *c == '\'').ok_or("a single quote is not closed")? + i + 1;
                let text: String = if end == i + 1 { "'".to_owned() } else { chars[i + 1..end].iter().collect() };
                parts.push(Part::Literal(text.into_bytes()));
                i = end + 1;
                continue;
            }
            if !c.is_ascii_alphabetic() {
                parts.push(Part::Literal(c.to_string().into_bytes()));
                i += 1;
                continue;
            }
            let count = chars[i..].iter().take_while(|x| **x == c).count();
            parts.push(match (c, count) {
                ('y' | 'u', 2) => Part::Year2,
                ('y' | 'u', 1 | 4) => Part::Year4,
                ('M' | 'L', 1 | 2) => Part::Month { min: count },
                ('M' | 'L', 3) => Part::MonthName { is_short: true },
                ('M' | 'L', 4) => Part::MonthName { is_short: false },
                ('d', 1 | 2) => Part::Day { min: count },
                ('H' | 'h', 1 | 2) => Part::Hour { min: count },
                ('m', 1 | 2) => Part::Minute { min: count },
                ('s', 1 | 2) => Part::Second { min: count },
                ('S', 1..=9) => Part::Fraction { digits: count },
                ('a', 1) => Part::AmPm,
                ('X' | 'x' | 'Z', 1..=5) => Part::Offset,
                _ => return Err(format!("{} is not a date or time letter known here", c.to_string().repeat(count))),
            });
            i += count;
        }
        Ok(Self(parts))
    }

    /// Whether it gives year, month and day.
    pub(crate) fn has_date(&self) -> bool {
        let has = |test: fn(&Part) -> bool| self.0.iter().any(test);
        has(|p| matches!(p, Part::Year2 | Part::Year4))
            && has(|p| matches!(p, Part::Month { .. } | Part::MonthName { .. }))
            && has(|p| matches!(p, Part::Day { .. }))
    }

    /// Whether it gives an offset from UTC.
    pub(crate) fn has_offset(&self) -> bool {
        self.0.contains(&Part::Offset)
    }

    fn read(&self, text: &[u8]) -> Option<Fields> {
        let (mut cursor, mut fields) = (Cursor(text), Fields::default());
        for part in &self.0 {
            match part {
                Part::Literal(text) => cursor.0 = cursor.0.strip_prefix(text.as_slice())?,
                Part::Year4 => fields.year = cursor.digits(4, 4)?.0 as i32,
                // JDK: two digits mean 2000 to 2099.
                Part::Year2 => fields.year = 2000 + cursor.digits(2, 2)?.0 as i32,
                Part::Month { min } => fields.month = cursor.digits(*min, 2)?.0,
                Part::MonthName { is_short } => {
                    let (month, len) = month_name(cursor.0, *is_short)?;
                    fields.month = month;
                    cursor.0 = &cursor.0[len..];
                }
                Part::Day { min } => fields.day = cursor.digits(*min, 2)?.0,
                Part::Hour { min } => fields.hour = cursor.digits(*min, 2)?.0,
                Part::Minute { min } => fields.minute = cursor.digits(*min, 2)?.0,
                Part::Second { min } => fields.second = cursor.digits(*min, 2)?.0,
                Part::Fraction { digits } => {
                    let (value, count) = cursor.digits(*digits, *digits)?;
                    let (value, count) = if count > 6 { (value / 10_u32.pow(count as u32 - 6), 6) } else { (value, count) };
                    fields.micro = value * 10_u32.pow(6 - count as u32);
                }
                Part::AmPm => {
                    let word = cursor.0.get(..2)?;
                    fields.pm = Some(match () {
                        () if word.eq_ignore_ascii_case(b"AM") => false,
                        () if word.eq_ignore_ascii_case(b"PM") => true,
                        () => return None,
                    });
                    cursor.0 = &cursor.0[2..];
                }
                Part::Offset => fields.offset = Some(cursor.offset()?),
            }
        }
        cursor.end()?;
        Some(fields)
    }

    /// Why a text that is written as the pattern says is none. `None` if it is not written so.
    pub(crate) fn fault(&self, text: &[u8]) -> Option<String> {
        let fields = self.read(text)?;
        let date = if self.has_date() { fields.date_fault() } else { None };
        date.or_else(|| fields.time_fault())
    }

    pub(crate) fn date(&self, text: &[u8]) -> Option<i32> {
        self.read(text)?.days()
    }

    pub(crate) fn time(&self, text: &[u8]) -> Option<i64> {
        self.read(text)?.day_micros()
    }

    /// Without an offset in the pattern, the text is taken as UTC.
    pub(crate) fn timestamp(&self, text: &[u8]) -> Option<i64> {
        self.read(text)?.micros()
    }
}

fn month_name(text: &[u8], is_short: bool) -> Option<(u32, usize)> {
    MONTHS.iter().enumerate().find_map(|(i, name)| {
        let name = if is_short { &name[..3] } else { name };
        text.get(..name.len()).filter(|t| t.eq_ignore_ascii_case(name.as_bytes())).map(|_| (i as u32 + 1, name.len()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_dates_that_exist_are_dates() {
        assert_eq!(date(b"1970-01-01"), Some(0));
        assert_eq!(date(b"2000-02-29"), Some(11_016));
        assert_eq!(date(b"1969-12-31"), Some(-1));
        assert_eq!(date(b"0001-01-01"), Some(-719_162));
        for bad in [&b"1900-02-29"[..], b"2013-13-01", b"2013-04-31", b"2013-1-1", b"2013-01-00", b"2013-01-01 ", b"20130101"] {
            assert_eq!(date(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn timestamps_need_an_offset_if_and_only_if_they_are_zoned() {
        assert_eq!(timestamp(b"1970-01-01T00:00:01Z", true), Some(1_000_000));
        assert_eq!(timestamp(b"1970-01-01 01:00:00.5+01:00", true), Some(500_000));
        assert_eq!(timestamp(b"1970-01-01T00:00:00.123456", false), Some(123_456));
        assert_eq!(timestamp(b"1970-01-01T00:00:00.123456000", false), Some(123_456));
        assert_eq!(timestamp(b"1970-01-01T00:00:00.123456789", false), None);
        assert_eq!(timestamp(b"1970-01-01T00:00:00", true), None);
        assert_eq!(timestamp(b"1970-01-01T00:00:00Z", false), None);
        assert_eq!(timestamp(b"1970-01-01T24:00:00", false), None);
    }

    #[test]
    fn what_does_not_exist_is_told_from_what_is_written_otherwise() {
        let says = |found: Option<String>, word: &str| {
            let found = found.expect("a reason");
            assert!(found.contains(word), "{found}: {word}");
        };
        says(date_fault(b"2013-02-30"), "2013-02 has 28 days and no day 30");
        says(date_fault(b"2013-13-01"), "no month 13");
        says(date_fault(b"2013-01-01T00:00"), "time of day");
        says(timestamp_fault(b"2013-02-30T10:00:00Z", true), "2013-02 has 28 days");
        says(timestamp_fault(b"2013-01-31T24:00:00Z", true), "24:00:00");
        says(timestamp_fault(b"2013-01-31 10:00", true), "no offset");
        says(timestamp_fault(b"2013-01-31 10:00+01:00", false), "has an offset");
        says(timestamp_fault(b"2013-01-31", false), "without a time of day");
        says(timestamp_fault(b"2013-01-31T10:00:00.1234567Z", true), TOO_FINE);
        says(time_fault(b"10:61"), "10:61:00");
        says(time_fault(b"2013-01-31T10:00"), "has a date");
        says(time_fault(b"10:00Z"), "offset");
        says(time_fault(b"10:00:00.00000001"), TOO_FINE);
        says(Pattern::parse("dd.MM.yyyy").expect("known letters").fault(b"31.06.2023"), "2023-06 has 30 days");
        says(Pattern::parse("h:mm a").expect("known letters").fault(b"13:00 PM"), "1 to 12");
        for other in [&b"today"[..], b"2013-1-1", b"31.01.2013", b"2013-01-31T", b"2013-01-31x", b"10", b"1385856000000", b""] {
            assert_eq!(
                (date_fault(other), time_fault(other), timestamp_fault(other, true)),
                (None, None, None),
                "{}",
                other.escape_ascii()
            );
        }
    }

    #[test]
    fn patterns_read_what_they_say() {
        let us = Pattern::parse("M/d/yyyy h:mm a").expect("known letters");
        assert_eq!(us.timestamp(b"1/2/1970 12:05 AM"), Some(86_400_000_000 + 300_000_000));
        assert_eq!(us.timestamp(b"1/2/1970 13:05 PM"), None);
        let german = Pattern::parse("dd.MM.yy").expect("known letters");
        assert_eq!(german.date(b"31.12.23"), date(b"2023-12-31"));
        assert_eq!(german.date(b"31.2.23"), None);
        let oracle = Pattern::parse("dd-MMM-yyyy").expect("known letters");
        assert_eq!(oracle.date(b"29-FEB-2024"), date(b"2024-02-29"));
        let iso = Pattern::parse("yyyy-MM-dd'T'HH:mm:ss.SSSXXX").expect("known letters");
        assert_eq!(iso.timestamp(b"1970-01-01T00:00:00.250+00:00"), Some(250_000));
        assert!(Pattern::parse("yyyy-DD").is_err());
    }
}
