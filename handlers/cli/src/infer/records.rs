//! Records of a text in UTF-8 under a dialect that is still being found out. It is split as the engine splits it.

use std::io::{self, BufRead};

use sluice_contract::{Encoding, Escape};

/// Longest record that is looked at, in bytes.
const MAX_RECORD: usize = 16 << 20;
/// Bytes of a record's beginning that are kept as they stand in the file.
const START: usize = 80;

/// How a delimited text seems to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) delimiter: String,
    pub(crate) quote: Option<u8>,
    pub(crate) escape: Escape,
    /// Lines that start with this are passed over.
    pub(crate) comment: Option<String>,
    /// Lines before the first record.
    pub(crate) skip_lines: u32,
    /// Blanks around fields are passed over.
    pub(crate) trim: bool,
    pub(crate) encoding: Encoding,
}

impl Default for Dialect {
    /// RFC 4180.
    fn default() -> Self {
        Self {
            delimiter: ",".to_owned(),
            quote: Some(b'"'),
            escape: Escape::Double,
            comment: None,
            skip_lines: 0,
            trim: false,
            encoding: Encoding::Utf8,
        }
    }
}

/// One record: its fields as bytes, unquoted.
#[derive(Debug, Default, Clone)]
pub(crate) struct Record {
    bytes: Vec<u8>,
    fields: Vec<Field>,
    /// A quote stands where none may.
    pub(crate) flawed: bool,
    /// 1-based line it begins on.
    pub(crate) line: u32,
    /// How it begins in the file.
    pub(crate) start: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Field {
    end: usize,
    quoted: bool,
}

impl Record {
    pub(crate) fn len(&self) -> usize {
        self.fields.len()
    }

    /// The fields and whether each was quoted.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&[u8], bool)> {
        let mut start = 0;
        self.fields.iter().map(move |field| {
            let bytes = &self.bytes[start..field.end];
            start = field.end;
            (bytes, field.quoted)
        })
    }

    /// The fields as text, without the blanks around those that were not quoted.
    pub(crate) fn cells(&self) -> Vec<String> {
        self.fields()
            .map(|(bytes, quoted)| {
                let text = String::from_utf8_lossy(bytes);
                if quoted { text.into_owned() } else { text.trim_matches([' ', '\t']).to_owned() }
            })
            .collect()
    }

    /// Nothing but blanks in every field.
    pub(crate) fn is_blank(&self) -> bool {
        self.bytes.iter().all(u8::is_ascii_whitespace)
    }

    /// Whether any field was quoted.
    pub(crate) fn is_quoted(&self) -> bool {
        self.fields.iter().any(|field| field.quoted)
    }

    fn clear(&mut self, line: u32) {
        self.bytes.clear();
        self.fields.clear();
        self.start.clear();
        self.flawed = false;
        self.line = line;
    }

    fn end_field(&mut self, quoted: bool) {
        self.fields.push(Field { end: self.bytes.len(), quoted });
    }
}

/// Reads records one by one.
#[derive(Debug)]
pub(crate) struct Records<R> {
    input: R,
    dialect: Dialect,
    /// 1-based line of the next byte.
    line: u32,
    started: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    FieldStart,
    /// In an unquoted field; where its text begins among the record's bytes.
    Plain(usize),
    Quoted,
    /// Just after a quote that may close the field.
    AfterQuote,
    /// Only blanks or a part of the delimiter since the closing quote, where the field's text ended.
    Closed(usize),
}

impl<R: BufRead> Records<R> {
    pub(crate) fn new(input: R, dialect: Dialect) -> Self {
        Self { input, dialect, line: 1, started: false }
    }

    /// The next record that is neither empty nor a comment; `false` at the end.
    pub(crate) fn read(&mut self, record: &mut Record) -> io::Result<bool> {
        if !self.started {
            self.started = true;
            self.pass_mark()?;
            for _ in 0..self.dialect.skip_lines {
                self.pass_line()?;
            }
        }
        loop {
            match self.peek()? {
                None => return Ok(false),
                Some(b'\n' | b'\r') => self.pass_line()?,
                Some(_) if self.is_comment()? => self.pass_line()?,
                Some(_) => {
                    record.clear(self.line);
                    self.split(record)?;
                    return Ok(true);
                }
            }
        }
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.input.fill_buf()?.first().copied())
    }

    fn next(&mut self) -> io::Result<Option<u8>> {
        let byte = self.peek()?;
        if byte.is_some() {
            self.input.consume(1);
        }
        Ok(byte)
    }

    fn pass_mark(&mut self) -> io::Result<()> {
        if self.input.fill_buf()?.starts_with(b"\xef\xbb\xbf") {
            self.input.consume(3);
        }
        Ok(())
    }

    /// A comment prefix that a buffer's end cuts in two is missed; buffers are far longer than lines.
    fn is_comment(&mut self) -> io::Result<bool> {
        let Some(comment) = &self.dialect.comment else { return Ok(false) };
        Ok(self.input.fill_buf()?.starts_with(comment.as_bytes()))
    }

    fn pass_line(&mut self) -> io::Result<()> {
        while let Some(byte) = self.next()? {
            if byte == b'\n' || byte == b'\r' {
                self.end_line(byte)?;
                return Ok(());
            }
        }
        Ok(())
    }

    fn end_line(&mut self, byte: u8) -> io::Result<()> {
        self.line += 1;
        if byte == b'\r' && self.peek()? == Some(b'\n') {
            self.input.consume(1);
        }
        Ok(())
    }

    fn split(&mut self, record: &mut Record) -> io::Result<()> {
        let Dialect { delimiter, quote, escape, trim, .. } = self.dialect.clone();
        let delimiter = delimiter.as_bytes();
        let mut place = Place::FieldStart;
        loop {
            let Some(byte) = self.next()?.filter(|_| record.bytes.len() <= MAX_RECORD) else {
                record.flawed |= place == Place::Quoted;
                end(record, place);
                return Ok(());
            };
            if record.start.len() < START {
                record.start.push(byte);
            }
            let is_quote = quote == Some(byte);
            if (byte == b'\n' || byte == b'\r') && place != Place::Quoted {
                record.start.truncate(record.start.len() - usize::from(record.start.last() == Some(&byte)));
                end(record, place);
                return self.end_line(byte);
            }
            place = match place {
                Place::FieldStart if is_quote => Place::Quoted,
                Place::FieldStart if trim && (byte == b' ' || byte == b'\t') && !delimiter.contains(&byte) => Place::FieldStart,
                Place::FieldStart => {
                    let from = record.bytes.len();
                    plain(record, from, byte, delimiter)
                }
                Place::Plain(from) => plain(record, from, byte, delimiter),
                Place::Quoted if escape == Escape::Backslash && byte == b'\\' => {
                    match self.next()? {
                        Some(c) if Some(c) == quote || c == b'\\' => record.bytes.push(c),
                        Some(c) => record.bytes.extend([b'\\', c]),
                        None => record.bytes.push(b'\\'),
                    }
                    Place::Quoted
                }
                Place::Quoted if is_quote => Place::AfterQuote,
                Place::Quoted => {
                    record.bytes.push(byte);
                    if byte == b'\n' || byte == b'\r' {
                        self.line += u32::from(byte == b'\n' || self.peek()? != Some(b'\n'));
                    }
                    Place::Quoted
                }
                Place::AfterQuote if is_quote && escape == Escape::Double => {
                    record.bytes.push(byte);
                    Place::Quoted
                }
                Place::AfterQuote => {
                    let from = record.bytes.len();
                    closed(record, from, byte, delimiter, trim)
                }
                Place::Closed(from) => closed(record, from, byte, delimiter, trim),
            };
        }
    }
}

fn end(record: &mut Record, place: Place) {
    if let Place::Closed(from) = place {
        record.flawed |= !record.bytes[from..].iter().all(|b| *b == b' ' || *b == b'\t');
        record.bytes.truncate(from);
    }
    record.end_field(matches!(place, Place::Quoted | Place::AfterQuote | Place::Closed(_)));
}

/// One more byte of an unquoted field whose text begins at `from`.
fn plain(record: &mut Record, from: usize, byte: u8, delimiter: &[u8]) -> Place {
    record.bytes.push(byte);
    if !record.bytes[from..].ends_with(delimiter) {
        return Place::Plain(from);
    }
    record.bytes.truncate(record.bytes.len() - delimiter.len());
    record.end_field(false);
    Place::FieldStart
}

/// One more byte after a closing quote; the field's text ended at `from`.
fn closed(record: &mut Record, from: usize, byte: u8, delimiter: &[u8], trim: bool) -> Place {
    record.bytes.push(byte);
    let since = &record.bytes[from..];
    if since.ends_with(delimiter) {
        let between = &since[..since.len() - delimiter.len()];
        record.flawed |= !(between.is_empty() || trim && between.iter().all(|b| *b == b' ' || *b == b'\t'));
        record.bytes.truncate(from);
        record.end_field(true);
        return Place::FieldStart;
    }
    Place::Closed(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(text: &[u8], dialect: Dialect) -> Vec<(Vec<String>, bool)> {
        let mut records = Records::new(text, dialect);
        let mut record = Record::default();
        let mut all = Vec::new();
        while records.read(&mut record).unwrap() {
            all.push((record.fields().map(|(f, _)| String::from_utf8_lossy(f).into_owned()).collect(), record.flawed));
        }
        all
    }

    fn fields(texts: &[&str]) -> Vec<String> {
        texts.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn quoted_fields_may_hold_anything() {
        let all = read_all(b"\xef\xbb\xbfa,b\r\n\"x,\"\"y\"\"\",\"two\r\nlines\"\r\n\r\n,\"\"\n", Dialect::default());
        assert_eq!(all[0].0, fields(&["a", "b"]));
        assert_eq!(all[1].0, fields(&["x,\"y\"", "two\r\nlines"]));
        assert_eq!(all[2].0, fields(&["", ""]));
        assert_eq!(all.len(), 3);
    }

    #[test]
    fn a_quote_in_the_wrong_place_is_noticed() {
        assert!(read_all(b"\"a\"b,c\n", Dialect::default())[0].1);
        assert!(read_all(b"\"never closed\n", Dialect::default())[0].1);
        assert!(!read_all(b"5\" pipe,c\n", Dialect::default())[0].1, "within a plain field it is a character");
    }

    #[test]
    fn comments_and_first_lines_are_passed_over() {
        let dialect = Dialect { comment: Some("//".to_owned()), skip_lines: 1, ..Dialect::default() };
        let all = read_all(b"made by hand\n//x\na,b\n//y\n1,2", dialect);
        assert_eq!(all.iter().map(|r| r.0.clone()).collect::<Vec<_>>(), [fields(&["a", "b"]), fields(&["1", "2"])]);
    }

    #[test]
    fn a_backslash_can_escape() {
        let all = read_all(b"\"say \\\"hi\\\"\",2\n", Dialect { escape: Escape::Backslash, ..Dialect::default() });
        assert_eq!(all[0].0, fields(&["say \"hi\"", "2"]));
    }

    #[test]
    fn delimiters_may_be_long_and_lines_may_end_in_a_carriage_return() {
        let all = read_all(b"a||b\r\"x||\"||2\r", Dialect { delimiter: "||".to_owned(), ..Dialect::default() });
        assert_eq!(all.iter().map(|r| r.0.clone()).collect::<Vec<_>>(), [fields(&["a", "b"]), fields(&["x||", "2"])]);
    }

    #[test]
    fn blanks_around_quotes_are_passed_over_where_the_dialect_says_so() {
        let all = read_all(b"1, \"b, c\" ,2\n", Dialect { trim: true, ..Dialect::default() });
        assert_eq!(all[0], (fields(&["1", "b, c", "2"]), false));
        let all = read_all(b"1, \"b, c\" ,2\n", Dialect::default());
        assert_eq!(all[0].0.len(), 4);
    }

    #[test]
    fn lines_are_counted() {
        let mut records = Records::new(&b"a\n\n\"x\r\ny\"\rz\n"[..], Dialect::default());
        let mut record = Record::default();
        let mut lines = Vec::new();
        while records.read(&mut record).unwrap() {
            lines.push(record.line);
        }
        assert_eq!(lines, [1, 3, 5]);
    }
}
