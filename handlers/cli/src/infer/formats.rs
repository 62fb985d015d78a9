//! Formats of dates and times that people use, in JDK `DateTimeFormatter` letters, and which of them a value is in.

use super::shape::days_in_month;

/// What a format reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reads {
    Date,
    Timestamp,
    Time,
}

/// Formats of dates; of two that fit, the earlier is taken. The first needs no mention in a contract.
const DATES: [&str; 31] = [
    "yyyy-MM-dd",
    "yyyy/MM/dd",
    "yyyy.MM.dd",
    "dd/MM/yyyy",
    "MM/dd/yyyy",
    "d/M/yyyy",
    "M/d/yyyy",
    "dd.MM.yyyy",
    "d.M.yyyy",
    "dd-MM-yyyy",
    "MM-dd-yyyy",
    "d-M-yyyy",
    "M-d-yyyy",
    "dd/MM/yy",
    "MM/dd/yy",
    "d/M/yy",
    "M/d/yy",
    "dd.MM.yy",
    "yyyy/M/d",
    "yyyy-M-d",
    "dd-MMM-yyyy",
    "d-MMM-yyyy",
    "dd MMM yyyy",
    "d MMM yyyy",
    "MMM d, yyyy",
    "MMMM d, yyyy",
    "d MMMM yyyy",
    "dd-MMM-yy",
    "d-MMM-yy",
    "MMM dd yyyy",
    "yyyyMMdd",
];
/// Dates that timestamps begin with.
const DATES_OF_TIMESTAMPS: [&str; 11] = [
    "dd/MM/yyyy",
    "MM/dd/yyyy",
    "d/M/yyyy",
    "M/d/yyyy",
    "dd.MM.yyyy",
    "d.M.yyyy",
    "yyyy/MM/dd",
    "dd-MM-yyyy",
    "dd-MMM-yyyy",
    "M/d/yy",
    "dd.MM.yy",
];
/// Times that they end with.
const TIMES_OF_TIMESTAMPS: [&str; 6] = [" HH:mm", " HH:mm:ss", " H:mm", " H:mm:ss", " h:mm a", " h:mm:ss a"];
/// Times of day beside `HH:mm` and `HH:mm:ss`, which need no mention.
const TIMES: [&str; 4] = ["H:mm", "H:mm:ss", "h:mm a", "h:mm:ss a"];

const TIMESTAMPS: usize = DATES_OF_TIMESTAMPS.len() * TIMES_OF_TIMESTAMPS.len();
const COUNT: usize = DATES.len() + TIMESTAMPS + TIMES.len();

/// A set of formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Formats(u128);

impl Formats {
    /// Every format.
    pub(crate) const ALL: Self = Self((1 << COUNT) - 1);

    /// The formats that `value` is in.
    pub(crate) fn of(value: &str) -> Self {
        Self::ALL.fitting(value)
    }

    /// Those of the set that `value` is in.
    pub(crate) fn fitting(self, value: &str) -> Self {
        let bytes = value.as_bytes();
        let digits = bytes.iter().filter(|b| b.is_ascii_digit()).count();
        if !(3..=14).contains(&digits) || bytes.len() > 24 || !value.is_ascii() {
            return Self(0);
        }
        let fits = |i: usize| self.0 & 1 << i != 0 && is_in(parts(i), bytes);
        Self((0..COUNT).filter(|i| fits(*i)).fold(0, |set, i| set | 1 << i))
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The formats of one kind, the likelier first.
    pub(crate) fn reading(self, kind: Reads) -> impl Iterator<Item = String> {
        let range = match kind {
            Reads::Date => 0..DATES.len(),
            Reads::Timestamp => DATES.len()..DATES.len() + TIMESTAMPS,
            Reads::Time => DATES.len() + TIMESTAMPS..COUNT,
        };
        range.filter(move |i| self.0 & 1 << i != 0).map(|i| parts(i).concat())
    }

    pub(crate) fn has(self, kind: Reads) -> bool {
        self.reading(kind).next().is_some()
    }
}

/// The format with this number, in two parts.
fn parts(i: usize) -> [&'static str; 2] {
    if let Some(date) = DATES.get(i) {
        return [date, ""];
    }
    let i = i - DATES.len();
    if i < TIMESTAMPS {
        return [DATES_OF_TIMESTAMPS[i / TIMES_OF_TIMESTAMPS.len()], TIMES_OF_TIMESTAMPS[i % TIMES_OF_TIMESTAMPS.len()]];
    }
    [TIMES[i - TIMESTAMPS], ""]
}

fn is_in(format: [&str; 2], value: &[u8]) -> bool {
    let (mut rest, mut year, mut month, mut day) = (value, 2000, 1, 1);
    for part in format {
        let mut letters = part.as_bytes();
        while let Some(letter) = letters.first() {
            let run = letters.iter().take_while(|l| *l == letter).count();
            letters = &letters[run..];
            let found = match letter {
                b'M' if run > 2 => month_name(rest, run == 3),
                b'a' => match rest {
                    [b'a' | b'A' | b'p' | b'P', b'm' | b'M', ..] => Some((0, 2)),
                    _ => None,
                },
                _ if letter.is_ascii_alphabetic() => number(rest, run, if run == 1 { 2 } else { run }),
                _ => rest.starts_with(&[*letter]).then_some((0, 1)),
            };
            let Some((number, len)) = found else { return false };
            rest = &rest[len..];
            let is_fine = match letter {
                b'y' if run == 4 => {
                    year = number;
                    (1000..=9999).contains(&number)
                }
                b'y' => {
                    year = 2000 + number;
                    true
                }
                b'M' => {
                    month = number;
                    (1..=12).contains(&number)
                }
                b'd' => {
                    day = number;
                    number >= 1
                }
                b'H' => number < 24,
                b'h' => (1..=12).contains(&number),
                b'm' | b's' => number < 60,
                _ => true,
            };
            if !is_fine {
                return false;
            }
        }
    }
    rest.is_empty() && day <= days_in_month(year, month)
}

fn number(text: &[u8], min: usize, max: usize) -> Option<(u32, usize)> {
    let len = text.iter().take(max).take_while(|b| b.is_ascii_digit()).count();
    (len >= min).then(|| (text[..len].iter().fold(0, |n, b| n * 10 + u32::from(b - b'0')), len))
}

fn month_name(text: &[u8], is_short: bool) -> Option<(u32, usize)> {
    const NAMES: [&str; 12] =
        ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
    (1..).zip(NAMES).find_map(|(month, name)| {
        let name = if is_short { &name[..3] } else { name };
        text.get(..name.len()).filter(|t| t.eq_ignore_ascii_case(name.as_bytes())).map(|_| (month, name.len()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(values: &[&str], kind: Reads) -> Option<String> {
        let all = values.iter().fold(Formats::ALL, |formats, value| formats.fitting(value));
        all.reading(kind).next()
    }

    #[test]
    fn the_format_that_fits_all_values_is_found() {
        for (values, format) in [
            (&["2013-01-31"][..], "yyyy-MM-dd"),
            (&["31/01/2013", "01/02/2013"], "dd/MM/yyyy"),
            (&["01/31/2013", "01/02/2013"], "MM/dd/yyyy"),
            (&["1/2/2013", "10/12/2013", "1/31/2013"], "M/d/yyyy"),
            (&["31.1.2013"], "d.M.yyyy"),
            (&["31-Jan-2013"], "dd-MMM-yyyy"),
            (&["Jan 5, 2013", "May 12, 2013"], "MMM d, yyyy"),
            (&["20130131"], "yyyyMMdd"),
            (&["1/31/13"], "M/d/yy"),
        ] {
            assert_eq!(best(values, Reads::Date).as_deref(), Some(format), "{values:?}");
        }
        assert_eq!(best(&["1/31/2013 9:05", "12/1/2013 23:59"], Reads::Timestamp).as_deref(), Some("M/d/yyyy H:mm"));
        assert_eq!(best(&["31.01.2013 09:05:07"], Reads::Timestamp).as_deref(), Some("dd.MM.yyyy HH:mm:ss"));
        assert_eq!(best(&["12:05 PM", "1:00 am"], Reads::Time).as_deref(), Some("h:mm a"));
        assert_eq!(best(&["30/02/2013"], Reads::Date), None);
        assert_eq!(best(&["hello", "1.2.3", "12"], Reads::Date), None);
    }
}
