//! The lake in memory.

use std::{
    collections::{BTreeMap, HashMap},
    ops::{Bound, Range},
    sync::{Arc, Mutex, MutexGuard},
};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use md5::{Digest as _, Md5};
use sluice_contract::Tier;

use super::Faults;
use crate::{BlobInfo, BlobPage, BlobPath, Clock, Created, ETag, Error, Lake, Result};

const PAGE: usize = 5_000;

/// A committed blob.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredBlob {
    /// Its content.
    pub body: Bytes,
    /// Its version.
    pub etag: ETag,
    /// Time of the last change.
    pub modified: DateTime<Utc>,
    /// Content-MD5 property.
    pub md5: Option<Vec<u8>>,
    /// User metadata.
    pub metadata: BTreeMap<String, String>,
    /// Access tier.
    pub tier: Tier,
}

impl StoredBlob {
    fn info(&self) -> BlobInfo {
        BlobInfo {
            size: self.body.len() as u64,
            etag: self.etag.clone(),
            modified: self.modified,
            md5: self.md5.clone(),
            metadata: self.metadata.clone(),
        }
    }
}

#[derive(Debug, Default)]
struct State {
    blobs: BTreeMap<BlobPath, StoredBlob>,
    staged: HashMap<BlobPath, BTreeMap<u32, Bytes>>,
    versions: u64,
}

impl State {
    fn put(&mut self, path: &BlobPath, body: Bytes, md5: Option<Vec<u8>>, metadata: BTreeMap<String, String>, now: DateTime<Utc>) -> ETag {
        self.versions += 1;
        let etag = ETag(format!("\"0x{:016X}\"", self.versions));
        self.staged.remove(path);
        self.blobs.insert(path.clone(), StoredBlob { body, etag: etag.clone(), modified: now, md5, metadata, tier: Tier::Hot });
        etag
    }
}

/// The lake in memory. Containers need no creation: a container is there once a blob is in it.
pub struct MemoryLake {
    state: Mutex<State>,
    clock: Arc<dyn Clock>,
    faults: Arc<Faults>,
}

impl MemoryLake {
    /// An empty lake.
    pub fn new(clock: Arc<dyn Clock>, faults: Arc<Faults>) -> Self {
        Self { state: Mutex::default(), clock, faults }
    }

    /// A partner's upload: replaces what was there. `md5` is the Content-MD5 property. Never fails and is not counted.
    pub fn upload(&self, path: &BlobPath, body: impl Into<Bytes>, md5: Option<Vec<u8>>, metadata: &[(&str, &str)]) -> ETag {
        let metadata = metadata.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        self.state().put(path, body.into(), md5, metadata, self.clock.now())
    }

    /// Flips bits of one byte without a change of version, as a failing disk would. False if there is no such byte.
    pub fn corrupt(&self, path: &BlobPath, offset: u64, mask: u8) -> bool {
        let mut state = self.state();
        let Some(blob) = state.blobs.get_mut(path) else { return false };
        flip(&mut blob.body, offset, mask)
    }

    /// Flips bits of one byte of a staged block. False if there is no such byte.
    pub fn corrupt_staged(&self, path: &BlobPath, index: u32, offset: u64, mask: u8) -> bool {
        let mut state = self.state();
        let Some(block) = state.staged.get_mut(path).and_then(|blocks| blocks.get_mut(&index)) else { return false };
        flip(block, offset, mask)
    }

    /// Removes a blob as its owner would. Never fails and is not counted.
    pub fn remove(&self, path: &BlobPath) {
        self.state().blobs.remove(path);
    }

    /// One committed blob.
    pub fn blob(&self, path: &BlobPath) -> Option<StoredBlob> {
        self.state().blobs.get(path).cloned()
    }

    /// All committed blobs.
    pub fn contents(&self) -> BTreeMap<BlobPath, StoredBlob> {
        self.state().blobs.clone()
    }

    /// Blobs that have staged blocks, and how many.
    pub fn staged(&self) -> BTreeMap<BlobPath, usize> {
        self.state().staged.iter().map(|(path, blocks)| (path.clone(), blocks.len())).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of the lake panics")
    }
}

fn flip(body: &mut Bytes, offset: u64, mask: u8) -> bool {
    let mut bytes = body.to_vec();
    let Some(byte) = bytes.get_mut(offset as usize) else { return false };
    *byte ^= mask;
    *body = bytes.into();
    true
}

fn other_version(path: &BlobPath) -> Error {
    Error::permanent("L0412", format!("{path} has another version than expected"))
}

#[async_trait]
impl Lake for MemoryLake {
    async fn head(&self, path: &BlobPath) -> Result<Option<BlobInfo>> {
        self.faults.around("lake.head", || Ok(self.state().blobs.get(path).map(StoredBlob::info))).await
    }

    async fn read(&self, path: &BlobPath, range: Range<u64>, if_match: Option<&ETag>) -> Result<Bytes> {
        self.faults
            .around("lake.read", || {
                let state = self.state();
                let blob = state.blobs.get(path).ok_or_else(|| Error::permanent("L0404", format!("{path} does not exist")))?;
                if if_match.is_some_and(|etag| *etag != blob.etag) {
                    return Err(other_version(path));
                }
                let end = range.end.min(blob.body.len() as u64) as usize;
                Ok(blob.body.slice((range.start as usize).min(end)..end))
            })
            .await
    }

    async fn create(&self, path: &BlobPath, body: Bytes, metadata: &BTreeMap<String, String>) -> Result<Created> {
        self.faults
            .around("lake.create", || {
                let mut state = self.state();
                if state.blobs.contains_key(path) {
                    return Ok(Created::Exists);
                }
                // Azure computes Content-MD5 for a blob that is put in one request.
                let md5 = Some(Md5::digest(&body).to_vec());
                Ok(Created::New(state.put(path, body, md5, metadata.clone(), self.clock.now())))
            })
            .await
    }

    async fn stage_block(&self, path: &BlobPath, index: u32, body: Bytes) -> Result<()> {
        self.faults
            .around("lake.stage_block", || {
                self.state().staged.entry(path.clone()).or_default().insert(index, body);
                Ok(())
            })
            .await
    }

    async fn commit_blocks(&self, path: &BlobPath, count: u32, metadata: &BTreeMap<String, String>) -> Result<Created> {
        self.faults
            .around("lake.commit_blocks", || {
                let mut state = self.state();
                if state.blobs.contains_key(path) {
                    return Ok(Created::Exists);
                }
                let staged = state.staged.get(path);
                let blocks: Option<Vec<_>> = (0..count).map(|index| staged.and_then(|s| s.get(&index)).cloned()).collect();
                let blocks = blocks.ok_or_else(|| Error::permanent("L0400", format!("not all of {count} blocks of {path} are staged")))?;
                Ok(Created::New(state.put(path, blocks.concat().into(), None, metadata.clone(), self.clock.now())))
            })
            .await
    }

    async fn overwrite(&self, path: &BlobPath, body: Bytes) -> Result<ETag> {
        self.faults
            .around("lake.overwrite", || {
                let md5 = Some(Md5::digest(&body).to_vec());
                Ok(self.state().put(path, body, md5, BTreeMap::new(), self.clock.now()))
            })
            .await
    }

    async fn list(&self, container: &str, prefix: &str, after: Option<&str>) -> Result<BlobPage> {
        self.faults
            .around("lake.list", || {
                let state = self.state();
                let from = match after {
                    Some(after) => Bound::Excluded(BlobPath::new(container, after)),
                    None => Bound::Included(BlobPath::new(container, prefix)),
                };
                let mut blobs: Vec<_> = state
                    .blobs
                    .range((from, Bound::Unbounded))
                    .take_while(|(path, _)| path.container == container && path.path.starts_with(prefix))
                    .take(PAGE + 1)
                    .map(|(path, blob)| (path.clone(), blob.info()))
                    .collect();
                let more = blobs.len() > PAGE;
                blobs.truncate(PAGE);
                let next = blobs.last().filter(|_| more).map(|(path, _)| path.path.clone());
                Ok(BlobPage { blobs, next })
            })
            .await
    }

    async fn containers(&self, prefix: &str) -> Result<Vec<String>> {
        self.faults
            .around("lake.containers", || {
                let mut names: Vec<_> = self.state().blobs.keys().map(|p| p.container.clone()).filter(|c| c.starts_with(prefix)).collect();
                names.dedup();
                Ok(names)
            })
            .await
    }

    async fn delete(&self, path: &BlobPath, if_match: Option<&ETag>) -> Result<()> {
        self.faults
            .around("lake.delete", || {
                let mut state = self.state();
                match state.blobs.get(path) {
                    Some(blob) if if_match.is_some_and(|etag| *etag != blob.etag) => Err(other_version(path)),
                    _ => {
                        state.blobs.remove(path);
                        Ok(())
                    }
                }
            })
            .await
    }

    async fn set_tier(&self, path: &BlobPath, tier: Tier) -> Result<()> {
        self.faults
            .around("lake.set_tier", || {
                let mut state = self.state();
                let blob = state.blobs.get_mut(path).ok_or_else(|| Error::permanent("L0404", format!("{path} does not exist")))?;
                blob.tier = tier;
                Ok(())
            })
            .await
    }
}
