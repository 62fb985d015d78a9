//! Looks at every row of a delimited text once.

use std::collections::VecDeque;

use sluice_contract::Encoding;

use super::dialect;
use super::encoding;
use super::footer::{self, MAX_FOOTER};
use super::look::{Look, MAX_COLUMNS};
use super::names;
use super::profile::Profile;
use super::propose::{self, Seen};
use super::records::{Dialect, Record, Records};
use super::source::Source;
use super::sure::Finding;
use super::table::{self, Names, Table};
use super::write::{CsvShape, FileFormat};
use crate::{Fault, Result};

/// Rows of the table's width that are held back, as they may turn out to be totals.
const HELD_BACK: usize = 3;
/// Delimiters to choose from for a file of one column.
const UNUSED: [&str; 6] = [",", ";", "\t", "|", "\u{1f}", "\u{1e}"];

/// Looks at a delimited text.
pub(crate) fn look(source: &mut Source<'_>, most_rows: u64) -> Result<Look> {
    let dialect::Found { mut dialect, fit, mut findings } = dialect::find(&source.head, source.head_is_all);
    if fit.records.is_empty() {
        return Err(Fault::usage("the file has no line that is a record: there is nothing to learn from it"));
    }
    if fit.width > MAX_COLUMNS {
        return Err(Fault::usage(format!("a record has {} fields: more than {MAX_COLUMNS} columns cannot be described", fit.width)));
    }
    let Table { names, skip_lines, first_row_line, width, pads, findings: more } = table::find(&fit);
    findings.extend(more);
    dialect.skip_lines = skip_lines;
    dialect.encoding = source.encoding;
    if fit.width < 2 {
        let head = String::from_utf8_lossy(&source.head);
        UNUSED.into_iter().find(|d| !head.contains(d)).unwrap_or("\u{1f}").clone_into(&mut dialect.delimiter);
    }
    let header = match &names {
        Names::Header { rows, .. } => *rows,
        Names::Position(_) => 0,
    };
    let mut pass = Pass::new(width, header, &names);
    pass.run(source, &dialect, most_rows)?;
    if let Some(encoding) = pass.better_encoding() {
        let why = "some values, far from the beginning, are no valid UTF-8; any byte is valid in it";
        source.read_as(encoding, Some(Finding::new("encoding", encoding::name(encoding), 60, why)))?;
        return look(source, most_rows);
    }
    findings.splice(0..0, source.encoding_finding.clone());
    let mut doubts = pass.doubts(&dialect);
    let footers = pass.end();
    let skip_rows = footer::pattern(&footers, &dialect.delimiter, pass.blank_rows > 0);
    if let Some(pattern) = &skip_rows {
        let why = format!("{} rows at the end and {} rows without any value are no data", footers.len(), pass.blank_rows);
        findings.push(Finding::new("skipRows", pattern.clone(), 70, why));
    }
    if pass.repeated_headers > 0 {
        let why = format!("the header comes again {} times among the rows", pass.repeated_headers);
        findings.push(Finding::new("repeatedHeader", "skip", 95, why));
    }
    let (sources, padded_names) = match names {
        Names::Header { names, .. } => {
            // Names of one record are taken as they stand, those of several are joined without blanks around.
            let padded = header == 1 && pass.header_is_padded;
            (names, padded)
        }
        Names::Position(names) => (names, false),
    };
    let lake_names = names::columns(&sources);
    let sources = if header == 0 { lake_names.clone() } else { sources };
    let (rows, partial, skipped) = (pass.rows, pass.partial, footers.len() as u64 + pass.blank_rows);
    let repeats_header = pass.repeated_headers > 0;
    let mut profiles = pass.profiles;
    // Fields beyond the header's have no name.
    profiles.resize_with(sources.len(), Profile::default);
    let seen = sources.into_iter().zip(profiles).map(|(source, profile)| Seen { source, profile, known: None }).collect();
    let (columns, mut spelling, more) = propose::text(seen, lake_names);
    spelling.trim |= padded_names || dialect.trim;
    doubts.extend(more);
    let shape = CsvShape { dialect, header, first_row_line, skip_rows, skipped, repeats_header, pads, findings: findings.clone() };
    Ok(Look { format: FileFormat::Csv(Box::new(shape)), columns, spelling, rows, partial, findings, doubts })
}

/// One pass over all rows.
struct Pass {
    width: usize,
    /// Records of the header that are still to come.
    header_left: usize,
    header: Vec<String>,
    header_is_padded: bool,
    profiles: Vec<Profile>,
    /// The last rows of the table's width.
    held_back: VecDeque<Record>,
    /// How the records of another width since the last row of the table's width begin; too many are no footer.
    tail: Vec<Vec<u8>>,
    rows: u64,
    partial: bool,
    /// Rows of another width.
    ragged: u64,
    flawed: u64,
    /// Rows without a value since the last row with one.
    blank_rows: u64,
    repeated_headers: u64,
    /// Values that are no valid UTF-8, and whether some has bytes that only windows-1252 has as letters.
    invalid: u64,
    is_windows: bool,
    /// Values with valid characters beyond ASCII.
    valid: u64,
}

impl Pass {
    fn new(width: usize, header_left: usize, names: &Names) -> Self {
        let header = match names {
            Names::Header { rows: 1, names } => names.clone(),
            _ => Vec::new(),
        };
        Self {
            width,
            header_left,
            header,
            header_is_padded: false,
            profiles: (0..width).map(|_| Profile::default()).collect(),
            held_back: VecDeque::new(),
            tail: Vec::new(),
            rows: 0,
            partial: false,
            ragged: 0,
            flawed: 0,
            blank_rows: 0,
            repeated_headers: 0,
            invalid: 0,
            is_windows: false,
            valid: 0,
        }
    }

    fn run(&mut self, source: &Source<'_>, dialect: &Dialect, most_rows: u64) -> Result<()> {
        let mut records = Records::new(source.text()?, dialect.clone());
        let mut record = Record::default();
        while records.read(&mut record).map_err(|error| Fault::data(format!("the file cannot be read to its end: {error}")))? {
            if self.header_left > 0 {
                self.header_left -= 1;
                let plain = |(bytes, quoted): (&[u8], bool)| quoted || bytes.trim_ascii() == bytes;
                self.header_is_padded |= !record.fields().all(plain);
                continue;
            }
            if self.rows == most_rows {
                self.partial = true;
                break;
            }
            self.record(&record);
        }
        Ok(())
    }

    fn record(&mut self, record: &Record) {
        if self.header.len() > 1 && record.len() == self.header.len() && record.cells() == self.header {
            self.repeated_headers += 1;
            return;
        }
        self.rows += 1;
        if record.flawed {
            self.flawed += 1;
            return;
        }
        if record.len() != self.width {
            self.ragged += 1;
            self.tail.push(record.start.clone());
            // Enough to know that they are too many.
            self.tail.truncate(MAX_FOOTER + 1);
            return;
        }
        if self.width > 1 && record.is_blank() && !record.is_quoted() {
            self.blank_rows += 1;
            return;
        }
        self.flush_blank_rows();
        self.tail.clear();
        self.held_back.push_back(record.clone());
        if self.held_back.len() > HELD_BACK
            && let Some(row) = self.held_back.pop_front()
        {
            self.profile(&row);
        }
    }

    /// Rows without a value are data if data follow.
    fn flush_blank_rows(&mut self) {
        for _ in 0..std::mem::take(&mut self.blank_rows) {
            self.profiles.iter_mut().for_each(Profile::blank);
        }
    }

    fn profile(&mut self, record: &Record) {
        for ((bytes, quoted), profile) in record.fields().zip(&mut self.profiles) {
            if let Ok(value) = std::str::from_utf8(bytes) {
                self.valid += u64::from(!bytes.is_ascii());
                profile.value(value, quoted);
            } else {
                self.invalid += 1;
                self.is_windows |= bytes.iter().any(|b| (0x80..0xa0).contains(b));
                profile.value(&String::from_utf8_lossy(bytes), quoted);
            }
        }
    }

    /// Another encoding than UTF-8, if more values speak for that than for damage.
    fn better_encoding(&self) -> Option<Encoding> {
        (self.invalid > 0 && self.valid < 10 * self.invalid).then_some(if self.is_windows {
            Encoding::Windows1252
        } else {
            Encoding::Latin1
        })
    }

    /// Ends the pass; how the records begin that are a footer.
    fn end(&mut self) -> Vec<Vec<u8>> {
        let mut footers = if self.tail.len() > MAX_FOOTER || self.partial { Vec::new() } else { std::mem::take(&mut self.tail) };
        // Rows of another width right after the data are a footer only if there is far more data than footer.
        if (footers.len() as u64) * 3 > self.rows {
            footers.clear();
        }
        let rows: Vec<Record> = self.held_back.drain(..).collect();
        let data = if self.partial || self.width < 2 {
            rows.len()
        } else {
            rows.iter().rposition(|r| !footer::is_total(r)).map_or(0, |at| at + 1)
        };
        // A file of nothing but totals has no footer.
        let data = if self.profiles.iter().all(|p| p.rows == 0) && data == 0 { rows.len() } else { data };
        for row in &rows[..data] {
            self.profile(row);
        }
        let totals: Vec<Vec<u8>> = rows[data..].iter().map(|row| row.start.clone()).collect();
        self.ragged -= footers.len() as u64;
        footers.splice(0..0, totals);
        footers
    }

    fn doubts(&self, dialect: &Dialect) -> Vec<String> {
        let mut doubts = Vec::new();
        if self.ragged > 0 {
            let (ragged, rows, width) = (self.ragged, self.rows, self.width);
            doubts.push(format!(
                "{ragged} of {rows} rows do not have {width} fields: they will be rejected (shortRow), unless skipRows passes over them"
            ));
        }
        if self.flawed > 0 {
            doubts.push(format!(
                "{} of {} rows have a quote ({}) where none may stand: they will be rejected",
                self.flawed,
                self.rows,
                dialect.quote.map_or('"', char::from)
            ));
        }
        if self.invalid > 0 {
            doubts.push(format!("{} values are no valid UTF-8: their rows will be rejected", self.invalid));
        }
        doubts
    }
}
