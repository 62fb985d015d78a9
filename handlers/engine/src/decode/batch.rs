//! A batch of rows under construction: values go straight from bytes into typed builders.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;

use super::parquet::raw_value;
use crate::EngineError;
use crate::rows::{Notes, Place, Rows};
use crate::tasks::new_batch;
use crate::typed::arrays::Taken;
use crate::typed::builder::Builder;
use crate::typed::check::Fault;
use crate::typed::column::Column;
use crate::typed::quick::{Cells, Quick};
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
    quick: Vec<Quick>,
    builders: Vec<Builder>,
    /// Arrays in place of a builder's values.
    taken: Vec<Option<Taken>>,
    places: Vec<Place>,
    /// The row that values and faults are of.
    current: usize,
    notes: BTreeMap<u32, Notes>,
    faults: Vec<Fault>,
    /// Counts of quality rules since the start of the chunk.
    pub(crate) metrics: BTreeMap<String, u64>,
    /// Counts of repairs since the start of the chunk.
    pub(crate) repairs: BTreeMap<String, u64>,
}

impl BatchBuilder {
    pub(crate) fn new(columns: Arc<Vec<Column>>, schema: SchemaRef, reading: Reading) -> Self {
        let quick = columns.iter().map(|c| Quick::of(c, &reading)).collect();
        let builders = columns.iter().map(|c| Builder::new(c.data_type, BATCH_ROWS)).collect();
        let taken = columns.iter().map(|_| None).collect();
        Self {
            columns,
            schema,
            reading,
            quick,
            builders,
            taken,
            places: Vec::new(),
            current: 0,
            notes: BTreeMap::new(),
            faults: Vec::new(),
            metrics: BTreeMap::new(),
            repairs: BTreeMap::new(),
        }
    }

    pub(crate) fn columns(&self) -> &Arc<Vec<Column>> {
        &self.columns
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Offset of the first row in the file.
    pub(crate) fn first_offset(&self) -> Option<u64> {
        self.places.first().map(|p| p.offset)
    }

    /// Offset of the first row in the file, and where the content of the last one ends.
    pub(crate) fn end_offset(&self) -> Option<(u64, u64)> {
        let last = self.places.last()?;
        Some((self.first_offset()?, last.offset + last.raw.len() as u64))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Begins a row; a value (or null) for each column must follow. `raw` is its place in the text that [`BatchBuilder::finish`] is given.
    pub(crate) fn begin(&mut self, row: u64, line: u64, offset: u64, raw: Range<usize>, fields: Option<u32>) {
        self.current = self.places.len();
        self.places.push(Place { row, line, offset, raw, fields });
    }

    /// Goes back to a row of this batch, whose values are still to come.
    pub(crate) fn go_to(&mut self, row: usize) {
        self.current = row;
    }

    /// The records of the batch without what stands between them.
    pub(crate) fn compact(&mut self, text: &[u8]) -> Vec<u8> {
        let mut kept = Vec::new();
        for place in &mut self.places {
            let start = kept.len();
            kept.extend_from_slice(&text[place.raw.clone()]);
            place.raw = start..kept.len();
        }
        kept
    }

    /// Counts the places of records from so many bytes later on.
    pub(crate) fn move_back(&mut self, bytes: usize) {
        for place in &mut self.places {
            place.raw = place.raw.start - bytes..place.raw.end - bytes;
        }
    }

    /// The values of a column for the rows from `first` on.
    pub(crate) fn values(&mut self, column: usize, first: usize, cells: Cells<'_>) {
        let (quick, mut odd) = (&self.quick[column], Vec::new());
        macro_rules! typed {
            ($b:ident, $values:expr) => {
                if let Some(values) = $values {
                    self.by_runs(column, first, cells, &odd, |builder, run| {
                        if let Builder::$b(b) = builder {
                            b.append_slice(&values[run]);
                        }
                    });
                    return;
                }
            };
        }
        match &self.builders[column] {
            Builder::Int8(_) => typed!(Int8, quick.integers(cells, &mut odd, |v| v as i8)),
            Builder::Int16(_) => typed!(Int16, quick.integers(cells, &mut odd, |v| v as i16)),
            Builder::Int32(_) => typed!(Int32, quick.integers(cells, &mut odd, |v| v as i32)),
            Builder::Int64(_) => typed!(Int64, quick.integers(cells, &mut odd, |v| v)),
            Builder::Decimal(_) => typed!(Decimal, quick.decimals(cells, &mut odd)),
            Builder::Date(_) => typed!(Date, quick.dates(cells, &mut odd)),
            Builder::Text(_) if quick.texts(cells, &mut odd) => {
                self.by_runs(column, first, cells, &odd, |builder, run| {
                    if let Builder::Text(b) = builder {
                        b.append_parts(cells.text, &cells.parts[run]);
                    }
                });
                return;
            }
            _ => {}
        }
        let mut scratch = String::new();
        for at in 0..cells.parts.len() {
            self.current = first + at;
            self.value(column, cells.raw(at, &mut scratch));
        }
    }

    /// Adds the runs of values between the odd ones, and the odd ones one by one.
    fn by_runs(&mut self, column: usize, first: usize, cells: Cells<'_>, odd: &[u32], mut add: impl FnMut(&mut Builder, Range<usize>)) {
        let mut from = 0;
        let mut scratch = String::new();
        for at in odd.iter().map(|at| *at as usize) {
            add(&mut self.builders[column], from..at);
            self.current = first + at;
            self.value(column, cells.raw(at, &mut scratch));
            from = at + 1;
        }
        add(&mut self.builders[column], from..cells.parts.len());
    }

    /// The values of a column for all rows of the batch, from an array.
    pub(crate) fn array(&mut self, column: usize, array: &ArrayRef) {
        let taken = Taken::of(&self.quick[column], array, self.schema.field(column).data_type());
        let mut add = |row: usize| {
            self.current = row;
            self.value(column, raw_value(array, row));
        };
        match &taken {
            Some(taken) => taken.odd.iter().for_each(|row| add(*row as usize)),
            None => (0..array.len()).for_each(add),
        }
        self.taken[column] = taken;
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
        self.notes.entry(self.current as u32).or_default().skip = true;
        self.repair(kind, 1);
    }

    /// Notes a problem of the row just begun; it rejects the row, or holds it for a person.
    pub(crate) fn fault(&mut self, fault: Fault, column: Option<&str>, value: Option<String>, rejects: bool) {
        let row = self.current;
        let problem: Problem = self.places[row].problem(fault, column, value);
        let notes = self.notes.entry(row as u32).or_default();
        notes.problems.push(problem);
        notes.reject |= rejects;
        notes.hold |= !rejects;
    }

    pub(crate) fn repair(&mut self, kind: &str, count: u64) {
        *self.repairs.entry(kind.to_owned()).or_default() += count;
    }

    /// Takes the rows, whose records stand in `text`.
    pub(crate) fn finish<'a>(&mut self, text: &'a [u8]) -> Result<Rows<'a>, EngineError> {
        let count = self.places.len();
        let finish = |((builder, taken), column): ((&mut Builder, &mut Option<Taken>), &Column)| {
            let array = match taken.take() {
                // The builder has nothing.
                Some(taken) if taken.odd.is_empty() => return taken.finish(builder),
                Some(taken) => taken.finish(builder),
                None => builder.finish(),
            };
            // A builder that grows to its size again copies all it has more than once.
            if !matches!(builder, Builder::Text(_)) {
                *builder = Builder::new(column.data_type, BATCH_ROWS);
            }
            array
        };
        let arrays = self
            .builders
            .iter_mut()
            .zip(&mut self.taken)
            .zip(self.columns.iter())
            .map(finish)
            .collect::<Result<_, _>>()
            .map_err(|e| EngineError::bug("batch", e))?;
        let parsed: RecordBatch = new_batch(&self.schema, arrays, count)?;
        // The next batch mostly has as many rows.
        let places = std::mem::replace(&mut self.places, Vec::with_capacity(count));
        Ok(Rows { places, text, parsed, notes: std::mem::take(&mut self.notes) })
    }
}
