//! Repeated keys over a whole run, in as many passes over the key records as memory asks for.
//!
//! A key is known by the first 128 bits of the BLAKE3 hash of its typed values: two different keys of a run meet with a probability below
//! `n^2 / 2^129` for `n` keys, which is less than one in 10^20 for a billion of them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use arrow::array::cast::AsArray as _;
use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{self as types, ArrowPrimitiveType, DataType, TimeUnit, ToByteSlice};
use serde::{Deserialize, Serialize};

use crate::{Code, EngineError, Exclude, ExcludeAs, Overrides};

/// What follows from two rows with the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum KeyKind {
    /// Primary key of the contract: later rows are rejected.
    PrimaryKey,
    /// Unique column of the contract: later rows are rejected. Null repeats nothing.
    Unique,
    /// Deduplicate task: later rows end as `duplicate`. Null equals null.
    Deduplicate,
    /// `duplicateValues` quality metric: rows are counted only. A key with a null repeats nothing.
    Count,
}

/// A key that is compared over the whole run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyRule {
    /// Unique in the plan: `primaryKey`, `unique:<column>`, `deduplicate:<task>` or `quality:<name>`.
    pub name: String,
    /// What a repeated key means.
    pub kind: KeyKind,
    /// The columns taken together.
    pub columns: Vec<String>,
}

impl KeyRule {
    /// Whether the columns are those of the contract, before the tasks.
    pub(crate) fn is_of_contract(&self) -> bool {
        self.kind != KeyKind::Deduplicate
    }

    fn exclude(&self, first: u64) -> Option<Exclude> {
        let (outcome, code) = match self.kind {
            KeyKind::PrimaryKey => (ExcludeAs::Reject, Code::RepeatedPrimaryKey),
            KeyKind::Unique => (ExcludeAs::Reject, Code::RepeatedUnique),
            KeyKind::Deduplicate => (ExcludeAs::Duplicate, Code::Duplicate),
            KeyKind::Count => return None,
        };
        Some(Exclude { outcome, code, rule: self.name.clone(), first })
    }
}

/// Bytes of one key record: key rule (u16), 128-bit hash, row number (u64), little endian.
pub const KEY_RECORD_BYTES: usize = 26;

/// Writes the record of a row's key. Nothing is written where a null makes the key repeat nothing.
pub(crate) fn write_record(
    rule: &KeyRule,
    index: u16,
    columns: &[&ArrayRef],
    at: usize,
    row: u64,
    scratch: &mut Vec<u8>,
    out: &mut Vec<u8>,
) {
    scratch.clear();
    let has_null = !encode(columns, at, scratch);
    if has_null && rule.kind != KeyKind::Deduplicate {
        return;
    }
    let hash = blake3::hash(scratch);
    out.extend_from_slice(&index.to_le_bytes());
    out.extend_from_slice(&hash.as_bytes()[..16]);
    out.extend_from_slice(&row.to_le_bytes());
}

/// Appends the typed values of a row so that no two different keys read the same: a presence byte and the value, texts with their length.
/// `false` if one of them is null.
pub(crate) fn encode(columns: &[&ArrayRef], at: usize, out: &mut Vec<u8>) -> bool {
    fn fixed<T: ArrowPrimitiveType>(array: &ArrayRef, at: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(array.as_primitive::<T>().value(at).to_byte_slice());
    }
    let mut is_full = true;
    for array in columns {
        if array.is_null(at) {
            is_full = false;
            out.push(0);
            continue;
        }
        out.push(1);
        match array.data_type() {
            DataType::Boolean => out.push(u8::from(array.as_boolean().value(at))),
            DataType::Int8 => fixed::<types::Int8Type>(array, at, out),
            DataType::Int16 => fixed::<types::Int16Type>(array, at, out),
            DataType::Int32 => fixed::<types::Int32Type>(array, at, out),
            DataType::Int64 => fixed::<types::Int64Type>(array, at, out),
            // 0 and -0 are one key.
            DataType::Float32 => out.extend_from_slice(&(array.as_primitive::<types::Float32Type>().value(at) + 0.0).to_le_bytes()),
            DataType::Float64 => out.extend_from_slice(&(array.as_primitive::<types::Float64Type>().value(at) + 0.0).to_le_bytes()),
            DataType::Decimal128(..) => fixed::<types::Decimal128Type>(array, at, out),
            DataType::Date32 => fixed::<types::Date32Type>(array, at, out),
            DataType::Timestamp(TimeUnit::Microsecond, _) => fixed::<types::TimestampMicrosecondType>(array, at, out),
            DataType::Time64(TimeUnit::Microsecond) => fixed::<types::Time64MicrosecondType>(array, at, out),
            _ => {
                let text = array.as_string::<i32>().value(at).as_bytes();
                out.extend_from_slice(&(text.len() as u64).to_le_bytes());
                out.extend_from_slice(text);
            }
        }
    }
    is_full
}

/// One pass over all key records of a run. Pass `p` of `n` looks at every `n`th key only, so that memory is about 60 bytes for each
/// distinct key of the pass, and about 100 for each row that repeats one. The result does not depend on the order of feeding.
pub struct KeyPass {
    rules: Vec<KeyRule>,
    pass: u32,
    passes: u32,
    /// Key to the smallest row number seen.
    firsts: HashMap<(u16, u128), u64>,
    /// Every other row with a key seen before.
    repeats: Vec<(u64, u16, u128)>,
    /// The start of a record that is cut between two pieces.
    rest: Vec<u8>,
}

impl KeyPass {
    /// Pass `pass` of `passes`, counted from 0.
    pub fn new(rules: &[KeyRule], pass: u32, passes: u32) -> Self {
        let passes = passes.max(1);
        Self { rules: rules.to_vec(), pass: pass % passes, passes, firsts: HashMap::new(), repeats: Vec::new(), rest: Vec::new() }
    }

    /// Takes key records in pieces of any size; a record may be cut between two pieces of one blob.
    ///
    /// # Errors
    /// A record names no rule of the plan.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), EngineError> {
        let mut bytes = bytes;
        if !self.rest.is_empty() {
            let missing = (KEY_RECORD_BYTES - self.rest.len()).min(bytes.len());
            self.rest.extend_from_slice(&bytes[..missing]);
            bytes = &bytes[missing..];
            if self.rest.len() < KEY_RECORD_BYTES {
                return Ok(());
            }
            let record = std::mem::take(&mut self.rest);
            self.add(&record)?;
        }
        let records = bytes.chunks_exact(KEY_RECORD_BYTES);
        self.rest.extend_from_slice(records.remainder());
        for record in records {
            self.add(record)?;
        }
        Ok(())
    }

    fn add(&mut self, record: &[u8]) -> Result<(), EngineError> {
        let (rule, rest) = record.split_at(2);
        let (hash, row) = rest.split_at(16);
        let rule = u16::from_le_bytes([rule[0], rule[1]]);
        if usize::from(rule) >= self.rules.len() {
            return Err(EngineError::Bug(format!("a key record names rule {rule} of {}", self.rules.len())));
        }
        let number = |bytes: &[u8]| bytes.iter().rev().fold(0_u128, |n, b| n << 8 | u128::from(*b));
        let (hash, row) = (number(hash), number(row) as u64);
        if hash % u128::from(self.passes) != u128::from(self.pass) {
            return Ok(());
        }
        match self.firsts.entry((rule, hash)) {
            Entry::Vacant(entry) => {
                entry.insert(row);
            }
            Entry::Occupied(mut entry) => {
                let first = entry.get_mut();
                let later = row.max(*first);
                *first = row.min(*first);
                self.repeats.push((later, rule, hash));
            }
        }
        Ok(())
    }

    /// What the pass found. Merge the results of all passes with [`Overrides::merge`].
    ///
    /// # Errors
    /// The last record is cut.
    pub fn finish(mut self) -> Result<Overrides, EngineError> {
        if !self.rest.is_empty() {
            return Err(EngineError::Bug("the last key record is cut".to_owned()));
        }
        self.repeats.sort_unstable();
        // A row fed twice (two copies of one blob) repeats nothing.
        self.repeats.dedup();
        let mut overrides = Overrides::default();
        for (row, index, hash) in self.repeats {
            let first = self.firsts[&(index, hash)];
            if first == row {
                continue;
            }
            let rule = &self.rules[usize::from(index)];
            *overrides.repeats.entry(rule.name.clone()).or_default() += 1;
            if let Some(exclude) = rule.exclude(first) {
                overrides.rows.entry(row).or_default().push(exclude);
            }
        }
        Ok(overrides)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(rule: u16, hash: u128, row: u64) -> Vec<u8> {
        [rule.to_le_bytes().as_slice(), &hash.to_le_bytes(), &row.to_le_bytes()].concat()
    }

    fn rules() -> Vec<KeyRule> {
        let rule = |name: &str, kind| KeyRule { name: name.to_owned(), kind, columns: vec!["a".to_owned()] };
        vec![rule("primaryKey", KeyKind::PrimaryKey), rule("deduplicate:0", KeyKind::Deduplicate), rule("quality:q", KeyKind::Count)]
    }

    #[test]
    fn the_smallest_row_number_stays_in_any_order_and_any_number_of_passes() {
        let mut records =
            [record(0, 7, 5), record(0, 7, 2), record(0, 7, 9), record(1, 7, 5), record(1, 8, 1), record(2, 3, 4), record(2, 3, 6)];
        let mut results = Vec::new();
        for passes in [1, 2, 3] {
            for _ in 0..records.len() {
                records.rotate_left(1);
                let mut found = Overrides::default();
                for pass in 0..passes {
                    let mut keys = KeyPass::new(&rules(), pass, passes);
                    for piece in records.concat().chunks(11) {
                        keys.feed(piece).expect("known rules");
                    }
                    found.merge(keys.finish().expect("whole records"));
                }
                results.push(found);
            }
        }
        let first = results[0].clone();
        assert_eq!(first.rows.keys().copied().collect::<Vec<_>>(), [5, 9]);
        assert!(first.rows.values().flatten().all(|e| e.first == 2 && e.code == Code::RepeatedPrimaryKey));
        assert_eq!(first.repeats.get("quality:q"), Some(&1));
        assert!(results.iter().all(|r| *r == first));
    }

    #[test]
    fn a_cut_record_and_an_unknown_rule_are_faults() {
        let mut keys = KeyPass::new(&rules(), 0, 1);
        keys.feed(&record(0, 1, 1)[..20]).expect("a part");
        assert!(keys.finish().is_err());
        assert!(KeyPass::new(&rules(), 0, 1).feed(&record(9, 1, 1)).is_err());
    }
}
