//! Rows that repeat a key of the file: found in as many passes over the key records as memory asks for, and kept in files by chunk, so that
//! memory depends neither on the file nor on how many rows repeat a key.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use sluice_engine::{KEY_BYTES, KEY_RECORD_BYTES, KeyPass, KeyRule, Overrides, Repeat};

use super::chunk_outputs::keys_file;
use super::scan::Stop;

/// Memory for keys, in bytes; more keys mean more passes over the key records.
const KEY_MEMORY: u64 = 256 << 20;
/// Bytes of key records that are read at once.
const PIECE: usize = KEY_RECORD_BYTES * 8192;
/// Bytes of a repeat in its file: row, rule, first row.
const REPEAT_BYTES: usize = 18;

/// The search for repeated keys in the key records of chunks.
pub(super) struct Search<'a> {
    pub(super) rules: &'a [KeyRule],
    /// Where the chunks keep their files.
    pub(super) work: &'a Path,
    pub(super) chunks: usize,
    pub(super) check_stop: &'a dyn Fn() -> Result<(), Stop>,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Key rule to the number of rows that repeat a key.
    pub(super) counts: BTreeMap<String, u64>,
    /// Chunks with rows that are taken out, in order.
    pub(super) chunks: Vec<usize>,
}

impl Search<'_> {
    pub(super) fn run(&self) -> Result<Found, Stop> {
        self.within(KEY_MEMORY)
    }

    fn within(&self, memory: u64) -> Result<Found, Stop> {
        let sizes = (0..self.chunks).map(|chunk| std::fs::metadata(keys_file(self.work, chunk)).map_or(0, |m| m.len()));
        let records = sizes.sum::<u64>() / KEY_RECORD_BYTES as u64;
        let passes = (records * KEY_BYTES).div_ceil(memory).max(1) as u32;
        let mut found = Found::default();
        for pass in 0..passes {
            let mut keys = KeyPass::new(self.rules, pass, passes);
            self.each_piece(|_, records| Ok(keys.feed(records)?))?;
            let repeated = keys.finish();
            if repeated.is_empty() {
                continue;
            }
            // The records are read once more: the rows that repeat a key may be more than there is memory for.
            self.each_piece(|chunk, records| {
                let mut repeats = repeated.repeats(records)?;
                for repeat in &repeats {
                    let rule = &self.rules[usize::from(repeat.rule)].name;
                    match found.counts.get_mut(rule) {
                        Some(count) => *count += 1,
                        None => drop(found.counts.insert(rule.clone(), 1)),
                    }
                }
                repeats.retain(|repeat| self.rules[usize::from(repeat.rule)].takes_out());
                if !repeats.is_empty() {
                    append(&repeats_file(self.work, chunk), &repeats)?;
                    found.chunks.push(chunk);
                }
                Ok(())
            })?;
        }
        found.chunks.sort_unstable();
        found.chunks.dedup();
        Ok(found)
    }

    /// All key records in pieces of whole records, each with its chunk.
    fn each_piece(&self, mut take: impl FnMut(usize, &[u8]) -> Result<(), Stop>) -> Result<(), Stop> {
        let mut piece = Vec::with_capacity(PIECE);
        for chunk in 0..self.chunks {
            let Ok(file) = File::open(keys_file(self.work, chunk)) else { continue };
            loop {
                (self.check_stop)()?;
                piece.clear();
                (&file).take(PIECE as u64).read_to_end(&mut piece)?;
                if piece.is_empty() {
                    break;
                }
                take(chunk, &piece)?;
            }
        }
        Ok(())
    }
}

fn append(file: &Path, repeats: &[Repeat]) -> std::io::Result<()> {
    let mut bytes = Vec::with_capacity(repeats.len() * REPEAT_BYTES);
    for repeat in repeats {
        bytes.extend_from_slice(&repeat.row.to_le_bytes());
        bytes.extend_from_slice(&repeat.rule.to_le_bytes());
        bytes.extend_from_slice(&repeat.first.to_le_bytes());
    }
    OpenOptions::new().create(true).append(true).open(file)?.write_all(&bytes)
}

/// The rows of a chunk that are taken out.
pub(super) fn of_chunk(rules: &[KeyRule], work: &Path, chunk: usize) -> std::io::Result<Overrides> {
    let bytes = std::fs::read(repeats_file(work, chunk))?;
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0_u64, |n, b| n << 8 | u64::from(*b));
    let mut overrides = Overrides::default();
    for record in bytes.chunks_exact(REPEAT_BYTES) {
        let repeat = Repeat { row: number(&record[..8]), rule: number(&record[8..10]) as u16, first: number(&record[10..]) };
        overrides.add(rules, repeat);
    }
    Ok(overrides)
}

fn repeats_file(work: &Path, chunk: usize) -> PathBuf {
    work.join(format!("{chunk:06}.repeats"))
}

#[cfg(test)]
mod tests {
    use sluice_engine::KeyKind;

    use super::*;

    fn record(rule: u16, hash: u128, row: u64) -> Vec<u8> {
        [rule.to_le_bytes().as_slice(), &hash.to_le_bytes(), &row.to_le_bytes()].concat()
    }

    /// Two chunks of 500 rows: each key stands in rows `n` and `n + 500`, and row 999 repeats a counted key.
    fn found_within(memory: u64) -> (Found, Overrides) {
        let rule = |name: &str, kind| KeyRule { name: name.to_owned(), kind, columns: vec!["a".to_owned()] };
        let rules = [rule("primaryKey", KeyKind::PrimaryKey), rule("quality:q", KeyKind::Count)];
        let work = tempfile::tempdir().unwrap();
        for chunk in 0..2 {
            let mut bytes: Vec<u8> = (0..500).flat_map(|n| record(0, u128::MAX / 501 * (n + 1), chunk * 500 + n as u64)).collect();
            bytes.extend(record(1, 7, chunk * 500 + 499));
            std::fs::write(keys_file(work.path(), chunk as usize), bytes).unwrap();
        }
        let search = Search { rules: &rules, work: work.path(), chunks: 2, check_stop: &|| Ok(()) };
        let Ok(found) = search.within(memory) else { panic!("found") };
        assert_eq!(found.chunks, [1]);
        (found, of_chunk(&rules, work.path(), 1).unwrap())
    }

    #[test]
    fn repeats_are_the_same_in_any_number_of_passes() {
        let (found, overrides) = found_within(KEY_MEMORY);
        assert_eq!(found.counts, BTreeMap::from([("primaryKey".to_owned(), 500), ("quality:q".to_owned(), 1)]));
        assert_eq!(overrides.rows.keys().copied().collect::<Vec<_>>(), (500..1000).collect::<Vec<_>>());
        assert!(overrides.rows.iter().all(|(row, why)| why.len() == 1 && why[0].first == row - 500));
        // 1002 records of 48 bytes: five passes.
        let (again, same) = found_within(10_000);
        assert_eq!((again.counts, same), (found.counts, overrides));
    }
}
