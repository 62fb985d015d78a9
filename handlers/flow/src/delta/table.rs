//! What is known of a table, kept current by reading the commits that are new.

use std::{collections::HashMap, sync::Arc};

use deltalake_core::{
    DeltaTable, DeltaTableError,
    kernel::{Action, EagerSnapshot, Metadata, Protocol, Snapshot, StructType},
    logstore::{LogStoreRef, StorageConfig, default_logstore, get_actions},
};
use object_store::{ObjectStore, path::Path, prefix::PrefixStore};
use serde_json::Value;
use url::Url;

use super::{CHECKPOINT_EVERY, log_entry, store::LakeStore};
use crate::{BlobPath, Context, Error, Result, RunId, lake::CURATED};

/// New commits that are read one by one; if there are more, the table is loaded again.
const READ_AT_MOST: usize = 64;
/// Runs remembered for a table.
const REMEMBER_AT_MOST: usize = 20_000;

/// What is known of a table.
pub(super) struct Known {
    /// Newest version read.
    pub(super) version: u64,
    pub(super) metadata: Metadata,
    pub(super) protocol: Protocol,
    pub(super) columns: StructType,
    /// Version of the newest checkpoint.
    checkpoint: Option<u64>,
    /// `runs` holds every run published after this version.
    base: u64,
    runs: HashMap<String, u64>,
}

impl Known {
    /// Takes in the next commit.
    pub(super) fn apply(&mut self, table: &str, version: u64, commit: &bytes::Bytes) -> Result<()> {
        for action in get_actions(version, commit).map_err(|e| unreadable(table, e))? {
            match action {
                Action::Txn(txn) => _ = self.runs.insert(txn.app_id, version),
                Action::Metadata(metadata) => {
                    self.columns = metadata.parse_schema().map_err(|e| unreadable(table, e.into()))?;
                    self.metadata = metadata;
                }
                Action::Protocol(protocol) => self.protocol = protocol,
                _ => {}
            }
        }
        self.version = version;
        if self.runs.len() > REMEMBER_AT_MOST {
            self.runs.clear();
            self.base = version;
        }
        Ok(())
    }
}

fn unreadable(table: &str, error: DeltaTableError) -> Error {
    // What the store underneath said decides: an answer that did not come may come next time.
    let message = format!("the log of table {table} cannot be read");
    match &error {
        DeltaTableError::ObjectStore { .. } => Error::transient("D0001", message).because(error),
        _ if error.to_string().contains("Generic lake error") => Error::transient("D0001", message).because(error),
        _ => Error::permanent("D0001", message).because(error),
    }
}

pub(super) fn log_store(context: &Context, table: &str) -> Result<LogStoreRef> {
    let root: Arc<dyn ObjectStore> = Arc::new(LakeStore::new(context.lake.clone(), CURATED));
    let below: Arc<dyn ObjectStore> = Arc::new(PrefixStore::new(root.clone(), Path::from(table)));
    let url = Url::parse(&format!("lake:///{table}/"))
        .map_err(|e| Error::permanent("D0005", format!("{table:?} cannot name a table")).because(e))?;
    Ok(default_logstore(below, root, &url, &StorageConfig::default()))
}

async fn load(context: &Context, table: &str, version: Option<u64>) -> Result<Option<Known>> {
    // Asked first, since the kernel would log an error for a table that does not exist yet.
    if context.lake.list(CURATED, &format!("{table}/_delta_log/"), None).await?.blobs.is_empty() {
        return Ok(None);
    }
    let store = log_store(context, table)?;
    let snapshot = match Snapshot::try_new(store.as_ref(), version).await {
        Ok(snapshot) => snapshot,
        Err(DeltaTableError::NotATable(_)) => return Ok(None),
        Err(error) => return Err(unreadable(table, error)),
    };
    Ok(Some(Known {
        version: snapshot.version(),
        metadata: snapshot.metadata().clone(),
        protocol: snapshot.protocol().clone(),
        columns: snapshot.schema().as_ref().clone(),
        checkpoint: last_checkpoint(context, table).await?,
        base: snapshot.version(),
        runs: HashMap::new(),
    }))
}

async fn read_all(context: &Context, blob: &BlobPath) -> Result<Option<bytes::Bytes>> {
    match context.lake.read(blob, 0..u64::MAX, None).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.code() == "L0404" => Ok(None),
        Err(error) => Err(error),
    }
}

async fn last_checkpoint(context: &Context, table: &str) -> Result<Option<u64>> {
    let hint = read_all(context, &BlobPath::new(CURATED, format!("{table}/_delta_log/_last_checkpoint"))).await?;
    Ok(hint.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok()?.get("version")?.as_u64()))
}

/// Brings `known` to the newest version.
pub(super) async fn catch_up(context: &Context, table: &str, known: &mut Option<Known>) -> Result<()> {
    let Some(state) = known.as_mut() else {
        *known = load(context, table, None).await?;
        return Ok(());
    };
    for _ in 0..READ_AT_MOST {
        let version = state.version + 1;
        let Some(bytes) = read_all(context, &log_entry(table, version)).await? else {
            return Ok(());
        };
        state.apply(table, version, &bytes)?;
    }
    *known = load(context, table, None).await?;
    Ok(())
}

/// The version as which a run was published after `since`, if it was.
pub(super) async fn published(
    context: &Context,
    table: &str,
    known: Option<&Known>,
    run: &RunId,
    since: Option<u64>,
) -> Result<Option<u64>> {
    let Some(known) = known else { return Ok(None) };
    if let Some(version) = known.runs.get(run.as_str()) {
        return Ok(Some(*version));
    }
    if since.is_some_and(|since| known.base <= since) {
        return Ok(None);
    }
    // The run may have been published before this process knew the table: the log itself is asked.
    let store = log_store(context, table)?;
    let snapshot = EagerSnapshot::try_new(store.as_ref(), Some(known.version)).await.map_err(|e| unreadable(table, e))?;
    let version = snapshot.transaction_version(store.as_ref(), run).await.map_err(|e| unreadable(table, e))?;
    Ok(version.map(|v| v as u64))
}

/// Writes a checkpoint every [`CHECKPOINT_EVERY`] commits. The table is right without one, so a failure is only noted.
pub(super) async fn checkpoint_if_due(context: &Context, table: &str, known: &mut Option<Known>) {
    let Some(known) = known.as_mut() else { return };
    if known.version < known.checkpoint.map_or(CHECKPOINT_EVERY - 1, |v| v + CHECKPOINT_EVERY) {
        return;
    }
    match checkpoint(context, table, known.version).await {
        Ok(()) => known.checkpoint = Some(known.version),
        Err(error) => tracing::warn!(table, version = known.version, error = error.chain(), "checkpoint could not be written"),
    }
}

async fn checkpoint(context: &Context, table: &str, version: u64) -> Result<()> {
    let mut delta = DeltaTable::new(log_store(context, table)?);
    delta.load_version(version).await.map_err(|e| unreadable(table, e))?;
    deltalake_core::checkpoints::create_checkpoint(&delta, None).await.map_err(|e| unreadable(table, e))
}
