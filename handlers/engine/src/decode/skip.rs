//! Records that are no data: those that match the pipeline's `skipRows`, and the header once more.
//!
//! They stay rows with a number of their own, so that the count of rows does not depend on how a file is cut.

use regex::Regex;
use sluice_contract::{CsvFormat, Format, Header, HeaderMatch, Plan, RepeatedHeader};

use super::csv::unquote;
use crate::header::UTF8_MARK;
use crate::header_names::folded;
use crate::split::automaton::{Dialect, encode};
use crate::split::index::{FieldEnd, Record};
use crate::typed::text::decode_lossy;
use crate::{Code, EngineError, Refusal};

/// Rows passed over because of `skipRows`, among the repairs of a report.
pub(crate) const SKIPPED_ROWS: &str = "skippedRows";
/// Rows passed over because they repeat the header, among the repairs of a report.
pub(crate) const REPEATED_HEADERS: &str = "repeatedHeaders";

/// What a record is, if it is no data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoData {
    /// Passed over, counted under this name.
    Skip(&'static str),
    /// The header once more, to be rejected.
    RepeatedHeader,
}

/// Tells records that are no data.
#[derive(Debug, Default)]
pub(crate) struct Skips {
    pattern: Option<Regex>,
    names: Option<Names>,
}

/// The header to compare with.
#[derive(Debug)]
struct Names {
    dialect: Dialect,
    /// In the bytes of the file.
    cells: Vec<Vec<u8>>,
    /// Bytes of a record that is the header, at least and at most.
    len: std::ops::RangeInclusive<usize>,
    is_loose: bool,
    found: NoData,
}

impl Skips {
    /// `names` is the header. Without one the names of the contract would be it.
    pub(crate) fn new(plan: &Plan, names: Option<&[String]>) -> Result<Self, EngineError> {
        let Format::Csv(csv) = &plan.pipeline.intake.format else { return Ok(Self::default()) };
        let pattern = csv.skip_rows.as_deref().map(Regex::new).transpose();
        let pattern = pattern.map_err(|e| Refusal::new(Code::BadFormat, format!("skipRows does not compile: {e}")))?;
        let sources: Vec<String> = plan.contract.columns.iter().map(|c| c.source.clone()).collect();
        // One name could be a value as well; of several header rows only the joined names are known.
        let names = Some(names.unwrap_or(&sources)).filter(|names| names.len() > 1 && !matches!(csv.header, Header::Rows(_)));
        Ok(Self { pattern, names: names.map(|names| Names::new(csv, names, sources.len())) })
    }

    /// Whether every record must be looked at whole.
    pub(crate) fn looks_at_all(&self) -> bool {
        self.pattern.is_some()
    }

    /// Whether an ordinary record is the header once more; `ends` are those of its fields in `text`.
    #[inline]
    pub(crate) fn is_header(
        &self,
        text: &[u8],
        record: &Record,
        ends: &[FieldEnd],
        encoding: sluice_contract::Encoding,
        scratch: &mut Vec<u8>,
    ) -> bool {
        let Some(names) = &self.names else { return false };
        let content = &text[record.start as usize..record.end as usize];
        if ends.len() != names.cells.len() || !names.may_be(content) {
            return false;
        }
        // Here delimiters are one byte.
        let delimiters: Vec<u32> = ends[..ends.len() - 1].iter().map(|end| end.at() + 1 - record.start).collect();
        names.is(content, &delimiters, encoding, scratch)
    }

    /// Whether a record is no data; `delimiters` are the ends of the delimiters of a record that could be told into fields.
    #[inline]
    pub(crate) fn look(
        &self,
        record: &[u8],
        delimiters: Option<&[u32]>,
        encoding: sluice_contract::Encoding,
        scratch: &mut Vec<u8>,
    ) -> Option<NoData> {
        if let (Some(names), Some(delimiters)) = (&self.names, delimiters)
            && names.is(record, delimiters, encoding, scratch)
        {
            return Some(names.found);
        }
        let pattern = self.pattern.as_ref()?;
        pattern.is_match(&decode_lossy(record, encoding)).then_some(NoData::Skip(SKIPPED_ROWS))
    }
}

impl Names {
    fn new(csv: &CsvFormat, names: &[String], columns: usize) -> Self {
        let dialect = Dialect::of(csv, columns);
        let cells: Vec<Vec<u8>> = names.iter().map(|name| encode(name, csv.encoding)).collect();
        let shortest = cells.iter().map(Vec::len).sum::<usize>() + (cells.len() - 1) * dialect.delimiter.len();
        let is_loose = csv.header_match == HeaderMatch::Loose;
        // Quotes around each name, each byte escaped, and a byte order mark; blanks if they are trimmed.
        let longest = if is_loose || dialect.trim { usize::MAX } else { 2 * shortest + 2 * cells.len() + UTF8_MARK.len() };
        let found = match csv.repeated_header {
            RepeatedHeader::Reject => NoData::RepeatedHeader,
            RepeatedHeader::Skip => NoData::Skip(REPEATED_HEADERS),
        };
        Self { dialect, cells, len: (if is_loose { 1 } else { shortest })..=longest, is_loose, found }
    }

    /// A cheap look that most records do not pass.
    #[inline]
    fn may_be(&self, record: &[u8]) -> bool {
        let first = |text: &[u8]| text.iter().find(|b| b.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase);
        self.len.contains(&record.len()) && first(record) == first(&self.cells[0])
    }

    #[inline]
    fn is(&self, record: &[u8], delimiters: &[u32], encoding: sluice_contract::Encoding, scratch: &mut Vec<u8>) -> bool {
        if delimiters.len() + 1 != self.cells.len() || !self.len.contains(&record.len()) {
            return false;
        }
        let mut start = if record.starts_with(UTF8_MARK) { UTF8_MARK.len() } else { 0 };
        for (i, cell) in self.cells.iter().enumerate() {
            let end = delimiters.get(i).map_or(record.len(), |d| *d as usize - self.dialect.delimiter.len());
            let value = unquote(&self.dialect, &record[start..end], scratch).value;
            let is_same = value == cell.as_slice()
                || (self.is_loose && folded(&decode_lossy(value, encoding)) == folded(&decode_lossy(cell, encoding)));
            if !is_same {
                return false;
            }
            start = end + self.dialect.delimiter.len();
        }
        true
    }
}
