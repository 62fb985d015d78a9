//! The lake: blobs in containers, as the flow needs them. The contracts here are held by [`crate::conformance`] on every implementation.

use std::{collections::BTreeMap, fmt, ops::Range};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sluice_contract::Tier;

use crate::Result;

/// Container of raw, unchanged copies: `raw/<run>/...`.
pub const RAW: &str = "raw";
/// Container of the Delta tables: `curated/<table>/...`.
pub const CURATED: &str = "curated";
/// Container of what waits for people: `review/<run>/...`.
pub const REVIEW: &str = "review";
/// Container of manifests, receipts, ledgers, rejected rows: `archive/<run>/...`.
pub const ARCHIVE: &str = "archive";
/// Container of reference tables, content-addressed: `reference/<table>/<blake3>.csv`.
pub const REFERENCE: &str = "reference";
/// Prefix of the partners' containers: `landing-<partner>`.
pub const LANDING_PREFIX: &str = "landing-";

/// A blob's place: container and path below it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BlobPath {
    /// Container name.
    pub container: String,
    /// Path below the container, without a leading slash.
    pub path: String,
}

impl BlobPath {
    /// A place from its parts.
    pub fn new(container: impl Into<String>, path: impl Into<String>) -> Self {
        Self { container: container.into(), path: path.into() }
    }
}

impl fmt::Display for BlobPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.container, self.path)
    }
}

/// An entity tag, quotes included, compared as text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ETag(pub String);

/// What a HEAD tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobInfo {
    /// Bytes.
    pub size: u64,
    /// Version of the content.
    pub etag: ETag,
    /// Time of the last change.
    pub modified: DateTime<Utc>,
    /// Content-MD5 property, 16 bytes, if set.
    pub md5: Option<Vec<u8>>,
    /// User metadata, names in lower case.
    pub metadata: BTreeMap<String, String>,
}

/// Outcome of a create-only write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created {
    /// This call made it.
    New(ETag),
    /// It was there before: nothing was changed.
    Exists,
}

/// One page of a listing, in order of paths.
#[derive(Debug, Clone, Default)]
pub struct BlobPage {
    /// Path and facts of each blob (metadata may be empty).
    pub blobs: Vec<(BlobPath, BlobInfo)>,
    /// Continue here; `None` at the end.
    pub next: Option<String>,
}

/// Blobs. Every write is create-only or conditional, except [`Lake::overwrite`], which Delta's `_last_checkpoint` hint needs.
///
/// Errors are [`crate::Kind::Transient`] if a retry may help, otherwise as said at each method.
#[async_trait]
pub trait Lake: Send + Sync {
    /// Facts of a blob, `None` if it does not exist.
    async fn head(&self, path: &BlobPath) -> Result<Option<BlobInfo>>;

    /// Bytes of `range` (end excluded; clipped at the end of the blob).
    ///
    /// # Errors
    /// Code `L0404` (permanent) if the blob is missing, `L0412` (permanent) if `if_match` is given and the blob has another version.
    async fn read(&self, path: &BlobPath, range: Range<u64>, if_match: Option<&ETag>) -> Result<Bytes>;

    /// Creates a blob in one request.
    async fn create(&self, path: &BlobPath, body: Bytes, metadata: &BTreeMap<String, String>) -> Result<Created>;

    /// Stages block `index` (0-based, below 50,000) of a blob that is not yet committed. Staging the same index again replaces it.
    async fn stage_block(&self, path: &BlobPath, index: u32, body: Bytes) -> Result<()>;

    /// Commits blocks `0..count` in order, create-only.
    ///
    /// # Errors
    /// Code `L0400` (permanent) if a block is not staged and the blob does not exist.
    async fn commit_blocks(&self, path: &BlobPath, count: u32, metadata: &BTreeMap<String, String>) -> Result<Created>;

    /// Writes a blob whether it is there or not.
    async fn overwrite(&self, path: &BlobPath, body: Bytes) -> Result<ETag>;

    /// A page of at most 5,000 blobs of a container whose path starts with `prefix`; `after` is a page's `next`. An unknown container is empty.
    async fn list(&self, container: &str, prefix: &str, after: Option<&str>) -> Result<BlobPage>;

    /// Names of all containers that start with `prefix`.
    async fn containers(&self, prefix: &str) -> Result<Vec<String>>;

    /// Removes a blob (of this version, if given); a missing blob is fine.
    ///
    /// # Errors
    /// Code `L0412` (permanent) if it has another version.
    async fn delete(&self, path: &BlobPath, if_match: Option<&ETag>) -> Result<()>;

    /// Sets the access tier.
    async fn set_tier(&self, path: &BlobPath, tier: Tier) -> Result<()>;
}
