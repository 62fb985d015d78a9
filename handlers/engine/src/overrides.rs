//! Rows that a run-wide check takes out: the second pass of a chunk applies them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Code, EngineError, KeyPass, KeyRule, Repeat};

/// What a run-wide check makes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ExcludeAs {
    /// The row ends as `duplicate`, without a problem.
    Duplicate,
    /// The row is rejected with a problem.
    Reject,
}

/// Why one row is taken out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exclude {
    /// Where the row ends.
    pub outcome: ExcludeAs,
    /// The problem's code.
    pub code: Code,
    /// Name of the key rule.
    pub rule: String,
    /// Number of the row that has the key first.
    pub first: u64,
}

/// Rows taken out by run-wide checks, by row number in the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Overrides {
    /// Row number to the reasons.
    pub rows: BTreeMap<u64, Vec<Exclude>>,
    /// Key rule name to the number of rows that repeat a key.
    pub repeats: BTreeMap<String, u64>,
}

impl Overrides {
    /// Whether nothing is taken out, so that no second pass is needed.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// All rows that repeat a key, of key records that are in memory. A run of any size takes passes of [`KeyPass`] instead.
    ///
    /// # Errors
    /// A record is cut, or names no rule of the plan.
    pub fn find<'a>(rules: &[KeyRule], records: impl Iterator<Item = &'a [u8]> + Clone) -> Result<Self, EngineError> {
        let mut pass = KeyPass::new(rules, 0, 1);
        for piece in records.clone() {
            pass.feed(piece)?;
        }
        let (keys, mut found) = (pass.finish(), Self::default());
        for piece in records {
            keys.repeats(piece)?.into_iter().for_each(|repeat| found.add(rules, repeat));
        }
        Ok(found)
    }

    /// Counts a repeat, and takes its row out if its rule says so.
    pub fn add(&mut self, rules: &[KeyRule], repeat: Repeat) {
        let Some(rule) = rules.get(usize::from(repeat.rule)) else { return };
        match self.repeats.get_mut(&rule.name) {
            Some(count) => *count += 1,
            None => drop(self.repeats.insert(rule.name.clone(), 1)),
        }
        if let Some(exclude) = rule.exclude(repeat.first) {
            // Most rows have one reason, and there may be many rows.
            self.rows.entry(repeat.row).or_insert_with(|| Vec::with_capacity(1)).push(exclude);
        }
    }

    /// Joins what another pass found.
    pub fn merge(&mut self, other: Self) {
        for (row, excludes) in other.rows {
            self.rows.entry(row).or_default().extend(excludes);
        }
        for (rule, count) in other.repeats {
            *self.repeats.entry(rule).or_default() += count;
        }
    }

    /// Only the rows `first..first + count`.
    #[must_use]
    pub fn slice(&self, first: u64, count: u64) -> Self {
        let rows = self.rows.range(first..first.saturating_add(count)).map(|(row, why)| (*row, why.clone())).collect();
        Self { rows, repeats: BTreeMap::new() }
    }
}
