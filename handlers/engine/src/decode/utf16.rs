//! UTF-16 to UTF-8 while streaming, so that all that follows reads one encoding.
//!
//! What is no character stays visible and keeps its length: half of a surrogate pair becomes the three bytes it would have in UTF-8 (which
//! are not valid there, so the field is reported), a half character at the end of the file becomes the byte 0xff.

use sluice_contract::Encoding;

use crate::{Code, EngineError, Refusal};

/// Bytes of UTF-8 that are handed on at once.
const STEP: usize = 64 << 10;

/// Turns UTF-16 into UTF-8.
#[derive(Debug)]
pub(crate) struct Utf16 {
    encoding: Encoding,
    /// `None` before the first character of a text whose mark decides.
    is_big_endian: Option<bool>,
    /// First byte of a unit whose second is not there yet.
    half: Option<u8>,
    /// First half of a surrogate pair.
    high: Option<u16>,
    out: Vec<u8>,
}

impl Utf16 {
    pub(crate) fn new(encoding: Encoding) -> Self {
        Self { encoding, is_big_endian: None, half: None, high: None, out: Vec::with_capacity(STEP + 8) }
    }

    /// Takes the next bytes of the file and hands on the text made from them, in pieces. A byte order mark is handed on too.
    pub(crate) fn push(&mut self, bytes: &[u8], mut sink: impl FnMut(&[u8]) -> Result<(), EngineError>) -> Result<(), EngineError> {
        for byte in bytes {
            let Some(first) = self.half.take() else {
                self.half = Some(*byte);
                continue;
            };
            let is_big_endian = match self.is_big_endian {
                Some(known) => known,
                None => self.begin(first, *byte)?,
            };
            self.unit(if is_big_endian { u16::from_be_bytes([first, *byte]) } else { u16::from_le_bytes([first, *byte]) });
            if self.out.len() >= STEP {
                sink(&self.out)?;
                self.out.clear();
            }
        }
        if !self.out.is_empty() {
            sink(&self.out)?;
            self.out.clear();
        }
        Ok(())
    }

    /// The byte order, from the first unit.
    fn begin(&mut self, first: u8, second: u8) -> Result<bool, EngineError> {
        let mark = match (first, second) {
            (0xfe, 0xff) => Some(true),
            (0xff, 0xfe) => Some(false),
            _ => None,
        };
        let wanted = match self.encoding {
            Encoding::Utf16Be => Some(true),
            Encoding::Utf16Le => Some(false),
            _ => None,
        };
        if let (Some(mark), Some(wanted)) = (mark, wanted)
            && mark != wanted
        {
            let message = "the byte order mark says the opposite of the pipeline's encoding; set it to utf-16, which follows the mark";
            return Err(Refusal::new(Code::WrongEncoding, message).into());
        }
        let ascii = |b: u8| b.is_ascii_graphic() || b == b' ';
        if mark.is_none() && (ascii(first) && ascii(second) || (first, second) == (0xef, 0xbb)) {
            let message = "the file is no UTF-16 text as the pipeline's encoding says: it begins with single bytes; save it as UTF-16, or set encoding to utf-8";
            return Err(Refusal::new(Code::WrongEncoding, message).into());
        }
        let is_big_endian = mark.or(wanted).unwrap_or(false);
        self.is_big_endian = Some(is_big_endian);
        Ok(is_big_endian)
    }

    fn unit(&mut self, unit: u16) {
        if let Some(high) = self.high.take() {
            if (0xdc00..0xe000).contains(&unit) {
                let code = 0x1_0000 + ((u32::from(high) - 0xd800) << 10) + (u32::from(unit) - 0xdc00);
                self.character(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                return;
            }
            self.lone(high);
        }
        match unit {
            0xd800..0xdc00 => self.high = Some(unit),
            0xdc00..0xe000 => self.lone(unit),
            _ => self.character(char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER)),
        }
    }

    fn character(&mut self, c: char) {
        self.out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }

    /// Half of a surrogate pair alone: three bytes that are no valid UTF-8.
    fn lone(&mut self, unit: u16) {
        let [high, low] = unit.to_be_bytes();
        self.out.extend_from_slice(&[0xe0 | high >> 4, 0x80 | (high & 0x0f) << 2 | low >> 6, 0x80 | low & 0x3f]);
    }

    /// Hands on what is left at the end of the file.
    pub(crate) fn finish(&mut self, mut sink: impl FnMut(&[u8]) -> Result<(), EngineError>) -> Result<(), EngineError> {
        if let Some(high) = self.high.take() {
            self.lone(high);
        }
        if self.half.take().is_some() {
            self.out.push(0xff);
        }
        if self.out.is_empty() { Ok(()) } else { sink(&std::mem::take(&mut self.out)) }
    }
}

/// Bytes that a text made by [`Utf16`] had in its file: two a character, four beyond the basic plane.
pub(crate) fn stored_len(text: &[u8]) -> u64 {
    let units: u64 = text.iter().map(|b| u64::from(*b & 0xc0 != 0x80) + u64::from((0xf0..0xff).contains(b))).sum();
    2 * units
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(encoding: Encoding, bytes: &[u8], piece: usize) -> Result<Vec<u8>, EngineError> {
        let mut utf16 = Utf16::new(encoding);
        let mut all = Vec::new();
        let mut sink = |text: &[u8]| {
            all.extend_from_slice(text);
            Ok(())
        };
        for piece in bytes.chunks(piece) {
            utf16.push(piece, &mut sink)?;
        }
        utf16.finish(&mut sink)?;
        Ok(all)
    }

    #[test]
    fn the_mark_or_the_name_says_the_byte_order() {
        let little: Vec<u8> = "\u{feff}aé€😀".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = "\u{feff}aé€😀".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for (encoding, bytes) in
            [(Encoding::Utf16, &little), (Encoding::Utf16Le, &little), (Encoding::Utf16, &big), (Encoding::Utf16Be, &big)]
        {
            assert_eq!(read(encoding, bytes, 3).expect("UTF-16"), "\u{feff}aé€😀".as_bytes());
        }
        assert!(read(Encoding::Utf16Be, &little, 3).is_err());
        assert!(read(Encoding::Utf16, b"a,b\n", 3).is_err(), "single bytes");
        assert_eq!(read(Encoding::Utf16, b"a\0b\0", 1).expect("little endian without a mark"), b"ab");
    }

    #[test]
    fn what_is_no_character_stays_visible() {
        assert_eq!(read(Encoding::Utf16Le, b"a\0\x00\xd8b\0", 1).expect("text"), b"a\xed\xa0\x80b");
        assert_eq!(read(Encoding::Utf16Le, b"a\0\x00\xdc\x00\xd8", 9).expect("text"), b"a\xed\xb0\x80\xed\xa0\x80");
        assert_eq!(read(Encoding::Utf16Le, b"a\0b", 9).expect("text"), b"a\xff");
    }

    proptest! {
        #[test]
        fn any_units_keep_their_length_in_any_pieces(units in proptest::collection::vec(any::<u16>(), 1..200), piece in 1usize..9) {
            // A first unit of two letters would be no UTF-16.
            let bytes: Vec<u8> = std::iter::once(0xfeff).chain(units).flat_map(u16::to_le_bytes).collect();
            let text = read(Encoding::Utf16, &bytes, piece).expect("UTF-16");
            prop_assert_eq!(stored_len(&text), bytes.len() as u64);
            prop_assert_eq!(text, read(Encoding::Utf16, &bytes, usize::MAX >> 1).expect("UTF-16"));
        }
    }
}
