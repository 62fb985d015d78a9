//! One batch to its end: tasks, rules, run-wide exclusions, and each row into exactly one output.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, RecordBatch, StringArray, StringBuilder};
use arrow::datatypes::DataType;
use sluice_contract::{Encoding, Format};

use crate::compile::Compiled;
use crate::decode::parquet::{raw_json, raw_value};
use crate::rows::Rows;
use crate::tasks::{Working, new_batch};
use crate::typed::builder::value_text;
use crate::typed::check::Fault;
use crate::typed::text;
use crate::write::accepted::AcceptedWriter;
use crate::write::{held, rejected};
use crate::{AcceptedFile, ChunkReport, Code, EngineError, Exclude, ExcludeAs, HeldRow, KeyRule, Overrides, Pieces, Stream, keys};

/// Where a row ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Not reached the end of the tasks: rejected, or a fault of this program.
    Unknown,
    Accepted,
    Rejected,
    Filtered,
    Duplicate,
    Held,
}

/// A row of a batch after tasks and rules, with its place in [`Working`].
pub(crate) struct Judged<'a> {
    pub(crate) rows: Rows<'a>,
    pub(crate) working: Working,
    pub(crate) filtered: Vec<u32>,
    pub(crate) warnings: BTreeMap<String, u64>,
}

/// Puts the valid rows of a batch through tasks and rules.
pub(crate) fn judge<'a>(compiled: &Compiled, mut rows: Rows<'a>) -> Result<Judged<'a>, EngineError> {
    let count = rows.places.len() as u32;
    let skipped = rows.skipped();
    let mut keep = vec![true; rows.places.len()];
    for (row, _) in rows.notes.iter().filter(|(_, notes)| notes.reject || notes.skip) {
        keep[*row as usize] = false;
    }
    let mut working = Working { batch: rows.parsed.clone(), rows: (0..count).map(Some).collect() };
    working.retain(&keep)?;
    let (mut filtered, mut warned, mut warnings) = (skipped, Vec::new(), BTreeMap::new());
    for stage in &compiled.stages {
        stage.apply(&mut working, &mut rows, &mut filtered, &mut warned)?;
    }
    for name in warned {
        *warnings.entry(name).or_default() += 1;
    }
    for rule in &compiled.rules {
        rule.ask(&working, &mut rows, &mut warnings);
    }
    Ok(Judged { rows, working, filtered, warnings })
}

/// An array as it is written: times of day as text, which Delta tables lack a type for.
pub(crate) fn stored_array(array: &ArrayRef) -> ArrayRef {
    if !matches!(array.data_type(), DataType::Time64(_)) {
        return Arc::clone(array);
    }
    let mut text = StringBuilder::with_capacity(array.len(), array.len() * 8);
    for row in 0..array.len() {
        text.append_option(value_text(array.as_ref(), row));
    }
    Arc::new(text.finish())
}

/// The rows of `working` that `keep` says, with lineage, as they are written. Of what is left out no row may be written.
pub(crate) fn published(
    compiled: &Compiled,
    working: &Working,
    rows: &Rows<'_>,
    keep: &[bool],
    run: &str,
) -> Result<RecordBatch, EngineError> {
    let mut kept = working.clone();
    kept.compact(keep)?;
    let mut columns: Vec<ArrayRef> = kept.batch.columns().iter().map(stored_array).collect();
    columns.push(Arc::new(StringArray::from_iter_values(std::iter::repeat_n(run, kept.rows.len()))));
    let number = |row: u32| rows.places[row as usize].row as i64;
    columns.push(Arc::new(Int64Array::from_iter_values(kept.rows.iter().map(|row| row.map_or(0, number)))));
    new_batch(&compiled.accepted_schema(), columns, kept.rows.len())
}

/// Writes the key records of the rows that `is_kept` names.
pub(crate) fn write_keys(compiled: &Compiled, rows: &Rows<'_>, working: &Working, is_kept: impl Fn(u32) -> bool, out: &mut Vec<u8>) {
    let mut scratch = Vec::new();
    for (index, rule) in compiled.keys.iter().enumerate() {
        let batch = if rule.is_of_contract() { &rows.parsed } else { &working.batch };
        let columns: Vec<&ArrayRef> = rule.columns.iter().filter_map(|name| batch.column_by_name(name)).collect();
        let kept = working.rows.iter().enumerate().filter_map(|(at, row)| row.filter(|row| is_kept(*row)).map(|row| (at, row)));
        for (at, row) in kept {
            let at = if rule.is_of_contract() { row as usize } else { at };
            keys::write_record(rule, index as u16, &columns, at, rows.places[row as usize].row, &mut scratch, out);
        }
    }
}

/// Most runs of accepted rows of a batch that are written one by one.
const MOST_RUNS: usize = 64;

/// Where the runs of true are.
fn runs(keep: &[bool]) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let mut at = 0;
    for run in keep.chunk_by(|a, b| a == b) {
        if run[0] {
            runs.push(at..at + run.len());
        }
        at += run.len();
    }
    runs
}

/// Takes batches and makes the outputs of a chunk.
pub(crate) struct Outputs {
    compiled: Arc<Compiled>,
    run: String,
    overrides: Overrides,
    width: usize,
    writer: AcceptedWriter,
    rejected: Vec<u8>,
    held: Vec<u8>,
    keys: Vec<u8>,
    pub(crate) report: ChunkReport,
}

impl Outputs {
    pub(crate) fn new(compiled: &Arc<Compiled>, run: String, report: ChunkReport, overrides: &Overrides) -> Result<Self, EngineError> {
        let mut overrides = overrides.clone();
        // Passes find the reasons of a row in an order that depends on their number.
        let place = |exclude: &Exclude| compiled.keys.iter().position(|rule| rule.name == exclude.rule);
        overrides.rows.values_mut().for_each(|reasons| reasons.sort_by_key(place));
        Ok(Self {
            compiled: Arc::clone(compiled),
            run,
            overrides,
            width: compiled.columns.len(),
            writer: AcceptedWriter::new(compiled.accepted_schema(), compiled.partition_by())?,
            rejected: Vec::new(),
            held: Vec::new(),
            keys: Vec::new(),
            report,
        })
    }

    /// Fields of a whole CSV record, so that the columns of rejected rows line up.
    pub(crate) fn set_width(&mut self, width: usize) {
        self.width = width;
    }

    /// Works a batch to its end. `source` has the columns of Parquet rows, which have no text.
    pub(crate) fn take(&mut self, rows: Rows<'_>, source: Option<&RecordBatch>) -> Result<(), EngineError> {
        let Judged { mut rows, working, filtered, warnings } = judge(&self.compiled, rows)?;
        for (rule, count) in warnings {
            *self.report.tally.warnings.entry(rule).or_default() += count;
        }
        let mut ends = vec![End::Unknown; rows.places.len()];
        for row in filtered {
            ends[row as usize] = End::Filtered;
        }
        for row in working.rows.iter().flatten() {
            ends[*row as usize] = End::Accepted;
        }
        for (row, _) in rows.notes.iter().filter(|(_, notes)| notes.hold) {
            if let end @ End::Accepted = &mut ends[*row as usize] {
                *end = End::Held;
            }
        }
        self.exclude(&mut rows, &mut ends);
        for (row, _) in rows.notes.iter().filter(|(_, notes)| notes.reject) {
            ends[*row as usize] = End::Rejected;
        }
        self.count(&rows, &ends)?;
        let is_kept = |end: End| matches!(end, End::Accepted | End::Held);
        write_keys(&self.compiled, &rows, &working, |row| is_kept(ends[row as usize]), &mut self.keys);
        let end = |row: u32| ends[row as usize];
        let accepted: Vec<bool> = working.rows.iter().map(|row| row.map(end) == Some(End::Accepted)).collect();
        if accepted.contains(&true) {
            let runs = runs(&accepted);
            if runs.len() > MOST_RUNS {
                self.writer.write(&published(&self.compiled, &working, &rows, &accepted, &self.run)?)?;
            } else {
                // Long runs need not be copied to leave out what is between them.
                let batch = published(&self.compiled, &working, &rows, &vec![true; accepted.len()], &self.run)?;
                for run in runs {
                    self.writer.write(&batch.slice(run.start, run.len()))?;
                }
            }
        }
        let held = working.rows.iter().enumerate().filter_map(|(at, row)| row.filter(|row| end(*row) == End::Held).map(|row| (row, at)));
        let places: BTreeMap<u32, usize> = held.collect();
        let notes = std::mem::take(&mut rows.notes);
        for (row, notes) in notes {
            match ends[row as usize] {
                End::Rejected => {
                    notes.problems.iter().for_each(|p| self.report.tally.problem(p));
                    self.write_rejected(&rows, row, source, &notes.problems);
                }
                End::Held => {
                    notes.problems.iter().for_each(|p| self.report.tally.problem(p));
                    let raw = raw_text(&rows, row, source, self.encoding()).into_owned();
                    let proposed = held::object(&working.batch, places[&row]);
                    let held =
                        held::row(&rows.places[row as usize], raw, notes.problems, held::object(&rows.parsed, row as usize), proposed);
                    self.write_held(&held)?;
                }
                End::Unknown | End::Accepted | End::Filtered | End::Duplicate => {}
            }
        }
        Ok(())
    }

    /// Takes out the rows that a run-wide check names, of those that came through the tasks.
    fn exclude(&self, rows: &mut Rows<'_>, ends: &mut [End]) {
        let Some(first) = rows.places.first().map(|place| place.row) else { return };
        // The rows of a batch are those of the file without a gap.
        for (number, excludes) in self.overrides.rows.range(first..first + ends.len() as u64) {
            let row = (number - first) as u32;
            let end = &mut ends[row as usize];
            if !matches!(end, End::Accepted | End::Held) {
                continue;
            }
            for exclude in excludes {
                match exclude.outcome {
                    ExcludeAs::Duplicate => *end = End::Duplicate,
                    ExcludeAs::Reject => {
                        let key = self.compiled.keys.iter().find(|k| k.name == exclude.rule);
                        reject_repeated(row, rows, exclude, key);
                    }
                }
            }
        }
    }

    fn count(&mut self, rows: &Rows<'_>, ends: &[End]) -> Result<(), EngineError> {
        let report = &mut self.report;
        let totals = &mut report.tally.totals;
        let mut at = 0;
        // Rows that end alike mostly stand together.
        for run in ends.chunk_by(|a, b| a == b) {
            let places = &rows.places[at..at + run.len()];
            at += run.len();
            let (set, total) = match run[0] {
                End::Accepted => (&mut report.accepted, &mut totals.accepted),
                End::Rejected => (&mut report.rejected, &mut totals.rejected),
                End::Filtered => (&mut report.filtered, &mut totals.filtered),
                End::Duplicate => (&mut report.duplicate, &mut totals.duplicate),
                End::Held => (&mut report.held, &mut totals.held),
                End::Unknown => return Err(EngineError::Bug(format!("row {} is lost in the tasks", places[0].row))),
            };
            // The rows of a batch are those of the file without a gap.
            let first = (places[0].row - report.first_row) as u32;
            set.insert_range(first..first + run.len() as u32);
            *total += run.len() as u64;
        }
        report.rows += ends.len() as u64;
        totals.rows += ends.len() as u64;
        Ok(())
    }

    fn write_rejected(&mut self, rows: &Rows<'_>, row: u32, source: Option<&RecordBatch>, problems: &[crate::Problem]) {
        let place = &rows.places[row as usize];
        match &self.compiled.plan().pipeline.intake.format {
            Format::Csv(csv) => rejected::csv(csv, self.width, place, rows.raw(row), problems, &mut self.rejected),
            Format::Ndjson(_) => rejected::ndjson(place, rows.raw(row), problems, &mut self.rejected),
            Format::Parquet => {
                let raw = raw_text(rows, row, source, Encoding::Utf8);
                rejected::ndjson(place, raw.as_bytes(), problems, &mut self.rejected);
            }
        }
    }

    fn write_held(&mut self, row: &HeldRow) -> Result<(), EngineError> {
        self.report.tally.held(&row.cause);
        serde_json::to_writer(&mut self.held, row).map_err(|e| EngineError::bug("held row", e))?;
        self.held.push(b'\n');
        Ok(())
    }

    fn encoding(&self) -> Encoding {
        match &self.compiled.plan().pipeline.intake.format {
            Format::Csv(csv) => csv.encoding,
            Format::Ndjson(_) | Format::Parquet => Encoding::Utf8,
        }
    }

    /// Takes what is ready.
    pub(crate) fn drain(&mut self) -> Pieces {
        let mut ready = self.writer.drain();
        for (stream, bytes) in [(Stream::Rejected, &mut self.rejected), (Stream::Held, &mut self.held), (Stream::Keys, &mut self.keys)] {
            if !bytes.is_empty() {
                ready.push((stream, std::mem::take(bytes)));
            }
        }
        ready
    }

    /// Closes the files and the report.
    pub(crate) fn finish(mut self) -> Result<(Pieces, ChunkReport), EngineError> {
        let mut ready = self.drain();
        let (files, accounts): (_, Vec<AcceptedFile>) = self.writer.finish()?;
        ready.extend(files);
        self.report.files = accounts;
        self.report.check_balance().map_err(EngineError::Bug)?;
        Ok((ready, self.report))
    }
}

fn reject_repeated(row: u32, rows: &mut Rows<'_>, exclude: &Exclude, key: Option<&KeyRule>) {
    let columns = key.map(|k| k.columns.as_slice()).unwrap_or_default();
    let values: Vec<_> = columns
        .iter()
        .filter_map(|name| rows.parsed.column_by_name(name))
        .map(|array| value_text(array.as_ref(), row as usize).unwrap_or_default())
        .collect();
    let what = if exclude.code == Code::RepeatedPrimaryKey { "primary key" } else { "value" };
    let message = format!("row {} has the same {what}; it must be unique", exclude.first);
    let value = Some(text::shorten(&values.join(", "), crate::VALUE_CHARS));
    let column = columns.join(", ");
    rows.reject(row, Fault::new(exclude.code, message), (!column.is_empty()).then_some(column.as_str()), value);
}

/// The record as it came; for Parquet its contract columns as JSON.
fn raw_text<'a>(rows: &'a Rows<'_>, row: u32, source: Option<&RecordBatch>, encoding: Encoding) -> Cow<'a, str> {
    let Some(source) = source else { return text::decode_lossy(rows.raw(row), encoding) };
    let fields = source.schema_ref().fields().iter().zip(source.columns());
    let members = fields.map(|(field, array)| {
        let name = serde_json::Value::from(field.name().as_str());
        format!("{name}:{}", raw_json(raw_value(array, row as usize)))
    });
    Cow::Owned(format!("{{{}}}", members.collect::<Vec<_>>().join(",")))
}
