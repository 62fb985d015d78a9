//! Derive: new columns from expressions, each of which sees the columns before it.

use arrow::datatypes::SchemaRef;

use super::{Working, new_batch};
use crate::rows::Rows;
use crate::{EngineError, sql};

/// A derive task.
#[derive(Debug)]
pub(crate) struct Derive {
    pub(crate) steps: Vec<Step>,
}

/// One new column.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) expression: sql::Compiled,
    /// The column that is replaced; `None` adds one at the end.
    pub(crate) replaces: Option<usize>,
    /// The columns after this step.
    pub(crate) schema: SchemaRef,
}

impl Derive {
    pub(crate) fn apply(&self, working: &mut Working, rows: &mut Rows<'_>) -> Result<(), EngineError> {
        for step in &self.steps {
            let found = step.expression.evaluate(&working.batch);
            let mut arrays = working.batch.columns().to_vec();
            match step.replaces {
                Some(i) => arrays[i] = found.values,
                None => arrays.push(found.values),
            }
            working.batch = new_batch(&step.schema, arrays, working.rows.len())?;
            working.reject_failed(&found.failed, Some(&step.name), "the expression", rows)?;
        }
        Ok(())
    }
}
