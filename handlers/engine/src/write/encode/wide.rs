//! Columns of decimals of more than 64 bits: big-endian bytes of a fixed length.

use arrow::array::{Array as _, Decimal128Array};
use bytes::Bytes;
use parquet::basic::Encoding;
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::{ByteArray, FixedLenByteArray};
use parquet::errors::ParquetError;
use parquet::file::statistics::{Statistics, ValueStatistics};
use parquet::schema::types::ColumnDescPtr;
use zstd::bulk::Compressor;

use super::pages::{Pages, Validity};

/// Rows of a page: about a mebibyte.
const PAGE_ROWS: usize = 1 << 16;

/// Encodes a column in plain encoding: the bytes that are the same in all values cost next to nothing once compressed.
pub(super) fn encode(
    column: &ColumnDescPtr,
    arrays: &[&Decimal128Array],
    zstd: &mut Compressor<'_>,
) -> Result<(Bytes, ColumnCloseResult), ParquetError> {
    let rows = arrays.iter().fold(0, |rows, array| rows + array.len());
    let nulls = arrays.iter().fold(0, |nulls, array| nulls + array.null_count());
    let mut values: Vec<i128> = Vec::with_capacity(rows - nulls);
    let mut valid = Vec::new();
    for array in arrays {
        if array.null_count() == 0 {
            values.extend_from_slice(array.values());
        } else {
            values.extend(array.iter().flatten());
        }
        if nulls > 0 {
            valid.extend((0..array.len()).map(|row| array.is_valid(row)));
        }
    }
    let length = usize::try_from(column.type_length()).unwrap_or(16).min(16);
    let mut pages = Pages::new(column);
    let (mut row, mut at) = (0, 0);
    while row < rows {
        let more = PAGE_ROWS.min(rows - row);
        let validity = Validity::new(&valid, row, more);
        let part = &values[at..at + validity.values()];
        (row, at) = (row + more, at + part.len());
        pages.data(validity, Encoding::PLAIN, part.len() * length, |out| {
            let before = out.len();
            if length == 16 {
                out.resize(before + part.len() * 16, 0);
                let (slots, _) = out[before..].as_chunks_mut::<16>();
                slots.iter_mut().zip(part).for_each(|(slot, value)| *slot = value.to_be_bytes());
            } else {
                for value in part {
                    out.extend_from_slice(&value.to_be_bytes()[16 - length..]);
                }
            }
        });
    }
    let bytes = |value: &i128| FixedLenByteArray::from(ByteArray::from(value.to_be_bytes()[16 - length..].to_vec()));
    let (least, most) = (values.iter().min().map(bytes), values.iter().max().map(bytes));
    let found = ValueStatistics::new(least, most, None, Some(nulls as u64), false);
    pages.finish(Statistics::FixedLenByteArray(found), zstd)
}
