//! The fields of a CSV record.

use sluice_contract::Escape;

use crate::split::automaton::{Dialect, is_blank};

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
