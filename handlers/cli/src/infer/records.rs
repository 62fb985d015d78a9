//! Records of a delimited text under a dialect that is still being found out.

use std::io::{self, BufRead};

use sluice_contract::{Encoding, Escape};

/// Longest record that is looked at.
const MAX_RECORD: usize = 16 << 20;

/// How a delimited text seems to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) delimiter: u8,
    pub(crate) quote: Option<u8>,
    pub(crate) escape: Escape,
    /// Lines that start with this byte are passed over.
    pub(crate) comment: Option<u8>,
    /// Lines before the first record.
    pub(crate) skip_lines: u32,
    pub(crate) encoding: Encoding,
}

/// One record: its fields as bytes, unquoted.
#[derive(Debug, Default)]
pub(crate) struct Record {
    bytes: Vec<u8>,
    fields: Vec<Field>,
    /// A quote stands where none may.
    pub(crate) flawed: bool,
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

    fn clear(&mut self) {
        self.bytes.clear();
        self.fields.clear();
        self.flawed = false;
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
    line: Vec<u8>,
    started: bool,
}

enum Place {
    FieldStart,
    Plain,
    Quoted,
    /// Just after a quote that may close the field.
    AfterQuote,
}

impl<R: BufRead> Records<R> {
    pub(crate) fn new(input: R, dialect: Dialect) -> Self {
        Self { input, dialect, line: Vec::new(), started: false }
    }

    /// The next record that is neither empty nor a comment; `false` at the end.
    pub(crate) fn read(&mut self, record: &mut Record) -> io::Result<bool> {
        if !self.started {
            self.started = true;
            self.pass_over_start()?;
        }
        loop {
            if self.line.is_empty() && !self.next_line()? {
                return Ok(false);
            }
            let line = without_newline(&self.line);
            let comment = self.dialect.comment.is_some_and(|mark| line.first() == Some(&mark));
            if line.is_empty() || comment {
                self.line.clear();
                continue;
            }
            record.clear();
            self.split(record)?;
            self.line.clear();
            return Ok(true);
        }
    }

    fn pass_over_start(&mut self) -> io::Result<()> {
        for _ in 0..self.dialect.skip_lines {
            self.next_line()?;
        }
        self.line.clear();
        self.next_line()?;
        if self.dialect.skip_lines == 0 && self.line.starts_with(b"\xef\xbb\xbf") {
            self.line.drain(..3);
        }
        Ok(())
    }

    fn next_line(&mut self) -> io::Result<bool> {
        self.line.clear();
        let read = io::Read::take(&mut self.input, MAX_RECORD as u64).read_until(b'\n', &mut self.line)?;
        Ok(read > 0)
    }

    fn split(&mut self, record: &mut Record) -> io::Result<()> {
        let mut place = Place::FieldStart;
        loop {
            let quoted_newline = self.split_line(record, &mut place);
            if !quoted_newline || record.bytes.len() > MAX_RECORD || !self.next_line()? {
                record.flawed |= quoted_newline;
                record.end_field(matches!(place, Place::Quoted | Place::AfterQuote));
                return Ok(());
            }
        }
    }

    /// Splits the line at hand; `true` if it ended within quotes.
    fn split_line(&self, record: &mut Record, place: &mut Place) -> bool {
        let Dialect { delimiter, quote, escape, .. } = self.dialect;
        let content = without_newline(&self.line);
        let mut bytes = content.iter().copied().peekable();
        while let Some(byte) = bytes.next() {
            let is_quote = quote == Some(byte);
            match place {
                Place::FieldStart if is_quote => *place = Place::Quoted,
                Place::FieldStart | Place::Plain if byte == delimiter => {
                    record.end_field(false);
                    *place = Place::FieldStart;
                }
                Place::FieldStart | Place::Plain => {
                    record.bytes.push(byte);
                    *place = Place::Plain;
                }
                Place::Quoted if escape == Escape::Backslash && byte == b'\\' => record.bytes.extend(bytes.next()),
                Place::Quoted if is_quote => *place = Place::AfterQuote,
                Place::Quoted => record.bytes.push(byte),
                Place::AfterQuote if is_quote && escape == Escape::Double => {
                    record.bytes.push(byte);
                    *place = Place::Quoted;
                }
                Place::AfterQuote if byte == delimiter => {
                    record.end_field(true);
                    *place = Place::FieldStart;
                }
                Place::AfterQuote => {
                    record.flawed = true;
                    record.bytes.push(byte);
                    *place = Place::Plain;
                }
            }
        }
        let open = matches!(place, Place::Quoted);
        if open {
            record.bytes.extend(&self.line[content.len()..]);
        }
        open
    }
}

fn without_newline(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// A field as text.
pub(crate) fn decode(bytes: &[u8], encoding: Encoding) -> String {
    match encoding {
        Encoding::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
        Encoding::Latin1 => bytes.iter().map(|b| char::from(*b)).collect(),
        Encoding::Windows1252 => bytes.iter().map(|b| windows_1252(*b)).collect(),
    }
}

/// The WHATWG index of windows-1252: it differs from ISO 8859-1 in 0x80 to 0x9f only.
fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '\u{20ac}', '\u{81}', '\u{201a}', '\u{192}', '\u{201e}', '\u{2026}', '\u{2020}', '\u{2021}', '\u{2c6}', '\u{2030}', '\u{160}',
        '\u{2039}', '\u{152}', '\u{8d}', '\u{17d}', '\u{8f}', '\u{90}', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}', '\u{2022}',
        '\u{2013}', '\u{2014}', '\u{2dc}', '\u{2122}', '\u{161}', '\u{203a}', '\u{153}', '\u{9d}', '\u{17e}', '\u{178}',
    ];
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(text: &[u8], dialect: Dialect) -> Vec<(Vec<String>, bool)> {
        let mut records = Records::new(text, dialect);
        let mut record = Record::default();
        let mut all = Vec::new();
        while records.read(&mut record).unwrap() {
            all.push((record.fields().map(|(f, _)| decode(f, Encoding::Utf8)).collect(), record.flawed));
        }
        all
    }

    fn dialect() -> Dialect {
        Dialect { delimiter: b',', quote: Some(b'"'), escape: Escape::Double, comment: None, skip_lines: 0, encoding: Encoding::Utf8 }
    }

    fn fields(texts: &[&str]) -> Vec<String> {
        texts.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn quoted_fields_may_hold_anything() {
        let all = read_all(b"\xef\xbb\xbfa,b\r\n\"x,\"\"y\"\"\",\"two\r\nlines\"\r\n\r\n,\"\"\n", dialect());
        assert_eq!(all[0].0, fields(&["a", "b"]));
        assert_eq!(all[1].0, fields(&["x,\"y\"", "two\r\nlines"]));
        assert_eq!(all[2].0, fields(&["", ""]));
        assert_eq!(all.len(), 3);
    }

    #[test]
    fn a_quote_in_the_wrong_place_is_noticed() {
        assert!(read_all(b"\"a\"b,c\n", dialect())[0].1);
        assert!(read_all(b"\"never closed\n", dialect())[0].1);
        assert!(!read_all(b"5\" pipe,c\n", dialect())[0].1, "within a plain field it is a character");
    }

    #[test]
    fn comments_and_first_lines_are_passed_over() {
        let all = read_all(b"made by hand\n#x\na,b\n#y\n1,2", Dialect { comment: Some(b'#'), skip_lines: 1, ..dialect() });
        assert_eq!(all.iter().map(|r| r.0.clone()).collect::<Vec<_>>(), [fields(&["a", "b"]), fields(&["1", "2"])]);
    }

    #[test]
    fn a_backslash_can_escape() {
        let all = read_all(b"\"say \\\"hi\\\"\",2\n", Dialect { escape: Escape::Backslash, ..dialect() });
        assert_eq!(all[0].0, fields(&["say \"hi\"", "2"]));
    }

    #[test]
    fn old_encodings_are_read() {
        assert_eq!(decode(b"caf\xe9 \x80", Encoding::Windows1252), "café €");
        assert_eq!(decode(b"caf\xe9", Encoding::Latin1), "café");
    }
}
