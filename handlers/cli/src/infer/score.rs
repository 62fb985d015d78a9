//! How well a dialect explains a text: rows of one width (the pattern) whose cells are values of some type.
//!
//! The idea of weighing both is that of G. van den Burg, A. Nazábal and C. Sutton, "Wrangling messy CSV files by detecting row and type
//! patterns" (2019). Here the pattern is the share of rows between the first and the last of the commonest width that have it.

use std::ops::Range;

use super::candidates::Candidate;
use super::formats::Formats;
use super::profile::NULLS;
use super::records::{Record, Records};
use super::shape::Shapes;

/// Records that are looked at.
const LOOKED_AT: usize = 1_000;
/// What a table of one column is worth for each share of typed cells: less than two columns that are typed as well.
const ONE_COLUMN: f64 = 0.42;

/// A text under one dialect.
#[derive(Debug)]
pub(crate) struct Fit {
    pub(crate) candidate: Candidate,
    pub(crate) records: Vec<Record>,
    /// Fields of most records.
    pub(crate) width: usize,
    /// From the first record of that width to the last.
    pub(crate) body: Range<usize>,
    /// Records of that width.
    pub(crate) agree: usize,
    /// Records with a quote where none may stand.
    pub(crate) flawed: usize,
    /// Fields that were quoted.
    pub(crate) quoted: usize,
    pub(crate) score: f64,
}

impl Fit {
    pub(crate) fn new(text: &[u8], candidate: Candidate) -> Self {
        let records = read(text, &candidate);
        let flawed = records.iter().filter(|r| r.flawed).count();
        let quoted = records.iter().map(|r| r.fields().filter(|(_, quoted)| *quoted).count()).sum();
        let width = common_width(&records);
        let first = records.iter().position(|r| r.len() == width).unwrap_or(0);
        let last = records.iter().rposition(|r| r.len() == width).map_or(0, |at| at + 1);
        let agree = records.iter().filter(|r| r.len() == width).count();
        let mut fit = Self { candidate, records, width, body: first..last, agree, flawed, quoted, score: 0.0 };
        fit.score = fit.weigh();
        fit
    }

    /// The records of the table's width.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Record> {
        self.records[self.body.clone()].iter().filter(|r| r.len() == self.width)
    }

    fn weigh(&self) -> f64 {
        let (all, body) = (self.records.len() as f64, self.body.len() as f64);
        if self.records.is_empty() {
            return 0.0;
        }
        let flawed = self.rows().filter(|r| r.flawed).count() as f64;
        let pattern = (self.agree as f64 - 0.7 * flawed) / body;
        let (types, typed_columns) = self.types();
        if self.width < 2 {
            return ONE_COLUMN * types * types;
        }
        let width = self.width as f64;
        // A lone row among others proves nothing.
        let coverage = if self.agree == 1 && self.records.len() > 2 { 0.2 } else { 0.4 + 0.6 * body / all };
        // Words of a text stand apart by blanks as well, and are of no type.
        let prose = if self.candidate.dialect.delimiter == " " && typed_columns == 0 { 0.4 } else { 1.0 };
        pattern * pattern * types * (width - 1.0) / width * coverage * prose * self.candidate.prior
    }

    /// The mean over columns of how much their cells look like values, and how many columns have nothing but typed ones.
    fn types(&self) -> (f64, usize) {
        let mut sums = vec![0.0; self.width];
        let mut counts = vec![0_usize; self.width];
        let mut rows = 0;
        for record in self.rows() {
            rows += 1;
            for ((cell, (_, quoted)), (sum, count)) in record.cells().iter().zip(record.fields()).zip(sums.iter_mut().zip(&mut counts)) {
                if !cell.is_empty() {
                    // In a file of one column nothing parts fields, so what could part them is odd.
                    let value = looks_like_a_value(cell, quoted);
                    let is_odd = self.width == 1 && (cell.contains([',', ';', '\t', '|']) || value < 1.0 && cell.contains(':'));
                    *sum += value * if is_odd { 0.5 } else { 1.0 };
                    *count += 1;
                }
            }
        }
        let column = |(sum, count): (&f64, &usize)| match *count {
            // A column that is always empty is rather half of a longer delimiter.
            0 if rows > 2 => 0.1,
            0 => 0.5,
            count => sum / count as f64,
        };
        // The first row may be a header.
        let is_typed = |(sum, count): (&f64, &usize)| *count > 1 && *sum >= *count as f64 - 0.2;
        let typed = sums.iter().zip(&counts).filter(|(sum, count)| is_typed((*sum, *count))).count();
        (sums.iter().zip(&counts).map(column).sum::<f64>() / self.width.max(1) as f64, typed)
    }
}

fn read(text: &[u8], candidate: &Candidate) -> Vec<Record> {
    let mut reader = Records::new(text, candidate.dialect.clone());
    let mut records = Vec::new();
    let mut record = Record::default();
    // Reading from memory cannot fail.
    while records.len() < LOOKED_AT && reader.read(&mut record).unwrap_or(false) {
        records.push(record.clone());
    }
    records
}

/// The width that most records have; one field only if hardly any record has more.
fn common_width(records: &[Record]) -> usize {
    let mut counts = std::collections::BTreeMap::<usize, usize>::new();
    for record in records {
        *counts.entry(record.len()).or_default() += 1;
    }
    // Of a few records, wide ones say more than lines of a preamble with one delimiter each.
    let is_short = records.len() < 12;
    let weight = |width: usize, count: usize| if is_short { count * (width - 1) * 1_000 / width } else { count * 1_000 };
    let wide = counts.iter().filter(|(width, _)| **width > 1).max_by_key(|(width, count)| (weight(**width, **count), **width));
    match wide {
        Some((width, count)) if count * 10 >= records.len() || *count > 2 => *width,
        _ => 1,
    }
}

/// From 0 to 1.
fn looks_like_a_value(cell: &str, quoted: bool) -> f64 {
    if Shapes::of(cell) != Shapes::NONE || NULLS.contains(&cell) || !Formats::of(cell).is_empty() || is_a_web_name(cell) || is_money(cell) {
        return 1.0;
    }
    if quoted {
        return 0.9;
    }
    let quotes = ['"', '\'', '`'];
    if cell.starts_with(quotes) || cell.ends_with('"') {
        return 0.1;
    }
    if cell.contains([';', '|', '\t', '\u{1f}', '\u{1}', '^', '~']) {
        return 0.3;
    }
    if cell.contains(',') || cell.starts_with([':', '/', '&', '#', '*']) || cell.ends_with([':', '/', '&', '#', '*']) {
        return 0.55;
    }
    if cell.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c)) { 0.85 } else { 0.75 }
}

/// A number with a sign of a currency before or after it.
fn is_money(cell: &str) -> bool {
    let signs = ['$', '€', '£', '¥'];
    let number = cell.strip_prefix(signs).or_else(|| cell.strip_suffix(signs)).map(str::trim);
    number.is_some_and(|number| Shapes::of(number) != Shapes::NONE)
}

/// An address of a page or of a mailbox, an IP address, a percentage.
fn is_a_web_name(cell: &str) -> bool {
    let is_mail = || cell.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !cell.contains(' '));
    cell.starts_with("http://")
        || cell.starts_with("https://")
        || is_mail()
        || cell.parse::<std::net::IpAddr>().is_ok()
        || cell.strip_suffix('%').is_some_and(|number| number.trim().parse::<f64>().is_ok())
}
