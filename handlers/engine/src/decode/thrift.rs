//! Parquet's footer and page headers, walked before the Parquet library reads them.
//!
//! They are Thrift structures (`parquet.thrift` of the Parquet format, in Thrift's compact protocol). A few damaged bytes can claim a list of
//! two thousand million entries: fields that the library does not know it skips entry by entry, and an entry of a list of booleans takes it no
//! byte, so that nothing ends the loop; for other lists and texts it asks for memory by the claimed length, and a request that is refused ends
//! the process. So nothing reaches the library that claims more than there is. The walk reads the bytes as the library does: a field that both
//! know must have the type of `parquet.thrift`, any other is skipped by the type that it says it has.

use Kind::{Binary, Bool, Byte, Double, I16, I32, I64, List, Struct};

/// What is known of a field. Enumerations are `I32`.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Bool,
    Byte,
    I16,
    I32,
    I64,
    Double,
    Binary,
    Struct(Fields),
    List(&'static Kind),
}

/// Fields of a structure by their numbers. Those that the library does not read are not here.
type Fields = &'static [(i16, Kind)];

const STATISTICS: Fields = &[(1, Binary), (2, Binary), (3, I64), (4, I64), (5, Binary), (6, Binary), (7, Bool), (8, Bool)];
const DATA_PAGE: Fields = &[(1, I32), (2, I32), (3, I32), (4, I32), (5, Struct(STATISTICS))];
const DICTIONARY_PAGE: Fields = &[(1, I32), (2, I32), (3, Bool)];
const DATA_PAGE_V2: Fields = &[(1, I32), (2, I32), (3, I32), (4, I32), (5, I32), (6, I32), (7, Bool), (8, Struct(STATISTICS))];
/// `PageHeader`; its fields 2 and 3 are the page's size expanded and as stored.
const PAGE_HEADER: Fields = &[
    (1, I32),
    (2, I32),
    (3, I32),
    (4, I32),
    (5, Struct(DATA_PAGE)),
    (6, Struct(&[])),
    (7, Struct(DICTIONARY_PAGE)),
    (8, Struct(DATA_PAGE_V2)),
];

const NOTHING: Kind = Struct(&[]);
const TIME: Kind = Struct(&[(1, Bool), (2, Struct(&[(1, NOTHING), (2, NOTHING), (3, NOTHING)]))]);
const LOGICAL_TYPE: Fields = &[
    (1, NOTHING),
    (2, NOTHING),
    (3, NOTHING),
    (4, NOTHING),
    (5, Struct(&[(1, I32), (2, I32)])),
    (6, NOTHING),
    (7, TIME),
    (8, TIME),
    (10, Struct(&[(1, Byte), (2, Bool)])),
    (11, NOTHING),
    (12, NOTHING),
    (13, NOTHING),
    (14, NOTHING),
    (15, NOTHING),
    (16, Struct(&[(1, Byte)])),
    (17, Struct(&[(1, Binary)])),
    (18, Struct(&[(1, Binary), (2, I32)])),
];
const SCHEMA_ELEMENT: Kind =
    Struct(&[(1, I32), (2, I32), (3, I32), (4, Binary), (5, I32), (6, I32), (7, I32), (8, I32), (9, I32), (10, Struct(LOGICAL_TYPE))]);
const KEY_VALUE: Kind = Struct(&[(1, Binary), (2, Binary)]);
const BOX: Kind = Struct(&[(1, Double), (2, Double), (3, Double), (4, Double), (5, Double), (6, Double), (7, Double), (8, Double)]);
const COLUMN: Kind = Struct(&[
    (1, I32),
    (2, List(&I32)),
    (3, List(&Binary)),
    (4, I32),
    (5, I64),
    (6, I64),
    (7, I64),
    (8, List(&KEY_VALUE)),
    (9, I64),
    (10, I64),
    (11, I64),
    (12, Struct(STATISTICS)),
    (13, List(&Struct(&[(1, I32), (2, I32), (3, I32)]))),
    (14, I64),
    (15, I32),
    (16, Struct(&[(1, I64), (2, List(&I64)), (3, List(&I64))])),
    (17, Struct(&[(1, BOX), (2, List(&I32))])),
]);
const COLUMN_CHUNK: Kind = Struct(&[(1, Binary), (2, I64), (3, COLUMN), (4, I64), (5, I32), (6, I64), (7, I32)]);
const SORTING_COLUMN: Kind = Struct(&[(1, I32), (2, Bool), (3, Bool)]);
const ROW_GROUP: Kind = Struct(&[(1, List(&COLUMN_CHUNK)), (2, I64), (3, I64), (4, List(&SORTING_COLUMN)), (5, I64), (6, I64), (7, I16)]);
const COLUMN_ORDER: Kind = Struct(&[(1, NOTHING)]);
/// `FileMetaData`.
const FOOTER: Fields =
    &[(1, I32), (2, List(&SCHEMA_ELEMENT)), (3, I64), (4, List(&ROW_GROUP)), (5, List(&KEY_VALUE)), (6, Binary), (7, List(&COLUMN_ORDER))];

/// Most structures in one another; the library takes 64.
const MOST_DEPTH: u8 = 64;
/// Most booleans of a list: what the short form of its header can say.
const MOST_BOOLEANS: u64 = 14;

/// Codes of Thrift's compact protocol, "Field/Element types".
mod code {
    pub(super) const STOP: u8 = 0;
    pub(super) const TRUE: u8 = 1;
    pub(super) const FALSE: u8 = 2;
    pub(super) const BYTE: u8 = 3;
    pub(super) const I16: u8 = 4;
    pub(super) const I32: u8 = 5;
    pub(super) const I64: u8 = 6;
    pub(super) const DOUBLE: u8 = 7;
    pub(super) const BINARY: u8 = 8;
    pub(super) const LIST: u8 = 9;
    pub(super) const SET: u8 = 10;
    pub(super) const MAP: u8 = 11;
    pub(super) const STRUCT: u8 = 12;
    pub(super) const UUID: u8 = 13;
}

/// What is wrong, in words that follow "the file cannot be read as Parquet: ".
type Fault = String;

/// A page, as its header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PageSize {
    /// Bytes of the header.
    pub(crate) header: usize,
    /// Bytes of the content as stored.
    pub(crate) stored: usize,
    /// Bytes of the content expanded.
    pub(crate) expanded: u64,
}

/// Walks a footer's metadata.
///
/// # Errors
/// It claims more than it has, or is no `FileMetaData`.
pub(crate) fn check_footer(bytes: &[u8]) -> Result<(), Fault> {
    let mut walk = Walk { bytes, at: 0 };
    walk.fields(FOOTER, MOST_DEPTH, &mut |_, _| {}).map_err(|fault| format!("its footer is damaged: {fault}"))
}

/// Walks the page header that stands first in `bytes`.
///
/// # Errors
/// It claims more than there is, or is no `PageHeader`.
pub(crate) fn page_size(bytes: &[u8]) -> Result<PageSize, Fault> {
    let mut walk = Walk { bytes, at: 0 };
    let (mut stored, mut expanded) = (None, None);
    let walked = walk.fields(PAGE_HEADER, MOST_DEPTH, &mut |field, value| match field {
        2 => expanded = u64::try_from(value).ok(),
        3 => stored = usize::try_from(value).ok(),
        _ => {}
    });
    let sizes = walked.and_then(|()| stored.zip(expanded).ok_or_else(|| "it does not say how large its page is".to_owned()));
    let (stored, expanded) = sizes.map_err(|fault| format!("a page header is damaged: {fault}"))?;
    Ok(PageSize { header: walk.at, stored, expanded })
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Walk<'_> {
    fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    fn byte(&mut self) -> Result<u8, Fault> {
        let byte = self.bytes.get(self.at).ok_or_else(|| "it ends too early".to_owned())?;
        self.at += 1;
        Ok(*byte)
    }

    fn skip(&mut self, bytes: u64) -> Result<(), Fault> {
        let left = self.left();
        let bytes =
            usize::try_from(bytes).ok().filter(|n| *n <= left).ok_or_else(|| format!("a text of {bytes} bytes, where {left} follow"))?;
        self.at += bytes;
        Ok(())
    }

    /// An unsigned LEB128 number. Of bits beyond the 64th the library keeps what a wrapping shift leaves.
    fn varint(&mut self) -> Result<u64, Fault> {
        let (mut value, mut shift) = (0_u64, 0_u32);
        loop {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f).wrapping_shl(shift);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
            shift = shift.wrapping_add(7);
        }
    }

    fn integer(&mut self) -> Result<i64, Fault> {
        let value = self.varint()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// The fields of a structure up to its stop; `found` gets the integers among them.
    fn fields(&mut self, known: Fields, depth: u8, found: &mut dyn FnMut(i16, i64)) -> Result<(), Fault> {
        let depth = depth.checked_sub(1).ok_or_else(|| format!("more than {MOST_DEPTH} structures in one another"))?;
        let mut last = 0_i16;
        loop {
            let head = self.byte()?;
            let kind = head & 0x0f;
            if kind == code::STOP {
                return Ok(());
            }
            let id = match head >> 4 {
                0 => self.integer()? as i16,
                delta => last.checked_add(i16::from(delta)).ok_or_else(|| "a field with too large a number".to_owned())?,
            };
            last = id;
            match known.iter().find(|(known, _)| *known == id) {
                Some((_, Bool)) if matches!(kind, code::TRUE | code::FALSE) => {}
                Some((_, expected)) if fits(*expected, kind) => {
                    if let Some(value) = self.value(*expected, depth)? {
                        found(id, value);
                    }
                }
                Some((_, expected)) => return Err(format!("field {id} has the type {kind}, expected {expected:?}")),
                // The value of a boolean field is its type.
                None if matches!(kind, code::TRUE | code::FALSE) => {}
                None => self.unknown(kind, depth)?,
            }
        }
    }

    /// A value of a known type; what it is, if it is an integer.
    fn value(&mut self, kind: Kind, depth: u8) -> Result<Option<i64>, Fault> {
        match kind {
            Bool | Byte => self.skip(1)?,
            I16 | I32 | I64 => return self.integer().map(Some),
            Double => self.skip(8)?,
            Binary => {
                let len = self.varint()?;
                self.skip(len)?;
            }
            Struct(fields) => self.fields(fields, depth, &mut |_, _| {})?,
            List(of) => {
                let (found, len) = self.list()?;
                if len > 0 && !fits(*of, found) {
                    return Err(format!("a list of the type {found}, expected {of:?}"));
                }
                let depth = depth.checked_sub(1).ok_or_else(|| format!("more than {MOST_DEPTH} lists in one another"))?;
                for _ in 0..len {
                    self.value(*of, depth)?;
                }
            }
        }
        Ok(None)
    }

    /// A value that is skipped.
    fn unknown(&mut self, kind: u8, depth: u8) -> Result<(), Fault> {
        let depth = depth.checked_sub(1).ok_or_else(|| format!("more than {MOST_DEPTH} values in one another"))?;
        match kind {
            code::TRUE | code::FALSE => Ok(()),
            code::BYTE => self.skip(1),
            code::I16 | code::I32 | code::I64 => self.varint().map(|_| ()),
            code::DOUBLE => self.skip(8),
            code::BINARY => {
                let len = self.varint()?;
                self.skip(len)
            }
            code::LIST | code::SET => {
                let (kind, len) = self.list()?;
                (0..len).try_for_each(|_| self.unknown(kind, depth))
            }
            code::MAP => {
                let len = self.varint()?;
                if len == 0 {
                    return Ok(());
                }
                let kinds = self.byte()?;
                let (key, value) = (kinds >> 4, kinds & 0x0f);
                self.room(len, is_boolean(key) && is_boolean(value))?;
                (0..len).try_for_each(|_| self.unknown(key, depth).and_then(|()| self.unknown(value, depth)))
            }
            code::STRUCT => self.fields(&[], depth, &mut |_, _| {}),
            code::UUID => self.skip(16),
            _ => Err(format!("a field of the unknown type {kind}")),
        }
    }

    /// The header of a list: the type of its entries, and how many there are.
    fn list(&mut self) -> Result<(u8, u64), Fault> {
        let head = self.byte()?;
        let kind = head & 0x0f;
        let len = match head >> 4 {
            15 => self.varint()?,
            len => u64::from(len),
        };
        self.room(len, is_boolean(kind))?;
        Ok((kind, len))
    }

    /// Whether so many entries can be there: each takes a byte at least, but for booleans, which the library skips without one.
    fn room(&self, len: u64, is_boolean: bool) -> Result<(), Fault> {
        let most = if is_boolean { MOST_BOOLEANS } else { self.left() as u64 };
        if len > most { Err(format!("a list of {len} entries, where at most {most} can be")) } else { Ok(()) }
    }
}

fn is_boolean(kind: u8) -> bool {
    matches!(kind, code::TRUE | code::FALSE)
}

/// Whether a type's code is that of a known type.
fn fits(expected: Kind, found: u8) -> bool {
    found
        == match expected {
            Bool => return is_boolean(found),
            Byte => code::BYTE,
            I16 => code::I16,
            I32 => code::I32,
            I64 => code::I64,
            Double => code::DOUBLE,
            Binary => code::BINARY,
            Struct(_) => code::STRUCT,
            List(_) => return matches!(found, code::LIST | code::SET),
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page header of 100 bytes stored, 200 expanded, and then other fields.
    fn header(rest: &[u8]) -> Vec<u8> {
        [&[0x15, 0x00, 0x15, 0x90, 0x03, 0x15, 0xc8, 0x01], rest, &[0x00]].concat()
    }

    #[test]
    fn a_page_header_says_how_large_its_page_is() {
        let bytes = header(&[]);
        assert_eq!(page_size(&bytes), Ok(PageSize { header: bytes.len(), stored: 100, expanded: 200 }));
        assert!(page_size(&bytes[..4]).unwrap_err().contains("ends too early"));
        assert!(page_size(&[0x15, 0x00, 0x00]).unwrap_err().contains("how large"));
        assert!(page_size(&[0x15, 0x00, 0x15, 0x00, 0x15, 0x01, 0x00]).unwrap_err().contains("how large"), "a negative size");
    }

    #[test]
    fn unknown_fields_are_skipped() {
        let list_of_structs = [0x79, 0x2c, 0x15, 0x02, 0x00, 0x00];
        let map_of_text_to_booleans = [0x1b, 0x01, 0x82, 0x01, b'x'];
        let bytes = header(&[&list_of_structs[..], &map_of_text_to_booleans].concat());
        assert_eq!(page_size(&bytes).map(|p| p.header), Ok(bytes.len()));
    }

    #[test]
    fn no_list_is_longer_than_its_bytes() {
        // Field 10: a list of 2^31 - 1 booleans, of bytes, and a map of booleans.
        for rest in [
            &[0x79, 0xf1, 0xff, 0xff, 0xff, 0xff, 0x07][..],
            &[0x79, 0xf3, 0xff, 0xff, 0xff, 0xff, 0x07],
            &[0x7b, 0xff, 0xff, 0xff, 0xff, 0x07, 0x11],
        ] {
            assert!(page_size(&header(rest)).unwrap_err().contains("a list of 2147483647 entries"));
        }
        assert!(page_size(&header(&[0x78, 0xff, 0xff, 0xff, 0xff, 0x0f])).unwrap_err().contains("a text of 4294967295 bytes"));
        // Row groups, for which the library makes room at once.
        assert!(check_footer(&[0x49, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07, 0x00]).unwrap_err().contains("a list of 2147483647 entries"));
    }

    #[test]
    fn a_known_field_has_its_type() {
        assert!(page_size(&[0x19, 0xf1, 0x00]).unwrap_err().contains("field 1 has the type 9, expected I32"));
        assert!(check_footer(&[0x29, 0x15, 0x00, 0x00]).unwrap_err().contains("a list of the type 5"));
    }

    #[test]
    fn what_is_nested_too_deep_is_refused() {
        let bytes = header(&[&[0x7c][..], &[0x1c; 200]].concat());
        assert!(page_size(&bytes).unwrap_err().contains("in one another"));
    }
}
