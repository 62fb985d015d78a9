//! The short way for NDJSON: finds where the values of an object stand, without making anything of it.
//!
//! What stands before a value (separator, key, blanks) is mostly what stood there on the lines before, and is compared with that as a
//! whole; any other member is read byte by byte. A line that is no JSON object, or has a key twice, with an escape, or one that must not be
//! there, is left to the long way, which alone knows what to say about it.

use std::collections::HashMap;

use serde::de::IgnoredAny;
use wide::u8x16;

/// Most bytes before a value that are kept for the lines that follow.
const LONG: usize = 256;
/// Bytes that are compared at once.
const HEAD: usize = 32;

/// What stood before a value: the opening brace or a comma, the key, a colon, and blanks.
#[derive(Debug, Clone)]
struct Before {
    text: Vec<u8>,
    /// Its first bytes, and a bit for each.
    head: [u8; HEAD],
    mask: u32,
    /// Where the key stands among the keys of the contract.
    column: Option<usize>,
}

impl Before {
    fn new(text: &[u8], column: Option<usize>) -> Self {
        let mut head = [0; HEAD];
        let known = text.len().min(HEAD);
        head[..known].copy_from_slice(&text[..known]);
        let mask = u32::MAX.checked_shr((HEAD - known) as u32).unwrap_or(0);
        Self { text: text.to_vec(), head, mask, column }
    }

    /// Whether it stands at this place.
    #[inline]
    fn is_at(&self, text: &[u8], at: usize) -> bool {
        match text[at..].first_chunk::<HEAD>() {
            Some(bytes) => {
                let (found, _) = bytes.as_chunks::<16>();
                let (wanted, _) = self.head.as_chunks::<16>();
                let same = |i: usize| u8x16::new(found[i]).simd_eq(u8x16::new(wanted[i])).to_bitmask();
                (same(0) | same(1) << 16) & self.mask == self.mask
                    && (self.text.len() <= HEAD || text[at + HEAD..].starts_with(&self.text[HEAD..]))
            }
            None => text[at..].starts_with(&self.text),
        }
    }
}

/// Where a value stands, and where it ends.
struct Found {
    /// Its part, where that begins in the lower half. Two numbers would be written one by one and read as one, for which a processor waits.
    part: u64,
    end: usize,
}

impl Found {
    #[inline]
    fn new(from: usize, to: usize, end: usize) -> Self {
        Self { part: from as u64 | (to as u64) << 32, end }
    }
}

/// Where the values of lines stand, column by column.
///
/// The part of a string without escapes is what stands between its quotes; that of any other value is all of it. A key that is not there
/// has an empty part that begins after a byte which is no quote.
#[derive(Debug, Clone)]
pub(crate) struct Members {
    columns: HashMap<Vec<u8>, usize>,
    reject_unknown: bool,
    /// What stood before the first value of a line.
    first: Option<Before>,
    /// What stood before the others, in the order of lines.
    order: Vec<Before>,
    parts: Vec<Vec<(u32, u32)>>,
    lines: usize,
    unknown: u64,
}

impl Members {
    /// `columns` are the keys of the contract in order.
    pub(crate) fn new<'a>(columns: impl Iterator<Item = &'a str>, reject_unknown: bool) -> Self {
        let keys: Vec<&str> = columns.collect();
        let parts = vec![Vec::new(); keys.len()];
        let columns = keys.iter().enumerate().map(|(i, key)| (key.as_bytes().to_vec(), i)).collect();
        Self { columns, reject_unknown, first: None, order: Vec::new(), parts, lines: 0, unknown: 0 }
    }

    /// Lines found since [`Members::clear`].
    pub(crate) fn lines(&self) -> usize {
        self.lines
    }

    /// Where the values of a column stand in these lines.
    pub(crate) fn parts(&self, column: usize) -> &[(u32, u32)] {
        &self.parts[column]
    }

    /// Keys of these lines that the contract does not name.
    pub(crate) fn unknown(&self) -> u64 {
        self.unknown
    }

    /// Forgets the lines, but not what stands before their values.
    pub(crate) fn clear(&mut self) {
        self.parts.iter_mut().for_each(Vec::clear);
        (self.lines, self.unknown) = (0, 0);
    }

    /// Notes where the values of the line `start..end` of a valid text stand. `false` if it needs the long way: then nothing is noted.
    pub(crate) fn line(&mut self, text: &[u8], start: usize, end: usize) -> bool {
        let unknown = self.unknown;
        if self.find(text, start, end).is_none() {
            self.parts.iter_mut().for_each(|parts| parts.truncate(self.lines));
            self.unknown = unknown;
            return false;
        }
        self.lines += 1;
        let nowhere = (start as u32 + 1, start as u32 + 1);
        for parts in self.parts.iter_mut().filter(|parts| parts.len() < self.lines) {
            parts.push(nowhere);
        }
        true
    }

    fn find(&mut self, text: &[u8], start: usize, end: usize) -> Option<()> {
        // No search goes beyond the line end.
        if text[start] != b'{' || text.get(end) != Some(&b'\n') {
            return None;
        }
        let mut next = 0;
        let (mut column, mut at) = match &self.first {
            Some(first) if first.is_at(text, start) => (first.column, start + first.text.len()),
            _ => {
                let inside = blanks(text, start + 1);
                if text[inside] == b'}' {
                    return (blanks(text, inside + 1) == end).then_some(());
                }
                let (column, after) = self.key(text, inside)?;
                self.first = (after - start <= LONG).then(|| Before::new(&text[start..after], column));
                (column, after)
            }
        };
        loop {
            let found = value(text, at, end)?;
            match column {
                Some(column) => {
                    let parts = &mut self.parts[column];
                    if parts.len() > self.lines {
                        return None;
                    }
                    parts.push((found.part as u32, (found.part >> 32) as u32));
                }
                None => self.unknown += 1,
            }
            at = found.end;
            if let Some(before) = self.order.get(next)
                && before.is_at(text, at)
            {
                (column, at) = (before.column, at + before.text.len());
                next += 1;
                continue;
            }
            let after = blanks(text, at);
            match text[after] {
                b'}' => return (blanks(text, after + 1) == end).then_some(()),
                b',' => {
                    let after;
                    (column, after) = self.key(text, blanks(text, blanks(text, at) + 1))?;
                    next = self.learn(&text[at..after], column, next);
                    at = after;
                }
                _ => return None,
            }
        }
    }

    /// The key at this place, and where its value begins.
    fn key(&self, text: &[u8], at: usize) -> Option<(Option<usize>, usize)> {
        if text[at] != b'"' {
            return None;
        }
        let end = string_end(text, at + 1);
        let colon = blanks(text, end + usize::from(text[end] == b'"'));
        if text[end] != b'"' || text[colon] != b':' {
            return None;
        }
        let column = self.columns.get(&text[at + 1..end]).copied();
        if column.is_none() && self.reject_unknown {
            return None;
        }
        Some((column, blanks(text, colon + 1)))
    }

    /// Notes what stands before a value that was not the `next` one; the place of the one after it.
    fn learn(&mut self, before: &[u8], column: Option<usize>, next: usize) -> usize {
        if let Some(at) = self.order.iter().skip(next).position(|known| known.text == before) {
            return next + at + 1;
        }
        if before.len() > LONG {
            return next;
        }
        // Lines whose keys stand in any order would make it longer and longer.
        let mut next = next;
        if self.order.len() >= 2 * self.parts.len() + 16 {
            self.order.clear();
            next = 0;
        }
        self.order.insert(next, Before::new(before, column));
        next + 1
    }
}

/// The first byte from `at` on that is no white space within a line.
#[inline]
fn blanks(text: &[u8], mut at: usize) -> usize {
    while matches!(text[at], b' ' | b'\t' | b'\r') {
        at += 1;
    }
    at
}

/// The first byte from `at` on that ends a string or cannot simply stand in one: a quote, an escape, a control character.
#[inline]
fn string_end(text: &[u8], mut at: usize) -> usize {
    while let Some(bytes) = text[at..].first_chunk::<16>() {
        let bytes = u8x16::new(*bytes);
        let is_control = bytes.min(u8x16::splat(0x1f)).simd_eq(bytes);
        let found = (bytes.simd_eq(u8x16::splat(b'"')) | bytes.simd_eq(u8x16::splat(b'\\')) | is_control).to_bitmask();
        if found != 0 {
            return at + found.trailing_zeros() as usize;
        }
        at += 16;
    }
    while !matches!(text[at], b'"' | b'\\' | 0..=0x1f) {
        at += 1;
    }
    at
}

/// The value that begins at this place; `None` if none does.
#[inline]
fn value(text: &[u8], at: usize, end: usize) -> Option<Found> {
    let word = |word: &[u8]| {
        let after = at + word.len();
        text[at..end].starts_with(word).then_some(Found::new(at, after, after))
    };
    match text[at] {
        b'"' => {
            let close = string_end(text, at + 1);
            if text[close] == b'"' {
                return Some(Found::new(at + 1, close, close + 1));
            }
            any(text, at, end)
        }
        b'-' | b'0'..=b'9' => number(text, at, end),
        b't' => word(b"true"),
        b'f' => word(b"false"),
        b'n' => word(b"null"),
        // More blanks than on the lines before.
        b' ' | b'\t' | b'\r' => value(text, blanks(text, at), end),
        _ => any(text, at, end),
    }
}

#[inline]
fn number(text: &[u8], at: usize, end: usize) -> Option<Found> {
    let start = at + usize::from(text[at] == b'-');
    let (whole, after) = digits(text, start);
    if whole == start || (text[start] == b'0' && whole > start + 1) || (after > whole && text[after - 1] == b'.') {
        return None;
    }
    if matches!(text[after], b'e' | b'E') { any(text, at, end) } else { Some(Found::new(at, after, after)) }
}

/// Where digits end that begin at this place, and those after a point that follows.
#[inline]
fn digits(text: &[u8], start: usize) -> (usize, usize) {
    if let Some(bytes) = text[start..].first_chunk::<16>() {
        let bytes = u8x16::new(*bytes) - u8x16::splat(b'0');
        let others = !bytes.min(u8x16::splat(9)).simd_eq(bytes).to_bitmask() | 1 << 16;
        let whole = start + others.trailing_zeros() as usize;
        let after = start + (others & (others - 1)).trailing_zeros() as usize;
        match text.get(whole) {
            Some(b'.') if after < start + 16 => return (whole, after),
            Some(byte) if *byte != b'.' && whole < start + 16 => return (whole, whole),
            _ => {}
        }
    }
    let end = |from: usize| from + text[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let whole = end(start);
    (whole, if text[whole] == b'.' { end(whole + 1) } else { whole })
}

/// Any value of JSON, all of it.
#[cold]
fn any(text: &[u8], at: usize, end: usize) -> Option<Found> {
    let mut values = serde_json::Deserializer::from_slice(&text[at..end]).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    let after = at + values.byte_offset();
    Some(Found::new(at, after, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of each column, as parts of the text; `None` if a line needs the long way.
    fn parts(members: &mut Members, text: &str) -> Option<Vec<Vec<String>>> {
        members.clear();
        let mut start = 0;
        for line in text.lines() {
            if !members.line(text.as_bytes(), start, start + line.len()) {
                return None;
            }
            start += line.len() + 1;
        }
        let all = |parts: &[(u32, u32)]| parts.iter().map(|(from, to)| text[*from as usize..*to as usize].to_owned()).collect();
        Some((0..members.parts.len()).map(|column| all(members.parts(column))).collect())
    }

    fn members() -> Members {
        Members::new(["a", "key", "z"].into_iter(), false)
    }

    #[test]
    fn lines_alike_differ_in_their_values_only() {
        let mut members = members();
        let text = "{\"a\": 1, \"key\": \"x\", \"z\": null}\n".repeat(100) + "{\"a\": -12.50, \"key\": \"\", \"z\": true}\n";
        let found = parts(&mut members, &text).expect("ordinary lines");
        assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [101; 3]);
        assert_eq!(found.iter().map(|c| c[100].as_str()).collect::<Vec<_>>(), ["-12.50", "", "true"]);
        // What stands before the values is kept once, however many lines there are.
        assert_eq!(members.order.len(), 2);
    }

    #[test]
    fn keys_may_be_absent_unknown_or_in_another_order() {
        let mut members = members();
        let text = "{\"a\":1,\"key\":2,\"z\":3}\n{\"a\":1,\"z\":3}\n{\"z\":[1, {\"b\":2}],\"other\":\"y\",\"key\":\"\\n\"}\n{ }\n{\"key\":2 , \"a\" :  1 }\n";
        let found = parts(&mut members, text).expect("JSON objects");
        assert_eq!(found, [["1", "1", "", "", "1"], ["2", "", "\"\\n\"", "", "2"], ["3", "3", "[1, {\"b\":2}]", "", ""]]);
        assert_eq!(members.unknown(), 1);
    }

    #[test]
    fn what_is_no_object_or_has_a_key_twice_needs_the_long_way() {
        for line in [
            "{\"a\":1",
            "{\"a\":01}",
            "{\"a\":1.}",
            "{\"a\":.5}",
            "{\"a\":-}",
            "{\"a\":1.2.3}",
            "{\"a\":1e}",
            "{\"a\":truth}",
            "{\"a\":1}}",
            "{\"a\":1,}",
            "{,}",
            "{\"a\" 1}",
            "{\"a\":\"\\x\"}",
            "{\"a\":\"\t\"}",
            "{\"a\":1,\"a\":1}",
            "{\"\\u0061\":1}",
            "{\"a\":1 \"z\":2}",
            "{\"a\":1{\"a\":1}",
            "[]",
            "1",
            "{\"a\"}",
            "{\"a",
        ] {
            let mut members = members();
            assert!(parts(&mut members, &format!("{line}\n")).is_none(), "{line}");
            assert!(parts(&mut members, &format!("{{\"a\":1,\"z\":2}}\n{line}\n")).is_none(), "{line}");
            assert_eq!(members.lines(), 1, "{line}");
            assert_eq!(members.parts(0).len(), 1, "{line}");
        }
        let mut strict = Members::new(["a"].into_iter(), true);
        assert!(parts(&mut strict, "{\"a\":1,\"b\":2}\n").is_none());
    }

    #[test]
    fn keys_in_any_order_cost_bounded_memory() {
        let mut members = members();
        for i in 0..1000 {
            let long = "x".repeat(i);
            let text = format!("{{\"a\":1,\"{i}\":1,\"{long}\":2,\"{}\":3}}\n", i + 1);
            assert!(members.line(text.as_bytes(), 0, text.len() - 1));
        }
        assert!(members.order.len() <= 22, "{}", members.order.len());
        assert!(members.order.iter().all(|b| b.text.len() <= LONG));
    }
}
