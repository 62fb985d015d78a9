//! Date and time formats of ODCS: the part of JDK `DateTimeFormatter` that has one meaning for reading.

use serde::{Deserialize, Serialize};

/// One part of a date or time format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DatePart {
    /// `yyyy` or `uuuu`: four digits.
    Year,
    /// `yy` or `uu`: two digits, 2000 to 2099.
    ShortYear,
    /// `MM` (two digits) or `M` (one or two).
    Month {
        /// Whether exactly two digits stand there.
        padded: bool,
    },
    /// `MMM`: Jan to Dec, in any case.
    MonthName,
    /// `dd` or `d`.
    Day {
        /// Whether exactly two digits stand there.
        padded: bool,
    },
    /// `HH` or `H`: 0 to 23.
    Hour {
        /// Whether exactly two digits stand there.
        padded: bool,
    },
    /// `hh` or `h`: 1 to 12, with [`DatePart::HalfDay`].
    HalfDayHour {
        /// Whether exactly two digits stand there.
        padded: bool,
    },
    /// `a`: AM or PM, in any case.
    HalfDay,
    /// `mm` or `m`.
    Minute {
        /// Whether exactly two digits stand there.
        padded: bool,
    },
    /// `ss` or `s`.
    Second {
        /// Whether exactly two digits stand there.
        padded: bool,
    },
    /// `S` to `SSSSSSSSS`: that many digits of a second's fraction; what is finer than a microsecond is cut off.
    Fraction {
        /// How many digits.
        digits: u8,
    },
    /// `X`, `XX`, `XXX`, `x`, `xx`, `xxx` or `Z`: an offset such as `+01:00`, `+0100`, `+01` or `Z`.
    Offset,
    /// Text that must stand there as it is.
    Literal(String),
}

/// Reads a format such as `yyyy-MM-dd'T'HH:mm:ss.SSSXXX`.
///
/// # Errors
/// What is wrong with it, in words.
pub fn parse_date_format(format: &str) -> Result<Vec<DatePart>, String> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = format;
    while let Some(c) = rest.chars().next() {
        if c == '\'' {
            rest = quoted(&rest[1..], &mut literal)?;
            continue;
        }
        let run = rest.chars().take_while(|x| *x == c).count();
        if c.is_ascii_alphabetic() {
            if !literal.is_empty() {
                parts.push(DatePart::Literal(std::mem::take(&mut literal)));
            }
            parts.push(part(c, run)?);
        } else if matches!(c, '[' | ']' | '{' | '}' | '#') {
            return Err(format!("`{c}` has a special meaning that is not supported; put it into single quotes if it stands in the data"));
        } else {
            literal.extend(std::iter::repeat_n(c, run));
        }
        rest = &rest[run * c.len_utf8()..];
    }
    if !literal.is_empty() {
        parts.push(DatePart::Literal(literal));
    }
    if parts.iter().all(|p| matches!(p, DatePart::Literal(_))) {
        return Err("it has no letter that stands for a part of a date or time".to_owned());
    }
    Ok(parts)
}

/// Text after an opening quote; `''` is a quote. Returns what follows the closing one.
fn quoted<'a>(text: &'a str, literal: &mut String) -> Result<&'a str, String> {
    if let Some(rest) = text.strip_prefix('\'') {
        literal.push('\'');
        return Ok(rest);
    }
    let mut rest = text;
    loop {
        let (inside, after) = rest.split_once('\'').ok_or("a single quote is not closed")?;
        literal.push_str(inside);
        match after.strip_prefix('\'') {
            Some(more) => {
                literal.push('\'');
                rest = more;
            }
            None => return Ok(after),
        }
    }
}

fn part(letter: char, run: usize) -> Result<DatePart, String> {
    let padded = run == 2;
    Ok(match (letter, run) {
        ('y' | 'u', 4) => DatePart::Year,
        ('y' | 'u', 2) => DatePart::ShortYear,
        ('M' | 'L', 1 | 2) => DatePart::Month { padded },
        ('M' | 'L', 3) => DatePart::MonthName,
        ('d', 1 | 2) => DatePart::Day { padded },
        ('H', 1 | 2) => DatePart::Hour { padded },
        ('h', 1 | 2) => DatePart::HalfDayHour { padded },
        ('a', 1) => DatePart::HalfDay,
        ('m', 1 | 2) => DatePart::Minute { padded },
        ('s', 1 | 2) => DatePart::Second { padded },
        ('S', 1..=9) => DatePart::Fraction { digits: run as u8 },
        ('X' | 'x', 1..=3) | ('Z', 1) => DatePart::Offset,
        _ => {
            let letters: String = std::iter::repeat_n(letter, run.min(12)).collect();
            return Err(format!(
                "`{letters}` is not supported; use yyyy, yy, MM, M, MMM, dd, d, HH, H, hh, h, a, mm, m, ss, s, S to SSSSSSSSS, XXX, and text in single quotes"
            ));
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_iso_timestamp_is_read() {
        let parts = parse_date_format("yyyy-MM-dd'T'HH:mm:ss.SSSXXX").unwrap();
        let dash = || DatePart::Literal("-".into());
        let colon = || DatePart::Literal(":".into());
        assert_eq!(
            parts,
            [
                DatePart::Year,
                dash(),
                DatePart::Month { padded: true },
                dash(),
                DatePart::Day { padded: true },
                DatePart::Literal("T".into()),
                DatePart::Hour { padded: true },
                colon(),
                DatePart::Minute { padded: true },
                colon(),
                DatePart::Second { padded: true },
                DatePart::Literal(".".into()),
                DatePart::Fraction { digits: 3 },
                DatePart::Offset,
            ]
        );
    }

    #[test]
    fn quotes_hold_letters_and_themselves() {
        let parts = parse_date_format("d 'o''clock' ''H").unwrap();
        assert_eq!(parts, [DatePart::Day { padded: false }, DatePart::Literal(" o'clock '".into()), DatePart::Hour { padded: false }]);
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for format in ["", "--", "YYYY-MM-dd", "yyyy-MM-DD", "yyy", "EEEE", "'open", "yyyy[-MM]"] {
            assert!(parse_date_format(format).is_err(), "{format}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(format in ".{0,40}") {
            let _answer = parse_date_format(&format);
        }
    }
}
