//! What a step works with: the outside world behind traits, and sizes.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, SecondsFormat, Utc};

use crate::{Catalog, Lake, Result};

/// The time, so that tests can set it.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// Named secrets (Key Vault in Azure).
#[async_trait]
pub trait SecretStore: Send + Sync {
    /// The secret's bytes.
    ///
    /// # Errors
    /// Code `V0404` (permanent) if there is no such secret; transient errors of the store.
    async fn secret(&self, name: &str) -> Result<Vec<u8>>;
}

/// Sizes of the work, in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Bytes moved by one invocation; a power of two of at least [`crate::integrity::BLOCK`].
    pub segment_bytes: u64,
    /// Bytes transformed by one invocation (record-aligned, so about).
    pub chunk_bytes: u64,
    /// Bytes of one read or one staged block; a multiple of [`crate::integrity::BLOCK`].
    pub piece_bytes: u64,
    /// Most keys held in memory by one pass of the uniqueness check.
    pub keys_in_memory: u64,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20, chunk_bytes: 64 << 20, piece_bytes: 8 << 20, keys_in_memory: 2_000_000 }
    }
}

impl Sizes {
    /// Small sizes, so that small files have many parts.
    pub fn for_testing() -> Self {
        Self { segment_bytes: crate::integrity::BLOCK, chunk_bytes: 256 << 10, piece_bytes: crate::integrity::BLOCK, keys_in_memory: 1_000 }
    }
}

/// What a step works with.
#[derive(Clone)]
pub struct Context {
    /// Blobs.
    pub lake: Arc<dyn Lake>,
    /// Documents.
    pub catalog: Arc<dyn Catalog>,
    /// Secrets.
    pub secrets: Arc<dyn SecretStore>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Sizes of the work.
    pub sizes: Sizes,
    /// Compiled plans of recent runs.
    pub plans: Arc<crate::plans::PlanCache>,
    /// Places for chunks that are worked on at once.
    pub places: Arc<crate::Places>,
    /// What is known of the tables published to.
    pub tables: Arc<crate::delta::Tables>,
}

impl Context {
    /// Now as RFC 3339 UTC with milliseconds: text order is time order.
    pub fn now(&self) -> String {
        rfc3339(self.clock.now())
    }
}

/// RFC 3339 UTC with milliseconds.
pub fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
