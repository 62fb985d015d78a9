//! Accepted rows of all chunks in file order, as one Parquet file with the columns of the published table.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::Schema;
use bytes::Bytes;
use parquet::arrow::ArrowSchemaConverter;
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaDataReader;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;

use super::partial::Partial;
use crate::fault::FileContext as _;
use crate::{Fault, Result};

/// Most bytes of chunks that wait in memory for one before them; more of them wait as files.
const WAITING_BYTES: usize = 16 << 20;

/// The file under construction. Row groups are taken over as they are: encoding them again would cost as much as all the rest.
pub(super) struct Joined {
    writer: SerializedFileWriter<File>,
    partial: Partial,
}

impl Joined {
    pub(super) fn create(path: &Path, schema: &Schema) -> Result<Self> {
        let (partial, file) = Partial::create(path)?;
        let properties = WriterProperties::builder().set_created_by("sluice".to_owned()).build();
        let writer = ArrowSchemaConverter::new()
            .convert(schema)
            .and_then(|schema| SerializedFileWriter::new(file, schema.root_schema_ptr(), Arc::new(properties)));
        Ok(Self { writer: writer.map_err(fault)?, partial })
    }

    /// Appends the row groups of a Parquet file.
    pub(super) fn append(&mut self, file: &Bytes) -> Result<()> {
        self.try_append(file).map_err(fault)
    }

    /// As [`Joined::append`], of a file of the work folder.
    pub(super) fn append_file(&mut self, path: &Path) -> Result<()> {
        self.append(&std::fs::read(path).file("read back", path)?.into())
    }

    fn try_append(&mut self, file: &Bytes) -> Result<(), ParquetError> {
        let metadata = ParquetMetaDataReader::new().parse_and_finish(file)?;
        for group in metadata.row_groups() {
            let mut target = self.writer.next_row_group()?;
            for column in group.columns() {
                let closed = ColumnCloseResult {
                    bytes_written: column.compressed_size() as u64,
                    rows_written: group.num_rows() as u64,
                    metadata: column.clone(),
                    bloom_filter: None,
                    column_index: None,
                    offset_index: None,
                };
                target.append_column(file, closed)?;
            }
            target.close()?;
        }
        Ok(())
    }

    /// Ends the file and gives it its name.
    pub(super) fn finish(self) -> Result<()> {
        self.writer.close().map_err(fault)?;
        self.partial.complete()
    }
}

// Takes it by value, as `map_err` hands it on.
#[allow(clippy::needless_pass_by_value)]
fn fault(error: ParquetError) -> Fault {
    Fault::internal(format!("cannot write Parquet: {error}"))
}

/// The accepted rows of a chunk: Parquet files, in order.
pub(super) enum Accepted {
    Held(Vec<Bytes>),
    Filed(Vec<PathBuf>),
}

/// A [`Joined`] file to which chunks come as they are done, in any order.
pub(crate) struct InOrder(Mutex<Inner>);

struct Inner {
    joined: Joined,
    /// The chunk that comes next.
    next: usize,
    waiting: BTreeMap<usize, Accepted>,
    /// Of those that wait in memory.
    waiting_bytes: usize,
    most_waiting: usize,
}

impl InOrder {
    pub(super) fn new(joined: Joined) -> Self {
        Self::with_most(joined, WAITING_BYTES)
    }

    fn with_most(joined: Joined, most_waiting: usize) -> Self {
        Self(Mutex::new(Inner { joined, next: 0, waiting: BTreeMap::new(), waiting_bytes: 0, most_waiting }))
    }

    /// Takes the rows of a chunk; each comes once. `folder` is where they go if they must wait for long.
    pub(super) fn add(&self, index: usize, accepted: Accepted, folder: &Path) -> Result<()> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let inner = &mut *inner;
        if index != inner.next {
            return inner.wait(index, accepted, folder);
        }
        let mut ready = Some(accepted);
        while let Some(accepted) = ready {
            inner.append(accepted)?;
            inner.next += 1;
            ready = inner.waiting.remove(&inner.next);
            if let Some(Accepted::Held(files)) = &ready {
                inner.waiting_bytes -= files.iter().map(Bytes::len).sum::<usize>();
            }
        }
        Ok(())
    }

    /// Ends the file and gives it its name.
    pub(super) fn finish(self) -> Result<()> {
        let inner = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        if !inner.waiting.is_empty() {
            return Err(Fault::internal(format!("chunk {} has no account", inner.next)));
        }
        inner.joined.finish()
    }
}

impl Inner {
    fn wait(&mut self, index: usize, accepted: Accepted, folder: &Path) -> Result<()> {
        let accepted = match accepted {
            Accepted::Held(files) => {
                let bytes = files.iter().map(Bytes::len).sum::<usize>();
                if self.waiting_bytes + bytes > self.most_waiting {
                    Accepted::Filed(store(&files, folder)?)
                } else {
                    self.waiting_bytes += bytes;
                    Accepted::Held(files)
                }
            }
            Accepted::Filed(paths) => Accepted::Filed(paths),
        };
        self.waiting.insert(index, accepted);
        Ok(())
    }

    fn append(&mut self, accepted: Accepted) -> Result<()> {
        match accepted {
            Accepted::Held(files) => files.iter().try_for_each(|file| self.joined.append(file)),
            Accepted::Filed(paths) => paths.iter().try_for_each(|path| self.joined.append_file(path)),
        }
    }
}

fn store(files: &[Bytes], folder: &Path) -> Result<Vec<PathBuf>> {
    std::fs::create_dir_all(folder).file("make the folder", folder)?;
    files
        .iter()
        .enumerate()
        .map(|(number, file)| {
            let path = folder.join(format!("{number:06}.parquet"));
            std::fs::write(&path, file).file("write", &path)?;
            Ok(path)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, AsArray as _, Int64Array, RecordBatch};
    use arrow::datatypes::Int64Type;
    use parquet::arrow::ArrowWriter;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;

    fn batch(values: Vec<i64>) -> RecordBatch {
        RecordBatch::try_from_iter([("n", Arc::new(Int64Array::from(values)) as ArrayRef)]).unwrap()
    }

    fn parquet(values: Vec<i64>) -> Bytes {
        let mut bytes = Vec::new();
        let batch = batch(values);
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        bytes.into()
    }

    fn read(path: &Path) -> Vec<i64> {
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build().unwrap();
        reader.flat_map(|batch| batch.unwrap().column(0).as_primitive::<Int64Type>().values().to_vec()).collect()
    }

    #[test]
    fn chunks_stand_in_order_however_they_come_and_wherever_they_wait() {
        for (most_waiting, is_filed) in [(usize::MAX, false), (0, true)] {
            for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2], [2, 3, 0, 1]] {
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().join("all.parquet");
                let in_order = InOrder::with_most(Joined::create(&path, &batch(Vec::new()).schema()).unwrap(), most_waiting);
                for index in order {
                    // The second chunk has two files, the third none.
                    let first = index as i64 * 10;
                    let files = match index {
                        1 => vec![parquet(vec![first, first + 1]), parquet(vec![first + 2])],
                        2 => Vec::new(),
                        _ => vec![parquet(vec![first, first + 1])],
                    };
                    in_order.add(index, Accepted::Held(files), &folder.path().join(index.to_string())).unwrap();
                }
                assert_eq!(folder.path().join("3").exists(), is_filed && order != [0, 1, 2, 3], "{order:?}");
                assert!(!path.exists());
                in_order.finish().unwrap();
                assert_eq!(read(&path), [0, 1, 10, 11, 12, 30, 31], "{order:?}");
            }
        }
    }

    #[test]
    fn a_file_that_is_not_complete_is_not_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("all.parquet");
        let in_order = InOrder::new(Joined::create(&path, &batch(Vec::new()).schema()).unwrap());
        in_order.add(1, Accepted::Held(vec![parquet(vec![1])]), folder.path()).unwrap();
        assert!(in_order.finish().is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
