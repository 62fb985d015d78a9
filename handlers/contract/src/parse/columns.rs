//! The columns of a row as they change from task to task.

use std::collections::BTreeMap;

use crate::code::Code;
use crate::reader::{Cursor, shorten};

/// The columns at one point of a pipeline, by their names in lower case; `None` inside where they are unknown (the contract,
/// or a task before, has a mistake of its own), so that one mistake is not reported again and again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Columns(Option<BTreeMap<String, String>>);

fn by_lower_case(names: Vec<String>) -> BTreeMap<String, String> {
    names.into_iter().map(|name| (name.to_lowercase(), name)).collect()
}

impl Columns {
    pub(crate) fn new(names: Option<Vec<String>>) -> Self {
        Self(names.map(by_lower_case))
    }

    /// From here on nothing is known.
    pub(crate) fn forget(&mut self) {
        self.0 = None;
    }

    /// Whether the column may be there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|names| names.get(&name.to_lowercase()).is_some_and(|found| found == name))
    }

    /// Notes a mistake if the column is not there.
    pub(crate) fn need(&self, name: &str, place: &Cursor<'_>) {
        if let Some(names) = &self.0
            && !self.has(name)
        {
            let words: Vec<&str> = names.values().map(String::as_str).collect();
            let hint = place.did_you_mean(name, &words);
            let hint = if hint.is_empty() { "; it comes neither from the contract nor from an earlier task".to_owned() } else { hint };
            place.mistake(Code::ColumnUnknown, format!("there is no column `{}` at this point{hint}", shorten(name)));
        }
    }

    /// Adds a column that must not be there yet.
    pub(crate) fn add(&mut self, name: &str, place: &Cursor<'_>) {
        if let Some(names) = &mut self.0
            && let Some(other) = names.insert(name.to_lowercase(), name.to_owned())
        {
            place.mistake(
                Code::ColumnClash,
                format!("there is a column `{}` already (case does not count); choose another name", shorten(&other)),
            );
        }
    }

    /// Removes a column.
    pub(crate) fn remove(&mut self, name: &str) {
        if let Some(names) = &mut self.0 {
            names.remove(&name.to_lowercase());
        }
    }

    /// These columns and no others.
    pub(crate) fn keep(&mut self, names: Vec<String>) {
        self.0 = Some(by_lower_case(names));
    }

    /// How many there are, if known.
    pub(crate) fn count(&self) -> Option<usize> {
        self.0.as_ref().map(BTreeMap::len)
    }
}
