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

/// If not more than one row of so many is left out, the batch is not copied for that.
const FEW: usize = 32;

/// Rows on their way through the tasks.
#[derive(Debug, Clone)]
pub(crate) struct Working {
    pub(crate) batch: RecordBatch,
    /// For each row of the batch, its number in [`Rows`]; `None` if it is left out.
    pub(crate) rows: Vec<Option<u32>>,
}

impl Working {
    /// Leaves out the rows for which `keep` is false.
    pub(crate) fn retain(&mut self, keep: &[bool]) -> Result<(), EngineError> {
        let dropped = keep.iter().filter(|keep| !**keep).count();
        if dropped * FEW > keep.len() {
            return self.compact(keep);
        }
        if dropped > 0 {
            for (row, _) in self.rows.iter_mut().zip(keep).filter(|(_, keep)| !**keep) {
                *row = None;
            }
        }
        Ok(())
    }

    /// Removes the rows for which `keep` is false from the batch.
    pub(crate) fn compact(&mut self, keep: &[bool]) -> Result<(), EngineError> {
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
        rows: &mut Rows<'_>,
    ) -> Result<(), EngineError> {
        if failed.is_empty() {
            return Ok(());
        }
        self.note_failed(failed, column, what, rows);
        let mut keep = vec![true; self.rows.len()];
        for (at, _) in failed {
            keep[*at] = false;
        }
        self.retain(&keep)
    }

    fn note_failed(&self, failed: &[(usize, String)], column: Option<&str>, what: &str, rows: &mut Rows<'_>) {
        for (at, message) in failed {
            if let Some(row) = self.rows[*at] {
                let message = format!("{what} has no value for this row: {message}");
                rows.reject(row, Fault::new(crate::Code::ExpressionFailed, message), column, None);
            }
        }
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
        rows: &mut Rows<'_>,
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
                let mut keep = truths(&found.values);
                // These are rejected, which says more than that the filter leaves them out.
                found.failed.iter().for_each(|(at, _)| keep[*at] = true);
                let left_out = working.rows.iter().zip(&keep).filter(|(_, keep)| !**keep).filter_map(|(row, _)| *row);
                // A row that is rejected already stays rejected.
                filtered.extend(left_out.filter(|row| !rows.is_rejected(*row)));
                working.note_failed(&found.failed, None, "the filter", rows);
                found.failed.iter().for_each(|(at, _)| keep[*at] = false);
                working.retain(&keep)
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
