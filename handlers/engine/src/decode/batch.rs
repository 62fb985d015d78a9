//! A batch of rows under construction: values go straight from bytes into typed builders.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use crate::EngineError;
use crate::rows::{Notes, Place, Rows};
use crate::tasks::new_batch;
use crate::typed::builder::Builder;
use crate::typed::check::Fault;
use crate::typed::column::Column;
use crate::typed::raw::{Raw, Reading};
use crate::typed::text::shorten;
use crate::{Problem, VALUE_CHARS};

/// Most rows of a batch.
pub(crate) const BATCH_ROWS: usize = 8192;
/// A batch ends with the row that makes its text longer than this many bytes.
pub(crate) const BATCH_BYTES: usize = 4 << 20;

/// A batch of rows under construction.
pub(crate) struct BatchBuilder {
    columns: Arc<Vec<Column>>,
    schema: SchemaRef,
    pub(crate) reading: Reading,
    builders: Vec<Builder>,
    places: Vec<Place>,
    text: Vec<u8>,
    notes: BTreeMap<u32, Notes>,
    faults: Vec<Fault>,
    /// Counts of quality rules since the start of the chunk.
    pub(crate) metrics: BTreeMap<String, u64>,
    /// Counts of repairs since the start of the chunk.
    pub(crate) repairs: BTreeMap<String, u64>,
}

impl BatchBuilder {
    pub(crate) fn new(columns: Arc<Vec<Column>>, schema: SchemaRef, reading: Reading) -> Self {
        let builders = columns.iter().map(|c| Builder::new(c.data_type, BATCH_ROWS)).collect();
        Self {
            columns,
            schema,
            reading,
            builders,
            places: Vec::new(),
            text: Vec::new(),
            notes: BTreeMap::new(),
            faults: Vec::new(),
            metrics: BTreeMap::new(),
            repairs: BTreeMap::new(),
        }
    }

    pub(crate) fn columns(&self) -> &Arc<Vec<Column>> {
        &self.columns
    }

    pub(crate) fn is_full(&self) -> bool {
        self.places.len() >= BATCH_ROWS || self.text.len() >= BATCH_BYTES
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Begins a row; a value (or null) for each column must follow.
    pub(crate) fn begin(&mut self, row: u64, line: u64, offset: u64, raw: &[u8], fields: Option<u32>) {
        let start = self.text.len();
        self.text.extend_from_slice(raw);
        self.places.push(Place { row, line, offset, raw: start..self.text.len(), fields });
    }

    /// The value of a column of the row just begun.
    #[inline]
    pub(crate) fn value(&mut self, column: usize, raw: Raw<'_>) {
        let spec = &self.columns[column];
        spec.append(&mut self.builders[column], raw, &self.reading, &mut self.faults);
        if !spec.metrics.is_empty() {
            let is_null = match raw {
                Raw::Null => true,
                Raw::Text(bytes) => self.reading.is_null(bytes),
                _ => false,
            };
            let text = (!is_null).then(|| raw.text(self.reading.encoding));
            for metric in spec.metrics.iter().filter(|m| m.counts(text.as_deref())) {
                *self.metrics.entry(metric.name.clone()).or_default() += 1;
            }
        }
        if !self.faults.is_empty() {
            let is_null = raw == Raw::Null;
            let value = (!is_null).then(|| shorten(&raw.text(self.reading.encoding), VALUE_CHARS));
            let columns = Arc::clone(&self.columns);
            for fault in std::mem::take(&mut self.faults) {
                self.fault(fault, Some(&columns[column].name), value.clone(), true);
            }
        }
    }

    /// Null in every column, for a row that cannot be read.
    pub(crate) fn nulls(&mut self) {
        self.builders.iter_mut().for_each(Builder::null);
    }

    /// Leaves the row just begun out, as one that is no data.
    pub(crate) fn skip(&mut self, kind: &str) {
        let row = self.places.len() - 1;
        self.notes.entry(row as u32).or_default().skip = true;
        self.repair(kind, 1);
    }

    /// Notes a problem of the row just begun; it rejects the row, or holds it for a person.
    pub(crate) fn fault(&mut self, fault: Fault, column: Option<&str>, value: Option<String>, rejects: bool) {
        let row = self.places.len() - 1;
        let problem: Problem = self.places[row].problem(fault, column, value);
        let notes = self.notes.entry(row as u32).or_default();
        notes.problems.push(problem);
        notes.reject |= rejects;
        notes.hold |= !rejects;
    }

    pub(crate) fn repair(&mut self, kind: &str, count: u64) {
        *self.repairs.entry(kind.to_owned()).or_default() += count;
    }

    /// Takes the rows.
    pub(crate) fn finish(&mut self) -> Result<Rows, EngineError> {
        let count = self.places.len();
        let arrays = self.builders.iter_mut().map(Builder::finish).collect();
        let parsed: RecordBatch = new_batch(&self.schema, arrays, count)?;
        Ok(Rows {
            places: std::mem::take(&mut self.places),
            text: std::mem::take(&mut self.text),
            parsed,
            notes: std::mem::take(&mut self.notes),
        })
    }
}
