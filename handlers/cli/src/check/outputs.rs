//! The files that `sluice check` writes: rejected rows, accepted rows as one Parquet file, the report.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use sluice_engine::{Compiled, EngineError, Pieces, aggregate, rejected_header};

use super::chunk_outputs::{accepted_files, accepted_folder, rejected_file};
use super::joined::Joined;
use super::partial::Partial;
use super::scan::Scan;
use crate::fault::FileContext as _;
use crate::{Fault, Result};

/// Memory for a run-wide aggregate before it spills, in bytes.
const AGGREGATE_MEMORY: usize = 512 << 20;

/// Writes a file completely or not at all.
fn whole(path: &Path, write: impl FnOnce(&mut File) -> Result<()>) -> Result<()> {
    let (partial, mut file) = Partial::create(path)?;
    write(&mut file)?;
    partial.complete()
}

/// Rejected rows of all chunks in file order, in the partner's own format with reasons.
pub(crate) fn write_rejected(path: &Path, compiled: &Compiled, scan: &Scan, work: &Path) -> Result<()> {
    whole(path, |file| copy_rejected(&mut BufWriter::new(file), compiled, scan, work).file("write", path))
}

/// As [`write_rejected`], to standard output.
pub(crate) fn stream_rejected(compiled: &Compiled, scan: &Scan, work: &Path) -> Result<()> {
    Ok(copy_rejected(&mut BufWriter::new(std::io::stdout().lock()), compiled, scan, work)?)
}

fn copy_rejected(out: &mut impl std::io::Write, compiled: &Compiled, scan: &Scan, work: &Path) -> std::io::Result<()> {
    out.write_all(&rejected_header(compiled, scan.header.as_deref()))?;
    for index in 0..scan.chunks {
        if let Ok(mut rows) = File::open(rejected_file(work, index)) {
            std::io::copy(&mut rows, out)?;
        }
    }
    out.flush()
}

/// Accepted rows of all chunks in file order, as one Parquet file with the columns of the published table.
pub(crate) fn write_parquet(path: &Path, compiled: &Arc<Compiled>, scan: &Scan, work: &Path) -> Result<()> {
    let mut files = Vec::new();
    for index in 0..scan.chunks {
        let folder = accepted_folder(work, index);
        files.append(&mut accepted_files(&folder).file("read", &folder)?);
    }
    if compiled.aggregates() {
        files = aggregated(compiled, files, work)?;
    }
    let mut joined = Joined::create(path, &compiled.output_schema())?;
    for file in files {
        joined.append_file(&file)?;
    }
    joined.finish()
}

fn aggregated(compiled: &Arc<Compiled>, files: Vec<PathBuf>, work: &Path) -> Result<Vec<PathBuf>> {
    let spill = work.join("spill");
    std::fs::create_dir_all(&spill).file("write", &spill)?;
    let folder = work.join("aggregate");
    std::fs::create_dir_all(&folder).file("write", &folder)?;
    let mut outputs = std::collections::BTreeMap::new();
    let sink = |pieces: Pieces| {
        for (stream, bytes) in pieces {
            let number = outputs.len();
            let file: &PathBuf = outputs.entry(stream).or_insert_with(|| folder.join(format!("{number:06}.parquet")));
            let written = File::options().create(true).append(true).open(file).and_then(|mut file| file.write_all(&bytes));
            written.map_err(|error| EngineError::Bug(format!("cannot write {}: {error}", file.display())))?;
        }
        Ok(())
    };
    aggregate(compiled, "check", batches(files), AGGREGATE_MEMORY, &spill, sink).map_err(|error| match error {
        EngineError::Refused(refusal) => Fault::data(refusal.to_string()),
        EngineError::Bug(_) => Fault::internal(error.to_string()),
    })?;
    Ok(outputs.into_values().collect())
}

/// The rows of Parquet files, one file after the other.
fn batches(files: Vec<PathBuf>) -> impl Iterator<Item = Result<RecordBatch, EngineError>> + Send + 'static {
    let bug = |path: &Path, error: &dyn std::fmt::Display| EngineError::Bug(format!("cannot read back {}: {error}", path.display()));
    files.into_iter().flat_map(move |path| {
        let reader = File::open(&path)
            .map_err(|error| bug(&path, &error))
            .and_then(|file| ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| bug(&path, &error)))
            .and_then(|builder| builder.build().map_err(|error| bug(&path, &error)));
        let rows: Box<dyn Iterator<Item = Result<RecordBatch, EngineError>> + Send> = match reader {
            Ok(reader) => Box::new(reader.map(move |batch| batch.map_err(|error| bug(&path, &error)))),
            Err(error) => Box::new(std::iter::once(Err(error))),
        };
        rows
    })
}

/// The report as JSON.
pub(crate) fn write_report(path: &Path, report: &impl serde::Serialize) -> Result<()> {
    let text = serde_json::to_vec_pretty(report).map_err(|error| Fault::internal(error.to_string()))?;
    whole(path, |file| file.write_all(&text).and_then(|()| file.write_all(b"\n")).file("write", path))
}
