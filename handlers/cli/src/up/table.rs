//! What a published version of a Delta table holds, read from its log (Delta protocol, "Actions").

use serde_json::Value;
use sluice_flow::{BlobPath, Lake, lake::CURATED};

use crate::{Fault, Result};

/// One committed version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Committed {
    /// Parquet files added.
    pub(crate) files: usize,
    /// Rows in them.
    pub(crate) rows: u64,
}

/// Reads the commit `version` of `table`.
pub(crate) async fn committed(lake: &dyn Lake, table: &str, version: u64) -> Result<Committed> {
    let path = BlobPath::new(CURATED, format!("{table}/_delta_log/{version:020}.json"));
    let bytes = lake.read(&path, 0..1 << 30, None).await.map_err(|error| Fault::unreachable(format!("cannot read {path}: {error}")))?;
    parse(&bytes).ok_or_else(|| Fault::internal(format!("{path} is no Delta commit")))
}

fn parse(commit: &[u8]) -> Option<Committed> {
    let mut committed = Committed { files: 0, rows: 0 };
    for line in commit.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
        let action: Value = serde_json::from_slice(line).ok()?;
        if let Some(add) = action.get("add") {
            let statistics: Value = serde_json::from_str(add.get("stats")?.as_str()?).ok()?;
            committed.files += 1;
            committed.rows += statistics.get("numRecords")?.as_u64()?;
        }
    }
    Some(committed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_of_all_added_files_count() {
        let commit = br#"{"commitInfo":{}}
{"add":{"path":"a.parquet","stats":"{\"numRecords\":10}"}}
{"add":{"path":"b.parquet","stats":"{\"numRecords\":5}"}}
"#;
        assert_eq!(parse(commit), Some(Committed { files: 2, rows: 15 }));
        assert_eq!(parse(b"{\"add\":{\"path\":\"x\"}}"), None);
        assert_eq!(parse(b"nonsense"), None);
    }
}
