//! The account of a chunk and of a run: where each row went and why. Counts and places, never a value outside the samples.

use std::collections::BTreeMap;

use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sluice_contract::{Bounds, Metric, Plan, Quality};

use crate::decode::skip::{REPEATED_HEADERS, SKIPPED_ROWS};
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
    /// Lines read after the header.
    pub lines: u64,
    /// Bytes of (decompressed) text read after the header; for Parquet, bytes as stored.
    pub bytes: u64,
    /// Problems of rejected and held rows by code, column and rule, sorted.
    pub problems: Vec<ProblemCount>,
    /// Warnings by rule.
    pub warnings: BTreeMap<String, u64>,
    /// Repairs by kind: `paddedRows`, `droppedFields`, `unknownKeys`; rows passed over: `skippedRows`, `repeatedHeaders`.
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
        let mut set = set.clone();
        // Rows that end the same way mostly stand together.
        set.optimize();
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
    pub(crate) fn new(index: u32, first_row: u64) -> Self {
        Self {
            index,
            first_row,
            rows: 0,
            accepted: RoaringBitmap::new(),
            rejected: RoaringBitmap::new(),
            filtered: RoaringBitmap::new(),
            duplicate: RoaringBitmap::new(),
            held: RoaringBitmap::new(),
            tally: Tally::default(),
            files: Vec::new(),
        }
    }

    /// The sets of rows, relative to the first row of the chunk, each with the name of its outcome.
    pub fn sets(&self) -> [(&'static str, &RoaringBitmap); 5] {
        [
            ("accepted", &self.accepted),
            ("rejected", &self.rejected),
            ("filtered", &self.filtered),
            ("duplicate", &self.duplicate),
            ("held", &self.held),
        ]
    }

    /// Checks that every row of the chunk is in exactly one set.
    ///
    /// # Errors
    /// Which row is in none or in two, in words.
    pub fn check_balance(&self) -> Result<(), String> {
        let mut all = RoaringBitmap::new();
        for (name, set) in self.sets() {
            if let Some(row) = (&all & set).min() {
                return Err(format!("row {} is in {name} and in another set", self.first_row + u64::from(row)));
            }
            all |= set;
        }
        if all.len() == self.rows && all.max().is_none_or(|max| u64::from(max) < self.rows) {
            return Ok(());
        }
        if let Some(max) = all.max().filter(|max| u64::from(*max) >= self.rows) {
            return Err(format!("row {} is not in the chunk, which has {} rows", self.first_row + u64::from(max), self.rows));
        }
        let missing = (0..).zip(&all).find(|(expected, found)| expected != found).map_or(all.len(), |(expected, _)| u64::from(expected));
        Err(format!("row {} is in no set", self.first_row + missing))
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

impl Tally {
    /// Counts a problem, and keeps it if it is among the first of its kind.
    pub(crate) fn problem(&mut self, problem: &Problem) {
        let key = |p: &ProblemCount| (p.code, p.column.clone(), p.rule.clone());
        let wanted = (problem.code, problem.column.clone(), problem.rule.clone());
        match self.problems.binary_search_by(|p| key(p).cmp(&wanted)) {
            Ok(i) => {
                let found = &mut self.problems[i];
                found.count += 1;
                found.keep([problem.clone()]);
            }
            Err(i) => {
                let (code, column, rule) = wanted;
                self.problems.insert(i, ProblemCount { code, column, rule, count: 1, samples: vec![problem.clone()] });
            }
        }
    }

    pub(crate) fn held(&mut self, cause: &Cause) {
        self.add_held(cause, 1);
    }

    fn add_held(&mut self, cause: &Cause, count: u64) {
        match self.held.binary_search_by(|h| h.cause.cmp(cause)) {
            Ok(i) => self.held[i].count += count,
            Err(i) => self.held.insert(i, HeldCount { cause: cause.clone(), count }),
        }
    }

    fn merge(&mut self, other: &Self) {
        let (to, from) = (&mut self.totals, &other.totals);
        to.rows += from.rows;
        to.accepted += from.accepted;
        to.rejected += from.rejected;
        to.filtered += from.filtered;
        to.duplicate += from.duplicate;
        to.held += from.held;
        self.lines += other.lines;
        self.bytes += other.bytes;
        for counted in &other.problems {
            let key = |p: &ProblemCount| (p.code, p.column.clone(), p.rule.clone());
            match self.problems.binary_search_by(|p| key(p).cmp(&key(counted))) {
                Ok(i) => {
                    self.problems[i].count += counted.count;
                    self.problems[i].keep(counted.samples.iter().cloned());
                }
                Err(i) => self.problems.insert(i, counted.clone()),
            }
        }
        for (to, from) in [(&mut self.warnings, &other.warnings), (&mut self.repairs, &other.repairs), (&mut self.metrics, &other.metrics)]
        {
            for (name, count) in from {
                *to.entry(name.clone()).or_default() += count;
            }
        }
        for held in &other.held {
            self.add_held(&held.cause, held.count);
        }
    }
}

impl ProblemCount {
    fn keep(&mut self, more: impl IntoIterator<Item = Problem>) {
        self.samples.extend(more);
        self.samples.sort_by_key(|p| p.row);
        self.samples.truncate(SAMPLES);
    }
}

impl RunReport {
    /// Adds a chunk. The order of chunks does not matter.
    pub fn merge(&mut self, chunk: &ChunkReport) {
        self.tally.merge(&chunk.tally);
    }

    /// Rows without those that are no data, such as totals and repeated headers.
    pub fn data_rows(&self) -> u64 {
        let passed_over = |kind: &str| self.tally.repairs.get(kind).copied().unwrap_or(0);
        self.tally.totals.rows.saturating_sub(passed_over(SKIPPED_ROWS) + passed_over(REPEATED_HEADERS))
    }

    /// Rejected rows in percent of all rows; 0 for no rows.
    pub fn rejected_percent(&self) -> f64 {
        percent(self.tally.totals.rejected, self.tally.totals.rows)
    }

    /// Whether each quality rule of the contract holds. `repeats` is from [`crate::KeyPass`].
    pub fn verdicts(&self, plan: &Plan, repeats: &Overrides) -> Vec<Verdict> {
        let rows = self.tally.totals.rows;
        let verdict = |quality: &Quality| {
            let count = match &quality.metric {
                Metric::RowCount => self.data_rows(),
                Metric::DuplicateValues { .. } => repeats.repeats.get(&quality_key(&quality.name)).copied().unwrap_or(0),
                Metric::NullValues | Metric::MissingValues { .. } | Metric::InvalidValues { .. } => {
                    self.tally.metrics.get(&quality.name).copied().unwrap_or(0)
                }
            };
            let value = if quality.percent { percent(count, rows) } else { count as f64 };
            let holds = quality.must.holds(value);
            let unit = if quality.percent { " %" } else { "" };
            let verb = if holds { "is as it must be" } else { "breaks the contract" };
            let found = if quality.percent { share_text(value, quality.must) } else { value.to_string() };
            let message = format!("{}: {found}{unit} {verb} ({})", quality.name, bounds_text(quality.must, unit));
            Verdict { quality: quality.name.clone(), value, holds, warn_only: quality.warn_only, message }
        };
        plan.contract.quality.iter().map(verdict).collect()
    }

    /// Why the file as a whole is refused, if it is: no rows, a quality rule broken, too many rows rejected.
    pub fn refusals(&self, plan: &Plan, repeats: &Overrides) -> Vec<Refusal> {
        if self.data_rows() == 0 {
            return vec![Refusal::new(Code::NoRows, "the file has no rows")];
        }
        let broken = self.verdicts(plan, repeats).into_iter().filter(|v| !v.holds && !v.warn_only);
        let mut refusals: Vec<_> = broken.map(|v| Refusal::new(Code::QualityBroken, v.message)).collect();
        if let Some(limit) = plan.pipeline.limits.rejected_percent
            && self.rejected_percent() > limit
        {
            let totals = self.tally.totals;
            let share = share_text(self.rejected_percent(), Bounds::AtMost(limit));
            let found = format!("{} of {} rows are rejected ({share} %)", totals.rejected, totals.rows);
            refusals.push(Refusal::new(Code::TooManyRejected, format!("{found}; the pipeline allows {limit} %")));
        }
        refusals
    }
}

/// The name of the key rule that counts for a `duplicateValues` quality rule.
pub(crate) fn quality_key(quality: &str) -> String {
    format!("quality:{quality}")
}

fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

/// A percentage with two digits after the point, or as many more as it needs to be on its side of the bounds, and not to look like nothing.
fn share_text(value: f64, must: Bounds) -> String {
    let rounded = |digits: usize| format!("{value:.digits$}");
    let is_true =
        |text: &String| text.parse::<f64>().is_ok_and(|shown| must.holds(shown) == must.holds(value) && (shown > 0.0) == (value > 0.0));
    let text = (2..=15).map(rounded).find(is_true).unwrap_or_else(|| value.to_string());
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn bounds_text(must: Bounds, unit: &str) -> String {
    match must {
        Bounds::Equal(x) => format!("must be {x}{unit}"),
        Bounds::NotEqual(x) => format!("must not be {x}{unit}"),
        Bounds::Greater(x) => format!("must be greater than {x}{unit}"),
        Bounds::AtLeast(x) => format!("must be at least {x}{unit}"),
        Bounds::Less(x) => format!("must be less than {x}{unit}"),
        Bounds::AtMost(x) => format!("must be at most {x}{unit}"),
        Bounds::Between(low, high) => format!("must be between {low} and {high}{unit}"),
        Bounds::NotBetween(low, high) => format!("must not be between {low} and {high}{unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(rows: u64, accepted: &[u32], rejected: &[u32]) -> ChunkReport {
        let mut report = ChunkReport { rows, ..ChunkReport::new(0, 100) };
        report.accepted.extend(accepted);
        report.rejected.extend(rejected);
        report
    }

    #[test]
    fn a_row_in_two_sets_or_in_none_is_found() {
        assert_eq!(chunk(3, &[0, 2], &[1]).check_balance(), Ok(()));
        assert_eq!(chunk(0, &[], &[]).check_balance(), Ok(()));
        assert!(chunk(3, &[0, 2], &[2]).check_balance().is_err_and(|e| e.contains("row 102 ")));
        assert!(chunk(3, &[0, 2], &[]).check_balance().is_err_and(|e| e.contains("row 101 is in no set")));
        assert!(chunk(3, &[0, 1], &[]).check_balance().is_err_and(|e| e.contains("row 102 is in no set")));
        assert!(chunk(2, &[0, 1, 2], &[]).check_balance().is_err_and(|e| e.contains("row 102 is not in the chunk")));
    }

    #[test]
    fn percentages_are_short_and_true() {
        for (value, must, text) in [
            (100.0 / 3.0, Bounds::Less(50.0), "33.33"),
            (50.0, Bounds::Less(50.0), "50"),
            (0.0, Bounds::Equal(0.0), "0"),
            (100.0 / 30_000.0, Bounds::Less(5.0), "0.003"),
            (5.000_04, Bounds::AtMost(5.0), "5.00004"),
            (4.999_9, Bounds::Less(5.0), "4.9999"),
            (12.5, Bounds::Equal(0.0), "12.5"),
        ] {
            assert_eq!(share_text(value, must), text);
        }
    }

    #[test]
    fn a_report_survives_json() {
        let report = chunk(100_000, &(0..99_999).collect::<Vec<_>>(), &[99_999]);
        let text = serde_json::to_string(&report).expect("a report is JSON");
        assert!(text.len() < 2000, "{} bytes", text.len());
        assert_eq!(serde_json::from_str::<ChunkReport>(&text).expect("its own JSON"), report);
    }

    #[test]
    fn merging_keeps_the_first_samples_in_any_order() {
        let problem = |row| Problem {
            code: Code::NotInteger,
            row,
            line: row + 1,
            offset: 0,
            column: Some("a".to_owned()),
            value: None,
            rule: None,
            message: String::new(),
        };
        let mut chunks: Vec<_> = (0..4_u64)
            .map(|c| {
                let mut report = ChunkReport::new(c as u32, c * 3);
                (0..3).for_each(|r| report.tally.problem(&problem(c * 3 + r)));
                report
            })
            .collect();
        let merged = |chunks: &[ChunkReport]| {
            let mut run = RunReport::default();
            for chunk in chunks {
                run.merge(chunk);
            }
            run
        };
        let forward = merged(&chunks);
        chunks.reverse();
        assert_eq!(merged(&chunks), forward);
        assert_eq!(forward.tally.problems[0].count, 12);
        assert_eq!(forward.tally.problems[0].samples.iter().map(|p| p.row).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    }
}
