//! Writing an output that may be large, create-only: in one request if it is small, in blocks of one size if it is not.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{BlobPath, Context, Created, Error, Result, cpu};

/// An output that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// Where.
    pub blob: BlobPath,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256, hex.
    pub sha256: String,
}

/// Writes one blob. Blocks are cut at multiples of the piece size whatever the sizes of the writes, so that a repeated attempt stages the
/// same blocks.
#[derive(Debug)]
pub struct BlobWriter {
    path: BlobPath,
    piece: usize,
    buffer: Vec<u8>,
    staged: u32,
    bytes: u64,
    hasher: Sha256,
}

impl BlobWriter {
    /// A new blob, in blocks of `piece_bytes` if it grows beyond one.
    pub fn new(path: BlobPath, piece_bytes: u64) -> Self {
        Self { path, piece: piece_bytes as usize, buffer: Vec::new(), staged: 0, bytes: 0, hasher: Sha256::new() }
    }

    /// Bytes so far.
    pub fn len(&self) -> u64 {
        self.bytes
    }

    /// Whether nothing was added so far.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// Those of the lake.
    pub async fn write(&mut self, context: &Context, mut bytes: &[u8]) -> Result<()> {
        self.bytes += bytes.len() as u64;
        self.hasher.update(bytes);
        while self.buffer.len() + bytes.len() > self.piece {
            let (now, later) = bytes.split_at(self.piece - self.buffer.len());
            self.buffer.extend_from_slice(now);
            bytes = later;
            let block = Bytes::from(std::mem::take(&mut self.buffer));
            context.lake.stage_block(&self.path, self.staged, block).await?;
            self.staged += 1;
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// Commits the blob.
    ///
    /// # Errors
    /// Those of the lake; [`crate::Kind::Permanent`] `I0002` if the blob is there with another content.
    pub async fn finish(self, context: &Context) -> Result<Output> {
        let Self { path, buffer, staged, bytes, hasher, .. } = self;
        let sha256 = hex::encode(hasher.finalize());
        let metadata = BTreeMap::from([("sha256".to_owned(), sha256.clone())]);
        let created = if staged == 0 {
            context.lake.create(&path, buffer.into(), &metadata).await?
        } else {
            context.lake.stage_block(&path, staged, buffer.into()).await?;
            context.lake.commit_blocks(&path, staged + 1, &metadata).await?
        };
        if created == Created::Exists {
            // Written by an earlier attempt, which had the same inputs: it must be the same.
            let info = context.lake.head(&path).await?;
            if info.is_none_or(|i| i.size != bytes || i.metadata.get("sha256") != Some(&sha256)) {
                let message =
                    format!("{path} is there with another content than this version of the engine gives: reprocess the submission");
                return Err(Error::permanent("I0002", message));
            }
        }
        Ok(Output { blob: path, bytes, sha256 })
    }
}

/// Writes a small blob, create-only.
///
/// # Errors
/// As [`BlobWriter::finish`].
pub async fn write(context: &Context, path: BlobPath, body: &[u8]) -> Result<Output> {
    let mut writer = BlobWriter::new(path, body.len() as u64 + 1);
    writer.write(context, body).await?;
    writer.finish(context).await
}

/// Writes JSON, create-only.
///
/// # Errors
/// As [`write`].
pub async fn write_json<T: Serialize>(context: &Context, path: BlobPath, value: &T) -> Result<Output> {
    let json = serde_json::to_vec(value).map_err(|e| Error::bug("K0501", format!("{path} could not be serialized")).because(e))?;
    write(context, path, &json).await
}

/// Reads JSON that [`write_json`] wrote.
///
/// # Errors
/// Those of the lake; [`crate::Kind::Bug`] `K0500` if it has another shape.
pub async fn read_json<T: serde::de::DeserializeOwned + Send + 'static>(context: &Context, path: &BlobPath) -> Result<T> {
    let bytes = context.lake.read(path, 0..u64::MAX, None).await?;
    let parsed = cpu::run(bytes.len(), move || serde_json::from_slice(&bytes)).await?;
    parsed.map_err(|e| Error::bug("K0500", format!("{path} does not have the expected shape")).because(e))
}
