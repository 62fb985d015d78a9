//! A file as blocks: sizes, ids, and what of them is staged already.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{Fault, Result};

/// Usual size of a block in bytes.
const USUAL: u64 = 8 << 20;
/// Blocks of one blob at most (REST "Put Block").
const MOST_BLOCKS: u64 = 50_000;
/// Largest block in bytes (REST "Put Block", version 2019-12-12 and later).
const LARGEST: u64 = 4000 << 20;

/// Bytes of a block but the last, for a file of `size` bytes.
pub(crate) fn block_bytes(size: u64) -> Result<u64> {
    let needed = size.div_ceil(MOST_BLOCKS).next_multiple_of(1 << 20).max(USUAL);
    if needed > LARGEST { Err(Fault::usage("the file is larger than the largest blob (190.7 TiB)")) } else { Ok(needed) }
}

/// The id of a block; all ids of a blob have the same length.
pub(crate) fn block_id(index: u64) -> Vec<u8> {
    format!("sluice-{index:08}").into_bytes()
}

/// What an interrupted upload leaves behind, so that the next try sends only what is missing. It holds no URL: that is a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Sidecar {
    /// Where to, without the query.
    pub(crate) target: String,
    /// Bytes of the file.
    pub(crate) size: u64,
    /// Bytes of a block.
    pub(crate) block_bytes: u64,
    /// BLAKE3 of each block that is staged, by its index. A block that has changed since is sent again.
    pub(crate) staged: BTreeMap<u64, String>,
}

/// The sidecar of one file on its way to one place.
#[derive(Debug)]
pub(crate) struct SidecarFile {
    path: PathBuf,
}

impl SidecarFile {
    /// In the user's state folder (XDG Base Directory Specification), named by file and target.
    pub(crate) fn of(file: &Path, target: &str) -> Result<Self> {
        let absolute = std::path::absolute(file).map_err(|error| Fault::usage(format!("cannot find {}: {error}", file.display())))?;
        let variable = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let base = variable("XDG_STATE_HOME")
            .or_else(|| variable("HOME").map(|home| home.join(".local/state")))
            .unwrap_or_else(std::env::temp_dir);
        let mut name = blake3::Hasher::new();
        name.update(absolute.as_os_str().as_encoded_bytes()).update(b"\0").update(target.as_bytes());
        Ok(Self { path: base.join("sluice/uploads").join(format!("{}.json", &name.finalize().to_hex()[..32])) })
    }

    /// What is staged already of an upload with the same shape.
    pub(crate) fn read(&self, fresh: &Sidecar) -> BTreeMap<u64, String> {
        let old = std::fs::read(&self.path).ok().and_then(|text| serde_json::from_slice::<Sidecar>(&text).ok());
        old.filter(|old| old.target == fresh.target && old.size == fresh.size && old.block_bytes == fresh.block_bytes)
            .map(|old| old.staged)
            .unwrap_or_default()
    }

    /// Notes what is staged. Without it only the resuming is lost, so a folder that cannot be written is no fault.
    pub(crate) fn write(&self, sidecar: &Sidecar) {
        let Ok(text) = serde_json::to_vec(sidecar) else { return };
        let partial = self.path.with_extension("partial");
        if let Some(folder) = self.path.parent() {
            let _ = std::fs::create_dir_all(folder);
        }
        if std::fs::write(&partial, text).is_ok() {
            let _ = std::fs::rename(&partial, &self.path);
        }
    }

    /// The upload is done.
    pub(crate) fn remove(&self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_blob_has_not_too_many_blocks(size in 0..=LARGEST * MOST_BLOCKS) {
            let bytes = block_bytes(size).unwrap();
            prop_assert!(size.div_ceil(bytes) <= MOST_BLOCKS);
            prop_assert!((USUAL..=LARGEST).contains(&bytes));
        }
    }

    #[test]
    fn a_file_that_no_blob_can_hold_is_refused() {
        assert!(block_bytes(LARGEST * MOST_BLOCKS + 1).is_err());
    }

    #[test]
    fn a_sidecar_counts_only_for_the_same_upload() {
        let folder = tempfile::tempdir().unwrap();
        let file = SidecarFile { path: folder.path().join("a/b.json") };
        let sidecar = Sidecar { target: "http://x/c/p".into(), size: 20, block_bytes: 8, staged: BTreeMap::from([(1, "ab".into())]) };
        file.write(&sidecar);
        assert_eq!(file.read(&sidecar), sidecar.staged);
        assert!(file.read(&Sidecar { size: 21, ..sidecar.clone() }).is_empty());
        assert!(file.read(&Sidecar { target: "http://x/c/q".into(), ..sidecar.clone() }).is_empty());
        file.remove();
        assert!(file.read(&sidecar).is_empty());
    }
}
