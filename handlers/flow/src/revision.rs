//! What people's decisions made of the held rows of a run.

use std::collections::BTreeMap;

use roaring::RoaringTreemap;
use serde::{Deserialize, Serialize};
use sluice_contract::{Format, Plan};
use sluice_engine::AcceptedFile;

use crate::{BlobPath, Context, Result, lake::CURATED, run::Run, writer::Output};

/// The account of the decisions; `archive/<run>/review/ledger.json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Revision {
    /// Rows that are published after a decision.
    #[serde(with = "rows")]
    pub corrected: RoaringTreemap,
    /// Rows that people rejected, or that did not pass the engine again.
    #[serde(with = "rows")]
    pub rejected: RoaringTreemap,
    /// Those of the rejected that people sent back to the partner.
    #[serde(default, with = "rows", skip_serializing_if = "RoaringTreemap::is_empty")]
    pub returned: RoaringTreemap,
    /// Rows that a filter of the pipeline leaves out after their correction.
    #[serde(with = "rows")]
    pub filtered: RoaringTreemap,
    /// Parquet files of the corrected rows, in order.
    pub files: Vec<RevisedFile>,
    /// Blobs with rows that people rejected.
    pub outputs: Vec<Output>,
    /// Case to the hash of the decision that was applied.
    pub decisions: BTreeMap<String, String>,
}

/// A Parquet file of rows that were published after a decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RevisedFile {
    /// The blob.
    pub output: Output,
    /// Its account.
    pub facts: AcceptedFile,
}

impl Revision {
    /// How many held rows were decided.
    pub fn decided(&self) -> u64 {
        self.corrected.len() + self.rejected.len() + self.filtered.len()
    }
}

/// Portable Roaring serialisation, in base64.
mod rows {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use roaring::RoaringTreemap;
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _, ser::Error as _};

    pub(super) fn serialize<S: Serializer>(set: &RoaringTreemap, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::with_capacity(set.serialized_size());
        set.serialize_into(&mut bytes).map_err(S::Error::custom)?;
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<RoaringTreemap, D::Error> {
        let bytes = STANDARD.decode(String::deserialize(deserializer)?).map_err(D::Error::custom)?;
        RoaringTreemap::deserialize_from(bytes.as_slice()).map_err(D::Error::custom)
    }
}

/// Where the account of the decisions lies.
pub fn ledger(run: &Run) -> BlobPath {
    run.archive("review/ledger.json")
}

/// Rows that people rejected, in the partner's own format; missing if there are none.
pub fn rejected(run: &Run, plan: &Plan) -> BlobPath {
    let extension = if matches!(plan.pipeline.intake.format, Format::Csv(_)) { "csv" } else { "ndjson" };
    run.archive(&format!("review/rejected.{extension}"))
}

/// Parquet file of rows that people approved. With an aggregate task they wait in the review zone for publish to group them. `batch` is
/// 0-based.
pub fn approved(run: &Run, plan: &Plan, aggregates: bool, batch: u32, file: &AcceptedFile) -> BlobPath {
    let folder = if file.partition.is_empty() { String::new() } else { format!("{}/", file.partition) };
    let batch = if batch > 0 { format!("-b{batch:06}") } else { String::new() };
    let name = format!("{folder}{}-approved{batch}{}.parquet", run.run_id, part(file));
    if aggregates {
        run.review(&format!("staged/{name}"))
    } else {
        BlobPath::new(CURATED, format!("{}/{name}", plan.pipeline.publish.table))
    }
}

/// Parquet file of an aggregate.
pub fn aggregated(run: &Run, plan: &Plan, file: &AcceptedFile) -> BlobPath {
    let folder = if file.partition.is_empty() { String::new() } else { format!("{}/", file.partition) };
    BlobPath::new(CURATED, format!("{}/{folder}{}-aggregate{}.parquet", plan.pipeline.publish.table, run.run_id, part(file)))
}

fn part(file: &AcceptedFile) -> String {
    if file.part > 1 { format!("-{}", file.part) } else { String::new() }
}

/// The account of the decisions; `None` if no row of the run was held, or not all cases are decided.
///
/// # Errors
/// Those of the lake; [`crate::Kind::Bug`] `K0500` if it has another shape.
pub async fn load(context: &Context, run: &Run) -> Result<Option<Revision>> {
    crate::runs::optional(crate::writer::read_json(context, &ledger(run)).await)
}
