//! The row accounting of a run, and the proof that no row was lost or doubled (invariant 5).

use serde::{Deserialize, Serialize};
use sluice_engine::{ChunkReport, RunReport, Totals, Verdict};

use crate::{Error, Result, writer::Output};

/// The account of one chunk with the blobs it wrote; `archive/<run>/g<gen>/ledger/<chunk>.json`. Also readable as a [`ChunkReport`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChunkLedger {
    /// Where each row of the chunk ended.
    #[serde(flatten)]
    pub report: ChunkReport,
    /// All blobs of the chunk but this one, in order of their paths.
    pub outputs: Vec<Output>,
}

/// The account of a run as stored; `archive/<run>/report.json`. Also readable as a [`RunReport`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StoredReport {
    /// Everything added up.
    #[serde(flatten)]
    pub report: RunReport,
    /// Whether each quality rule of the contract holds.
    pub verdicts: Vec<Verdict>,
}

/// Adds up chunks in order and checks that every row of the run is in exactly one set.
#[derive(Debug, Default)]
pub struct Proof {
    next_chunk: u32,
    next_row: u64,
    totals: Totals,
}

impl Proof {
    /// Adds the next chunk. `planned_first_row` is what the plan said before any row was read.
    ///
    /// # Errors
    /// [`crate::Kind::Bug`] `J0301`: a row is in no set or in two, or the chunks overlap or leave a gap. It names the first such place.
    pub fn add(&mut self, planned_first_row: u64, report: &ChunkReport) -> Result<()> {
        let chunk = self.next_chunk;
        let broken = |what: String| Error::bug("J0301", format!("the ledger does not balance in chunk {chunk}: {what}"));
        if report.index != chunk {
            return Err(broken(format!("found the account of chunk {}", report.index)));
        }
        if report.first_row != self.next_row || planned_first_row != self.next_row {
            let (planned, counted, found) = (planned_first_row, self.next_row, report.first_row);
            return Err(broken(format!(
                "planned to start at row {planned}, the chunks before end at row {counted}, it starts at row {found}"
            )));
        }
        report.check_balance().map_err(broken)?;
        let counted = Totals {
            rows: report.rows,
            accepted: report.accepted.len(),
            rejected: report.rejected.len(),
            filtered: report.filtered.len(),
            duplicate: report.duplicate.len(),
            held: report.held.len(),
        };
        if counted != report.tally.totals {
            return Err(broken(format!("its sets hold {counted:?}, its counts say {:?}", report.tally.totals)));
        }
        let in_files: u64 = report.files.iter().map(|f| f.rows).sum();
        if in_files != counted.accepted {
            return Err(broken(format!("{} rows are accepted, {in_files} are in its files", counted.accepted)));
        }
        self.next_chunk += 1;
        self.next_row += report.rows;
        self.totals.rows += counted.rows;
        self.totals.accepted += counted.accepted;
        self.totals.rejected += counted.rejected;
        self.totals.filtered += counted.filtered;
        self.totals.duplicate += counted.duplicate;
        self.totals.held += counted.held;
        Ok(())
    }

    /// The totals over all `chunks`.
    ///
    /// # Errors
    /// [`crate::Kind::Bug`] `J0301` if a chunk is missing.
    pub fn finish(self, chunks: u32) -> Result<Totals> {
        if self.next_chunk != chunks {
            return Err(Error::bug("J0301", format!("the ledger does not balance: expected {chunks} chunks, found {}", self.next_chunk)));
        }
        Ok(self.totals)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use roaring::RoaringBitmap;
    use sluice_engine::Tally;

    use super::*;

    /// A chunk whose rows go round through the five outcomes.
    fn chunk(index: u32, first_row: u64, rows: u32) -> ChunkReport {
        let set = |n: u32| (0..rows).filter(|row| row % 5 == n).collect::<RoaringBitmap>();
        let [accepted, rejected, filtered, duplicate, held] = [0, 1, 2, 3, 4].map(set);
        let totals = Totals {
            rows: u64::from(rows),
            accepted: accepted.len(),
            rejected: rejected.len(),
            filtered: filtered.len(),
            duplicate: duplicate.len(),
            held: held.len(),
        };
        let file = sluice_engine::AcceptedFile {
            partition: String::new(),
            part: 1,
            partition_values: std::collections::BTreeMap::default(),
            rows: accepted.len(),
            bytes: 1,
            null_count: std::collections::BTreeMap::default(),
            min_values: serde_json::Map::default(),
            max_values: serde_json::Map::default(),
        };
        let tally = Tally { totals, ..Tally::default() };
        ChunkReport { index, first_row, rows: u64::from(rows), accepted, rejected, filtered, duplicate, held, tally, files: vec![file] }
    }

    fn prove(chunks: &[ChunkReport]) -> Result<Totals> {
        let mut proof = Proof::default();
        let mut planned = 0;
        for chunk in chunks {
            proof.add(planned, chunk)?;
            planned += chunk.rows;
        }
        proof.finish(chunks.len() as u32)
    }

    #[test]
    fn a_ledger_is_stored_and_read_back_also_as_the_engine_report() {
        let output = Output { blob: crate::BlobPath::new("curated", "t/x.parquet"), bytes: 7, sha256: "ab".to_owned() };
        let ledger = ChunkLedger { report: chunk(3, 17, 23), outputs: vec![output] };
        let json = serde_json::to_string(&ledger).expect("JSON");
        assert_eq!(serde_json::from_str::<ChunkLedger>(&json).expect("a ledger"), ledger);
        assert_eq!(serde_json::from_str::<ChunkReport>(&json).expect("a report"), ledger.report);
    }

    proptest! {
        #[test]
        fn chunks_that_follow_each_other_balance(rows in prop::collection::vec(1u32..200, 1..8)) {
            let mut first = 0;
            let chunks: Vec<_> = (0u32..).zip(&rows).map(|(i, n)| { let c = chunk(i, first, *n); first += u64::from(*n); c }).collect();
            let totals = prove(&chunks).expect("balanced");
            prop_assert_eq!(totals.rows, rows.iter().map(|n| u64::from(*n)).sum::<u64>());
            prop_assert_eq!(totals.rows, totals.accepted + totals.rejected + totals.filtered + totals.duplicate + totals.held);
        }

        #[test]
        fn any_lost_or_doubled_row_is_noticed(rows in prop::collection::vec(6u32..50, 1..5), which in any::<prop::sample::Index>(), row in 0u32..6, fault in 0u8..6) {
            let mut first = 0;
            let mut chunks: Vec<_> = (0u32..).zip(&rows).map(|(i, n)| { let c = chunk(i, first, *n); first += u64::from(*n); c }).collect();
            let which = which.index(chunks.len());
            let chunk = &mut chunks[which];
            match fault {
                0 => { chunk.accepted.remove(row); chunk.rejected.remove(row); chunk.filtered.remove(row); chunk.duplicate.remove(row); chunk.held.remove(row); }
                1 => { if chunk.accepted.contains(row) { chunk.held.insert(row); } else { chunk.accepted.insert(row); } }
                2 => { let beyond = chunk.rows as u32; chunk.accepted.insert(beyond); }
                3 => chunk.first_row += 1,
                4 => chunk.tally.totals.rejected += 1,
                _ => chunk.files.clear(),
            }
            prop_assert_eq!(prove(&chunks).expect_err("a fault").code(), "J0301");
        }
    }
}
