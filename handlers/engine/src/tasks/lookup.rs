//! Lookup: columns from a reference table, by key.

use std::collections::HashMap;

use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::SchemaRef;
use sluice_contract::Outcome;

use super::{Working, new_batch};
use crate::rows::Rows;
use crate::typed::builder::value_text;
use crate::typed::check::Fault;
use crate::{Code, EngineError, keys};

/// Encoded key to row of the table.
pub(crate) type Index = HashMap<Vec<u8>, u32>;

/// A lookup task with its table indexed.
#[derive(Debug)]
pub(crate) struct Lookup {
    pub(crate) table: String,
    /// Key columns of the rows.
    pub(crate) on: Vec<usize>,
    pub(crate) index: Index,
    /// The taken columns of the table.
    pub(crate) values: Vec<ArrayRef>,
    pub(crate) missing: Option<Outcome>,
    pub(crate) schema: SchemaRef,
}

impl Lookup {
    pub(crate) fn apply(&self, working: &mut Working, rows: &mut Rows, warned: &mut Vec<String>) -> Result<(), EngineError> {
        let key_columns: Vec<&ArrayRef> = self.on.iter().map(|i| working.batch.column(*i)).collect();
        let mut key = Vec::new();
        let mut found = Vec::with_capacity(working.rows.len());
        for (at, row) in working.rows.iter().enumerate() {
            key.clear();
            let is_full = keys::encode(&key_columns, at, &mut key);
            let place = if is_full { self.index.get(&key).copied() } else { None };
            found.push(place);
            if !is_full || place.is_some() {
                continue;
            }
            let Some(outcome) = self.missing else { continue };
            let text: Vec<_> = key_columns.iter().map(|c| value_text(c.as_ref(), at).unwrap_or_default()).collect();
            let fault = Fault::new(Code::LookupMissing, format!("is not in the reference table {}", self.table));
            let name = (self.on.len() == 1).then(|| working.batch.schema_ref().field(self.on[0]).name().as_str());
            let value = Some(crate::typed::text::shorten(&text.join(", "), crate::VALUE_CHARS));
            match outcome {
                Outcome::Reject => rows.reject(*row, fault, name, value),
                Outcome::Review => rows.hold(*row, fault, name, value),
                Outcome::Warn => warned.push(format!("lookup:{}", self.table)),
            }
        }
        let places = UInt32Array::from(found);
        let mut arrays = working.batch.columns().to_vec();
        for values in &self.values {
            arrays.push(take(values, &places, None).map_err(|e| EngineError::bug("lookup", e))?);
        }
        working.batch = new_batch(&self.schema, arrays, working.rows.len())?;
        Ok(())
    }
}
