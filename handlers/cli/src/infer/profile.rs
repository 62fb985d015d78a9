//! What all values of a column have in common, seen one by one in flat memory.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::formats::Formats;
use super::shape::{Shape, Shapes, group_mark};

/// Spellings that may mean null; the empty field always does.
pub(crate) const NULLS: [&str; 16] =
    ["NA", "N/A", "n/a", "NULL", "null", "Null", "NaN", "nan", "None", "none", "nil", "\\N", "#N/A", "?", "-", "(null)"];

/// Values remembered to tell a column with repeats from one without; after that, nobody knows.
const MAX_DISTINCT: usize = 4_000_000;
/// Few enough values to list.
const MAX_LISTED: usize = 8;
const MAX_LISTED_CHARS: usize = 24;

/// What is known of a column.
#[derive(Debug)]
pub(crate) struct Profile {
    /// Rows seen.
    pub(crate) rows: u64,
    /// Empty fields, nulls and missing keys.
    pub(crate) blanks: u64,
    /// Values that may be spellings of null.
    pub(crate) suspects: BTreeMap<&'static str, u64>,
    /// Other values.
    pub(crate) values: u64,
    /// What the other values have in common.
    pub(crate) shapes: Shapes,
    /// Formats of dates and times that all of the other values are in.
    pub(crate) formats: Formats,
    /// What parts groups of digits, if it is a blank or an apostrophe.
    pub(crate) group_mark: Option<char>,
    /// How many of the other values have each shape, by its number.
    shape_counts: [u64; Shape::EVERY.len()],
    /// Some value had blanks around it that its type does not want.
    pub(crate) padded: bool,
    /// Smallest and largest number.
    pub(crate) numbers: Option<(f64, f64)>,
    /// Most digits before the point.
    pub(crate) whole_digits: u32,
    /// Fewest and most digits after the point.
    pub(crate) fraction_digits: Option<(u32, u32)>,
    /// Smallest and largest value as text (of dates and times, which sort so).
    pub(crate) texts: Option<(String, String)>,
    /// Shortest and longest value in characters.
    pub(crate) chars: Option<(usize, usize)>,
    /// The different values, while they are few.
    listed: Option<BTreeSet<String>>,
    distinct: Option<HashSet<u64>>,
    repeated: bool,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            rows: 0,
            blanks: 0,
            suspects: BTreeMap::new(),
            values: 0,
            shapes: Shapes::ALL,
            formats: Formats::ALL,
            group_mark: None,
            shape_counts: [0; Shape::EVERY.len()],
            padded: false,
            numbers: None,
            whole_digits: 0,
            fraction_digits: None,
            texts: None,
            chars: None,
            listed: Some(BTreeSet::new()),
            distinct: Some(HashSet::new()),
            repeated: false,
        }
    }
}

impl Profile {
    /// A row without a value.
    pub(crate) fn blank(&mut self) {
        self.rows += 1;
        self.blanks += 1;
    }

    /// A row with a spelled value.
    pub(crate) fn value(&mut self, value: &str, quoted: bool) {
        let trimmed = if quoted { value } else { value.trim_matches([' ', '\t']) };
        if trimmed.is_empty() {
            self.blank();
            return;
        }
        self.rows += 1;
        if let Some(null) = NULLS.iter().find(|null| **null == trimmed) {
            *self.suspects.entry(null).or_default() += 1;
            return;
        }
        self.values += 1;
        self.padded |= trimmed.len() != value.len();
        // What the column can still be is few formats; all are tried only for a value that is in none of them.
        let kept = self.formats.fitting(trimmed);
        let formats = if kept.is_empty() { Formats::of(trimmed) } else { kept };
        self.formats = self.formats.and(formats);
        let shapes = Shapes::with_formats(trimmed, formats);
        self.group_mark = self.group_mark.or_else(|| group_mark(trimmed).filter(|_| shapes != Shapes::NONE));
        self.shapes = self.shapes.and(shapes);
        for shape in shapes.iter() {
            self.shape_counts[shape as usize] += 1;
        }
        self.measure(trimmed);
        self.remember(trimmed);
    }

    fn measure(&mut self, value: &str) {
        let chars = value.chars().count();
        self.chars = Some(self.chars.map_or((chars, chars), |(low, high)| (low.min(chars), high.max(chars))));
        if self.shapes == Shapes::NONE {
            return;
        }
        match &mut self.texts {
            None => self.texts = Some((value.to_owned(), value.to_owned())),
            Some((low, _)) if value < low.as_str() => value.clone_into(low),
            Some((_, high)) if value > high.as_str() => value.clone_into(high),
            Some(_) => {}
        }
        if let Some(number) = self.number(value) {
            self.numbers = Some(self.numbers.map_or((number, number), |(low, high)| (low.min(number), high.max(number))));
            let mark = value.rfind(if self.is_comma() { ',' } else { '.' });
            let (whole, fraction) = mark.map_or((value, ""), |at| (&value[..at], &value[at + 1..]));
            let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count() as u32;
            self.whole_digits = self.whole_digits.max(digits(whole));
            let fraction = digits(fraction);
            self.fraction_digits =
                Some(self.fraction_digits.map_or((fraction, fraction), |(low, high)| (low.min(fraction), high.max(fraction))));
        }
    }

    /// Written with a decimal comma and not with a point.
    pub(crate) fn is_comma(&self) -> bool {
        let has = |shape| self.shapes.has(shape);
        (has(Shape::Comma) || has(Shape::PointGroups) || has(Shape::OtherGroupsComma))
            && !has(Shape::Point)
            && !has(Shape::Float)
            && !has(Shape::CommaGroups)
            && !has(Shape::OtherGroups)
    }

    fn number(&self, value: &str) -> Option<f64> {
        let has = |shape| self.shapes.has(shape);
        if has(Shape::Float) {
            value.parse().ok()
        } else if has(Shape::OtherGroups) || has(Shape::OtherGroupsComma) {
            let plain: String = value.chars().filter(|c| c.is_ascii_digit() || "+-.,".contains(*c)).collect();
            plain.replace(',', ".").parse().ok()
        } else if has(Shape::CommaGroups) {
            value.replace(',', "").parse().ok()
        } else if has(Shape::Comma) || has(Shape::PointGroups) {
            value.replace('.', "").replace(',', ".").parse().ok()
        } else {
            None
        }
    }

    fn remember(&mut self, value: &str) {
        if let Some(listed) = &mut self.listed
            && !listed.contains(value)
        {
            if listed.len() == MAX_LISTED || value.chars().count() > MAX_LISTED_CHARS {
                self.listed = None;
            } else {
                listed.insert(value.to_owned());
            }
        }
        if let Some(distinct) = &mut self.distinct {
            let mut hasher = DefaultHasher::new();
            value.hash(&mut hasher);
            self.repeated = !distinct.insert(hasher.finish());
            if self.repeated || distinct.len() > MAX_DISTINCT {
                self.distinct = None;
            }
        }
    }

    /// Nearly all values have this shape, and so many have it not.
    pub(crate) fn nearly(&self) -> Option<(Shape, u64)> {
        let best = Shape::EVERY.into_iter().rev().max_by_key(|shape| self.shape_counts[*shape as usize])?;
        let count = self.shape_counts[best as usize];
        let others = self.values - count;
        (others > 0 && count >= 20 && others * 20 <= self.values).then_some((best, others))
    }

    /// No value stands twice, as far as one can know.
    pub(crate) fn is_unique(&self) -> bool {
        self.values > 1 && self.distinct.is_some()
    }

    /// All values are the same.
    pub(crate) fn is_constant(&self) -> bool {
        self.listed.as_ref().is_some_and(|listed| listed.len() == 1)
    }

    /// The different values of a column that has few of them, much fewer than rows.
    pub(crate) fn few_values(&self) -> Option<Vec<&str>> {
        let listed = self.listed.as_ref()?;
        let many_rows = self.values >= 20 * listed.len() as u64;
        (listed.len() > 1 && many_rows).then(|| listed.iter().map(String::as_str).collect())
    }

    /// Rows without a value, if `nulls` are the spellings of null.
    pub(crate) fn nulls(&self, nulls: &BTreeSet<&'static str>) -> u64 {
        self.blanks + self.suspects.iter().filter(|(null, _)| nulls.contains(*null)).map(|(_, count)| count).sum::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(values: &[&str]) -> Profile {
        let mut profile = Profile::default();
        for value in values {
            profile.value(value, false);
        }
        profile
    }

    #[test]
    fn a_column_is_what_all_of_its_values_are() {
        assert!(profile(&["1", "-20", "3"]).shapes.has(Shape::Integer));
        assert!(!profile(&["1", "2.5"]).shapes.has(Shape::Integer));
        assert!(profile(&["1", "2.5"]).shapes.has(Shape::Point));
        assert_eq!(profile(&["1", "x"]).shapes, Shapes::NONE);
        let dates = profile(&["13/01/2013", "01/02/2013"]);
        assert!(dates.shapes.has(Shape::Date));
        assert_eq!(dates.formats.reading(super::super::formats::Reads::Date).next().as_deref(), Some("dd/MM/yyyy"));
    }

    #[test]
    fn nulls_do_not_spoil_a_type() {
        let seen = profile(&["1", "NA", "", "2"]);
        assert!(seen.shapes.has(Shape::Integer));
        assert_eq!((seen.values, seen.blanks, seen.suspects["NA"]), (2, 1, 1));
        assert_eq!(seen.nulls(&BTreeSet::from(["NA"])), 2);
    }

    #[test]
    fn digits_and_ranges_are_measured() {
        let seen = profile(&["12.50", "1000.00", "-3.25"]);
        assert_eq!((seen.whole_digits, seen.fraction_digits), (4, Some((2, 2))));
        assert_eq!(seen.numbers, Some((-3.25, 1000.0)));
        let seen = profile(&["1.234,5", "7,25"]);
        assert!(seen.is_comma());
        assert_eq!((seen.whole_digits, seen.fraction_digits), (4, Some((1, 2))));
    }

    #[test]
    fn repeats_are_noticed() {
        assert!(profile(&["a", "b"]).is_unique());
        assert!(!profile(&["a", "b", "a"]).is_unique());
    }
}
