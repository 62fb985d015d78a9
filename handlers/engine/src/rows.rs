//! Rows of one batch on their way: where each stands in the file and what was found wrong with it.

use std::collections::BTreeMap;
use std::ops::Range;

use arrow::array::RecordBatch;

use crate::typed::check::Fault;
use crate::{Code, Problem};

/// Where a row stands.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// Number in the file.
    pub(crate) row: u64,
    pub(crate) line: u64,
    pub(crate) offset: u64,
    /// The record in [`Rows::text`], without its line end.
    pub(crate) raw: Range<usize>,
    /// Fields of a CSV record; `None` if it cannot be read as fields, or is no CSV.
    pub(crate) fields: Option<u32>,
}

impl Place {
    pub(crate) fn problem(&self, fault: Fault, column: Option<&str>, value: Option<String>) -> Problem {
        Problem {
            code: fault.code,
            row: self.row,
            line: self.line,
            offset: self.offset,
            column: column.map(str::to_owned),
            value,
            rule: None,
            message: fault.message,
        }
    }
}

/// What was found about one row. Only rows with findings have it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notes {
    pub(crate) problems: Vec<Problem>,
    pub(crate) reject: bool,
    pub(crate) hold: bool,
    /// The record is no data: the row is left out.
    pub(crate) skip: bool,
}

/// The rows of one batch.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    pub(crate) places: Vec<Place>,
    /// The records' bytes.
    pub(crate) text: &'a [u8],
    /// Contract columns of all rows; values that could not be typed are null.
    pub(crate) parsed: RecordBatch,
    pub(crate) notes: BTreeMap<u32, Notes>,
}

impl Rows<'_> {
    pub(crate) fn raw(&self, row: u32) -> &[u8] {
        &self.text[self.places[row as usize].raw.clone()]
    }

    /// Notes a problem that rejects the row.
    pub(crate) fn reject(&mut self, row: u32, fault: Fault, column: Option<&str>, value: Option<String>) {
        let problem = self.places[row as usize].problem(fault, column, value);
        let notes = self.notes.entry(row).or_default();
        notes.problems.push(problem);
        notes.reject = true;
    }

    /// Notes a problem that holds the row for a person.
    pub(crate) fn hold(&mut self, row: u32, fault: Fault, column: Option<&str>, value: Option<String>) {
        let problem = self.places[row as usize].problem(fault, column, value);
        let notes = self.notes.entry(row).or_default();
        notes.problems.push(problem);
        notes.hold = true;
    }

    /// Notes what a rule says about a row.
    pub(crate) fn rule(&mut self, row: u32, code: Code, rule: &str, message: String) {
        let mut problem = self.places[row as usize].problem(Fault::new(code, message), None, None);
        problem.rule = Some(rule.to_owned());
        let notes = self.notes.entry(row).or_default();
        notes.problems.push(problem);
        notes.reject |= code == Code::RuleReject;
        notes.hold |= code == Code::RuleReview;
    }

    /// Rows that are no data and not rejected either.
    pub(crate) fn skipped(&self) -> Vec<u32> {
        self.notes.iter().filter(|(_, n)| n.skip && !n.reject).map(|(row, _)| *row).collect()
    }

    pub(crate) fn is_rejected(&self, row: u32) -> bool {
        self.notes.get(&row).is_some_and(|n| n.reject)
    }
}
