//! The short way for a column: values that are well formed and keep all checks are typed many at a time; every other value takes the long
//! way of [`super::column`], which knows what is wrong with it.

use sluice_contract::{DataType, Encoding};

use super::check::{Checks, NumberCheck, TextCheck, Whole};
use super::column::Column;
use super::raw::{Raw, Reading};
use super::{digits, json};

/// One field of many records, or one member of many JSON objects: where its value stands, without quotes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cells<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) parts: &'a [(u32, u32)],
    /// The text is valid UTF-8 without NUL.
    pub(crate) is_text: bool,
    pub(crate) is_ascii: bool,
    /// The parts are values of JSON as [`crate::decode::members`] finds them: only one between quotes is a string, without escapes.
    pub(crate) is_json: bool,
}

impl<'a> Cells<'a> {
    /// A value, as the long way takes it. `scratch` takes the text of a string that has escapes.
    pub(crate) fn raw<'b>(&self, at: usize, scratch: &'b mut String) -> Raw<'b>
    where
        'a: 'b,
    {
        let (start, end) = (self.parts[at].0 as usize, self.parts[at].1 as usize);
        let part = &self.text[start..end];
        if self.is_json && !self.is_quoted(start) { json::raw(part, scratch) } else { Raw::Text(part) }
    }

    #[inline]
    fn is_quoted(&self, start: usize) -> bool {
        self.text[start - 1] == b'"'
    }
}

/// How a column can be read fast.
#[derive(Debug)]
pub(crate) struct Quick {
    pub(super) kind: Kind,
    pub(super) is_required: bool,
    /// Bit `n` says that a text of `n` bytes may mean null; the last bit stands for all longer ones.
    null_lengths: u64,
}

/// Which values surely keep all checks of a column. `Instant` (in microseconds), `Float` and `Boolean` are for arrays only.
#[derive(Debug)]
pub(super) enum Kind {
    None,
    Integer { low: i64, high: i64 },
    Decimal { scale: usize, low: i64, high: i64 },
    Date { low: i64, high: i64 },
    Instant { low: i64, high: i64 },
    Float,
    Boolean,
    Text { needs_ascii: bool, low: usize, high: usize, words: Option<Vec<u64>> },
}

impl Quick {
    /// The short way for a column whose values are written as `reading` says.
    pub(crate) fn of(column: &Column, reading: &Reading) -> Self {
        let null_lengths = reading.null_values.iter().fold(0, |bits, null| bits | 1 << null.len().min(63));
        let kind = if column.metrics.is_empty() { kind(column, reading) } else { Kind::None };
        Self { kind, is_required: column.is_required(), null_lengths }
    }

    #[inline]
    fn may_be_null(&self, len: usize) -> bool {
        self.null_lengths >> len.min(63) & 1 != 0
    }

    /// Types whole numbers; the places of values that need the long way go to `odd`.
    pub(crate) fn integers<T>(&self, cells: Cells<'_>, odd: &mut Vec<u32>, make: impl Fn(i64) -> T) -> Option<Vec<T>> {
        match self.kind {
            Kind::Integer { low, high } => Some(self.each(cells, odd, low, high, make, digits::integer)),
            _ => None,
        }
    }

    /// As [`Quick::integers`], for decimals.
    pub(crate) fn decimals(&self, cells: Cells<'_>, odd: &mut Vec<u32>) -> Option<Vec<i128>> {
        match self.kind {
            Kind::Decimal { scale, low, high } => {
                Some(self.each(cells, odd, low, high, i128::from, |text, start, end| digits::decimal(text, start, end, scale)))
            }
            _ => None,
        }
    }

    /// As [`Quick::integers`], for dates.
    pub(crate) fn dates(&self, cells: Cells<'_>, odd: &mut Vec<u32>) -> Option<Vec<i32>> {
        match self.kind {
            Kind::Date { low, high } => {
                Some(self.each(cells, odd, low, high, |days| days as i32, |text, start, end| digits::date(text, start, end).map(i64::from)))
            }
            _ => None,
        }
    }

    #[inline]
    fn each<T>(
        &self,
        cells: Cells<'_>,
        odd: &mut Vec<u32>,
        low: i64,
        high: i64,
        make: impl Fn(i64) -> T,
        read: impl Fn(&[u8], usize, usize) -> Option<i64>,
    ) -> Vec<T> {
        let mut values = Vec::with_capacity(cells.parts.len());
        values.extend(cells.parts.iter().enumerate().map(|(at, (start, end))| {
            let (start, end) = (*start as usize, *end as usize);
            match read(cells.text, start, end) {
                Some(value) if low <= value && value <= high && !self.may_be_null(end - start) => make(value),
                _ => {
                    odd.push(at as u32);
                    make(0)
                }
            }
        }));
        values
    }

    /// Notes the texts that need the long way; `false` if all do.
    pub(crate) fn texts(&self, cells: Cells<'_>, odd: &mut Vec<u32>) -> bool {
        let Kind::Text { needs_ascii, low, high, words } = &self.kind else { return false };
        if !cells.is_text || (*needs_ascii && !cells.is_ascii) {
            return false;
        }
        for (at, (start, end)) in cells.parts.iter().enumerate() {
            let (start, len) = (*start as usize, (end - start) as usize);
            let is_kept = *low <= len && len <= *high && !self.may_be_null(len) && (!cells.is_json || cells.is_quoted(start));
            if !is_kept || words.as_ref().is_some_and(|words| word(cells.text, start, len).is_none_or(|w| !words.contains(&w))) {
                odd.push(at as u32);
            }
        }
        true
    }
}

fn kind(column: &Column, reading: &Reading) -> Kind {
    let is_plain_number = reading.numbers.is_plain();
    match (column.data_type, column.checks()) {
        (DataType::Integer { bits }, checks) if is_plain_number => {
            let (least, most) = if bits >= 64 { (i64::MIN, i64::MAX) } else { (-(1_i64 << (bits - 1)), (1_i64 << (bits - 1)) - 1) };
            whole_bounds(checks).map_or(Kind::None, |(low, high)| Kind::Integer { low: low.max(least), high: high.min(most) })
        }
        (DataType::Decimal { precision, scale }, checks) if is_plain_number => {
            let limit = 10_i64.checked_pow(u32::from(precision)).map_or(i64::MAX, |limit| limit - 1);
            let found = match checks {
                Checks::Decimal(checks) => bounds(checks, i128::MIN, i128::MAX),
                _ => Some((i128::MIN, i128::MAX)),
            };
            let narrow = |value: i128| value.clamp(-i128::from(limit), i128::from(limit)) as i64;
            match (found, usize::try_from(scale)) {
                // A bound that no value of the type keeps leaves nothing for the short way.
                (Some((low, high)), Ok(scale)) if low <= i128::from(limit) && high >= -i128::from(limit) => {
                    Kind::Decimal { scale, low: narrow(low), high: narrow(high) }
                }
                _ => Kind::None,
            }
        }
        (DataType::Date, checks) if column.pattern().is_none() => {
            whole_bounds(checks).map_or(Kind::None, |(low, high)| Kind::Date { low, high })
        }
        (DataType::Timestamp { .. }, checks) => whole_bounds(checks).map_or(Kind::None, |(low, high)| Kind::Instant { low, high }),
        // A time is read in nanoseconds.
        (DataType::Time, checks) => whole_bounds(checks)
            .map_or(Kind::None, |(low, high)| Kind::Instant { low: low.max(i64::MIN / 1000), high: high.min(i64::MAX / 1000) }),
        (DataType::Float { .. }, Checks::Float(checks)) if checks.is_empty() => Kind::Float,
        (DataType::Boolean, Checks::Text(checks)) if checks.is_empty() => Kind::Boolean,
        (DataType::Text, Checks::Text(checks)) => text(checks, reading),
        _ => Kind::None,
    }
}

fn whole_bounds(checks: &Checks) -> Option<(i64, i64)> {
    match checks {
        Checks::Integer(checks) => bounds(checks, i64::MIN, i64::MAX),
        _ => Some((i64::MIN, i64::MAX)),
    }
}

/// The least and the greatest value that keep all checks; `None` if the checks are not only bounds.
fn bounds<N: Whole>(checks: &[NumberCheck<N>], least: N, most: N) -> Option<(N, N)> {
    checks.iter().try_fold((least, most), |(low, high), check| {
        let (least, most) = check.closed_bounds()?;
        Some((least.map_or(low, |l| l.max(low)), most.map_or(high, |m| m.min(high))))
    })
}

fn text(checks: &[TextCheck], reading: &Reading) -> Kind {
    let (mut low, mut high, mut words) = (0, usize::MAX, None);
    for check in checks {
        match check {
            // A character has at most four bytes.
            TextCheck::MinLength(min) => low = low.max(usize::try_from(*min).unwrap_or(usize::MAX).saturating_mul(4)),
            TextCheck::MaxLength(max) => high = high.min(usize::try_from(*max).unwrap_or(usize::MAX)),
            TextCheck::OneOf(values, _) if words.is_none() && values.len() <= 16 && values.iter().all(|v| (1..=8).contains(&v.len())) => {
                let mut all: Vec<u64> = values.iter().filter_map(|v| word(format!("{v:\0<8}").as_bytes(), 0, v.len())).collect();
                all.sort_unstable();
                high = high.min(8);
                words = Some(all);
            }
            TextCheck::OneOf(..) | TextCheck::Pattern(_) | TextCheck::Format(_) => return Kind::None,
        }
    }
    Kind::Text { needs_ascii: reading.encoding != Encoding::Utf8, low, high, words }
}

/// A text of at most eight bytes without NUL, as a number.
#[inline]
pub(super) fn word(text: &[u8], start: usize, len: usize) -> Option<u64> {
    let bytes = match digits::load(text, start) {
        Some(bytes) => bytes,
        None => {
            let mut bytes = [0; 8];
            bytes[..len].copy_from_slice(text.get(start..start + len)?);
            u64::from_le_bytes(bytes)
        }
    };
    Some(bytes & u64::MAX.checked_shr(64 - 8 * len as u32).unwrap_or(0))
}
