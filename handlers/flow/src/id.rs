//! Ids. They are made from what they name, so that the same cause always has the same id.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{BlobPath, ETag, Error, Result};

/// A submission: one version of one landing blob. The same blob and `ETag` always have the same id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SubmissionId(String);

/// A run: one submission through one pipeline version; `<submission>-<attempt>`, the first attempt being 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

/// Hex characters of a submission id after its `s-`: 100 bits keep accidental collisions out of reach.
const DIGITS: usize = 25;

impl SubmissionId {
    /// The id of a blob's version.
    pub fn of(blob: &BlobPath, etag: &ETag) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("sluice 2026 submission id v1");
        for part in [&blob.container, &blob.path, &etag.0] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        Self(format!("s-{}", &hasher.finalize().to_hex()[..DIGITS]))
    }

    /// The run of this submission's `attempt` (1-based).
    pub fn run(&self, attempt: u32) -> RunId {
        RunId(format!("{}-{attempt}", self.0))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl RunId {
    /// The submission this run belongs to.
    pub fn submission(&self) -> SubmissionId {
        let end = self.0.rfind('-').unwrap_or(self.0.len());
        SubmissionId(self.0[..end].to_owned())
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The catalog partition that holds all of this run's documents.
    pub fn partition(&self) -> String {
        format!("run:{}", self.0)
    }
}

fn is_submission(text: &str) -> bool {
    text.strip_prefix("s-").is_some_and(|hex| hex.len() == DIGITS && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)))
}

impl TryFrom<String> for SubmissionId {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        if is_submission(&text) { Ok(Self(text)) } else { Err(Error::refused("M0010", "a submission id is s- and 25 hex digits")) }
    }
}

impl TryFrom<String> for RunId {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        let valid = text.rsplit_once('-').is_some_and(|(submission, attempt)| {
            is_submission(submission) && !attempt.starts_with('0') && attempt.parse::<u32>().is_ok_and(|n| n > 0)
        });
        if valid { Ok(Self(text)) } else { Err(Error::refused("M0011", "a run id is a submission id, - and the attempt")) }
    }
}

impl From<SubmissionId> for String {
    fn from(id: SubmissionId) -> Self {
        id.0
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.0
    }
}

impl fmt::Display for SubmissionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
