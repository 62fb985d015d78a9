//! Columns of text.

use std::ops::Range;

use arrow::array::{Array as _, StringArray};
use bytes::Bytes;
use parquet::basic::Encoding;
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::statistics::{Statistics, ValueStatistics};
use parquet::schema::types::ColumnDescPtr;
use zstd::bulk::Compressor;

use super::bits;
use super::numbers::{codes, codes_room};
use super::pages::{Pages, Validity};

/// Bytes of text after which a page ends.
const PAGE_BYTES: usize = 1 << 20;
/// Most rows of a page.
const PAGE_ROWS: usize = 1 << 16;
/// Most different texts of a dictionary.
const DICTIONARY_TEXTS: usize = 1 << 10;
/// Longest text that is kept whole as a bound.
const BOUND_BYTES: usize = 64;

/// Encodes a column: a dictionary for few different texts; otherwise all lengths of a page, then all bytes.
pub(super) fn encode(
    column: &ColumnDescPtr,
    arrays: &[&StringArray],
    zstd: &mut Compressor<'_>,
) -> Result<(Bytes, ColumnCloseResult), ParquetError> {
    let rows = arrays.iter().fold(0, |rows, array| rows + array.len());
    let nulls = arrays.iter().fold(0, |nulls, array| nulls + array.null_count());
    let mut valid = Vec::new();
    if nulls > 0 {
        for array in arrays {
            valid.extend((0..array.len()).map(|row| array.is_valid(row)));
        }
    }
    let mut pages = Pages::new(column);
    let bounds = if let Some(dictionary) = Dictionary::of(arrays, rows - nulls) {
        dictionary.write(&valid, rows, &mut pages);
        dictionary.entries.iter().min().copied().zip(dictionary.entries.iter().max().copied())
    } else {
        whole(arrays, &valid, &mut pages);
        bounds(arrays)
    };
    pages.finish(statistics(bounds, nulls as u64), zstd)
}

/// Encoding `DELTA_LENGTH_BYTE_ARRAY`.
fn whole(arrays: &[&StringArray], valid: &[bool], pages: &mut Pages) {
    // Nulls may have bytes in the arrays of others, which must not be taken; they only make a page end earlier.
    let (mut lengths, mut parts, mut bytes) = (Vec::new(), Vec::new(), 0);
    let (mut first, mut row) = (0, 0);
    let mut end = |lengths: &mut Vec<i64>, parts: &mut Vec<&[u8]>, rows: Range<usize>| {
        let room = lengths.len() * 2 + parts.iter().map(|part| part.len()).sum::<usize>();
        pages.data(Validity::new(valid, rows.start, rows.len()), Encoding::DELTA_LENGTH_BYTE_ARRAY, room, |out| {
            bits::deltas(lengths, out);
            for part in parts.iter() {
                out.extend_from_slice(part);
            }
        });
        lengths.clear();
        parts.clear();
    };
    for array in arrays {
        let offsets = array.value_offsets();
        let values = array.value_data();
        let mut at = 0;
        while at < array.len() {
            // Up to the row that fills the page.
            let room = (PAGE_BYTES - bytes) as i32;
            let most = array.len().min(at + PAGE_ROWS - (row - first));
            let full = offsets[at + 1..=most].partition_point(|stop| stop - offsets[at] < room);
            let stop = most.min(at + 1 + full);
            let run = &offsets[at..=stop];
            if array.null_count() == 0 {
                lengths.extend(run.windows(2).map(|pair| i64::from(pair[1] - pair[0])));
                parts.push(&values[run[0] as usize..run[run.len() - 1] as usize]);
            } else {
                for (_, pair) in (at..).zip(run.windows(2)).filter(|(at, _)| array.is_valid(*at)) {
                    lengths.push(i64::from(pair[1] - pair[0]));
                    parts.push(&values[pair[0] as usize..pair[1] as usize]);
                }
            }
            bytes += (run[run.len() - 1] - run[0]) as usize;
            row += stop - at;
            at = stop;
            if bytes >= PAGE_BYTES || row - first == PAGE_ROWS {
                end(&mut lengths, &mut parts, first..row);
                (first, bytes) = (row, 0);
            }
        }
    }
    if row > first {
        end(&mut lengths, &mut parts, first..row);
    }
}

/// The least and the greatest text.
fn bounds<'a>(arrays: &[&'a StringArray]) -> Option<(&'a [u8], &'a [u8])> {
    let mut found: Option<(&[u8], &[u8])> = None;
    let (mut least_word, mut most_word) = (0, 0);
    for array in arrays {
        let (offsets, values) = (array.value_offsets(), array.value_data());
        let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
        for (at, pair) in offsets.windows(2).enumerate() {
            if nulls.is_some_and(|nulls| nulls.is_null(at)) {
                continue;
            }
            let (start, stop) = (pair[0] as usize, pair[1] as usize);
            let (text, first) = (&values[start..stop], word(values, start, stop));
            match &mut found {
                None => {
                    found = Some((text, text));
                    (least_word, most_word) = (first, first);
                }
                Some((least, most)) => {
                    // The first bytes mostly tell.
                    if first <= least_word && text < *least {
                        (*least, least_word) = (text, first);
                    }
                    if first >= most_word && text > *most {
                        (*most, most_word) = (text, first);
                    }
                }
            }
        }
    }
    found
}

/// The first eight bytes of a text as a number of the same order.
#[inline]
fn word(values: &[u8], start: usize, stop: usize) -> u64 {
    let len = stop - start;
    let bytes = match values[start..].first_chunk::<8>() {
        Some(bytes) => u64::from_be_bytes(*bytes),
        None => {
            let mut bytes = [0; 8];
            let known = len.min(8);
            bytes[..known].copy_from_slice(&values[start..start + known]);
            u64::from_be_bytes(bytes)
        }
    };
    if len >= 8 { bytes } else { bytes & !(u64::MAX >> (8 * len)) }
}

/// A long bound is cut: the least one to what is smaller, the greatest one to what is larger.
fn statistics(bounds: Option<(&[u8], &[u8])>, nulls: u64) -> Statistics {
    let (least, most) = bounds.unzip();
    let cut = |text: &[u8]| {
        String::from_utf8_lossy(text)
            .char_indices()
            .take_while(|(at, c)| at + c.len_utf8() <= BOUND_BYTES)
            .map(|(_, c)| c)
            .collect::<Vec<char>>()
    };
    let (is_least_whole, is_most_whole) = (least.is_none_or(|l| l.len() <= BOUND_BYTES), most.is_none_or(|m| m.len() <= BOUND_BYTES));
    let least = least.map(|text| if is_least_whole { text.to_vec() } else { cut(text).into_iter().collect::<String>().into_bytes() });
    let most = most.map(|text| {
        if is_most_whole {
            return text.to_vec();
        }
        let mut chars = cut(text);
        // The last character that has a next one becomes it.
        while let Some(last) = chars.pop() {
            if let Some(next) = char::from_u32(u32::from(last) + 1) {
                chars.push(next);
                return chars.into_iter().collect::<String>().into_bytes();
            }
        }
        text.to_vec()
    });
    let (least, most) = (least.map(ByteArray::from), most.map(ByteArray::from));
    let found = ValueStatistics::new(least, most, None, Some(nulls), false);
    Statistics::ByteArray(found.with_min_is_exact(is_least_whole).with_max_is_exact(is_most_whole))
}

/// Few different texts, in the order of their coming.
struct Dictionary<'a> {
    entries: Vec<&'a [u8]>,
    codes: Vec<u16>,
}

impl<'a> Dictionary<'a> {
    /// `None` if there are too many different texts.
    fn of(arrays: &[&'a StringArray], count: usize) -> Option<Self> {
        const SLOTS: usize = DICTIONARY_TEXTS * 4;
        let mut slots = vec![0_u16; SLOTS];
        let mut entries: Vec<&[u8]> = Vec::new();
        let mut firsts: Vec<u64> = Vec::new();
        let mut codes = Vec::with_capacity(count);
        let most = DICTIONARY_TEXTS.min(count / 4 + 1);
        for array in arrays {
            let (offsets, values) = (array.value_offsets(), array.value_data());
            let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
            for (at, pair) in offsets.windows(2).enumerate() {
                if nulls.is_some_and(|nulls| nulls.is_null(at)) {
                    continue;
                }
                let (start, stop) = (pair[0] as usize, pair[1] as usize);
                let first = word(values, start, stop);
                let last = if stop - start > 8 { word(values, stop - 8, stop) } else { first };
                let hash = (first ^ last.rotate_left(29) ^ (stop - start) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let mut slot = (hash >> 52) as usize % SLOTS;
                let code = loop {
                    let code = usize::from(slots[slot]);
                    if code == 0 {
                        if entries.len() == most {
                            return None;
                        }
                        entries.push(&values[start..stop]);
                        firsts.push(first);
                        slots[slot] = entries.len() as u16;
                        break entries.len();
                    }
                    let entry = entries[code - 1];
                    let is_same = firsts[code - 1] == first && entry.len() == stop - start;
                    if is_same && (entry.len() <= 8 || *entry == values[start..stop]) {
                        break code;
                    }
                    slot = (slot + 1) % SLOTS;
                };
                codes.push((code - 1) as u16);
            }
        }
        Some(Self { entries, codes })
    }

    fn write(&self, valid: &[bool], rows: usize, pages: &mut Pages) {
        let mut bytes = Vec::new();
        for entry in &self.entries {
            bytes.extend_from_slice(&(entry.len() as u32).to_le_bytes());
            bytes.extend_from_slice(entry);
        }
        pages.dictionary(bytes, self.entries.len());
        let width = bits::width(self.entries.len().saturating_sub(1) as u64);
        let (mut row, mut at) = (0, 0);
        while row < rows {
            let more = PAGE_ROWS.min(rows - row);
            let validity = Validity::new(valid, row, more);
            let part = &self.codes[at..at + validity.values()];
            (row, at) = (row + more, at + part.len());
            pages.data(validity, Encoding::RLE_DICTIONARY, codes_room(part.len(), width), |out| {
                codes(part.iter().map(|code| u64::from(*code)), part.len(), width, out);
            });
        }
    }
}
