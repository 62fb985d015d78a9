//! Parquet input: its footer, and row groups as chunks.

use std::io::Read;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::DataType as ArrowType;
use bytes::{Buf as _, Bytes};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};
use parquet::file::reader::{ChunkReader, Length};
use sluice_contract::{DataType, Plan};

use crate::compile::Compiled;
use crate::decode::batch::{BATCH_BYTES, BATCH_ROWS, BatchBuilder};
use crate::decode::parquet::is_readable;
use crate::decode::thrift;
use crate::outcome::Outputs;
use crate::typed::builder::type_name;
use crate::typed::raw::Reading;
use crate::{Chunk, ChunkStart, Code, EngineError, Refusal};

/// Largest row group in bytes as stored. It must be held in memory whole.
const ROW_GROUP_BYTES: u64 = 1 << 30;

fn unreadable(message: impl std::fmt::Display) -> Refusal {
    Refusal::new(Code::UnreadableParquet, format!("the file cannot be read as Parquet: {message}"))
}

fn expands_too_much(what: &str, expanded: u64, limit: u64) -> Refusal {
    let message = format!("{what} says it grows to {expanded} bytes, beyond {limit} (limits.expansion); raise the limit if that is right");
    Refusal::new(Code::ExpandsTooMuch, message)
}

/// Length of the footer (metadata and the last 8 bytes), from the last 8 bytes of a file (Parquet format, "File format").
///
/// # Errors
/// The file has no bytes, does not end as Parquet does, or is encrypted.
pub fn parquet_footer_len(last8: &[u8]) -> Result<u64, Refusal> {
    if last8.is_empty() {
        return Err(Refusal::new(Code::EmptyFile, "the file has no bytes"));
    }
    let [.., a, b, c, d, m0, m1, m2, m3] = last8 else {
        return Err(unreadable("it is shorter than 8 bytes"));
    };
    match &[*m0, *m1, *m2, *m3] {
        b"PAR1" => Ok(u64::from(u32::from_le_bytes([*a, *b, *c, *d])) + 8),
        b"PARE" => Err(unreadable("its footer is encrypted")),
        _ => Err(unreadable("it does not end in PAR1; it is another kind of file, or was cut in transfer")),
    }
}

/// Chunks of row groups, from the last bytes of a file (at least [`parquet_footer_len`] of them). `chunk_bytes` is the size to aim at.
///
/// # Errors
/// The metadata cannot be read, columns of the contract are missing, have a type that the contract's type cannot take, or a row group is
/// larger than 1 GiB.
pub fn parquet_chunks(plan: &Plan, footer: &[u8], file_len: u64, chunk_bytes: u64) -> Result<Vec<Chunk>, Refusal> {
    let metadata = metadata(footer)?;
    projection(plan, &metadata)?;
    let expanded: i64 = metadata.metadata().row_groups().iter().map(RowGroupMetaData::total_byte_size).fold(0, i64::saturating_add);
    let limit = file_len.saturating_mul(u64::from(plan.pipeline.limits.expansion.max(1)));
    let expanded = u64::try_from(expanded).unwrap_or(0);
    if expanded > limit {
        return Err(expands_too_much("the file", expanded, limit));
    }
    let mut chunks: Vec<Chunk> = Vec::new();
    let mut row = 0_u64;
    for (i, group) in metadata.metadata().row_groups().iter().enumerate() {
        let (start, end) = byte_range(group, file_len)?;
        if end - start > ROW_GROUP_BYTES {
            let message =
                format!("row group {i} has {} bytes; at most {ROW_GROUP_BYTES} can be taken: write smaller row groups", end - start);
            return Err(Refusal::new(Code::RowGroupTooLarge, message));
        }
        let rows = u64::try_from(group.num_rows()).map_err(|_| unreadable("a row group has a negative number of rows"))?;
        if rows == 0 {
            continue;
        }
        match chunks.last_mut() {
            Some(last) if end.max(last.end) - start.min(last.start) <= chunk_bytes => {
                last.start = last.start.min(start);
                last.end = last.end.max(end);
                last.row_groups.push(i as u32);
            }
            _ => chunks.push(Chunk { start, end, first_row: row, first_line: row + 1, row_groups: vec![i as u32] }),
        }
        row += rows;
    }
    Ok(chunks)
}

fn metadata(footer: &[u8]) -> Result<ArrowReaderMetadata, Refusal> {
    let len = parquet_footer_len(footer)? as usize;
    let start = footer
        .len()
        .checked_sub(len)
        .ok_or_else(|| unreadable(format!("its footer of {len} bytes is not there; the file was cut in transfer")))?;
    let footer = &footer[start..footer.len() - 8];
    thrift::check_footer(footer).map_err(unreadable)?;
    let decode = || -> Result<ArrowReaderMetadata, ParquetError> {
        let metadata: ParquetMetaData = ParquetMetaDataReader::decode_metadata(footer)?;
        // Types as the Parquet schema says: what an Arrow writer noted beside it is not needed, and may be wrong.
        ArrowReaderMetadata::try_new(Arc::new(metadata), ArrowReaderOptions::new().with_skip_arrow_metadata(true))
    };
    guard(decode)
}

/// A decoder's panic on damaged bytes is a fault of the file, not of this program.
fn guard<T>(decode: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, Refusal> {
    match catch_unwind(AssertUnwindSafe(decode)) {
        Ok(result) => result.map_err(unreadable),
        Err(_) => Err(unreadable("its bytes are damaged")),
    }
}

/// Where the row group lies in the file.
fn byte_range(group: &RowGroupMetaData, file_len: u64) -> Result<(u64, u64), Refusal> {
    let (mut low, mut high) = (u64::MAX, 0);
    for column in group.columns() {
        let place = column_range(column, file_len)?;
        (low, high) = (low.min(place.start), high.max(place.end));
    }
    if low > high { Ok((0, 0)) } else { Ok((low, high)) }
}

/// Where a column's pages lie in the file.
fn column_range(column: &ColumnChunkMetaData, file_len: u64) -> Result<Range<u64>, Refusal> {
    let start = column.dictionary_page_offset().filter(|o| *o > 0).map_or(column.data_page_offset(), |o| o.min(column.data_page_offset()));
    let range = u64::try_from(start).ok().zip(u64::try_from(column.compressed_size()).ok());
    let (start, len) = range.ok_or_else(|| unreadable("a column has a negative place"))?;
    let end = start.checked_add(len).filter(|end| *end <= file_len);
    Ok(start..end.ok_or_else(|| unreadable("a column lies beyond the end of the file"))?)
}

/// The place of each contract column among the file's columns.
fn projection(plan: &Plan, metadata: &ArrowReaderMetadata) -> Result<Vec<usize>, Refusal> {
    let schema = metadata.schema();
    let names: Vec<String> = schema.fields().iter().map(|f| f.name().clone()).collect();
    crate::header_names::check_names(plan, &names)?;
    let mut columns = Vec::new();
    let mut misfits = Vec::new();
    for column in &plan.contract.columns {
        let at = names.iter().position(|n| *n == column.source).unwrap_or_default();
        let (source, found) = (&column.source, schema.field(at).data_type());
        if found.is_nested() {
            let what = nested_name(found);
            misfits
                .push(format!("column {source} is nested ({what}), and nested columns are not read: write it as JSON text, or flatten it"));
        } else if !is_readable(found) || !can_take(found, column.data_type) {
            misfits.push(format!("column {source} has the type {found} in the file, the contract wants {}", type_name(column.data_type)));
        }
        columns.push(at);
    }
    if misfits.is_empty() { Ok(columns) } else { Err(Refusal::new(Code::ParquetType, misfits.join("; "))) }
}

/// The kind of a nested column, in the words of Parquet.
fn nested_name(found: &ArrowType) -> &'static str {
    match found {
        ArrowType::Map(..) => "a map",
        ArrowType::Struct(_) => "a group of columns",
        _ => "a list",
    }
}

/// Whether some value of a Parquet type is one of the contract's type.
fn can_take(found: &ArrowType, wanted: DataType) -> bool {
    let is_text = matches!(
        found,
        ArrowType::Utf8 | ArrowType::LargeUtf8 | ArrowType::Utf8View | ArrowType::Binary | ArrowType::LargeBinary | ArrowType::BinaryView
    );
    match wanted {
        // Text is read as in any text format.
        _ if is_text => true,
        DataType::Text | DataType::Json => false,
        DataType::Boolean => *found == ArrowType::Boolean,
        DataType::Integer { .. } => {
            found.is_integer() || matches!(found, ArrowType::Decimal32(..) | ArrowType::Decimal64(..) | ArrowType::Decimal128(..))
        }
        DataType::Float { .. } | DataType::Decimal { .. } => found.is_numeric(),
        DataType::Date => *found == ArrowType::Date32,
        DataType::Timestamp { zoned } => match found {
            ArrowType::Timestamp(_, zone) => zone.is_some() == zoned,
            ArrowType::Date32 => !zoned,
            _ => false,
        },
        DataType::Time => matches!(found, ArrowType::Time32(_) | ArrowType::Time64(_)),
    }
}

/// The bytes of a chunk, at their place in the file.
#[derive(Clone)]
struct Window {
    base: u64,
    bytes: Bytes,
    file_len: u64,
}

impl Length for Window {
    fn len(&self) -> u64 {
        self.file_len
    }
}

impl Window {
    /// Walks the headers of a column's pages, which the library would believe; gives the bytes that the pages expand to.
    fn walk_pages(&self, column: &ColumnChunkMetaData) -> Result<u64, Refusal> {
        let place = column_range(column, self.file_len)?;
        let at = |place: u64| place.checked_sub(self.base).and_then(|at| usize::try_from(at).ok()).filter(|at| *at <= self.bytes.len());
        let (mut next, end) =
            at(place.start).zip(at(place.end)).ok_or_else(|| unreadable("a column lies outside the bytes of its row group"))?;
        let mut expanded = 0_u64;
        while next < end {
            let page = thrift::page_size(&self.bytes[next..]).map_err(unreadable)?;
            expanded = expanded.saturating_add(page.expanded);
            next = next.saturating_add(page.header).saturating_add(page.stored);
        }
        Ok(expanded)
    }
}

impl ChunkReader for Window {
    type T = Box<dyn Read + Send>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        let at = start.checked_sub(self.base).map(|at| at as usize).filter(|at| *at <= self.bytes.len());
        let at = at.ok_or_else(|| ParquetError::EOF("a page lies outside its row group".to_owned()))?;
        Ok(Box::new(self.bytes.slice(at..).reader()))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let at = start.checked_sub(self.base).map(|at| at as usize);
        let range = at.and_then(|at| Some((at, at.checked_add(length)?))).filter(|(_, end)| *end <= self.bytes.len());
        let (at, end) = range.ok_or_else(|| ParquetError::EOF("a page lies outside its row group".to_owned()))?;
        Ok(self.bytes.slice(at..end))
    }
}

/// A chunk of row groups on its way. One row group at a time is in memory.
pub(crate) struct ParquetInput {
    compiled: Arc<Compiled>,
    metadata: ArrowReaderMetadata,
    columns: Vec<usize>,
    /// Row groups still to be read, with their bytes' places.
    groups: Vec<(usize, u64, u64)>,
    base: u64,
    bytes: Vec<u8>,
    file_len: u64,
    row: u64,
    rows: BatchBuilder,
}

impl ParquetInput {
    pub(crate) fn new(compiled: &Arc<Compiled>, start: &ChunkStart) -> Result<Self, EngineError> {
        let footer = start.footer.as_ref().ok_or_else(|| EngineError::Bug("the Parquet footer is not given".to_owned()))?;
        let metadata = metadata(footer)?;
        let columns = projection(compiled.plan(), &metadata)?;
        let mut groups = Vec::new();
        for group in &start.chunk.row_groups {
            let place = *group as usize;
            let found =
                metadata.metadata().row_groups().get(place).ok_or_else(|| EngineError::Bug(format!("there is no row group {group}")))?;
            let (low, high) = byte_range(found, start.file_len)?;
            groups.push((place, low, high));
        }
        Ok(Self {
            compiled: Arc::clone(compiled),
            metadata,
            columns,
            groups,
            base: start.chunk.start,
            bytes: Vec::new(),
            file_len: start.file_len,
            row: start.chunk.first_row,
            rows: BatchBuilder::new(Arc::clone(&compiled.columns), Arc::clone(&compiled.parsed_schema), Reading::canonical()),
        })
    }

    pub(crate) fn push(&mut self, bytes: &[u8], outputs: &mut Outputs) -> Result<(), EngineError> {
        self.bytes.extend_from_slice(bytes);
        outputs.report.tally.bytes += bytes.len() as u64;
        while let Some((group, _, high)) = self.groups.first().copied() {
            if self.base + (self.bytes.len() as u64) < high {
                return Ok(());
            }
            self.read_group(group, outputs)?;
            self.groups.remove(0);
            let needed = self.groups.iter().map(|(_, low, _)| *low).min().unwrap_or(u64::MAX);
            let done = needed.saturating_sub(self.base).min(self.bytes.len() as u64);
            self.bytes.drain(..done as usize);
            self.base += done;
        }
        Ok(())
    }

    fn read_group(&mut self, group: usize, outputs: &mut Outputs) -> Result<(), EngineError> {
        let window = Window { base: self.base, bytes: Bytes::from(std::mem::take(&mut self.bytes)), file_len: self.file_len };
        let found = self.metadata.metadata().row_group(group);
        let row_bytes = (found.total_byte_size().max(1) as u64).div_ceil(found.num_rows().max(1) as u64);
        let batch_rows = (BATCH_BYTES as u64 / row_bytes.max(1)).clamp(1, BATCH_ROWS as u64) as usize;
        let roots = ProjectionMask::roots(self.metadata.parquet_schema(), self.columns.iter().copied());
        let build = || {
            ParquetRecordBatchReaderBuilder::new_with_metadata(window.clone(), self.metadata.clone())
                .with_row_groups(vec![group])
                .with_projection(roots)
                .with_batch_size(batch_rows)
                .build()
        };
        self.check_pages(group, &window)?;
        let mut reader = guard(build)?;
        let expected = u64::try_from(found.num_rows()).unwrap_or(0);
        let mut read = 0;
        while let Some(batch) = guard(|| reader.next().transpose().map_err(ParquetError::from))? {
            read += batch.num_rows() as u64;
            self.read_batch(&batch, outputs)?;
        }
        drop(reader);
        if read != expected {
            return Err(unreadable(format!("row group {group} has {read} rows, its footer says {expected}")).into());
        }
        self.bytes = window.bytes.into();
        Ok(())
    }

    /// Whether the pages of the columns that are read claim no more than there is, and than the file may grow to.
    fn check_pages(&self, group: usize, window: &Window) -> Result<(), Refusal> {
        let schema = self.metadata.parquet_schema();
        let limit = self.file_len.saturating_mul(u64::from(self.compiled.plan().pipeline.limits.expansion.max(1)));
        let mut expanded = 0_u64;
        for (leaf, column) in self.metadata.metadata().row_group(group).columns().iter().enumerate() {
            if self.columns.contains(&schema.get_column_root_idx(leaf)) {
                expanded = expanded.saturating_add(window.walk_pages(column)?);
            }
        }
        if expanded > limit { Err(expands_too_much(&format!("row group {group}"), expanded, limit)) } else { Ok(()) }
    }

    fn read_batch(&mut self, batch: &RecordBatch, outputs: &mut Outputs) -> Result<(), EngineError> {
        let names = self.compiled.columns.iter().map(|c| batch.column_by_name(&c.source).cloned());
        let columns: Option<Vec<ArrayRef>> = names.collect();
        let columns = columns.ok_or_else(|| EngineError::Bug("a Parquet batch lacks a column".to_owned()))?;
        for _ in 0..batch.num_rows() {
            self.rows.begin(self.row, self.row + 1, 0, 0..0, None);
            self.row += 1;
        }
        for (column, array) in columns.iter().enumerate() {
            self.rows.array(column, array);
        }
        let rows = self.rows.finish(&[])?;
        outputs.take(rows, Some(batch))
    }

    pub(crate) fn finish(mut self, outputs: &mut Outputs) -> Result<(), EngineError> {
        if !self.groups.is_empty() {
            return Err(EngineError::Bug(format!("{} row groups were not given whole", self.groups.len())));
        }
        outputs.report.tally.metrics = std::mem::take(&mut self.rows.metrics);
        Ok(())
    }
}
