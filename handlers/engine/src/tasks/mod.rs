//! The row-wise tasks of a pipeline, over batches of valid rows.

pub(crate) mod cast;
pub(crate) mod derive;
pub(crate) mod lookup;
pub(crate) mod mask;

use arrow::array::{Array, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;

use crate::EngineError;
use crate::rows::Rows;
use crate::sql;
use crate::typed::check::Fault;

/// Rows on their way through the tasks.
#[derive(Debug, Clone)]
pub(crate) struct Working {
    pub(crate) batch: RecordBatch,
    /// For each row of the batch, its number in [`Rows`].
    pub(crate) rows: Vec<u32>,
}

impl Working {
    /// Keeps the rows for which `keep` is true.
    pub(crate) fn retain(&mut self, keep: &[bool]) -> Result<(), EngineError> {
        if keep.iter().all(|k| *k) {
            return Ok(());
        }
        let mask = BooleanArray::from(keep.to_vec());
        self.batch = filter_record_batch(&self.batch, &mask).map_err(|e| EngineError::bug("filter", e))?;
        let mut kept = keep.iter();
        self.rows.retain(|_| *kept.next().unwrap_or(&false));
        Ok(())
    }

    /// Rejects the rows for which an expression has no value, and takes them out.
    pub(crate) fn reject_failed(
        &mut self,
        failed: &[(usize, String)],
        column: Option<&str>,
        what: &str,
        rows: &mut Rows,
    ) -> Result<(), EngineError> {
        if failed.is_empty() {
            return Ok(());
        }
        let mut keep = vec![true; self.rows.len()];
        for (at, message) in failed {
            keep[*at] = false;
            rows.reject(
                self.rows[*at],
                Fault::new(crate::Code::ExpressionFailed, format!("{what} has no value for this row: {message}")),
                column,
                None,
            );
        }
        self.retain(&keep)
    }
}

/// One task, ready to run.
#[derive(Debug)]
pub(crate) enum Stage {
    Derive(derive::Derive),
    /// Rename and select: which columns, under which names.
    Project {
        columns: Vec<usize>,
        schema: SchemaRef,
    },
    Cast(cast::Cast),
    Filter(sql::Compiled),
    Lookup(lookup::Lookup),
    Mask(mask::Mask),
}

impl Stage {
    /// Works on a batch. `filtered` takes the rows that a filter leaves out, `warned` the rule names of warnings.
    pub(crate) fn apply(
        &self,
        working: &mut Working,
        rows: &mut Rows,
        filtered: &mut Vec<u32>,
        warned: &mut Vec<String>,
    ) -> Result<(), EngineError> {
        match self {
            Self::Derive(derive) => derive.apply(working, rows),
            Self::Project { columns, schema } => {
                let arrays = columns.iter().map(|i| working.batch.column(*i).clone()).collect();
                working.batch = new_batch(schema, arrays, working.rows.len())?;
                Ok(())
            }
            Self::Cast(cast) => cast.apply(working, rows),
            Self::Filter(condition) => {
                let found = condition.evaluate(&working.batch);
                let is_true = truths(&found.values);
                let failed: Vec<bool> = {
                    let mut failed = vec![false; working.rows.len()];
                    found.failed.iter().for_each(|(at, _)| failed[*at] = true);
                    failed
                };
                let keep: Vec<bool> = is_true.iter().zip(&failed).map(|(t, f)| *t || *f).collect();
                let left_out = working.rows.iter().zip(&keep).filter(|(_, keep)| !**keep);
                // A row that is rejected already stays rejected.
                filtered.extend(left_out.map(|(row, _)| *row).filter(|row| !rows.is_rejected(*row)));
                let mut place = 0;
                let moved: Vec<(usize, String)> = {
                    let mut messages = found.failed.into_iter().peekable();
                    let mut moved = Vec::new();
                    for (at, kept) in keep.iter().enumerate() {
                        if let Some((_, message)) = messages.next_if(|(f, _)| *f == at) {
                            moved.push((place, message));
                        }
                        place += usize::from(*kept);
                    }
                    moved
                };
                working.retain(&keep)?;
                working.reject_failed(&moved, None, "the filter", rows)
            }
            Self::Lookup(lookup) => lookup.apply(working, rows, warned),
            Self::Mask(mask) => mask.apply(working),
        }
    }
}

/// A batch of `count` rows, also where it has no columns.
pub(crate) fn new_batch(schema: &SchemaRef, arrays: Vec<arrow::array::ArrayRef>, count: usize) -> Result<RecordBatch, EngineError> {
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(count));
    RecordBatch::try_new_with_options(schema.clone(), arrays, &options).map_err(|e| EngineError::bug("new batch", e))
}

/// Places of the rows for which a condition is true, in order.
pub(crate) fn met(values: &arrow::array::ArrayRef) -> Vec<usize> {
    use arrow::array::cast::AsArray as _;
    let values = values.as_boolean();
    match values.nulls() {
        Some(nulls) => (values.values() & nulls.inner()).set_indices().collect(),
        None => values.values().set_indices().collect(),
    }
}

/// For each row, whether a condition is true; null is false.
pub(crate) fn truths(values: &arrow::array::ArrayRef) -> Vec<bool> {
    use arrow::array::cast::AsArray as _;
    let values = values.as_boolean();
    (0..values.len()).map(|i| values.is_valid(i) && values.value(i)).collect()
}
