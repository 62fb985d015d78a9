//! Azurite's access log, the only sign it gives of a write.
//!
//! A line is in the common log format:
//! `127.0.0.1 - - [23/Nov/2026:02:14:02 +0000] "PUT /devstoreaccount1/c/b.txt?comp=blocklist HTTP/1.1" 201 -`
//! The query may hold a SAS: nothing of it but `comp` and `restype` is ever kept.

use crate::percent;

/// A blob that was just committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BlobWritten {
    pub(crate) container: String,
    pub(crate) blob: String,
    /// `PutBlob` or `PutBlockList`, as the event's `data.api` calls it.
    pub(crate) api: &'static str,
}

/// What a line tells; `None` if it tells of no committed blob.
pub(crate) fn blob_written(line: &str, account: &str) -> Option<BlobWritten> {
    let (_, after_quote) = line.split_once('"')?;
    let (request, status) = after_quote.rsplit_once("\" ")?;
    if status.split(' ').next() != Some("201") {
        return None;
    }
    let target = request.strip_prefix("PUT ")?.rsplit_once(" HTTP/")?.0;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let parameter = |name: &str| query.split('&').find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name));
    let api = match parameter("comp").map(|(_, value)| value) {
        None if parameter("restype").is_none() => "PutBlob",
        Some("blocklist") => "PutBlockList",
        _ => return None,
    };
    let (container, blob) = path.strip_prefix('/')?.strip_prefix(account)?.strip_prefix('/')?.split_once('/')?;
    Some(BlobWritten { container: percent::decode(container), blob: percent::decode(blob), api })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(request: &str, status: u16) -> String {
        format!("127.0.0.1 - - [23/Nov/2026:02:14:02 +0000] \"{request} HTTP/1.1\" {status} -")
    }

    #[test]
    fn sees_committed_blobs() {
        let written = |request: &str| blob_written(&line(request, 201), "acc");
        let expected = |blob: &str, api| Some(BlobWritten { container: "c-1".into(), blob: blob.into(), api });
        assert_eq!(written("PUT /acc/c-1/a%20b/%C3%A9.txt"), expected("a b/é.txt", "PutBlob"));
        assert_eq!(written("PUT /acc/c-1/x?sv=1&comp=blocklist&sig=s"), expected("x", "PutBlockList"));
        assert_eq!(written("PUT /acc/c-1/x?timeout=30&sig=comp%3Dblock"), expected("x", "PutBlob"));
    }

    #[test]
    fn sees_nothing_else() {
        for request in [
            "PUT /acc/c-1?restype=container",
            "PUT /acc/c-1/x?comp=block&blockid=QQ",
            "PUT /acc/c-1/x?comp=metadata",
            "PUT /acc/c-1/x?comp=lease",
            "GET /acc/c-1/x",
            "PUT /other/c-1/x",
        ] {
            assert_eq!(blob_written(&line(request, 201), "acc"), None, "{request}");
        }
        assert_eq!(blob_written(&line("PUT /acc/c-1/x", 409), "acc"), None);
        assert_eq!(blob_written("Azurite Blob service is starting on 127.0.0.1:1", "acc"), None);
    }
}
