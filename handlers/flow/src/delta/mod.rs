//! The curated tables: files of accepted rows become part of a Delta table in one commit, once for each run.
//!
//! A commit is one create-only blob `_delta_log/<version>.json`, so only one writer can make a version (Delta protocol, "Delta Log
//! Entries"). It carries a `txn` action with the run as its application and the version as its number: whoever finds the run's `txn` knows
//! that the run is published, and as which version.

mod schema;
mod store;
mod table;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use arrow::datatypes::Schema;
use serde_json::{Map, Value, json};
use sluice_engine::AcceptedFile;

use crate::{BlobPath, Context, Created, Error, Result, RunId, lake::CURATED};
use table::Known;

/// Commits between two checkpoints.
const CHECKPOINT_EVERY: u64 = 100;
/// Tries against other writers of the same table before the message goes back to its queue.
const TRIES: u32 = 100;

/// What this process knows of each table, so that a publish reads only the commits that others made since its last one.
#[derive(Default)]
pub struct Tables(Mutex<HashMap<String, Arc<tokio::sync::Mutex<Option<Known>>>>>);

impl Tables {
    fn slot(&self, table: &str) -> Arc<tokio::sync::Mutex<Option<Known>>> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.entry(table.to_owned()).or_default().clone()
    }
}

impl std::fmt::Debug for Tables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tables")
    }
}

/// One Parquet file to publish.
#[derive(Debug, Clone, PartialEq)]
pub struct DataFile {
    /// Path below the table.
    pub path: String,
    /// Its account.
    pub facts: AcceptedFile,
}

/// What is to be published.
#[derive(Debug)]
pub struct Publication<'a> {
    /// The run.
    pub run: &'a RunId,
    /// Table name.
    pub table: &'a str,
    /// Columns of the files, partition columns included.
    pub schema: &'a Schema,
    /// Partition columns.
    pub partition_by: &'a [String],
    /// The files.
    pub files: &'a [DataFile],
    /// Noted in the commit: ids and counts.
    pub info: Map<String, Value>,
}

/// The newest version of a table; `None` if there is no table yet.
///
/// # Errors
/// Those of the lake; `D0001` if the log cannot be read.
pub async fn latest(context: &Context, table: &str) -> Result<Option<u64>> {
    let slot = context.tables.slot(table);
    let mut known = slot.lock().await;
    table::catch_up(context, table, &mut known).await?;
    Ok(known.as_ref().map(|k| k.version))
}

/// Publishes in one commit; gives the version. A run that is published already keeps its version. `since` is what [`latest`] gave
/// before the first try for this run: it bounds where an earlier commit of the run can be.
///
/// # Errors
/// [`crate::Kind::Permanent`] `D0002` if the columns do not fit the table, `D0003` if they are partitioned otherwise, `D0004` if the table
/// asks for more than this writer can do; transient `D0409` if other writers were faster many times.
pub async fn publish(context: &Context, publication: &Publication<'_>, since: Option<u64>) -> Result<u64> {
    let slot = context.tables.slot(publication.table);
    let mut known = slot.lock().await;
    for attempt in 0..TRIES {
        // What was just read needs no second look: if it is out of date, the next version is taken and the next round finds out.
        if attempt > 0 || known.as_ref().is_none_or(|k| Some(k.version) != since) {
            table::catch_up(context, publication.table, &mut known).await?;
        }
        if let Some(version) = table::published(context, publication.table, known.as_ref(), publication.run, since).await? {
            return Ok(version);
        }
        let (version, text) = commit(context, publication, known.as_ref())?;
        let text = bytes::Bytes::from(text);
        match context.lake.create(&log_entry(publication.table, version), text.clone(), &BTreeMap::new()).await {
            Ok(Created::New(_)) => {
                if let Some(known) = known.as_mut() {
                    known.apply(publication.table, version, &text)?;
                }
                table::checkpoint_if_due(context, publication.table, &mut known).await;
                return Ok(version);
            }
            // Somebody else made this version, or this very call did and its answer was lost: the next round finds out.
            Ok(Created::Exists) => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::transient("D0409", format!("table {} was changed by other writers {TRIES} times in a row", publication.table)))
}

fn log_entry(table: &str, version: u64) -> BlobPath {
    BlobPath::new(CURATED, format!("{table}/_delta_log/{version:020}.json"))
}

/// The next version and its text.
fn commit(context: &Context, publication: &Publication<'_>, known: Option<&Known>) -> Result<(u64, String)> {
    let now = context.clock.now().timestamp_millis();
    let version = known.map_or(0, |k| k.version + 1);
    let mut info = publication.info.clone();
    info.insert("timestamp".into(), now.into());
    info.insert("operation".into(), "WRITE".into());
    // Parameters are JSON in strings, as other writers put them.
    info.insert("operationParameters".into(), json!({ "mode": "Append", "partitionBy": json!(publication.partition_by).to_string() }));
    info.insert("isBlindAppend".into(), true.into());
    info.insert("engineInfo".into(), concat!("sluice/", env!("CARGO_PKG_VERSION")).into());
    if let Some(known) = known {
        info.insert("readVersion".into(), known.version.into());
    }
    let mut lines = vec![json!({ "commitInfo": info })];
    lines.extend(schema::actions(publication, known, now)?);
    for file in publication.files {
        lines.push(json!({ "add": {
            "path": schema::url_path(&file.path),
            "partitionValues": file.facts.partition_values,
            "size": file.facts.bytes,
            "modificationTime": now,
            "dataChange": true,
            "stats": stats(&file.facts),
        }}));
    }
    lines.push(json!({ "txn": { "appId": publication.run, "version": version, "lastUpdated": now } }));
    Ok((version, lines.iter().map(|line| format!("{line}\n")).collect()))
}

/// Per-file statistics (Delta protocol, "Per-file Statistics"), as text.
fn stats(facts: &AcceptedFile) -> String {
    json!({ "numRecords": facts.rows, "minValues": facts.min_values, "maxValues": facts.max_values, "nullCount": facts.null_count })
        .to_string()
}
