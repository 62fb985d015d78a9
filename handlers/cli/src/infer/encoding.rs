//! Which characters the bytes of a text are, and the text as UTF-8.

use std::io::{self, BufRead, Read};

use sluice_contract::Encoding;

use super::sure::Finding;

/// An encoding, and how sure it is.
#[derive(Debug)]
pub(crate) struct Guess {
    pub(crate) encoding: Encoding,
    pub(crate) finding: Finding,
}

/// The name of an encoding as a pipeline writes it.
pub(crate) fn name(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Utf8 => "utf-8",
        Encoding::Latin1 => "latin1",
        Encoding::Windows1252 => "windows-1252",
        Encoding::Utf16 => "utf-16",
        Encoding::Utf16Le => "utf-16le",
        Encoding::Utf16Be => "utf-16be",
    }
}

/// The encoding of a text from its first bytes; `None` if they are no text.
pub(crate) fn guess(head: &[u8]) -> Option<Guess> {
    let guess = |encoding, sure, why: &str| Some(Guess { encoding, finding: Finding::new("encoding", name(encoding), sure, why) });
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return guess(Encoding::Utf16, 100, "a byte order mark");
    }
    if let Some(encoding) = utf16_without_mark(head) {
        return guess(encoding, 90, "every other byte is zero");
    }
    let nuls = head.iter().filter(|b| **b == 0).count();
    // A few are damage of their rows.
    if nuls * 10 > head.len() {
        return None;
    }
    if head.starts_with(b"\xef\xbb\xbf") {
        return guess(Encoding::Utf8, 100, "a byte order mark");
    }
    let (valid, invalid) = utf8_characters(head);
    match (valid, invalid) {
        (0, 0) => guess(Encoding::Utf8, 95, "only ASCII was seen"),
        (_, 0) => guess(Encoding::Utf8, 99, "all characters beyond ASCII are valid UTF-8"),
        // Damage, not another encoding: in that one nothing would be valid UTF-8 but by chance.
        _ if valid > 10 * invalid => guess(Encoding::Utf8, 80, "nearly all characters beyond ASCII are valid UTF-8"),
        _ if head.iter().any(|b| (0x80..0xa0).contains(b)) => {
            guess(Encoding::Windows1252, 70, "no valid UTF-8, and bytes that only windows-1252 has as letters; any byte is valid in it")
        }
        _ => guess(Encoding::Latin1, 70, "no valid UTF-8; any byte is valid in latin1"),
    }
}

/// Characters beyond ASCII that are valid UTF-8, and bytes that are not.
fn utf8_characters(bytes: &[u8]) -> (usize, usize) {
    let (mut valid, mut invalid) = (0, 0);
    let chunks = bytes.utf8_chunks().collect::<Vec<_>>();
    for (i, chunk) in chunks.iter().enumerate() {
        valid += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        // The last character may be cut by the end of what is looked at.
        if i + 1 < chunks.len() {
            invalid += chunk.invalid().len();
        }
    }
    // A text that is nothing but one wrong byte has one chunk.
    if chunks.len() == 1 && valid == 0 {
        invalid += chunks[0].invalid().len();
    }
    (valid, invalid)
}

/// Latin letters in UTF-16 have a zero byte, all on the same side.
fn utf16_without_mark(head: &[u8]) -> Option<Encoding> {
    let sample = &head[..head.len().min(4096) & !1];
    let zeros = |side: usize| sample.chunks_exact(2).filter(|pair| pair[side] == 0).count();
    let pairs = sample.len() / 2;
    let (first, second) = (zeros(0), zeros(1));
    match () {
        () if pairs < 4 => None,
        () if second * 10 > pairs * 4 && first * 20 < pairs => Some(Encoding::Utf16Le),
        () if first * 10 > pairs * 4 && second * 20 < pairs => Some(Encoding::Utf16Be),
        () => None,
    }
}

/// A text in any encoding, read as UTF-8. What is no character becomes U+FFFD; UTF-8 is handed on as it is.
pub(crate) struct ToUtf8<R> {
    input: R,
    encoding: Encoding,
    is_big_endian: Option<bool>,
    half: Option<u8>,
    high: Option<u16>,
    out: Vec<u8>,
    at: usize,
}

impl<R: BufRead> ToUtf8<R> {
    pub(crate) fn new(input: R, encoding: Encoding) -> Self {
        let is_big_endian = match encoding {
            Encoding::Utf16Le => Some(false),
            Encoding::Utf16Be => Some(true),
            _ => None,
        };
        Self { input, encoding, is_big_endian, half: None, high: None, out: Vec::new(), at: 0 }
    }

    fn push(&mut self, c: char) {
        self.out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }

    fn byte(&mut self, byte: u8) {
        match self.encoding {
            Encoding::Utf8 => self.out.push(byte),
            Encoding::Latin1 => self.push(char::from(byte)),
            Encoding::Windows1252 => self.push(windows_1252(byte)),
            Encoding::Utf16 | Encoding::Utf16Le | Encoding::Utf16Be => match self.half.take() {
                None => self.half = Some(byte),
                Some(first) => {
                    let is_big = *self.is_big_endian.get_or_insert((first, byte) == (0xfe, 0xff));
                    self.unit(if is_big { u16::from_be_bytes([first, byte]) } else { u16::from_le_bytes([first, byte]) });
                }
            },
        }
    }

    fn unit(&mut self, unit: u16) {
        let units: Vec<u16> = self.high.take().into_iter().chain([unit]).collect();
        if units.len() == 1 && (0xd800..0xdc00).contains(&unit) {
            self.high = Some(unit);
            return;
        }
        for c in char::decode_utf16(units) {
            self.push(c.unwrap_or(char::REPLACEMENT_CHARACTER));
        }
    }
}

impl<R: BufRead> BufRead for ToUtf8<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.at == self.out.len() {
            self.out.clear();
            self.at = 0;
            let bytes = self.input.fill_buf()?.to_vec();
            if bytes.is_empty() {
                if self.half.take().is_some() || self.high.take().is_some() {
                    self.push(char::REPLACEMENT_CHARACTER);
                    continue;
                }
                break;
            }
            self.input.consume(bytes.len());
            for byte in bytes {
                self.byte(byte);
            }
        }
        Ok(&self.out[self.at..])
    }

    fn consume(&mut self, amount: usize) {
        self.at = (self.at + amount).min(self.out.len());
    }
}

impl<R: BufRead> Read for ToUtf8<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let there = self.fill_buf()?;
        let n = there.len().min(into.len());
        into[..n].copy_from_slice(&there[..n]);
        self.consume(n);
        Ok(n)
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

    fn read(bytes: &[u8]) -> (Encoding, String) {
        let guess = guess(bytes).expect("text");
        let mut text = String::new();
        ToUtf8::new(bytes, guess.encoding).read_to_string(&mut text).expect("UTF-8");
        (guess.encoding, text)
    }

    #[test]
    fn encodings_are_told_and_read() {
        let units = |text: &str| text.encode_utf16().collect::<Vec<_>>();
        let little: Vec<u8> = units("\u{feff}a,é,😀\n").into_iter().flat_map(u16::to_le_bytes).collect();
        assert_eq!(read(&little), (Encoding::Utf16, "\u{feff}a,é,😀\n".to_owned()));
        let big: Vec<u8> = units("name,größe\nAda,1\n").into_iter().flat_map(u16::to_be_bytes).collect();
        assert_eq!(read(&big), (Encoding::Utf16Be, "name,größe\nAda,1\n".to_owned()));
        assert_eq!(read("a,café".as_bytes()).0, Encoding::Utf8);
        assert_eq!(read(b"a,caf\xe9"), (Encoding::Latin1, "a,café".to_owned()));
        assert_eq!(read(b"\x80 5,1\n"), (Encoding::Windows1252, "€ 5,1\n".to_owned()));
        assert!(guess(b"a\0b\0\0\0\x01\x02").is_none());
    }

    #[test]
    fn one_wrong_byte_among_many_right_ones_is_damage() {
        let mut bytes = "é,ü,ß,€,ñ,ø,å\n".repeat(10).into_bytes();
        bytes.extend(b"caf\xe9,x\n");
        assert_eq!(guess(&bytes).expect("text").encoding, Encoding::Utf8);
    }
}
