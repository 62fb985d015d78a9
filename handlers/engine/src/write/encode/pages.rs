//! Pages of one column, compressed, and the account of them.

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::column::page::{CompressedPage, Page, PageWriter as _};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;
use zstd::bulk::Compressor;

use super::bits;

/// Level of zstd: the next ones cost more time than their bytes are worth.
pub(crate) const ZSTD_LEVEL: i32 = 1;

/// Bytes at the end of a column's first page that tell whether compressing it is worth anything.
const SAMPLE: usize = 32 << 10;

/// One page before it is compressed.
struct Body {
    bytes: Vec<u8>,
    values: usize,
    encoding: Encoding,
    is_dictionary: bool,
}

/// The pages of a column of a row group.
pub(super) struct Pages {
    column: ColumnDescPtr,
    bodies: Vec<Body>,
}

impl Pages {
    pub(super) fn new(column: &ColumnDescPtr) -> Self {
        Self { column: column.clone(), bodies: Vec::new() }
    }

    /// Adds the dictionary, which must come first: its values in plain encoding.
    pub(super) fn dictionary(&mut self, bytes: Vec<u8>, values: usize) {
        self.bodies.push(Body { bytes, values, encoding: Encoding::PLAIN, is_dictionary: true });
    }

    /// Adds a page of rows: which of them are null, then the others' values as `write` encodes them, in about `room` bytes.
    pub(super) fn data(&mut self, validity: Validity<'_>, encoding: Encoding, room: usize, write: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = Vec::with_capacity(room + validity.room());
        if self.column.max_def_level() > 0 {
            bytes.extend_from_slice(&[0; 4]);
            validity.write(&mut bytes);
            let len = bytes.len() as u32 - 4;
            bytes[..4].copy_from_slice(&len.to_le_bytes());
        }
        write(&mut bytes);
        self.bodies.push(Body { bytes, values: validity.rows(), encoding, is_dictionary: false });
    }

    /// Whether compressing makes the column smaller by a twentieth. Numbers in few bits mostly are as small as they get.
    fn shrinks(&self, zstd: &mut Compressor<'_>) -> Result<bool, ParquetError> {
        let Some(first) = self.bodies.iter().find(|body| !body.is_dictionary) else { return Ok(true) };
        // Of texts the lengths come first, which say nothing of the bytes.
        let sample = &first.bytes[first.bytes.len().saturating_sub(SAMPLE)..];
        Ok(compress(zstd, sample)?.len() * 20 <= sample.len() * 19)
    }

    /// Compresses the pages, and adds up what a reader must know.
    pub(super) fn finish(self, statistics: Statistics, zstd: &mut Compressor<'_>) -> Result<(Bytes, ColumnCloseResult), ParquetError> {
        let is_packed = self.shrinks(zstd)?;
        let mut sink =
            TrackedWrite::new(Vec::with_capacity(if is_packed { 0 } else { self.bodies.iter().map(|b| b.bytes.len() + 64).sum() }));
        let mut encodings = vec![Encoding::RLE];
        let (mut rows, mut plain, mut dictionary, mut data) = (0, 0, None, None);
        let mut writer = SerializedPageWriter::new(&mut sink);
        for Body { bytes, values, encoding, is_dictionary } in self.bodies {
            let size = bytes.len();
            let stored = Bytes::from(if is_packed { compress(zstd, &bytes)? } else { bytes });
            let num_values = u32::try_from(values).map_err(|e| ParquetError::External(Box::new(e)))?;
            let page = if is_dictionary {
                Page::DictionaryPage { buf: stored, num_values, encoding, is_sorted: false }
            } else {
                let (def_level_encoding, rep_level_encoding) = (Encoding::RLE, Encoding::RLE);
                Page::DataPage { buf: stored, num_values, encoding, def_level_encoding, rep_level_encoding, statistics: None }
            };
            let written = writer.write_page(CompressedPage::new(page, size))?;
            plain += written.uncompressed_size as i64;
            if is_dictionary {
                dictionary = Some(written.offset as i64);
            } else {
                data.get_or_insert(written.offset as i64);
                rows += values as u64;
            }
            if !encodings.contains(&encoding) {
                encodings.push(encoding);
            }
        }
        writer.close()?;
        let bytes = Bytes::from(sink.into_inner()?);
        let compression = if is_packed { Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?) } else { Compression::UNCOMPRESSED };
        let metadata = ColumnChunkMetaData::builder(self.column)
            .set_compression(compression)
            .set_encodings(encodings)
            .set_total_compressed_size(bytes.len() as i64)
            .set_total_uncompressed_size(plain)
            .set_num_values(rows as i64)
            .set_data_page_offset(data.unwrap_or(0))
            .set_dictionary_page_offset(dictionary)
            .set_statistics(statistics)
            .build()?;
        let (bytes_written, rows_written) = (bytes.len() as u64, rows);
        let closed =
            ColumnCloseResult { bytes_written, rows_written, metadata, bloom_filter: None, column_index: None, offset_index: None };
        Ok((bytes, closed))
    }
}

fn compress(zstd: &mut Compressor<'_>, bytes: &[u8]) -> Result<Vec<u8>, ParquetError> {
    zstd.compress(bytes).map_err(|e| ParquetError::External(Box::new(e)))
}

/// Which rows of a page have a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Validity<'a> {
    /// A byte a row; empty if all have one.
    valid: &'a [bool],
    rows: usize,
}

impl<'a> Validity<'a> {
    /// The rows `from..from + rows`; `valid` is empty if no row is null.
    pub(super) fn new(valid: &'a [bool], from: usize, rows: usize) -> Self {
        Self { valid: if valid.is_empty() { valid } else { &valid[from..from + rows] }, rows }
    }

    fn rows(self) -> usize {
        self.rows
    }

    /// How many of the rows have a value.
    pub(super) fn values(self) -> usize {
        if self.valid.is_empty() { self.rows } else { self.valid.iter().filter(|v| **v).count() }
    }

    /// Most bytes that [`Validity::write`] takes, with their length.
    fn room(self) -> usize {
        self.rows / 8 + 32
    }

    fn write(self, out: &mut Vec<u8>) {
        let values = self.values();
        if values == self.rows || values == 0 {
            bits::repeated_run(u8::from(values > 0), self.rows, out);
        } else {
            bits::packed_run(self.valid.iter().map(|v| u64::from(*v)), self.rows, 1, out);
        }
    }
}
