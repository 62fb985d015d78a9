//! The byte automaton that finds records and fields. One table serves the decoder and the scanner, so that they cannot disagree.

use std::collections::HashMap;

use sluice_contract::{CsvFormat, Encoding, Escape, Format, Plan};

use super::index::Marks;

/// A record ends with this byte.
pub(crate) const END_ROW: u16 = 0x100;
/// A line that is no record (blank or comment) ends with this byte.
pub(crate) const END_SKIP: u16 = 0x200;
/// A delimiter is complete with this byte.
pub(crate) const FIELD: u16 = 0x400;
/// A line ends inside a record with this byte.
pub(crate) const LINE: u16 = 0x800;
/// With this byte, text stands after a quote that closes on a later line than it opens: it is rather the next quote's first half.
pub(crate) const STRAY: u16 = 0x1000;

/// Lexing states. What stands after a closing quote is lexed as unquoted text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum State {
    /// At the first byte of a line.
    Record,
    /// Bytes of the comment prefix seen at the start of a line.
    CommentPrefix(u8),
    /// In a comment.
    Comment,
    /// At the first byte of a field.
    Field,
    /// In unquoted text, with this many bytes of a delimiter seen.
    Plain(u8),
    /// In quotes.
    Quoted { cr: bool, lines: bool },
    /// After a backslash in quotes.
    Escaped { lines: bool },
    /// After a quote in quotes: closed, or half of a doubled quote.
    QuoteSeen { lines: bool },
    /// After quotes that are closed, in blanks that do not count.
    Closed { lines: bool },
    /// NDJSON: in a line of blanks so far.
    Blank,
    /// NDJSON: in a line that is not blank.
    Json,
}

/// A dialect in the bytes of its file.
#[derive(Debug, Clone)]
pub(crate) struct Dialect {
    pub(crate) delimiter: Vec<u8>,
    pub(crate) quote: Option<u8>,
    pub(crate) escape: Escape,
    pub(crate) comment: Vec<u8>,
    pub(crate) trim: bool,
    /// A blank line is a row of one empty field: only where the contract has one column.
    pub(crate) blank_is_row: bool,
}

impl Dialect {
    pub(crate) fn of(csv: &CsvFormat, columns: usize) -> Self {
        Self {
            delimiter: encode(&csv.delimiter, csv.encoding),
            quote: csv.quote.filter(char::is_ascii).map(|q| q as u8),
            escape: csv.escape,
            comment: csv.comment.as_deref().map(|c| encode(c, csv.encoding)).unwrap_or_default(),
            trim: csv.trim,
            blank_is_row: columns == 1,
        }
    }
}

/// Text in the bytes of an encoding. Characters that the encoding lacks become `?`.
pub(crate) fn encode(text: &str, encoding: Encoding) -> Vec<u8> {
    match encoding {
        // UTF-16 is read as the UTF-8 made from it.
        Encoding::Utf8 | Encoding::Utf16 | Encoding::Utf16Le | Encoding::Utf16Be => text.as_bytes().to_vec(),
        Encoding::Latin1 => text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect(),
        Encoding::Windows1252 => text.chars().map(crate::typed::text::to_windows_1252).collect(),
    }
}

/// Transition table over bytes: the next state in the low byte, what happens in the high byte.
#[derive(Debug)]
pub(crate) struct Automaton {
    table: Vec<[u16; 256]>,
    quoted: Vec<bool>,
    comment: Vec<bool>,
    nothing: Vec<bool>,
    /// Whether a carriage return ends a line (not in NDJSON, where it is white space).
    pub(crate) cr_ends: bool,
    /// How ordinary records can be found faster; `None` if they cannot.
    pub(crate) marks: Option<Marks>,
}

/// The state at the start of a record.
pub(crate) const RECORD: u8 = 0;

impl Automaton {
    pub(crate) fn of(plan: &Plan) -> Self {
        match &plan.pipeline.intake.format {
            Format::Csv(csv) => Self::csv(&Dialect::of(csv, plan.contract.columns.len())),
            // Parquet has no text; its plan never reaches a splitter.
            Format::Ndjson(_) | Format::Parquet => Self::ndjson(),
        }
    }

    pub(crate) fn csv(dialect: &Dialect) -> Self {
        Self::build(State::Record, true, Marks::csv(dialect), |state, byte| csv_step(dialect, state, byte, true))
    }

    pub(crate) fn ndjson() -> Self {
        Self::build(State::Record, false, Some(Marks::lines()), |state, byte| match (state, byte) {
            (State::Record | State::Blank, b'\n') => (State::Record, END_SKIP),
            (State::Record | State::Blank, b' ' | b'\t' | b'\r') => (State::Blank, 0),
            (_, b'\n') => (State::Record, END_ROW),
            _ => (State::Json, 0),
        })
    }

    fn build(start: State, cr_ends: bool, marks: Option<Marks>, step: impl Fn(State, u8) -> (State, u16)) -> Self {
        let mut states = vec![start];
        let mut ids = HashMap::from([(start, 0_u16)]);
        let mut table = Vec::new();
        while table.len() < states.len() {
            let state = states[table.len()];
            let mut row = [0_u16; 256];
            for byte in 0..=255_u8 {
                let (next, action) = step(state, byte);
                let id = *ids.entry(next).or_insert_with(|| {
                    states.push(next);
                    states.len() as u16 - 1
                });
                row[usize::from(byte)] = id | action;
            }
            table.push(row);
        }
        assert!(states.len() < 250, "a delimiter or comment prefix longer than the plan allows");
        let quoted = states.iter().map(|s| matches!(s, State::Quoted { .. } | State::Escaped { .. })).collect();
        let comment = states.iter().map(|s| matches!(s, State::Comment)).collect();
        let nothing = states.iter().map(|s| matches!(s, State::Record | State::Blank | State::Comment)).collect();
        Self { table, quoted, comment, nothing, cr_ends, marks }
    }

    /// The row of a state: next states and actions by byte.
    #[inline]
    pub(crate) fn row(&self, state: u8) -> &[u16; 256] {
        &self.table[usize::from(state)]
    }

    /// Number of states.
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether a line end in this state does not end the record.
    pub(crate) fn in_quotes(&self, state: u8) -> bool {
        self.quoted[usize::from(state)]
    }

    /// Whether a text that ends in this state has no record there.
    pub(crate) fn is_nothing(&self, state: u8) -> bool {
        self.nothing[usize::from(state)]
    }

    pub(crate) fn in_comment(&self, state: u8) -> bool {
        self.comment[usize::from(state)]
    }
}

fn csv_step(dialect: &Dialect, state: State, byte: u8, comments: bool) -> (State, u16) {
    let is_end = byte == b'\n' || byte == b'\r';
    match state {
        State::Record => {
            if is_end {
                return (State::Record, if dialect.blank_is_row { END_ROW } else { END_SKIP });
            }
            if comments && dialect.comment.first() == Some(&byte) {
                return (if dialect.comment.len() == 1 { State::Comment } else { State::CommentPrefix(1) }, 0);
            }
            csv_step(dialect, State::Field, byte, comments)
        }
        State::CommentPrefix(seen) => {
            if dialect.comment.get(usize::from(seen)) == Some(&byte) {
                let seen = seen + 1;
                return (if usize::from(seen) == dialect.comment.len() { State::Comment } else { State::CommentPrefix(seen) }, 0);
            }
            let start = dialect.comment[..usize::from(seen)].iter().fold(State::Record, |state, b| csv_step(dialect, state, *b, false).0);
            csv_step(dialect, start, byte, false)
        }
        State::Comment => (if is_end { State::Record } else { State::Comment }, if is_end { END_SKIP } else { 0 }),
        State::Field => {
            if Some(byte) == dialect.quote {
                return (State::Quoted { cr: false, lines: false }, 0);
            }
            if dialect.trim && is_blank(byte) && dialect.delimiter[0] != byte {
                return (State::Field, 0);
            }
            csv_step(dialect, State::Plain(0), byte, comments)
        }
        State::Plain(_) if is_end => (State::Record, END_ROW),
        State::Plain(seen) => {
            let seen = delimiter_progress(&dialect.delimiter, usize::from(seen), byte);
            if seen == dialect.delimiter.len() { (State::Field, FIELD) } else { (State::Plain(seen as u8), 0) }
        }
        State::Quoted { lines, .. } if dialect.escape == Escape::Backslash && byte == b'\\' => (State::Escaped { lines }, 0),
        State::Quoted { lines, .. } if Some(byte) == dialect.quote => (State::QuoteSeen { lines }, 0),
        State::Quoted { cr, lines } => match byte {
            b'\r' => (State::Quoted { cr: true, lines: true }, LINE),
            b'\n' => (State::Quoted { cr: false, lines: true }, if cr { 0 } else { LINE }),
            _ => (State::Quoted { cr: false, lines }, 0),
        },
        State::Escaped { lines } => match byte {
            b'\r' => (State::Quoted { cr: true, lines: true }, LINE),
            b'\n' => (State::Quoted { cr: false, lines: true }, LINE),
            _ => (State::Quoted { cr: false, lines }, 0),
        },
        State::QuoteSeen { lines } if dialect.escape == Escape::Double && Some(byte) == dialect.quote => {
            (State::Quoted { cr: false, lines }, 0)
        }
        State::QuoteSeen { lines } | State::Closed { lines } => {
            if dialect.trim && is_blank(byte) && dialect.delimiter[0] != byte {
                return (State::Closed { lines }, 0);
            }
            let (next, action) = csv_step(dialect, State::Plain(0), byte, comments);
            (next, if lines && next == State::Plain(0) { STRAY } else { action })
        }
        State::Json | State::Blank => (State::Json, 0),
    }
}

/// Bytes of the delimiter seen after one more byte (Knuth, Morris and Pratt, without a table: delimiters are a few bytes).
fn delimiter_progress(delimiter: &[u8], seen: usize, byte: u8) -> usize {
    let mut text = delimiter[..seen].to_vec();
    text.push(byte);
    (0..=text.len()).rev().find(|n| text.ends_with(&delimiter[..*n])).unwrap_or(0)
}

pub(crate) fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}
