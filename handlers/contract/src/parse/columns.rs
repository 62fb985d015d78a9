//! The columns of a row as they change from task to task.

use crate::code::Code;
use crate::reader::{Cursor, shorten};
use crate::suggest::did_you_mean;

/// The columns at one point of a pipeline; `None` inside where they are unknown (the contract, or a task before, has a
/// mistake of its own), so that one mistake is not reported again and again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Columns(Option<Vec<String>>);

impl Columns {
    pub(crate) fn new(names: Option<Vec<String>>) -> Self {
        Self(names)
    }

    /// From here on nothing is known.
    pub(crate) fn forget(&mut self) {
        self.0 = None;
    }

    /// Whether the column may be there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|names| names.iter().any(|n| n == name))
    }

    /// Notes a mistake if the column is not there.
    pub(crate) fn need(&self, name: &str, place: &Cursor<'_>) {
        if let Some(names) = &self.0
            && !self.has(name)
        {
            let words: Vec<&str> = names.iter().map(String::as_str).collect();
            let hint = did_you_mean(name, &words);
            let hint = if hint.is_empty() { "; it comes neither from the contract nor from an earlier task".to_owned() } else { hint };
            place.mistake(Code::ColumnUnknown, format!("there is no column `{}` at this point{hint}", shorten(name)));
        }
    }

    /// Adds a column, or replaces the one of this name.
    pub(crate) fn put(&mut self, name: &str) {
        if let Some(names) = &mut self.0
            && !names.iter().any(|n| n == name)
        {
            names.push(name.to_owned());
        }
    }

    /// Adds a column that must not be there yet.
    pub(crate) fn add(&mut self, name: &str, place: &Cursor<'_>) {
        if let Some(names) = &self.0
            && let Some(other) = names.iter().find(|n| n.to_lowercase() == name.to_lowercase())
        {
            place.mistake(
                Code::ColumnClash,
                format!("there is a column `{}` already (case does not count); choose another name", shorten(other)),
            );
        }
        self.put(name);
    }

    /// Removes a column.
    pub(crate) fn remove(&mut self, name: &str) {
        if let Some(names) = &mut self.0 {
            names.retain(|n| n != name);
        }
    }

    /// These columns and no others.
    pub(crate) fn keep(&mut self, names: Vec<String>) {
        if self.0.is_some() {
            self.0 = Some(names);
        }
    }

    /// How many there are, if known.
    pub(crate) fn count(&self) -> Option<usize> {
        self.0.as_ref().map(Vec::len)
    }
}
