//! The outputs of one chunk, as files of the work folder.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use sluice_engine::Stream;

use super::joined::Accepted;
use super::scan::Keep;

/// Account of a chunk.
pub(super) fn report_file(work: &Path, index: usize) -> PathBuf {
    work.join(format!("{index:06}.report.json"))
}

/// Key records of a chunk.
pub(super) fn keys_file(work: &Path, index: usize) -> PathBuf {
    work.join(format!("{index:06}.keys"))
}

/// Rejected rows of a chunk.
pub(crate) fn rejected_file(work: &Path, index: usize) -> PathBuf {
    work.join(format!("{index:06}.rejected"))
}

/// Folder of the accepted Parquet files of a chunk.
pub(crate) fn accepted_folder(work: &Path, index: usize) -> PathBuf {
    work.join(format!("{index:06}.accepted"))
}

/// Outputs of one chunk. A second pass over a chunk replaces those of the first.
pub(super) struct Outputs {
    keep: Keep,
    keys: PathBuf,
    rejected: PathBuf,
    accepted: PathBuf,
    open: BTreeMap<Stream, File>,
    /// Accepted files by their number, if they are held in memory.
    held: Option<BTreeMap<u32, Vec<u8>>>,
}

impl Outputs {
    /// With `holds_accepted` accepted rows stay in memory.
    pub(super) fn new(work: &Path, index: usize, keep: Keep, holds_accepted: bool) -> Self {
        let outputs = Self {
            keep,
            keys: keys_file(work, index),
            rejected: rejected_file(work, index),
            accepted: accepted_folder(work, index),
            open: BTreeMap::new(),
            held: holds_accepted.then(BTreeMap::new),
        };
        // In a first pass there is nothing to remove.
        let _ = std::fs::remove_file(&outputs.keys);
        let _ = std::fs::remove_file(&outputs.rejected);
        let _ = std::fs::remove_dir_all(&outputs.accepted);
        outputs
    }

    pub(super) fn write(&mut self, pieces: Vec<(Stream, Vec<u8>)>) -> std::io::Result<()> {
        for (stream, bytes) in pieces {
            if let (Some(held), Stream::Accepted { part, .. }) = (&mut self.held, &stream) {
                match held.entry(*part) {
                    Entry::Occupied(begun) => begun.into_mut().extend_from_slice(&bytes),
                    Entry::Vacant(none) => drop(none.insert(bytes)),
                }
                continue;
            }
            let path = match &stream {
                Stream::Accepted { part, .. } if self.keep.accepted => {
                    std::fs::create_dir_all(&self.accepted)?;
                    self.accepted.join(format!("{part:06}.parquet"))
                }
                Stream::Rejected if self.keep.rejected => self.rejected.clone(),
                Stream::Keys => self.keys.clone(),
                Stream::Accepted { .. } | Stream::Rejected | Stream::Held => continue,
            };
            let file = match self.open.entry(stream) {
                Entry::Occupied(open) => open.into_mut(),
                Entry::Vacant(none) => none.insert(File::create(path)?),
            };
            file.write_all(&bytes)?;
        }
        Ok(())
    }

    /// The accepted rows.
    pub(super) fn accepted(self) -> std::io::Result<Accepted> {
        match self.held {
            Some(held) => Ok(Accepted::Held(held.into_values().map(Bytes::from).collect())),
            None => Ok(Accepted::Filed(accepted_files(&self.accepted)?)),
        }
    }
}

/// The accepted Parquet files of a chunk, in order.
pub(super) fn accepted_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        // No row of it is accepted.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = entries.map(|entry| entry.map(|e| e.path())).collect::<std::io::Result<Vec<_>>>()?;
    files.sort();
    Ok(files)
}
