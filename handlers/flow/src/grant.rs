//! Upload grants: time-limited, least-privilege URLs for partners. A grant reaches no other partner, and reads nothing unless it was asked
//! to read back what the partner itself has sent.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{Result, SubmissionId, run::Declared};

/// What is granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Scope {
    /// One path, create-only.
    File {
        /// Path below the container.
        path: String,
    },
    /// The partner's container: create and write, for nightly jobs that overwrite by name.
    Container {
        /// Also read and list this container: clients such as rclone look at what they have uploaded before they believe it.
        #[serde(default)]
        read_back: bool,
    },
}

/// A grant as recorded (never its URL); document `grant:<id>` in partition `partner:<partner>`, kind `grant`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// `g-` and 25 hex digits.
    pub grant_id: String,
    /// Partner id.
    pub partner: String,
    /// What is granted.
    pub scope: Scope,
    /// Checksums and size that the partner declares for the file.
    pub declared: Declared,
    /// The submission whose rows the file repairs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixes: Option<SubmissionId>,
    /// RFC 3339.
    pub created_at: String,
    /// Object id of who asked.
    pub created_by: String,
    /// RFC 3339.
    pub expires_at: String,
}

impl Grant {
    /// Id of its document in the partner's partition.
    pub fn document_id(grant_id: &str) -> String {
        format!("grant:{grant_id}")
    }
}

/// Signs upload URLs: user delegation in Azure, the account key against a loopback emulator.
#[async_trait]
pub trait UploadSigner: Send + Sync {
    /// URL with a SAS for `scope` in container `landing-<partner>`, valid from now for `valid` (at most 7 days).
    ///
    /// # Errors
    /// Those of the storage account.
    async fn sign(&self, partner: &str, scope: &Scope, valid: Duration) -> Result<url::Url>;

    /// Makes sure that the partner's container exists.
    ///
    /// # Errors
    /// Those of the storage account.
    async fn ensure_container(&self, partner: &str) -> Result<()>;
}
