//! Repeated keys over a whole run, in as many passes over the key records as memory asks for.
//!
//! A key is known by the first 128 bits of the BLAKE3 hash of its typed values: two different keys of a run meet with a probability below
//! `n^2 / 2^129` for `n` keys, which is less than one in 10^20 for a billion of them.

use std::borrow::Borrow;

use arrow::array::cast::AsArray as _;
use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{self as types, ArrowPrimitiveType, DataType, TimeUnit, ToByteSlice};
use serde::{Deserialize, Serialize};

use crate::{Code, EngineError, Exclude, ExcludeAs};

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

    /// Whether rows that repeat a key are taken out, and not only counted.
    pub fn takes_out(&self) -> bool {
        self.kind != KeyKind::Count
    }

    /// What becomes of a row whose key stands in row `first` already; `None` if rows are counted only.
    pub(crate) fn exclude(&self, first: u64) -> Option<Exclude> {
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
pub(crate) fn encode<A: Borrow<ArrayRef>>(columns: &[A], at: usize, out: &mut Vec<u8>) -> bool {
    fn fixed<T: ArrowPrimitiveType>(array: &ArrayRef, at: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(array.as_primitive::<T>().value(at).to_byte_slice());
    }
    let mut is_full = true;
    for array in columns {
        let array: &ArrayRef = array.borrow();
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

/// One key record.
struct Record {
    rule: u16,
    hash: u128,
    row: u64,
}

/// Whole key records, of keys that a pass looks at.
fn records(records: &[u8], rules: usize, share: Share) -> Result<impl Iterator<Item = Result<Record, EngineError>> + '_, EngineError> {
    let whole = records.chunks_exact(KEY_RECORD_BYTES);
    if !whole.remainder().is_empty() {
        return Err(EngineError::Bug("a key record is cut".to_owned()));
    }
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0_u128, |n, b| n << 8 | u128::from(*b));
    let read = move |record: &[u8]| {
        let rule = u16::from_le_bytes([record[0], record[1]]);
        if usize::from(rule) >= rules {
            return Err(EngineError::Bug(format!("a key record names rule {rule} of {rules}")));
        }
        Ok(Record { rule, hash: number(&record[2..18]), row: number(&record[18..]) as u64 })
    };
    Ok(whole.map(read).filter(move |record| record.as_ref().map_or(true, |record| share.has(record.hash))))
}

/// The keys that one pass of several looks at.
#[derive(Debug, Clone, Copy)]
struct Share {
    pass: u32,
    passes: u32,
}

impl Share {
    fn has(self, hash: u128) -> bool {
        self.passes == 1 || hash % u128::from(self.passes) == u128::from(self.pass)
    }
}

/// A key as it was seen so far. Sorts by key, then by row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    hash: u128,
    rule: u16,
    /// The smallest row with the key.
    row: u64,
    /// Another row has it, too.
    is_repeated: bool,
}

/// Most memory that one distinct key of a pass takes, in bytes.
pub const KEY_BYTES: u64 = 48;
/// Keys are kept in parts by their first byte, so that growing moves little at once.
const PARTS: usize = 256;
/// Keys that a part has room for at first.
const FIRST_KEYS: usize = 64;

fn part_of(hash: u128) -> usize {
    (hash >> 120) as usize
}

/// Sorts, and leaves one for each key.
fn compact(part: &mut Vec<Seen>) {
    part.sort_unstable();
    part.dedup_by(|later, first| {
        let is_same = (later.hash, later.rule) == (first.hash, first.rule);
        if is_same {
            first.is_repeated |= later.is_repeated || later.row != first.row;
        }
        is_same
    });
}

/// One pass over all key records of a run, which finds the keys that stand in several rows. Pass `p` of `n` looks at every `n`th key only, so
/// that memory is at most [`KEY_BYTES`] for each distinct key of the pass, however often it repeats. The result does not depend on the order
/// of feeding.
pub struct KeyPass {
    rules: usize,
    share: Share,
    parts: Vec<Vec<Seen>>,
}

impl KeyPass {
    /// Pass `pass` of `passes`, counted from 0.
    pub fn new(rules: &[KeyRule], pass: u32, passes: u32) -> Self {
        let passes = passes.max(1);
        Self { rules: rules.len(), share: Share { pass: pass % passes, passes }, parts: vec![Vec::new(); PARTS] }
    }

    /// Takes whole key records.
    ///
    /// # Errors
    /// A record is cut, or names no rule of the plan.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), EngineError> {
        for record in records(bytes, self.rules, self.share)? {
            let Record { rule, hash, row } = record?;
            let part = &mut self.parts[part_of(hash)];
            if part.len() == part.capacity() {
                compact(part);
                // Room for half as many again keeps the sorting rare and the memory within `KEY_BYTES`.
                part.reserve_exact(FIRST_KEYS.max(part.len() / 2));
            }
            part.push(Seen { hash, rule, row, is_repeated: false });
        }
        Ok(())
    }

    /// The keys that repeat.
    pub fn finish(mut self) -> RepeatedKeys {
        for part in &mut self.parts {
            compact(part);
            part.retain(|seen| seen.is_repeated);
            part.shrink_to_fit();
        }
        RepeatedKeys { rules: self.rules, share: self.share, parts: self.parts }
    }
}

/// The keys of a pass that stand in several rows, each with the first of them. The key records are read once more to find the others.
pub struct RepeatedKeys {
    rules: usize,
    share: Share,
    parts: Vec<Vec<Seen>>,
}

impl RepeatedKeys {
    /// Whether no key repeats, so that there is nothing more to find.
    pub fn is_empty(&self) -> bool {
        self.parts.iter().all(Vec::is_empty)
    }

    /// The rows among whole key records that repeat the key of a smaller row, in the order of the records.
    ///
    /// # Errors
    /// A record is cut, or names no rule of the plan.
    pub fn repeats(&self, bytes: &[u8]) -> Result<Vec<Repeat>, EngineError> {
        let mut repeats = Vec::new();
        for record in records(bytes, self.rules, self.share)? {
            let Record { rule, hash, row } = record?;
            let part = &self.parts[part_of(hash)];
            let Ok(at) = part.binary_search_by_key(&(hash, rule), |seen| (seen.hash, seen.rule)) else { continue };
            if row != part[at].row {
                repeats.push(Repeat { row, rule, first: part[at].row });
            }
        }
        Ok(repeats)
    }
}

/// A row that repeats a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Repeat {
    /// Its number.
    pub row: u64,
    /// Place of the rule among those of the plan.
    pub rule: u16,
    /// Number of the first row with the key.
    pub first: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Overrides;

    fn record(rule: u16, hash: u128, row: u64) -> Vec<u8> {
        [rule.to_le_bytes().as_slice(), &hash.to_le_bytes(), &row.to_le_bytes()].concat()
    }

    fn rules() -> Vec<KeyRule> {
        let rule = |name: &str, kind| KeyRule { name: name.to_owned(), kind, columns: vec!["a".to_owned()] };
        vec![rule("primaryKey", KeyKind::PrimaryKey), rule("deduplicate:0", KeyKind::Deduplicate), rule("quality:q", KeyKind::Count)]
    }

    /// All passes over the records, and the most memory that one of them took in bytes.
    fn find(records: &[u8], passes: u32) -> (Overrides, u64) {
        let (mut found, mut most) = (Overrides::default(), 0);
        for pass in 0..passes {
            let mut keys = KeyPass::new(&rules(), pass, passes);
            records.chunks(KEY_RECORD_BYTES * 7).for_each(|piece| keys.feed(piece).expect("known rules"));
            most = most.max(keys.parts.iter().map(|part| (part.capacity() * size_of::<Seen>()) as u64).sum());
            let keys = keys.finish();
            for repeat in records.chunks(KEY_RECORD_BYTES * 5).flat_map(|piece| keys.repeats(piece).expect("known rules")) {
                found.add(&rules(), repeat);
            }
        }
        (found, most)
    }

    #[test]
    fn the_smallest_row_number_stays_in_any_order_and_any_number_of_passes() {
        let mut records =
            [record(0, 7, 5), record(0, 7, 2), record(0, 7, 9), record(1, 7, 5), record(1, 8, 1), record(2, 3, 4), record(2, 3, 6)];
        let mut results = Vec::new();
        for passes in [1, 2, 3] {
            for _ in 0..records.len() {
                records.rotate_left(1);
                results.push(find(&records.concat(), passes).0);
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
        let rules = rules();
        assert!(KeyPass::new(&rules, 0, 1).feed(&record(0, 1, 1)[..20]).is_err());
        assert!(KeyPass::new(&rules, 0, 1).feed(&record(9, 1, 1)).is_err());
        assert!(KeyPass::new(&rules, 0, 1).finish().repeats(&record(9, 1, 1)).is_err());
    }

    /// Keys as hashes are: any of 128 bits.
    fn hash(key: u64) -> u128 {
        let hash = blake3::hash(&key.to_le_bytes());
        u128::from_le_bytes(hash.as_bytes()[..16].try_into().expect("16 bytes"))
    }

    #[test]
    fn memory_is_that_of_the_distinct_keys_of_a_pass() {
        const KEYS: u64 = 60_000;
        let room = (PARTS * FIRST_KEYS * size_of::<Seen>()) as u64;
        let distinct: Vec<u8> = (0..KEYS).flat_map(|key| record(0, hash(key), key)).collect();
        let (found, most) = find(&distinct, 1);
        assert!(found.is_empty() && most <= KEYS * KEY_BYTES + room, "{most} bytes");
        let (_, most) = find(&distinct, 8);
        assert!(most <= KEYS * KEY_BYTES / 8 * 11 / 10 + room, "{most} bytes in one of 8 passes");
        // A key that stands in every row.
        let same: Vec<u8> = (0..KEYS).flat_map(|row| record(0, hash(1), row)).collect();
        let (found, most) = find(&same, 1);
        assert!(most <= room && found.repeats["primaryKey"] == KEYS - 1, "{most} bytes");
        assert!(found.rows.values().flatten().all(|exclude| exclude.first == 0));
    }
}
