//! Bytes to text in the encodings a partner may use.

use std::borrow::Cow;

use sluice_contract::Encoding;

/// Windows-1252 characters of the bytes 0x80 to 0x9f (WHATWG Encoding Standard, index windows-1252).
const WINDOWS_1252: [char; 32] = [
    '\u{20ac}', '\u{81}', '\u{201a}', '\u{192}', '\u{201e}', '\u{2026}', '\u{2020}', '\u{2021}', '\u{2c6}', '\u{2030}', '\u{160}',
    '\u{2039}', '\u{152}', '\u{8d}', '\u{17d}', '\u{8f}', '\u{90}', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}', '\u{2022}', '\u{2013}',
    '\u{2014}', '\u{2dc}', '\u{2122}', '\u{161}', '\u{203a}', '\u{153}', '\u{9d}', '\u{17e}', '\u{178}',
];

/// Text of bytes.
///
/// # Errors
/// The place of the first byte that is no valid UTF-8.
pub(crate) fn decode(bytes: &[u8], encoding: Encoding) -> Result<Cow<'_, str>, usize> {
    if !encoding.is_single_byte() || bytes.is_ascii() {
        return std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|e| e.valid_up_to());
    }
    Ok(Cow::Owned(bytes.iter().map(|b| decode_byte(*b, encoding)).collect()))
}

/// As [`decode`], with replacement characters where the bytes are no text.
pub(crate) fn decode_lossy(bytes: &[u8], encoding: Encoding) -> Cow<'_, str> {
    decode(bytes, encoding).unwrap_or_else(|_| String::from_utf8_lossy(bytes))
}

fn decode_byte(byte: u8, encoding: Encoding) -> char {
    match byte {
        0x80..=0x9f if encoding == Encoding::Windows1252 => WINDOWS_1252[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

/// The Windows-1252 byte of a character; `?` if it has none.
pub(crate) fn to_windows_1252(c: char) -> u8 {
    match u32::from(c) {
        code @ (0..=0x7f | 0xa0..=0xff) => code as u8,
        _ => WINDOWS_1252.iter().position(|w| *w == c).map_or(b'?', |i| i as u8 + 0x80),
    }
}

/// At most `max` characters.
pub(crate) fn shorten(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((end, _)) => text[..end].to_owned(),
        None => text.to_owned(),
    }
}
