//! Finds ordinary records 64 bytes at a time, with the same result as the automaton.
//!
//! The bytes that matter become bits of a word: quotes first, whose running parity says what stands inside of quotes, then delimiters and
//! line ends outside of them. A record that is anything but ordinary (text before or after its quotes, a comment, a blank line, a length beyond
//! the limit, an escape) ends the search, and the automaton reads on from there.

use sluice_contract::Escape;
use wide::u8x32;

use super::automaton::Dialect;

/// Bytes looked at in one go after a record that was not ordinary, so that many of them cost little each.
const SHORT: usize = 1 << 10;
/// Bytes looked at in one go: what is found stays in the nearest cache until it is read.
const LONG: usize = 64 << 10;

/// The bytes of a dialect that can be looked for in this way.
#[derive(Debug, Clone)]
pub(crate) struct Marks {
    delimiter: Option<u8>,
    quote: Option<u8>,
    /// Two quotes inside of quotes are one.
    doubles: bool,
    /// Nothing after this byte is ordinary.
    escape: Option<u8>,
    /// A line that begins with one of these is not ordinary.
    odd_starts: Vec<u8>,
    cr_ends: bool,
}

impl Marks {
    /// `None` if delimiters are longer than one byte.
    pub(crate) fn csv(dialect: &Dialect) -> Option<Self> {
        let [delimiter] = dialect.delimiter[..] else { return None };
        Some(Self {
            delimiter: Some(delimiter),
            quote: dialect.quote,
            doubles: dialect.escape == Escape::Double,
            escape: (dialect.quote.is_some() && dialect.escape == Escape::Backslash).then_some(b'\\'),
            odd_starts: dialect.comment.first().copied().into_iter().collect(),
            cr_ends: true,
        })
    }

    /// One value a line.
    pub(crate) fn lines() -> Self {
        Self { delimiter: None, quote: None, doubles: false, escape: None, odd_starts: vec![b' ', b'\t', b'\r'], cr_ends: false }
    }

    /// What the next 64 bytes hold. Delimiters are not looked for where neither `FIELDS` nor quotes ask for them; `is_quoted` says that
    /// quotes came just before.
    // Called once for 64 bytes: the call alone would cost more than the work.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    fn block<const FIELDS: bool>(&self, bytes: &[u8; 64], is_quoted: bool) -> Block {
        let (halves, _) = bytes.as_chunks::<32>();
        let (low, high) = (u8x32::new(halves[0]), u8x32::new(halves[1]));
        let find = |byte: u8| {
            let wanted = u8x32::splat(byte);
            u64::from(low.simd_eq(wanted).to_bitmask()) | u64::from(high.simd_eq(wanted).to_bitmask()) << 32
        };
        // For a byte that most texts do not have.
        let find_rare = |byte: u8| {
            let wanted = u8x32::splat(byte);
            if (low.simd_eq(wanted) | high.simd_eq(wanted)).any() { find(byte) } else { 0 }
        };
        let quotes = self.quote.map_or(0, find);
        let delimiters = self.delimiter.map_or(0, |delimiter| {
            if FIELDS || is_quoted || quotes != 0 {
                find(delimiter)
            } else {
                // What the next block must know.
                u64::from(bytes[63] == delimiter) << 63
            }
        });
        Block {
            quotes,
            delimiters,
            feeds: find(b'\n'),
            returns: if self.cr_ends { find_rare(b'\r') } else { 0 },
            escapes: self.escape.map_or(0, find_rare),
        }
    }
}

/// Where bytes that matter stand; the lowest bit is the first byte.
struct Block {
    quotes: u64,
    delimiters: u64,
    feeds: u64,
    returns: u64,
    escapes: u64,
}

/// An ordinary record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) start: u32,
    /// After its content.
    pub(crate) end: u32,
    /// After its line end.
    pub(crate) next: u32,
    /// Where the ends of its fields begin in [`Index::ends`].
    pub(crate) first: u32,
    pub(crate) fields: u32,
    /// Line ends, its own included.
    pub(crate) lines: u32,
    /// Quotes stand in some field as two.
    pub(crate) has_doubled: bool,
}

/// Where a field ends: the offset of its delimiter or line end, and whether quotes stand around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FieldEnd(u32);

impl FieldEnd {
    const QUOTED: u32 = 1 << 31;

    #[inline]
    fn new(at: u32, is_quoted: bool) -> Self {
        Self(at | u32::from(is_quoted) << 31)
    }

    /// The offset in the text.
    #[inline]
    pub(crate) fn at(self) -> u32 {
        self.0 & !Self::QUOTED
    }

    /// Quotes at either end of the field: 0 or 1.
    #[inline]
    pub(crate) fn quotes(self) -> u32 {
        self.0 >> 31
    }
}

/// What carries over from one block to the next.
#[derive(Default)]
struct Carry {
    /// All ones inside of quotes.
    inside: u64,
    /// Whether the last byte was a delimiter or line end, a closing quote, a carriage return.
    bound: u64,
    closing: u64,
    cr: u64,
}

/// Ordinary records of a text.
#[derive(Debug)]
pub(crate) struct Index {
    marks: Marks,
    row_bytes: usize,
    window: usize,
    pub(crate) records: Vec<Record>,
    /// Where each field of each record ends.
    pub(crate) ends: Vec<FieldEnd>,
}

impl Index {
    pub(crate) fn new(marks: &Marks, row_bytes: usize) -> Self {
        Self { marks: marks.clone(), row_bytes, window: LONG, records: Vec::new(), ends: Vec::new() }
    }

    /// Where the fields of one of [`Index::records`] end, in the text.
    pub(crate) fn ends_of(&self, record: &Record) -> &[FieldEnd] {
        &self.ends[record.first as usize..(record.first + record.fields) as usize]
    }

    /// Finds at most `most` ordinary records from `from` on, which is the first byte of a line, and none that is not complete. What
    /// was found before is forgotten. Without `FIELDS`, the ends of fields are not noted.
    pub(crate) fn find<const FIELDS: bool>(&mut self, text: &[u8], from: usize, most: usize) {
        self.records.clear();
        self.ends.clear();
        // Further offsets cannot be told: the automaton reads on.
        let to = text.len().min(from + self.window).min(FieldEnd::QUOTED as usize);
        let is_ordinary = self.run::<FIELDS>(text, from, to, most);
        self.window = if is_ordinary { LONG } else { SHORT };
    }

    /// `false` if something is not ordinary.
    fn run<const FIELDS: bool>(&mut self, text: &[u8], from: usize, to: usize, most: usize) -> bool {
        let mut carry = Carry { bound: 1, ..Carry::default() };
        let (mut start, mut first, mut lines, mut has_doubled) = (from, 0, 1, false);
        let mut base = from;
        while base < to {
            let left = to - base;
            let is_quoted = carry.inside | carry.closing != 0;
            let block = match text[base..to].first_chunk::<64>() {
                Some(bytes) => self.marks.block::<FIELDS>(bytes, is_quoted),
                None => {
                    let mut padded = [0; 64];
                    padded[..left].copy_from_slice(&text[base..to]);
                    let block = self.marks.block::<FIELDS>(&padded, is_quoted);
                    let known = !(u64::MAX << left);
                    Block {
                        quotes: block.quotes & known,
                        delimiters: block.delimiters & known,
                        feeds: block.feeds & known,
                        returns: block.returns & known,
                        escapes: block.escapes & known,
                    }
                }
            };
            let inside = parity(block.quotes) ^ carry.inside;
            let (opening, closing) = (block.quotes & inside, block.quotes & !inside);
            let all_ends = block.feeds | block.returns;
            // The second half of a line end of two bytes.
            let second = block.feeds & (block.returns << 1 | carry.cr);
            let bounds = (block.delimiters | all_ends) & !inside;
            let after_bound = bounds << 1 | carry.bound;
            let after_closing = closing << 1 | carry.closing;
            let doubled = if self.marks.doubles { opening & after_closing } else { 0 };
            // Quotes open where a field begins, or as the second of two; they close where it ends, or as the first of two.
            let odd = opening & !(after_bound | doubled) | after_closing & !(bounds | doubled) | block.escapes;
            carry = Carry {
                inside: if inside >> 63 == 1 { u64::MAX } else { 0 },
                bound: bounds >> 63,
                closing: closing >> 63,
                cr: block.returns >> 63,
            };
            let stops = bounds & !second;
            let mut row_ends = all_ends & stops;
            let before = self.ends.len();
            if FIELDS {
                let mut rest = stops;
                self.ends.extend((0..stops.count_ones()).map(|_| {
                    let at = rest.trailing_zeros();
                    rest &= rest.wrapping_sub(1);
                    FieldEnd::new(base as u32 + at, after_closing >> at & 1 == 1)
                }));
            }
            let inner_ends = all_ends & inside & !second;
            let mut seen = 0_u64;
            while row_ends != 0 {
                let bit = row_ends & row_ends.wrapping_neg();
                row_ends ^= bit;
                let end = base + bit.trailing_zeros() as usize;
                let up_to = bit | (bit - 1);
                let own = up_to & !seen;
                seen = up_to;
                if odd & up_to != 0 || !self.is_ordinary(text, start, end) {
                    self.ends.truncate(first);
                    return false;
                }
                let next = match text[end] {
                    b'\r' => match text.get(end + 1) {
                        Some(byte) => end + 1 + usize::from(*byte == b'\n'),
                        // Only what follows can tell where this line ends.
                        None => break,
                    },
                    _ => end + 1,
                };
                let after = before + (stops & up_to).count_ones() as usize;
                lines += (inner_ends & own).count_ones();
                has_doubled |= doubled & own != 0;
                self.records.push(Record {
                    start: start as u32,
                    end: end as u32,
                    next: next as u32,
                    first: first as u32,
                    fields: if FIELDS { (after - first) as u32 } else { 0 },
                    lines,
                    has_doubled,
                });
                (start, first, lines, has_doubled) = (next, after, 1, false);
                if self.records.len() == most {
                    self.ends.truncate(first);
                    return true;
                }
            }
            if odd != 0 {
                self.ends.truncate(first);
                return false;
            }
            lines += (inner_ends & !seen).count_ones();
            has_doubled |= doubled & !seen != 0;
            base += 64;
        }
        self.ends.truncate(first);
        // A record that does not end here is left to the automaton, unless it is one of many.
        true
    }

    fn is_ordinary(&self, text: &[u8], start: usize, end: usize) -> bool {
        start < end && end - start <= self.row_bytes && !self.marks.odd_starts.contains(&text[start])
    }
}

/// Each bit becomes the parity of the bits up to it.
#[inline]
fn parity(bits: u64) -> u64 {
    let bits = bits ^ bits << 1;
    let bits = bits ^ bits << 2;
    let bits = bits ^ bits << 4;
    let bits = bits ^ bits << 8;
    let bits = bits ^ bits << 16;
    bits ^ bits << 32
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::split::automaton::Automaton;
    use crate::split::splitter::{Found, Shape, Splitter};
    use crate::tests::support::csv_text;

    /// Row limit of these tests.
    const ROW_BYTES: u64 = 90;

    fn automata() -> Vec<Automaton> {
        let plain = Dialect {
            delimiter: b",".to_vec(),
            quote: Some(b'"'),
            escape: Escape::Double,
            comment: Vec::new(),
            trim: false,
            blank_is_row: false,
        };
        vec![
            Automaton::csv(&plain),
            Automaton::csv(&Dialect { escape: Escape::Backslash, ..plain.clone() }),
            Automaton::csv(&Dialect { escape: Escape::None, ..plain.clone() }),
            Automaton::csv(&Dialect { quote: None, ..plain.clone() }),
            Automaton::csv(&Dialect { trim: true, ..plain.clone() }),
            Automaton::csv(&Dialect { comment: b"##".to_vec(), blank_is_row: true, ..plain.clone() }),
            Automaton::csv(&Dialect { delimiter: b" ".to_vec(), trim: true, ..plain }),
            Automaton::ndjson(),
        ]
    }

    fn text() -> impl Strategy<Value = Vec<u8>> {
        let more: &[&[u8]] = &[
            b",\"q, r\"",
            b",\"two\nlines\"",
            b",\"a \"\"word\"\"\"\r\n",
            b"a long and ordinary record, that fills more than one block of bytes, as many do\n",
        ];
        csv_text(more, 80)
    }

    /// Checks every record of the index against the automaton's.
    fn compare(automaton: Automaton, text: &[u8], most: usize) -> Result<(), TestCaseError> {
        let mut splitter = Splitter::new(Arc::new(automaton), ROW_BYTES);
        let Some(mut index) = splitter.index() else { return Ok(()) };
        let mut at = 0;
        while at < text.len() {
            if splitter.is_fresh() {
                index.find::<true>(text, at, most);
                for record in &index.records {
                    let start = record.start as usize;
                    let (len, lines) = ((record.next - record.start) as usize, record.lines);
                    prop_assert_eq!(at, start, "{}", text.escape_ascii());
                    let found = splitter.next(&text[at..], true);
                    let content = (record.end - record.start) as usize;
                    prop_assert_eq!(
                        found,
                        Found::Record { content, len, lines, shape: Shape::Whole },
                        "at {} of {}",
                        at,
                        text.escape_ascii()
                    );
                    if splitter.automaton().cr_ends {
                        let ends: Vec<u32> = index.ends_of(record).iter().map(|end| end.at()).collect();
                        let expected: Vec<u32> = splitter.delimiters.iter().map(|d| record.start + d - 1).chain([record.end]).collect();
                        prop_assert_eq!(&ends, &expected, "at {} of {}", at, text.escape_ascii());
                        let mut start = start;
                        for end in index.ends_of(record) {
                            let is_quoted = index.marks.quote.is_some_and(|quote| text[start] == quote);
                            prop_assert_eq!(end.quotes(), u32::from(is_quoted), "byte {} of {}", start, text.escape_ascii());
                            start = end.at() as usize + 1;
                        }
                    }
                    splitter.clear_fields();
                    at += len;
                }
                if !index.records.is_empty() {
                    continue;
                }
            }
            match splitter.next(&text[at..], true) {
                Found::More => break,
                Found::Skip { len, .. } | Found::Record { len, .. } => at += len,
            }
            splitter.clear_fields();
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn ordinary_records_are_those_of_the_automaton(text in text(), dialect in 0_usize..8, most in 1_usize..20, cut in any::<proptest::sample::Index>()) {
            let text = &text[..cut.index(text.len() + 1)];
            compare(automata().swap_remove(dialect), text, most)?;
        }
    }

    #[test]
    fn ordinary_files_need_no_automaton() {
        let text = "1,\"a, b\",\"two\nlines\",x\r\n".repeat(3000);
        let splitter = Splitter::new(Arc::new(automata().swap_remove(0)), ROW_BYTES);
        let mut index = splitter.index().expect("one byte between fields");
        let mut at = 0;
        while at < text.len() {
            index.find::<true>(text.as_bytes(), at, usize::MAX);
            let last = index.records.last().expect("only ordinary records");
            at = last.next as usize;
            assert!(index.records.iter().all(|r| r.fields == 4 && r.lines == 2));
        }
    }
}
