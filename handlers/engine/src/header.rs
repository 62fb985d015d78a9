//! What stands before the first record of a text.

use std::sync::Arc;

use regex::Regex;
use sluice_contract::{CsvFormat, Format, Header, HeaderMatch, Plan};

use crate::decode::csv::{Unquoted, unquote};
use crate::header_names::{check_names, joined, loosened};
use crate::kind::refuse_other_kinds;
use crate::split::automaton::{Automaton, Dialect};
use crate::split::splitter::{Found, Shape, Splitter};
use crate::typed::text;
use crate::{Code, HeaderInfo, Refusal};

/// The byte order mark in UTF-8.
pub(crate) const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads what stands before the first record of a text: byte order mark, passed-over lines, comments, header.
///
/// # Errors
/// The file is empty, of another kind, or its header does not keep the contract (all missing columns are named at once).
pub fn read_header(plan: &Plan, first_bytes: &[u8], is_whole_file: bool) -> Result<HeaderInfo, Refusal> {
    find_header(plan, first_bytes, is_whole_file)?.ok_or_else(|| {
        Refusal::new(
            Code::HeaderTooLong,
            format!(
                "the header does not end within the first {} bytes; check delimiter, quote, skipLines and skipUntil of the pipeline",
                first_bytes.len()
            ),
        )
    })
}

/// As [`read_header`]; `None` if more bytes are needed.
pub(crate) fn find_header(plan: &Plan, bytes: &[u8], is_whole: bool) -> Result<Option<HeaderInfo>, Refusal> {
    if bytes.is_empty() {
        return if is_whole { Err(Refusal::new(Code::EmptyFile, "the file has no bytes")) } else { Ok(None) };
    }
    refuse_other_kinds(bytes)?;
    let mark = if bytes.starts_with(UTF8_MARK) { UTF8_MARK.len() } else { 0 };
    match &plan.pipeline.intake.format {
        Format::Csv(csv) => Start { plan, csv, bytes, is_whole, end: mark, lines: 0 }.read(),
        Format::Ndjson(_) => {
            if let Some(b'[') = bytes[mark..].iter().find(|b| !b.is_ascii_whitespace()) {
                let message = "the file is one JSON array; expected NDJSON, one object a line (jq -c '.[]' makes it so)";
                return Err(Refusal::new(Code::WrongKind, message));
            }
            Ok(Some(HeaderInfo { names: None, end: mark as u64, lines: 0 }))
        }
        Format::Parquet => Err(Refusal::new(Code::WrongKind, "a Parquet file has no text header")),
    }
}

/// A line of the start of a file.
enum Line {
    /// More bytes are needed to know where it ends.
    More,
    /// The file has no more lines.
    None,
    /// Its content ends at the first place, the next line begins at the second.
    Ends(usize, usize),
}

/// The start of a CSV file as far as it is read.
struct Start<'a> {
    plan: &'a Plan,
    csv: &'a CsvFormat,
    bytes: &'a [u8],
    is_whole: bool,
    /// Bytes passed.
    end: usize,
    /// Lines passed.
    lines: u64,
}

impl Start<'_> {
    fn read(mut self) -> Result<Option<HeaderInfo>, Refusal> {
        if !self.skip_lines()? || !self.skip_until()? {
            return Ok(None);
        }
        if self.csv.header == Header::None {
            return Ok(Some(HeaderInfo { names: None, end: self.end as u64, lines: self.lines }));
        }
        self.names()
    }

    fn line(&self) -> Line {
        let rest = &self.bytes[self.end..];
        let Some(i) = memchr::memchr2(b'\n', b'\r', rest) else {
            return match rest.len() {
                _ if !self.is_whole => Line::More,
                0 => Line::None,
                len => Line::Ends(self.end + len, self.end + len),
            };
        };
        let content = self.end + i;
        match (rest[i], rest.get(i + 1)) {
            (b'\r', Some(b'\n')) => Line::Ends(content, content + 2),
            (b'\r', None) if !self.is_whole => Line::More,
            _ => Line::Ends(content, content + 1),
        }
    }

    /// `false` if more bytes are needed.
    fn skip_lines(&mut self) -> Result<bool, Refusal> {
        for _ in 0..self.csv.skip_lines {
            match self.line() {
                Line::More => return Ok(false),
                Line::Ends(_, next) if next < self.bytes.len() || !self.is_whole => self.end = next,
                Line::Ends(..) | Line::None => {
                    let message = format!("the file has no more than the {} lines that skipLines passes over", self.csv.skip_lines);
                    return Err(Refusal::new(Code::NoRows, message));
                }
            }
            self.lines += 1;
        }
        Ok(true)
    }

    /// `false` if more bytes are needed.
    fn skip_until(&mut self) -> Result<bool, Refusal> {
        let Some(pattern) = &self.csv.skip_until else { return Ok(true) };
        let regex = Regex::new(pattern).map_err(|e| Refusal::new(Code::BadFormat, format!("skipUntil does not compile: {e}")))?;
        loop {
            match self.line() {
                Line::More => return Ok(false),
                Line::Ends(content, next) => {
                    if regex.is_match(&text::decode_lossy(&self.bytes[self.end..content], self.csv.encoding)) {
                        return Ok(true);
                    }
                    self.end = next;
                    self.lines += 1;
                }
                Line::None => {
                    let message = format!("no line of the file matches skipUntil `{pattern}`, which the header must match");
                    return Err(Refusal::new(Code::HeaderTooLong, message));
                }
            }
        }
    }

    fn names(mut self) -> Result<Option<HeaderInfo>, Refusal> {
        let dialect = Dialect::of(self.csv, self.plan.contract.columns.len());
        let mut splitter = Splitter::new(Arc::new(Automaton::csv(&dialect)), self.plan.pipeline.limits.row_bytes);
        let mut rows = Vec::new();
        let first_line = loop {
            splitter.clear_fields();
            match splitter.next(&self.bytes[self.end..], self.is_whole) {
                Found::More if self.is_whole => {
                    let message = if rows.is_empty() { "the file has no header and no rows" } else { "the file ends within its header" };
                    return Err(Refusal::new(Code::NoRows, message));
                }
                Found::More => return Ok(None),
                Found::Skip { len, lines } => {
                    self.end += len;
                    self.lines += u64::from(lines);
                }
                Found::Record { content, len, lines, shape } => {
                    let line = self.lines + 1;
                    if shape != Shape::Whole {
                        let message = "the header does not end: a quote is not closed, or it is longer than limits.rowBytes";
                        return Err(Refusal::new(Code::HeaderTooLong, message).at_line(line).at_offset(self.end as u64));
                    }
                    let next = self.end + len;
                    if self.bytes[next - 1] == b'\r' && next == self.bytes.len() && !self.is_whole {
                        return Ok(None);
                    }
                    // A blank line is a row of a file of one column, but no header.
                    if content > 0 {
                        let cells = cells(self.csv, &dialect, &self.bytes[self.end..self.end + content], &splitter.delimiters)
                            .map_err(|message| Refusal::new(Code::HeaderEncoding, message).at_line(line))?;
                        rows.push(cells);
                    }
                    self.end = next;
                    self.lines += u64::from(lines);
                    if rows.len() == self.csv.header.rows() {
                        break line;
                    }
                }
            }
        };
        let mut names = joined(rows);
        if self.csv.header_match == HeaderMatch::Loose {
            names = loosened(&self.plan.contract, names);
        }
        check_names(self.plan, &names).map_err(|e| e.at_line(first_line))?;
        Ok(Some(HeaderInfo { names: Some(names), end: self.end as u64, lines: self.lines }))
    }
}

fn cells(csv: &CsvFormat, dialect: &Dialect, record: &[u8], delimiters: &[u32]) -> Result<Vec<String>, String> {
    let mut scratch = Vec::new();
    let mut cells = Vec::with_capacity(delimiters.len() + 1);
    let mut start = 0;
    for end in delimiters.iter().map(|d| *d as usize - dialect.delimiter.len()).chain([record.len()]) {
        let Unquoted { value, .. } = unquote(dialect, &record[start..end], &mut scratch);
        let cell = text::decode(value, csv.encoding).map_err(|at| {
            format!(
                "column {} of the header is no valid text at its byte {at}; set intake.format.csv.encoding or save the file as UTF-8",
                cells.len() + 1
            )
        })?;
        cells.push(cell.into_owned());
        start = end + dialect.delimiter.len();
    }
    Ok(cells)
}
