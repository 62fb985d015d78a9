//! Row groups of Parquet, each column in the encoding that suits the values it has.
//!
//! A row group is encoded when all its rows are there, so that the choice rests on all of them and the same rows give the same bytes.
//! Numbers and text, which are nearly everything, are encoded here; the rest is left to the Parquet library.

mod bits;
mod numbers;
pub(crate) mod pages;
#[cfg(test)]
mod tests;
mod texts;
mod wide;

use std::io::Write;

use arrow::array::cast::AsArray as _;
use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, PrimitiveArray, RecordBatch};
use arrow::datatypes::{self as types, DataType, SchemaRef, TimeUnit};
use bytes::Bytes;
use parquet::arrow::arrow_writer::{ArrowRowGroupWriterFactory, compute_leaves};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnDescPtr;
use zstd::bulk::Compressor;

use numbers::Numbers;

/// Precision up to which a decimal is held in 64 bits.
const LONG_DIGITS: u8 = 18;

/// Writes batches as one row group.
pub(crate) fn row_group<W: Write + Send>(
    file: &mut SerializedFileWriter<W>,
    library: &ArrowRowGroupWriterFactory,
    schema: &SchemaRef,
    batches: &[RecordBatch],
    zstd: &mut Compressor<'_>,
) -> Result<(), ParquetError> {
    let number = file.flushed_row_groups().len();
    let descriptor = file.schema_descr().clone();
    let mut left = library.create_column_writers(number)?.into_iter();
    let mut group = file.next_row_group()?;
    for (i, field) in schema.fields().iter().enumerate() {
        let arrays: Vec<&ArrayRef> = batches.iter().map(|b| b.column(i)).collect();
        let writer = left.next();
        match column(&descriptor.column(i), &arrays, zstd)? {
            Some((bytes, closed)) => group.append_column(&bytes, closed)?,
            None => {
                let mut writer = writer.ok_or_else(|| ParquetError::General("a column has no writer".to_owned()))?;
                for array in arrays {
                    for leaf in compute_leaves(field, array)? {
                        writer.write(&leaf)?;
                    }
                }
                let mut chunk = writer.close()?;
                // A file has an index of pages for all of its columns, or for none.
                let closed = chunk.close_mut();
                (closed.column_index, closed.offset_index) = (None, None);
                chunk.append_to_row_group(&mut group)?;
            }
        }
    }
    group.close()?;
    Ok(())
}

/// Encodes a column; `None` if the library must.
fn column(
    column: &ColumnDescPtr,
    arrays: &[&ArrayRef],
    zstd: &mut Compressor<'_>,
) -> Result<Option<(Bytes, ColumnCloseResult)>, ParquetError> {
    let Some(first) = arrays.first() else { return Ok(None) };
    let numbers = match first.data_type() {
        DataType::Int8 => numbers::<types::Int8Type>(arrays, i64::from),
        DataType::Int16 => numbers::<types::Int16Type>(arrays, i64::from),
        DataType::Int32 => numbers::<types::Int32Type>(arrays, i64::from),
        DataType::Int64 => numbers::<types::Int64Type>(arrays, |v| v),
        DataType::Date32 => numbers::<types::Date32Type>(arrays, i64::from),
        DataType::Timestamp(TimeUnit::Microsecond, _) => numbers::<types::TimestampMicrosecondType>(arrays, |v| v),
        DataType::Decimal128(precision, _) if *precision <= LONG_DIGITS => numbers::<types::Decimal128Type>(arrays, |v| v as i64),
        DataType::Decimal128(..) => {
            let arrays: Vec<_> = arrays.iter().map(|a| a.as_primitive::<types::Decimal128Type>()).collect();
            return wide::encode(column, &arrays, zstd).map(Some);
        }
        DataType::Utf8 => {
            let arrays: Vec<_> = arrays.iter().map(|a| a.as_string::<i32>()).collect();
            return texts::encode(column, &arrays, zstd).map(Some);
        }
        _ => return Ok(None),
    };
    numbers::encode(column, &numbers, zstd).map(Some)
}

/// The values of arrays as whole numbers.
fn numbers<T: ArrowPrimitiveType>(arrays: &[&ArrayRef], make: impl Fn(T::Native) -> i64 + Copy) -> Numbers {
    let rows = arrays.iter().fold(0, |rows, array| rows + array.len());
    let has_nulls = arrays.iter().any(|a| a.null_count() > 0);
    let mut numbers = Numbers { values: Vec::with_capacity(rows), valid: Vec::new(), rows };
    for array in arrays {
        let array: &PrimitiveArray<T> = array.as_primitive();
        match array.nulls().filter(|nulls| nulls.null_count() > 0) {
            None => numbers.values.extend(array.values().iter().map(|v| make(*v))),
            Some(_) => numbers.values.extend(array.iter().flatten().map(make)),
        }
        if has_nulls {
            numbers.valid.extend((0..array.len()).map(|row| array.is_valid(row)));
        }
    }
    numbers
}
