//! The account of a chunk and of a run: where each row went and why. Counts and places, never a value outside the samples.

use std::collections::BTreeMap;

use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sluice_contract::Plan;

use crate::{Cause, Code, Overrides, Problem, Refusal};

/// Most sample problems kept for each code and column.
pub const SAMPLES: usize = 5;

/// A count with a few samples.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProblemCount {
    /// The code.
    pub code: Code,
    /// The column, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The rule, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// How often.
    pub count: u64,
    /// The first of them by row number, at most [`SAMPLES`].
    pub samples: Vec<Problem>,
}

/// Held rows of one cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeldCount {
    /// The deciding cause.
    pub cause: Cause,
    /// How many rows.
    pub count: u64,
}

/// One Parquet file of accepted rows, with what a Delta `add` action needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AcceptedFile {
    /// As in [`crate::Stream::Accepted`].
    pub partition: String,
    /// As in [`crate::Stream::Accepted`].
    pub part: u32,
    /// Partition column to value as text; `None` is null.
    pub partition_values: BTreeMap<String, Option<String>>,
    /// Rows.
    pub rows: u64,
    /// Size in bytes.
    pub bytes: u64,
    /// Nulls by column.
    pub null_count: BTreeMap<String, u64>,
    /// Smallest value by column, in the JSON form of Delta statistics; columns without one are left out.
    pub min_values: Map<String, Value>,
    /// Largest value by column.
    pub max_values: Map<String, Value>,
}

/// How many rows ended where. The sum of all but `rows` is `rows`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Rows in all.
    pub rows: u64,
    /// Ready to be published.
    pub accepted: u64,
    /// Rejected.
    pub rejected: u64,
    /// Left out by a filter.
    pub filtered: u64,
    /// Left out by deduplication.
    pub duplicate: u64,
    /// Waiting for a person.
    pub held: u64,
}

/// Counts that are added up over chunks.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    /// Where the rows went.
    pub totals: Totals,
    /// Lines read.
    pub lines: u64,
    /// Bytes of (decompressed) text read.
    pub bytes: u64,
    /// Problems of rejected and held rows by code, column and rule, sorted.
    pub problems: Vec<ProblemCount>,
    /// Warnings by rule.
    pub warnings: BTreeMap<String, u64>,
    /// Repairs by kind: `paddedRows`, `droppedFields`, `unknownKeys`.
    pub repairs: BTreeMap<String, u64>,
    /// Values counted for each quality rule, by its name.
    pub metrics: BTreeMap<String, u64>,
    /// Held rows by cause, sorted.
    pub held: Vec<HeldCount>,
}

/// The account of one chunk. Sets are relative to `first_row`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChunkReport {
    /// 0-based number of the chunk.
    pub index: u32,
    /// Number of its first row.
    pub first_row: u64,
    /// Rows in the chunk.
    pub rows: u64,
    /// Rows ready to be published.
    #[serde(with = "bitmap")]
    pub accepted: RoaringBitmap,
    /// Rejected rows.
    #[serde(with = "bitmap")]
    pub rejected: RoaringBitmap,
    /// Rows left out by a filter.
    #[serde(with = "bitmap")]
    pub filtered: RoaringBitmap,
    /// Rows left out by deduplication.
    #[serde(with = "bitmap")]
    pub duplicate: RoaringBitmap,
    /// Rows waiting for a person.
    #[serde(with = "bitmap")]
    pub held: RoaringBitmap,
    /// Counts.
    pub tally: Tally,
    /// Files of accepted rows.
    pub files: Vec<AcceptedFile>,
}

/// Portable Roaring serialisation, in base64.
mod bitmap {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use roaring::RoaringBitmap;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(set: &RoaringBitmap, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::with_capacity(set.serialized_size());
        set.serialize_into(&mut bytes).map_err(serde::ser::Error::custom)?;
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<RoaringBitmap, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text).map_err(serde::de::Error::custom)?;
        RoaringBitmap::deserialize_from(bytes.as_slice()).map_err(serde::de::Error::custom)
    }
}

impl ChunkReport {
    /// Checks that every row of the chunk is in exactly one set.
    ///
    /// # Errors
    /// Which row is in none or in two, in words.
    pub fn check_balance(&self) -> Result<(), String> {
        todo!()
    }
}

/// The account of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunReport {
    /// Counts over all chunks.
    pub tally: Tally,
}

/// Whether a quality rule of the contract holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// Name of the quality rule.
    pub quality: String,
    /// The count, or the percentage.
    pub value: f64,
    /// Whether it is as it must be.
    pub holds: bool,
    /// Noted only, by its severity.
    pub warn_only: bool,
    /// In words.
    pub message: String,
}

impl RunReport {
    /// Adds a chunk. The order of chunks does not matter.
    pub fn merge(&mut self, chunk: &ChunkReport) {
        let _ = chunk;
        todo!()
    }

    /// Rejected rows in percent of all rows; 0 for no rows.
    pub fn rejected_percent(&self) -> f64 {
        todo!()
    }

    /// Whether each quality rule of the contract holds. `repeats` is from [`crate::KeyPass`].
    pub fn verdicts(&self, plan: &Plan, repeats: &Overrides) -> Vec<Verdict> {
        let _ = (plan, repeats);
        todo!()
    }

    /// Why the file as a whole is refused, if it is: no rows, a quality rule broken, too many rows rejected.
    pub fn refusals(&self, plan: &Plan, repeats: &Overrides) -> Vec<Refusal> {
        let _ = (plan, repeats);
        todo!()
    }
}
