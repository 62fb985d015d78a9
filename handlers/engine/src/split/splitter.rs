//! Cuts a text into records, with bounded memory and a way back out of an unclosed quote.
//!
//! A record whose end is not found within `row_bytes` bytes (or before the end of the file, while a quote is open), or in which text stands
//! after a quote that closes on a later line than it opens, is cut:
//! - if it holds a line end, it ends there, as an unclosed quote, and the next line is a new record. For the next `row_bytes` bytes a
//!   record may have at most [`CAREFUL_LINES`] lines, so that going back costs a bounded number of passes over the same bytes;
//! - if not, the rest up to the next line end is dropped.

use std::sync::Arc;

use super::automaton::{Automaton, END_SKIP, FIELD, LINE, RECORD, STRAY};
use super::index::Index;

/// Most lines of a record in the `row_bytes` bytes after an unclosed quote.
pub(crate) const CAREFUL_LINES: u32 = 16;

/// Why a record is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// It ends as the dialect says.
    Whole,
    /// Cut at its first line end because a quote is not closed in time.
    Unclosed,
    /// Longer than allowed: this is its first part, the rest is dropped.
    TooLong,
}

/// What stands next in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// More bytes are needed to know.
    More,
    /// Bytes that are no record: blank lines, comments, the rest of what is dropped.
    Skip { len: usize, lines: u32 },
    /// A record.
    Record { content: usize, len: usize, lines: u32, shape: Shape },
}

/// Cuts a text into records. The caller keeps the bytes from the start of the open record on.
#[derive(Debug, Clone)]
pub(crate) struct Splitter {
    automaton: Arc<Automaton>,
    row_bytes: usize,
    state: u8,
    /// Bytes of the open record looked at.
    at: usize,
    /// Line ends inside the open record.
    lines: u32,
    /// The end of each delimiter in the open record.
    pub(crate) delimiters: Vec<u32>,
    /// Bytes left in which records have few lines.
    careful: usize,
    /// The rest of a line is passed over.
    dropping: bool,
    /// The line before ended in a carriage return: a line feed that follows belongs to it.
    after_cr: bool,
}

impl Splitter {
    pub(crate) fn new(automaton: Arc<Automaton>, row_bytes: u64) -> Self {
        let row_bytes = usize::try_from(row_bytes).unwrap_or(usize::MAX).clamp(1, u32::MAX as usize - 1);
        Self { automaton, row_bytes, state: RECORD, at: 0, lines: 0, delimiters: Vec::new(), careful: 0, dropping: false, after_cr: false }
    }

    pub(crate) fn row_bytes(&self) -> usize {
        self.row_bytes
    }

    /// What finds ordinary records, where the dialect allows it.
    pub(crate) fn index(&self) -> Option<Index> {
        self.automaton.marks.as_ref().map(|marks| Index::new(marks, self.row_bytes))
    }

    pub(crate) fn automaton(&self) -> &Automaton {
        &self.automaton
    }

    /// Starts inside the rest of a dropped line.
    pub(crate) fn start_dropping(&mut self) {
        self.dropping = true;
    }

    /// Starts after a carriage return that ended a line.
    pub(crate) fn start_after_cr(&mut self) {
        self.after_cr = true;
    }

    /// Whether the splitter is at the first byte of a line and nothing before it matters any more.
    pub(crate) fn is_fresh(&self) -> bool {
        self.at == 0 && !self.dropping && !self.after_cr && self.careful == 0
    }

    /// Line ends inside the open record so far.
    pub(crate) fn open_lines(&self) -> u32 {
        self.lines
    }

    /// The state that the next bytes meet, if it is one of a record that began in the ordinary way.
    pub(crate) fn open_state(&self) -> Open {
        match () {
            () if self.careful > 0 => Open::Careful,
            () if self.dropping => Open::Dropping,
            () if self.after_cr => Open::AfterCr,
            () => Open::State(self.state),
        }
    }

    /// Finds what stands next. `text` starts where the last record ended, and only grows while the answer is `More`.
    /// `is_last` says that nothing follows `text`; then `More` means that all is read.
    pub(crate) fn next(&mut self, text: &[u8], is_last: bool) -> Found {
        if self.after_cr {
            let Some(first) = text.first() else { return Found::More };
            self.after_cr = false;
            // Also a skip of nothing is an answer: what follows is a fresh record.
            return self.skip(usize::from(*first == b'\n'), 0);
        }
        if self.dropping {
            return self.drop_line(text);
        }
        let limit = text.len().min(self.row_bytes + 1);
        let automaton = Arc::clone(&self.automaton);
        let mut state = self.state;
        for (i, byte) in text[..limit].iter().enumerate().skip(self.at) {
            let step = automaton.row(state)[usize::from(*byte)];
            state = step as u8;
            if step > 0xff {
                if step & FIELD != 0 {
                    self.delimiters.push(i as u32 + 1);
                } else if step & STRAY != 0 {
                    return self.cut(text, i + 1);
                } else if step & LINE != 0 {
                    self.lines += 1;
                    if self.careful > 0 && self.lines >= CAREFUL_LINES {
                        return self.cut(text, i + 1);
                    }
                } else {
                    let lines = self.lines + 1;
                    let len = i + 1 + self.line_end(text, i);
                    return if step & END_SKIP != 0 { self.skip(len, lines) } else { self.record(i, len, lines, Shape::Whole) };
                }
            }
        }
        self.state = state;
        self.at = limit;
        if limit > self.row_bytes {
            if automaton.in_comment(state) {
                self.dropping = true;
                return self.skip(limit, 0);
            }
            return self.cut(text, limit);
        }
        if is_last && limit > 0 {
            if automaton.in_quotes(state) {
                return self.cut(text, limit);
            }
            if automaton.is_nothing(state) {
                return self.skip(limit, 0);
            }
            return self.record(limit, limit, self.lines, Shape::Whole);
        }
        Found::More
    }

    /// Bytes that belong to the line end at `i` beyond the first; notes a carriage return at the end of what is known.
    fn line_end(&mut self, text: &[u8], i: usize) -> usize {
        if text[i] != b'\r' || !self.automaton.cr_ends {
            return 0;
        }
        match text.get(i + 1) {
            Some(b'\n') => 1,
            Some(_) => 0,
            None => {
                self.after_cr = true;
                0
            }
        }
    }

    fn drop_line(&mut self, text: &[u8]) -> Found {
        if text.is_empty() {
            return Found::More;
        }
        let Some(i) = self.first_line_end(text) else { return self.skip(text.len(), 0) };
        self.dropping = false;
        let len = i + 1 + self.line_end(text, i);
        self.skip(len, 1)
    }

    fn first_line_end(&self, text: &[u8]) -> Option<usize> {
        if self.automaton.cr_ends { memchr::memchr2(b'\n', b'\r', text) } else { memchr::memchr(b'\n', text) }
    }

    /// Cuts a record that does not end in time.
    fn cut(&mut self, text: &[u8], known: usize) -> Found {
        if let Some(i) = self.first_line_end(&text[..known]) {
            if self.careful == 0 {
                self.careful = self.row_bytes;
            }
            let len = i + 1 + self.line_end(text, i);
            return self.record(i, len, 1, Shape::Unclosed);
        }
        if known <= self.row_bytes {
            return self.record(known, known, 0, Shape::Unclosed);
        }
        self.dropping = true;
        self.record(self.row_bytes, self.row_bytes, 0, Shape::TooLong)
    }

    fn skip(&mut self, len: usize, lines: u32) -> Found {
        self.restart(len);
        Found::Skip { len, lines }
    }

    fn record(&mut self, content: usize, len: usize, lines: u32, shape: Shape) -> Found {
        self.delimiters.retain(|end| *end as usize <= content);
        self.restart(len);
        Found::Record { content, len, lines, shape }
    }

    fn restart(&mut self, len: usize) {
        self.careful = self.careful.saturating_sub(len);
        self.state = RECORD;
        self.at = 0;
        self.lines = 0;
    }

    /// Forgets the fields of the last record. Call it before looking for the next.
    pub(crate) fn clear_fields(&mut self) {
        self.delimiters.clear();
    }
}

/// What the bytes after a segment meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Open {
    /// A state of the automaton.
    State(u8),
    /// The rest of a line that is dropped.
    Dropping,
    /// Perhaps the second half of a line end.
    AfterCr,
    /// Records with few lines: known only from where the trouble began.
    Careful,
}
