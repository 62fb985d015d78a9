//! Columns of whole numbers: integers, dates, times, and decimals that fit 64 bits.

use bytes::Bytes;
use parquet::basic::{Encoding, Type};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::statistics::{Statistics, ValueStatistics};
use parquet::schema::types::ColumnDescPtr;
use zstd::bulk::Compressor;

use super::bits;
use super::pages::{Pages, Validity};

/// Rows of a page.
const PAGE_ROWS: usize = 1 << 16;
/// The widest range of values that a dictionary is tried for: it is made with a table of the range.
const DICTIONARY_RANGE: u64 = 1 << 16;

/// The values of a column of a row group.
#[derive(Default)]
pub(super) struct Numbers {
    /// Of the rows that are not null.
    pub(super) values: Vec<i64>,
    /// A byte a row; empty if no row is null.
    pub(super) valid: Vec<bool>,
    pub(super) rows: usize,
}

/// Encodes a column in the way that needs the fewest bits.
pub(super) fn encode(
    column: &ColumnDescPtr,
    numbers: &Numbers,
    zstd: &mut Compressor<'_>,
) -> Result<(Bytes, ColumnCloseResult), ParquetError> {
    let values = numbers.values.as_slice();
    let (least, most) = values.iter().fold((i64::MAX, i64::MIN), |(least, most), v| (least.min(*v), most.max(*v)));
    let is_narrow = column.physical_type() == Type::INT32;
    let plain_bits = if is_narrow { 32 } else { 64 };
    // The differences of values this far apart still fit.
    let most_apart = if is_narrow { 1 << 30 } else { 1 << 61 };
    let range = most.checked_sub(least).filter(|range| (0..=most_apart).contains(range)).map(|range| range as u64);
    let delta_bits = range.map_or(u32::MAX, |_| bits::delta_bits(values));
    let dictionary = range.filter(|range| *range < DICTIONARY_RANGE).map(|range| Dictionary::of(values, least, range));
    let dictionary = dictionary.filter(|d| d.bits(values.len(), plain_bits) <= values.len() as u64 * u64::from(delta_bits.min(plain_bits)));
    let mut pages = Pages::new(column);
    if let Some(dictionary) = &dictionary {
        let mut bytes = Vec::with_capacity(dictionary.values.len() * 8);
        plain(&dictionary.values, is_narrow, &mut bytes);
        pages.dictionary(bytes, dictionary.values.len());
    }
    let (mut row, mut at) = (0, 0);
    while row < numbers.rows {
        let rows = PAGE_ROWS.min(numbers.rows - row);
        let validity = Validity::new(&numbers.valid, row, rows);
        let part = &values[at..at + validity.values()];
        (row, at) = (row + rows, at + part.len());
        match &dictionary {
            Some(dictionary) => {
                let room = codes_room(part.len(), dictionary.width);
                pages.data(validity, Encoding::RLE_DICTIONARY, room, |out| dictionary.write(part, out));
            }
            None if delta_bits < plain_bits => {
                let room = part.len() * (delta_bits as usize + 2) / 8;
                pages.data(validity, Encoding::DELTA_BINARY_PACKED, room, |out| bits::deltas(part, out));
            }
            None => pages.data(validity, Encoding::PLAIN, part.len() * plain_bits as usize / 8, |out| plain(part, is_narrow, out)),
        }
    }
    let bounds = (!values.is_empty()).then_some((least, most));
    let nulls = Some((numbers.rows - values.len()) as u64);
    let statistics = if is_narrow {
        let (least, most) = bounds.map(|(least, most)| (least as i32, most as i32)).unzip();
        Statistics::Int32(ValueStatistics::new(least, most, None, nulls, false))
    } else {
        let (least, most) = bounds.unzip();
        Statistics::Int64(ValueStatistics::new(least, most, None, nulls, false))
    };
    pages.finish(statistics, zstd)
}

fn plain(values: &[i64], is_narrow: bool, out: &mut Vec<u8>) {
    let before = out.len();
    if is_narrow {
        out.resize(before + values.len() * 4, 0);
        let (slots, _) = out[before..].as_chunks_mut::<4>();
        slots.iter_mut().zip(values).for_each(|(slot, value)| *slot = (*value as i32).to_le_bytes());
    } else {
        out.resize(before + values.len() * 8, 0);
        let (slots, _) = out[before..].as_chunks_mut::<8>();
        slots.iter_mut().zip(values).for_each(|(slot, value)| *slot = value.to_le_bytes());
    }
}

/// Distinct values in order, and where each stands among them.
struct Dictionary {
    values: Vec<i64>,
    least: i64,
    /// By value, counted from the least.
    codes: Vec<u16>,
    width: u32,
}

impl Dictionary {
    fn of(values: &[i64], least: i64, range: u64) -> Self {
        let mut codes = vec![0_u16; range as usize + 1];
        for value in values {
            codes[(value - least) as usize] = 1;
        }
        let mut distinct = Vec::new();
        for (at, code) in codes.iter_mut().enumerate() {
            if *code != 0 {
                *code = distinct.len() as u16;
                distinct.push(least + at as i64);
            }
        }
        let width = bits::width(distinct.len().saturating_sub(1) as u64);
        Self { values: distinct, least, codes, width }
    }

    /// Bits for so many rows, the dictionary included.
    fn bits(&self, rows: usize, plain_bits: u32) -> u64 {
        rows as u64 * u64::from(self.width) + self.values.len() as u64 * u64::from(plain_bits)
    }

    fn write(&self, values: &[i64], out: &mut Vec<u8>) {
        codes(values.iter().map(|value| u64::from(self.codes[(value - self.least) as usize])), values.len(), self.width, out);
    }
}

/// Bytes that [`codes`] takes.
pub(super) fn codes_room(count: usize, width: u32) -> usize {
    count.div_ceil(8) * width as usize + 16
}

/// Places in a dictionary, as a page has them.
pub(super) fn codes(codes: impl Iterator<Item = u64>, count: usize, width: u32, out: &mut Vec<u8>) {
    // Readers differ in what they make of a width of nothing.
    out.push(width.max(1) as u8);
    if width == 0 {
        bits::repeated_run(0, count, out);
    } else {
        bits::packed_run(codes, count, width, out);
    }
}
