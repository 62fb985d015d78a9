//! The run-wide aggregate task over accepted rows.

use std::sync::Arc;

use arrow::array::RecordBatch;

use crate::{AcceptedFile, Compiled, EngineError, Stream};

/// Groups all accepted rows of a run; the result is sorted by the group columns (nulls first) and written as Parquet.
///
/// `input` gives batches read back from the accepted files, partition columns included. Groups that do not fit into `memory_bytes` are spilled
/// to `spill`, an empty folder of the caller.
///
/// # Errors
/// An input batch that cannot be read, or an aggregate that overflows.
pub fn aggregate(
    compiled: &Arc<Compiled>,
    run: &str,
    input: impl Iterator<Item = Result<RecordBatch, EngineError>> + Send + 'static,
    memory_bytes: usize,
    spill: &std::path::Path,
) -> Result<(Vec<(Stream, Vec<u8>)>, Vec<AcceptedFile>), EngineError> {
    let _ = (compiled, run, input, memory_bytes, spill);
    todo!()
}
