//! Accepted rows as Parquet: one file for each partition, the same bytes for the same rows.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::cast::AsArray as _;
use arrow::array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::{self as types, DataType, Schema, SchemaRef};
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::ArrowRowGroupWriterFactory;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use zstd::bulk::Compressor;

use super::encode::{self, pages::ZSTD_LEVEL};
use super::partition::Partition;
use super::statistics;
use crate::{AcceptedFile, EngineError, Pieces, Stream};

/// Who made a file: fixed, so that the same rows give the same bytes whatever version of a library writes them.
const CREATED_BY: &str = "sluice";
/// The row group of the most rows is closed when the rows of all files that are not encoded yet take more memory than this.
const OPEN_BYTES: usize = 64 << 20;
/// A row group is closed with the batch that gives it so many rows.
const ROW_GROUP_ROWS: usize = 3 << 16;
/// Most files open at once. One more closes the file that was written to longest ago.
const OPEN_FILES: usize = 32;
/// Rows of partitions are collected up to this size before the largest partition is written.
const PENDING_BYTES: usize = 32 << 20;

/// A place for bytes that the writer and this module share.
#[derive(Debug, Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct OpenFile {
    writer: SerializedFileWriter<Sink>,
    library: ArrowRowGroupWriterFactory,
    /// Rows of the open row group, which are encoded when it is closed.
    batches: Vec<RecordBatch>,
    open_rows: usize,
    open_bytes: usize,
    sink: Sink,
    part: u32,
    bytes: u64,
    rows: u64,
    /// Columns with NaN, whose bounds would not hold.
    has_nan: Vec<bool>,
    used: u64,
}

impl OpenFile {
    /// Closes the row group.
    fn flush(&mut self, schema: &SchemaRef, zstd: &mut Compressor<'_>) -> Result<(), ParquetError> {
        (self.open_rows, self.open_bytes) = (0, 0);
        let batches = std::mem::take(&mut self.batches);
        if batches.is_empty() { Ok(()) } else { encode::row_group(&mut self.writer, &self.library, schema, &batches, zstd) }
    }
}

#[derive(Default)]
struct Pending {
    batches: Vec<RecordBatch>,
    bytes: usize,
    values: BTreeMap<String, Option<String>>,
}

/// Writes accepted rows.
pub(crate) struct AcceptedWriter {
    schema: SchemaRef,
    partition_by: Vec<usize>,
    file_columns: Vec<usize>,
    file_schema: SchemaRef,
    open: BTreeMap<String, OpenFile>,
    parts: BTreeMap<String, u32>,
    pending: BTreeMap<String, Pending>,
    pending_bytes: usize,
    values: BTreeMap<String, BTreeMap<String, Option<String>>>,
    zstd: Compressor<'static>,
    uses: u64,
    ready: Pieces,
    files: Vec<AcceptedFile>,
}

impl AcceptedWriter {
    pub(crate) fn new(schema: SchemaRef, partition_by: &[String]) -> Result<Self, EngineError> {
        let partition_by: Vec<usize> = partition_by.iter().filter_map(|name| schema.index_of(name).ok()).collect();
        let file_columns: Vec<usize> = (0..schema.fields().len()).filter(|i| !partition_by.contains(i)).collect();
        let fields: Vec<_> = file_columns.iter().map(|i| schema.field(*i).clone()).collect();
        Ok(Self {
            schema,
            partition_by,
            file_columns,
            file_schema: Arc::new(Schema::new(fields)),
            open: BTreeMap::new(),
            parts: BTreeMap::new(),
            pending: BTreeMap::new(),
            pending_bytes: 0,
            values: BTreeMap::new(),
            zstd: Compressor::new(ZSTD_LEVEL).map_err(|e| EngineError::bug("zstd", e))?,
            uses: 0,
            ready: Vec::new(),
            files: Vec::new(),
        })
    }

    /// Adds rows with all columns of the schema.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), EngineError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let rows = batch.project(&self.file_columns).map_err(|e| EngineError::bug("project", e))?;
        if self.partition_by.is_empty() {
            return self.write_to("", &rows);
        }
        let columns: Vec<(String, ArrayRef)> =
            self.partition_by.iter().map(|i| (self.schema.field(*i).name().clone(), Arc::clone(batch.column(*i)))).collect();
        let mut groups: BTreeMap<String, (Partition, Vec<u32>)> = BTreeMap::new();
        for row in 0..batch.num_rows() {
            let partition = Partition::of(&columns, row);
            groups.entry(partition.path.clone()).or_insert_with(|| (partition, Vec::new())).1.push(row as u32);
        }
        for (path, (partition, places)) in groups {
            let part = take_record_batch(&rows, &UInt32Array::from(places)).map_err(|e| EngineError::bug("take", e))?;
            let size = part.get_array_memory_size();
            let pending = self.pending.entry(path).or_default();
            pending.values = partition.values;
            pending.batches.push(part);
            pending.bytes += size;
            self.pending_bytes += size;
        }
        while self.pending_bytes > PENDING_BYTES {
            let largest =
                self.pending.iter().max_by_key(|(path, p)| (p.bytes, std::cmp::Reverse(path.as_str()))).map(|(path, _)| path.clone());
            let Some(path) = largest else { break };
            self.flush(&path)?;
        }
        Ok(())
    }

    /// Writes the collected rows of a partition.
    fn flush(&mut self, path: &str) -> Result<(), EngineError> {
        let Some(pending) = self.pending.remove(path) else { return Ok(()) };
        self.pending_bytes -= pending.bytes;
        self.values.insert(path.to_owned(), pending.values);
        let rows = concat_batches(&self.file_schema, &pending.batches).map_err(|e| EngineError::bug("concat", e))?;
        self.write_to(path, &rows)
    }

    fn write_to(&mut self, path: &str, rows: &RecordBatch) -> Result<(), EngineError> {
        let bug = |e| EngineError::bug("parquet", e);
        if !self.open.contains_key(path) {
            if self.open.len() >= OPEN_FILES
                && let Some(oldest) = self.open.iter().min_by_key(|(_, f)| f.used).map(|(p, _)| p.clone())
            {
                self.close(&oldest)?;
            }
            let file = self.open_file(path)?;
            self.open.insert(path.to_owned(), file);
        }
        self.uses += 1;
        let Some(file) = self.open.get_mut(path) else { return Ok(()) };
        file.used = self.uses;
        file.rows += rows.num_rows() as u64;
        for (seen, column) in file.has_nan.iter_mut().zip(rows.columns()) {
            *seen = *seen || has_nan(column);
        }
        file.open_rows += rows.num_rows();
        file.open_bytes += size(rows);
        file.batches.push(rows.clone());
        if file.open_rows >= ROW_GROUP_ROWS {
            file.flush(&self.file_schema, &mut self.zstd).map_err(bug)?;
        }
        let open: usize = self.open.values().map(|f| f.open_bytes).sum();
        if open > OPEN_BYTES
            && let Some((_, largest)) = self.open.iter_mut().max_by_key(|(path, f)| (f.open_bytes, std::cmp::Reverse(path.as_str())))
        {
            largest.flush(&self.file_schema, &mut self.zstd).map_err(bug)?;
        }
        self.collect();
        Ok(())
    }

    fn open_file(&mut self, path: &str) -> Result<OpenFile, EngineError> {
        let part = self.parts.entry(path.to_owned()).or_default();
        *part += 1;
        let bug = |e| EngineError::bug("parquet", e);
        let level = ZstdLevel::try_new(ZSTD_LEVEL).map_err(bug)?;
        let properties = WriterProperties::builder().set_created_by(CREATED_BY.to_owned()).set_compression(Compression::ZSTD(level));
        let sink = Sink::default();
        let schema = ArrowSchemaConverter::new().convert(&self.file_schema).map_err(bug)?;
        let writer = SerializedFileWriter::new(sink.clone(), schema.root_schema_ptr(), Arc::new(properties.build())).map_err(bug)?;
        let library = ArrowRowGroupWriterFactory::new(&writer, Arc::clone(&self.file_schema));
        Ok(OpenFile {
            writer,
            library,
            batches: Vec::new(),
            open_rows: 0,
            open_bytes: 0,
            sink,
            part: *part,
            bytes: 0,
            rows: 0,
            has_nan: vec![false; self.file_columns.len()],
            used: 0,
        })
    }

    fn close(&mut self, path: &str) -> Result<(), EngineError> {
        let Some(mut file) = self.open.remove(path) else { return Ok(()) };
        file.flush(&self.file_schema, &mut self.zstd).map_err(|e| EngineError::bug("parquet", e))?;
        let metadata = file.writer.close().map_err(|e| EngineError::bug("parquet", e))?;
        let statistics =
            statistics::of(&metadata, &self.file_schema, &file.has_nan).map_err(|e| EngineError::bug("parquet statistics", e))?;
        let tail = file.sink.take();
        self.files.push(AcceptedFile {
            partition: path.to_owned(),
            part: file.part,
            partition_values: self.values.get(path).cloned().unwrap_or_default(),
            rows: file.rows,
            bytes: file.bytes + tail.len() as u64,
            null_count: statistics.null_count,
            min_values: statistics.min_values,
            max_values: statistics.max_values,
        });
        self.ready.push((Stream::Accepted { partition: path.to_owned(), part: file.part }, tail));
        Ok(())
    }

    fn collect(&mut self) {
        for (path, file) in &mut self.open {
            let bytes = file.sink.take();
            if !bytes.is_empty() {
                file.bytes += bytes.len() as u64;
                self.ready.push((Stream::Accepted { partition: path.clone(), part: file.part }, bytes));
            }
        }
    }

    /// Takes what is ready.
    pub(crate) fn drain(&mut self) -> Pieces {
        std::mem::take(&mut self.ready)
    }

    /// Closes all files.
    pub(crate) fn finish(mut self) -> Result<(Pieces, Vec<AcceptedFile>), EngineError> {
        while let Some(path) = self.pending.keys().next().cloned() {
            self.flush(&path)?;
        }
        while let Some(path) = self.open.keys().next().cloned() {
            self.close(&path)?;
        }
        self.files.sort_by(|a, b| (&a.partition, a.part).cmp(&(&b.partition, b.part)));
        Ok((self.ready, self.files))
    }
}

/// Memory of the rows of a batch, which may be a part of a larger one.
fn size(rows: &RecordBatch) -> usize {
    // Only an array that is no valid one has no size.
    rows.columns().iter().map(|column| column.to_data().get_slice_memory_size().unwrap_or(0)).sum()
}

fn has_nan(column: &ArrayRef) -> bool {
    match column.data_type() {
        DataType::Float32 => column.as_primitive::<types::Float32Type>().values().iter().any(|v| v.is_nan()),
        DataType::Float64 => column.as_primitive::<types::Float64Type>().values().iter().any(|v| v.is_nan()),
        _ => false,
    }
}
