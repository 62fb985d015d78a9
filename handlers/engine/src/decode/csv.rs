//! The fields of a CSV record.

use std::sync::Arc;

use sluice_contract::{CsvFormat, Escape, ShortRow};

use super::batch::BatchBuilder;
use crate::split::automaton::{Dialect, is_blank};
use crate::split::index::{FieldEnd, Index};
use crate::typed::check::Fault;
use crate::typed::column::Column;
use crate::typed::quick::Cells;
use crate::typed::raw::Raw;
use crate::typed::text::{self, shorten};
use crate::{Code, VALUE_CHARS};

/// A field without its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unquoted<'a> {
    pub(crate) value: &'a [u8],
    /// Text stands after the closing quote.
    pub(crate) has_tail: bool,
}

/// Takes quotes and escapes away. `scratch` holds the value where it is not a part of `field`.
#[inline]
pub(crate) fn unquote<'a>(dialect: &Dialect, field: &'a [u8], scratch: &'a mut Vec<u8>) -> Unquoted<'a> {
    let field = if dialect.trim { trim(field) } else { field };
    match dialect.quote {
        Some(quote) if field.first() == Some(&quote) => unquote_quoted(dialect, quote, &field[1..], scratch),
        _ => Unquoted { value: field, has_tail: false },
    }
}

/// `text` begins after the opening quote.
fn unquote_quoted<'a>(dialect: &Dialect, quote: u8, text: &'a [u8], scratch: &'a mut Vec<u8>) -> Unquoted<'a> {
    let is_plain = |part: &[u8]| dialect.escape != Escape::Backslash || memchr::memchr(b'\\', part).is_none();
    match memchr::memchr(quote, text) {
        Some(end) if end + 1 == text.len() && is_plain(&text[..end]) => return Unquoted { value: &text[..end], has_tail: false },
        None if is_plain(text) => return Unquoted { value: text, has_tail: false },
        _ => {}
    }
    scratch.clear();
    let mut i = 0;
    while let Some(byte) = text.get(i) {
        let next = text.get(i + 1);
        if dialect.escape == Escape::Backslash && *byte == b'\\' {
            match next {
                Some(c) if *c == quote || *c == b'\\' => scratch.push(*c),
                Some(c) => scratch.extend_from_slice(&[b'\\', *c]),
                None => scratch.push(b'\\'),
            }
            i += 2;
        } else if *byte == quote {
            if dialect.escape == Escape::Double && next == Some(&quote) {
                scratch.push(quote);
                i += 2;
            } else {
                let tail = &text[i + 1..];
                scratch.extend_from_slice(tail);
                return Unquoted { value: scratch, has_tail: !tail.is_empty() };
            }
        } else {
            scratch.push(*byte);
            i += 1;
        }
    }
    Unquoted { value: scratch, has_tail: false }
}

fn trim(mut field: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = field
        && is_blank(*first)
    {
        field = rest;
    }
    while let [rest @ .., last] = field
        && is_blank(*last)
    {
        field = rest;
    }
    field
}

/// Which field of a record is which column.
#[derive(Debug, Clone)]
pub(crate) struct CsvRecords {
    pub(crate) dialect: Dialect,
    short_row: ShortRow,
    /// Fields of a whole record.
    pub(crate) width: usize,
    /// Field and column, by field.
    fields: Vec<(usize, usize)>,
}

impl CsvRecords {
    /// `names` is the header; without one the columns stand in the order of the contract.
    pub(crate) fn new(csv: &CsvFormat, columns: &[Column], names: Option<&[String]>) -> Self {
        let mut fields: Vec<(usize, usize)> = match names {
            None => (0..columns.len()).map(|i| (i, i)).collect(),
            Some(names) => {
                let place = |column: &Column| names.iter().position(|n| *n == column.source);
                columns.iter().enumerate().filter_map(|(i, column)| place(column).map(|at| (at, i))).collect()
            }
        };
        fields.sort_unstable();
        let width = names.map_or(columns.len(), <[String]>::len);
        Self { dialect: Dialect::of(csv, columns.len()), short_row: csv.short_row, width, fields }
    }

    /// Reads the records of an index into the rows from `first` on: whole ones column by column, the others one by one.
    pub(crate) fn read_all(&self, text: &[u8], index: &Index, first: usize, scratch: &mut Vec<u8>, rows: &mut BatchBuilder) {
        let records = &index.records;
        let is_whole = |at: usize| records[at].fields as usize == self.width && !records[at].has_doubled;
        let Some((start, end)) = records.first().zip(records.last()).map(|(f, l)| (f.start as usize, l.next as usize)) else { return };
        let around = &text[start..end];
        let is_ascii = around.is_ascii();
        let is_text = (is_ascii || std::str::from_utf8(around).is_ok()) && memchr::memchr(0, around).is_none();
        let mut parts = Vec::with_capacity(records.len());
        let mut delimiters = Vec::new();
        let mut at = 0;
        while at < records.len() {
            if !is_whole(at) {
                let record = &records[at];
                let ends = &index.ends[record.first as usize..(record.first + record.fields - 1) as usize];
                delimiters.clear();
                delimiters.extend(ends.iter().map(|end| end.at() + 1 - record.start));
                rows.go_to(first + at);
                self.read(&text[record.start as usize..record.end as usize], &delimiters, scratch, rows);
                at += 1;
                continue;
            }
            let count = (at..records.len()).take_while(|at| is_whole(*at)).count();
            let run = &records[at..at + count];
            let ends = &index.ends[run[0].first as usize..][..count * self.width];
            for (field, column) in &self.fields {
                parts.clear();
                let fields = ends.chunks_exact(self.width);
                if *field == 0 {
                    parts.extend(run.iter().zip(fields).map(|(record, ends)| self.part(text, record.start, ends[0])));
                } else {
                    parts.extend(fields.map(|ends| self.part(text, ends[*field - 1].at() + 1, ends[*field])));
                }
                rows.values(*column, first + at, Cells { text, parts: &parts, is_text, is_ascii, is_json: false });
            }
            at += count;
        }
    }

    /// Where the value of a field of an ordinary record stands.
    #[inline]
    fn part(&self, text: &[u8], start: u32, end: FieldEnd) -> (u32, u32) {
        let (quotes, end) = (end.quotes(), end.at());
        if self.dialect.trim && quotes == 0 {
            let field = &text[start as usize..end as usize];
            let before = field.iter().take_while(|b| is_blank(**b)).count();
            let after = field[before..].iter().rev().take_while(|b| is_blank(**b)).count();
            return (start + before as u32, end - after as u32);
        }
        (start + quotes, end - quotes)
    }

    /// Reads one record into the current row.
    pub(crate) fn read(&self, record: &[u8], delimiters: &[u32], scratch: &mut Vec<u8>, rows: &mut BatchBuilder) {
        let found = delimiters.len() + 1;
        if found != self.width {
            let code = if found < self.width { Code::TooFewFields } else { Code::TooManyFields };
            let fault = Fault::new(code, format!("expected {} fields, found {found}", self.width));
            match self.short_row {
                ShortRow::Reject => {
                    rows.fault(fault, None, None, true);
                    rows.nulls();
                    return;
                }
                ShortRow::Review => rows.fault(fault, None, None, false),
                ShortRow::Pad if found < self.width => rows.repair("paddedRows", 1),
                ShortRow::Pad => rows.repair("droppedFields", (found - self.width) as u64),
            }
        }
        let step = self.dialect.delimiter.len();
        let columns = Arc::clone(rows.columns());
        for (field, column) in &self.fields {
            if *field >= found {
                rows.value(*column, Raw::Null);
                continue;
            }
            let start = if *field == 0 { 0 } else { delimiters[*field - 1] as usize };
            let end = delimiters.get(*field).map_or(record.len(), |d| *d as usize - step);
            let Unquoted { value, has_tail } = unquote(&self.dialect, &record[start..end], scratch);
            if has_tail {
                let shown = shorten(&text::decode_lossy(&record[start..end], rows.reading.encoding), VALUE_CHARS);
                let fault = Fault::new(Code::TextAfterQuote, "has text after the closing quote");
                rows.fault(fault, Some(&columns[*column].name), Some(shown), true);
            }
            rows.value(*column, Raw::Text(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialect(escape: Escape, trim: bool) -> Dialect {
        Dialect { delimiter: b",".to_vec(), quote: Some(b'"'), escape, comment: Vec::new(), trim, blank_is_row: false }
    }

    #[test]
    fn quotes_and_escapes_go() {
        let cases: [(Escape, &[u8], &[u8], bool); 9] = [
            (Escape::Double, b"plain", b"plain", false),
            (Escape::Double, b"\"a,b\"", b"a,b", false),
            (Escape::Double, b"\"a\"\"b\"", b"a\"b", false),
            (Escape::Double, b"a\"b", b"a\"b", false),
            (Escape::Double, b"\"a\"b", b"ab", true),
            (Escape::Double, b"\"open", b"open", false),
            (Escape::Backslash, b"\"a\\\"b\\\\c\\n\"", b"a\"b\\c\\n", false),
            (Escape::Backslash, b"\"a\"\"b\"", b"a\"b\"", true),
            (Escape::None, b"\"a\\\"", b"a\\", false),
        ];
        for (escape, field, value, has_tail) in cases {
            let mut scratch = Vec::new();
            assert_eq!(unquote(&dialect(escape, false), field, &mut scratch), Unquoted { value, has_tail }, "{}", field.escape_ascii());
        }
    }

    #[test]
    fn blanks_go_where_the_dialect_says_so() {
        let mut scratch = Vec::new();
        assert_eq!(unquote(&dialect(Escape::Double, true), b" \t x y ", &mut scratch).value, b"x y");
        assert_eq!(unquote(&dialect(Escape::Double, true), b" \" x \" ", &mut scratch).value, b" x ");
        assert_eq!(unquote(&dialect(Escape::Double, false), b" x ", &mut scratch).value, b" x ");
    }
}
