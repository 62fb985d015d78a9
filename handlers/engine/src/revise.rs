//! Held rows that people decided on go through the same engine again.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};
use sluice_contract::{Outcome, Task};

use crate::decode::batch::{BATCH_BYTES, BATCH_ROWS, BatchBuilder};
use crate::outcome::{Judged, judge, published};
use crate::rows::Rows;
use crate::typed::check::Fault;
use crate::typed::raw::{Raw, Reading};
use crate::write::accepted::AcceptedWriter;
use crate::write::held;
use crate::{AcceptedFile, Cause, Code, Compiled, EngineError, HeldRow, Pieces, Problem};

/// A held row with what was decided.
#[derive(Debug, Clone)]
pub struct RevisedRow {
    /// The row as it was held.
    pub held: HeldRow,
    /// Causes that hold the row no longer (approved).
    pub waive: Vec<Cause>,
    /// Contract column to a value as one types it (ISO dates, a point in decimals); `None` is null.
    pub corrections: BTreeMap<String, Option<String>>,
}

/// What became of a revised row.
#[derive(Debug, Clone, PartialEq)]
pub enum RevisedOutcome {
    /// It can be published.
    Accepted {
        /// What is published, by column, without lineage.
        proposed: Map<String, Value>,
    },
    /// It still cannot: every reason.
    Problems(Vec<Problem>),
    /// As corrected, a filter of the pipeline leaves it out.
    Filtered,
}

/// What became of revised rows.
#[derive(Debug)]
pub struct Revised {
    /// One for each row, in the same order.
    pub outcomes: Vec<RevisedOutcome>,
    /// Accepted rows as Parquet.
    pub files: Pieces,
    /// The files' accounts.
    pub accepted: Vec<AcceptedFile>,
    /// Key records of the accepted rows, for [`crate::KeyPass`].
    pub keys: Vec<u8>,
}

/// Puts rows through validation, tasks and rules again. Files hold the accepted rows, in the order given.
///
/// # Errors
/// Only faults of this program: a value that does not fit is a problem of its row.
pub fn revise(compiled: &Arc<Compiled>, run: &str, rows: &[RevisedRow]) -> Result<Revised, EngineError> {
    let mut batch = BatchBuilder::new(Arc::clone(&compiled.columns), Arc::clone(&compiled.parsed_schema), Reading::typed());
    let mut writer = AcceptedWriter::new(compiled.accepted_schema(), compiled.partition_by())?;
    let (mut outcomes, mut keys) = (Vec::with_capacity(rows.len()), Vec::new());
    let (mut done, mut text) = (0, Vec::new());
    for (i, row) in rows.iter().enumerate() {
        add(compiled, row, &mut text, &mut batch);
        if batch.len() >= BATCH_ROWS || text.len() >= BATCH_BYTES || i + 1 == rows.len() {
            let judged = judge(compiled, batch.finish(&text)?)?;
            end_batch(compiled, run, &rows[done..=i], judged, &mut writer, &mut outcomes, &mut keys)?;
            done = i + 1;
            text.clear();
        }
    }
    let (files, accepted) = writer.finish()?;
    Ok(Revised { outcomes, files, accepted, keys })
}

/// Reads the values of a row: as corrected, or as they were.
fn add(compiled: &Compiled, row: &RevisedRow, text: &mut Vec<u8>, batch: &mut BatchBuilder) {
    let held = &row.held;
    let start = text.len();
    text.extend_from_slice(held.raw.as_bytes());
    batch.begin(held.row, held.line, held.offset, start..text.len(), None);
    for (i, column) in compiled.columns.iter().enumerate() {
        let number;
        let raw = match (row.corrections.get(&column.name), held.parsed.get(&column.name)) {
            (Some(Some(typed)), _) => Raw::Text(typed.as_bytes()),
            (None, Some(Value::String(value))) => Raw::Text(value.as_bytes()),
            (None, Some(Value::Bool(value))) => Raw::Boolean(*value),
            (None, Some(Value::Number(value))) => {
                number = value.to_string();
                Raw::Number(number.as_bytes())
            }
            (Some(None) | None, _) => Raw::Null,
        };
        batch.value(i, raw);
    }
    for name in row.corrections.keys().filter(|name| compiled.columns.iter().all(|c| c.name != **name)) {
        let fault = Fault::new(Code::UnknownKey, "the contract has no such column");
        batch.fault(fault, Some(name), None, true);
    }
    // What the decoder found still stands unless it was waived, or the row was corrected.
    if row.corrections.is_empty() {
        for problem in &held.problems {
            let is_of_decoder = matches!(problem.code, Code::TooFewFields | Code::TooManyFields);
            if is_of_decoder && Cause::of(problem).is_none_or(|cause| !row.waive.contains(&cause)) {
                batch.fault(Fault::new(problem.code, problem.message.clone()), problem.column.as_deref(), problem.value.clone(), false);
            }
        }
    }
}

fn end_batch(
    compiled: &Compiled,
    run: &str,
    revised: &[RevisedRow],
    judged: Judged<'_>,
    writer: &mut AcceptedWriter,
    outcomes: &mut Vec<RevisedOutcome>,
    keys: &mut Vec<u8>,
) -> Result<(), EngineError> {
    let Judged { mut rows, working, filtered, .. } = judged;
    for (i, row) in revised.iter().enumerate() {
        if let Some(notes) = rows.notes.get_mut(&(i as u32)) {
            let waived: Vec<_> = row.waive.iter().filter(|cause| can_be_waived(compiled, cause)).collect();
            notes.problems.retain(|problem| Cause::of(problem).is_none_or(|cause| !waived.contains(&&cause)));
        }
    }
    rows.notes.retain(|_, notes| !notes.problems.is_empty());
    let is_accepted = |rows: &Rows<'_>, row: u32| !rows.notes.contains_key(&row) && !filtered.contains(&row);
    let keep: Vec<bool> = working.rows.iter().map(|row| row.is_some_and(|row| is_accepted(&rows, row))).collect();
    let batch = published(compiled, &working, &rows, &keep, run)?;
    writer.write(&batch)?;
    crate::outcome::write_keys(compiled, &rows, &working, |row| is_accepted(&rows, row), keys);
    for row in 0..revised.len() as u32 {
        let at = working.rows.iter().position(|r| *r == Some(row));
        outcomes.push(match (rows.notes.get(&row), at) {
            (Some(notes), _) => RevisedOutcome::Problems(notes.problems.clone()),
            (None, Some(at)) => RevisedOutcome::Accepted { proposed: held::object(&working.batch, at) },
            (None, None) => RevisedOutcome::Filtered,
        });
    }
    Ok(())
}

/// A lookup that rejects rows cannot be waived; one that holds them can.
fn can_be_waived(compiled: &Compiled, cause: &Cause) -> bool {
    let holds = |task: &Task| matches!(task, Task::Lookup(lookup) if lookup.missing == Some(Outcome::Review));
    cause.name != Code::LookupMissing.as_str() || compiled.plan().pipeline.tasks.iter().any(holds)
}
