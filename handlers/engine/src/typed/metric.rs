//! Values counted for quality rules while rows are read.

use std::collections::HashSet;

use regex::Regex;
use sluice_contract::{Metric, Quality};

/// What a quality rule counts in one column.
#[derive(Debug)]
pub(crate) struct ColumnMetric {
    /// Name of the quality rule.
    pub(crate) name: String,
    test: Test,
}

#[derive(Debug)]
enum Test {
    Null,
    Missing(HashSet<String>),
    Invalid { valid: Option<HashSet<String>>, pattern: Option<Regex> },
}

impl ColumnMetric {
    /// The part of a quality rule that is counted row by row; `None` if it has none.
    ///
    /// # Errors
    /// A pattern that is no regular expression, in words.
    pub(crate) fn of(quality: &Quality) -> Result<Option<Self>, String> {
        let test = match &quality.metric {
            Metric::NullValues => Test::Null,
            Metric::MissingValues { values } => Test::Missing(values.iter().cloned().collect()),
            Metric::InvalidValues { valid, pattern } => Test::Invalid {
                valid: valid.as_ref().map(|v| v.iter().cloned().collect()),
                pattern: pattern.as_deref().map(Regex::new).transpose().map_err(|e| format!("pattern: {e}"))?,
            },
            Metric::RowCount | Metric::DuplicateValues { .. } => return Ok(None),
        };
        Ok(Some(Self { name: quality.name.clone(), test }))
    }

    /// Whether a value counts; `None` is null.
    pub(crate) fn counts(&self, value: Option<&str>) -> bool {
        match (&self.test, value) {
            (Test::Null | Test::Missing(_), None) => true,
            (Test::Invalid { .. }, None) | (Test::Null, Some(_)) => false,
            (Test::Missing(values), Some(value)) => values.contains(value),
            (Test::Invalid { valid, pattern }, Some(value)) => {
                valid.as_ref().is_some_and(|v| !v.contains(value)) || pattern.as_ref().is_some_and(|p| !p.is_match(value))
            }
        }
    }
}
