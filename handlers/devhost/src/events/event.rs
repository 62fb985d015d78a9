//! `Microsoft.Storage.BlobCreated` in the Event Grid schema.

use std::sync::atomic::{AtomicU64, Ordering};

use azure_core::Uuid;
use chrono::{SecondsFormat, Utc};
use serde_json::{Value, json};

use super::storage::BlobProperties;

/// Numbers that only grow, also over restarts.
#[derive(Debug, Default)]
pub(crate) struct Sequencer(AtomicU64);

impl Sequencer {
    fn next(&self) -> String {
        let now = u64::try_from(Utc::now().timestamp_micros()).unwrap_or(0);
        let next = |last: u64| now.max(last + 1);
        let last = self.0.update(Ordering::Relaxed, Ordering::Relaxed, next);
        format!("{:048x}", next(last))
    }
}

/// The subject of a blob's events.
pub(crate) fn subject(container: &str, blob: &str) -> String {
    format!("/blobServices/default/containers/{container}/blobs/{blob}")
}

/// The event of a committed blob.
pub(crate) fn blob_created(account: &str, subject: &str, api: &str, blob: &BlobProperties, sequencer: &Sequencer) -> Value {
    json!({
        "topic": format!(
            "/subscriptions/00000000-0000-4000-8000-00000000de50/resourceGroups/devhost/providers/Microsoft.Storage/storageAccounts/{account}"
        ),
        "subject": subject,
        "eventType": "Microsoft.Storage.BlobCreated",
        "id": Uuid::new_v4().to_string(),
        "eventTime": Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true),
        "data": {
            "api": if blob.copied { "CopyBlob" } else { api },
            "clientRequestId": Uuid::new_v4().to_string(),
            "requestId": Uuid::new_v4().to_string(),
            "eTag": format!("\"{}\"", blob.etag),
            "contentType": blob.content_type,
            "contentLength": blob.length,
            "blobType": blob.blob_type,
            "url": blob.url,
            "sequencer": sequencer.next(),
            "storageDiagnostics": {"batchId": Uuid::new_v4().to_string()},
        },
        "dataVersion": "",
        "metadataVersion": "1",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequencers_only_grow() {
        let sequencer = Sequencer::default();
        let numbers: Vec<String> = (0..1000).map(|_| sequencer.next()).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b));
        assert!(numbers.iter().all(|n| n.len() == 48));
    }
}
