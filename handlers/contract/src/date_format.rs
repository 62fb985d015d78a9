//! Date and time formats of ODCS: the part of JDK `DateTimeFormatter` that has one meaning for reading.

/// What a part of a format stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DatePart {
    Year,
    Month,
    Day,
    /// 0 to 23.
    Hour,
    /// 1 to 12, with [`DatePart::HalfDay`].
    HalfDayHour,
    /// AM or PM.
    HalfDay,
    Minute,
    Second,
    /// Digits of a second's fraction.
    Fraction,
    /// From UTC.
    Offset,
}

/// The parts of a format such as `yyyy-MM-dd'T'HH:mm:ss.SSSXXX`, without the text between them; the error is what is wrong with it, in words.
pub(crate) fn parts(format: &str) -> Result<Vec<DatePart>, String> {
    let mut parts = Vec::new();
    let mut rest = format;
    while let Some(c) = rest.chars().next() {
        if c == '\'' {
            rest = after_quoted(&rest[1..])?;
            continue;
        }
        let run = rest.chars().take_while(|x| *x == c).count();
        if c.is_ascii_alphabetic() {
            parts.push(part(c, run)?);
        } else if matches!(c, '[' | ']' | '{' | '}' | '#') {
            return Err(format!("`{c}` has a special meaning that is not supported; put it into single quotes if it stands in the data"));
        }
        rest = &rest[run * c.len_utf8()..];
    }
    if parts.is_empty() {
        return Err("it has no letter that stands for a part of a date or time".to_owned());
    }
    Ok(parts)
}

/// What follows the closing quote; a doubled quote inside is a quote.
fn after_quoted(text: &str) -> Result<&str, String> {
    let mut rest = text;
    loop {
        let (_, after) = rest.split_once('\'').ok_or("a single quote is not closed")?;
        match after.strip_prefix('\'') {
            Some(more) if !rest.starts_with('\'') => rest = more,
            _ => return Ok(after),
        }
    }
}

fn part(letter: char, run: usize) -> Result<DatePart, String> {
    Ok(match (letter, run) {
        ('y' | 'u', 1 | 2 | 4) => DatePart::Year,
        ('M' | 'L', 1..=4) => DatePart::Month,
        ('d', 1 | 2) => DatePart::Day,
        ('H', 1 | 2) => DatePart::Hour,
        ('h', 1 | 2) => DatePart::HalfDayHour,
        ('a', 1) => DatePart::HalfDay,
        ('m', 1 | 2) => DatePart::Minute,
        ('s', 1 | 2) => DatePart::Second,
        ('S', 1..=9) => DatePart::Fraction,
        ('X' | 'x', 1..=3) | ('Z', 1) => DatePart::Offset,
        _ => {
            let letters: String = std::iter::repeat_n(letter, run.min(12)).collect();
            return Err(format!(
                "`{letters}` is not supported; use yyyy, yy, MM, M, MMM, MMMM, dd, d, HH, H, hh, h, a, mm, m, ss, s, S to SSSSSSSSS, XXX, and text in single quotes"
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
        let expected = [
            DatePart::Year,
            DatePart::Month,
            DatePart::Day,
            DatePart::Hour,
            DatePart::Minute,
            DatePart::Second,
            DatePart::Fraction,
            DatePart::Offset,
        ];
        assert_eq!(parts("yyyy-MM-dd'T'HH:mm:ss.SSSXXX").unwrap(), expected);
    }

    #[test]
    fn letters_in_quotes_are_text() {
        for format in ["d 'day of' M", "d 'o''clock' M", "d '' M", "d'''s day' M", "d 'a''' M"] {
            assert_eq!(parts(format).unwrap(), [DatePart::Day, DatePart::Month], "{format}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for format in ["", "--", "'text'", "YYYY-MM-dd", "yyyy-MM-DD", "yyy", "EEEE", "'open", "d 'o''clock", "yyyy[-MM]"] {
            assert!(parts(format).is_err(), "{format}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(format in "['a-zA-Z \\PC]{0,40}") {
            let _answer = parts(&format);
        }
    }
}
