//! Sends a file to a blob URL: one reader that hashes in order, several senders, bounded memory.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use azure_core::error::ErrorKind;
use azure_core::http::{ClientOptions, ExponentialRetryOptions, RetryOptions};
use azure_storage_blob::models::{BlockBlobClientCommitBlockListOptions, BlockBlobClientStageBlockOptions, BlockLookupList};
use azure_storage_blob::{BlobClient, BlobClientOptions};
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use indicatif::ProgressBar;
use md5::Md5;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;
use url::Url;

use super::blocks::{Sidecar, SidecarFile, block_bytes, block_id};
use crate::fault::FileContext as _;
use crate::{Fault, Result};

/// The sidecar is written after this many more blocks.
const NOTE_EVERY: usize = 8;
/// A block is tried again for this long, in seconds.
const PATIENCE_SECONDS: i64 = 300;

/// What was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) bytes: u64,
    /// Bytes that an earlier try had staged.
    pub(crate) resumed: u64,
    /// Hex.
    pub(crate) blake3: String,
    /// Hex.
    pub(crate) sha256: String,
}

/// A block on its way from the reader to a sender.
struct Block {
    index: u64,
    bytes: Bytes,
    hash: String,
}

struct Hashes {
    bytes: u64,
    blake3: String,
    sha256: String,
}

/// Whether the blocks of an earlier try were gone.
enum Committed {
    Done,
    BlocksAreGone,
}

/// Sends `file` to `url` with at most `parallel` blocks under way. The bar counts bytes.
pub(crate) async fn send(file: &Path, url: &Url, parallel: usize, bar: &ProgressBar) -> Result<Sent> {
    let size = std::fs::metadata(file).file("read", file)?.len();
    let blob = Arc::new(client(url)?);
    let mut plain = url.clone();
    plain.set_query(None);
    let mut sidecar = Sidecar { target: plain.to_string(), size, block_bytes: block_bytes(size)?, staged: BTreeMap::new() };
    let sidecar_file = SidecarFile::of(file, &sidecar.target)?;
    sidecar.staged = sidecar_file.read(&sidecar);
    loop {
        bar.set_position(0);
        let (hashes, resumed) = stage(file, &blob, parallel, &mut sidecar, &sidecar_file, bar).await?;
        match commit(&blob, size, sidecar.block_bytes, &hashes).await? {
            Committed::Done => {
                sidecar_file.remove();
                return Ok(Sent { bytes: hashes.bytes, resumed, blake3: hashes.blake3, sha256: hashes.sha256 });
            }
            // The service drops uncommitted blocks after a week; then everything is sent once more.
            Committed::BlocksAreGone if resumed > 0 => sidecar.staged.clear(),
            Committed::BlocksAreGone => return Err(Fault::unreachable("the storage account lost the blocks that it had taken; try again")),
        }
    }
}

fn client(url: &Url) -> Result<BlobClient> {
    let client_options = ClientOptions {
        retry: RetryOptions::exponential(ExponentialRetryOptions {
            max_retries: 20,
            max_total_elapsed: azure_core::time::Duration::seconds(PATIENCE_SECONDS),
            max_delay: azure_core::time::Duration::seconds(20),
            ..ExponentialRetryOptions::default()
        }),
        ..ClientOptions::default()
    };
    BlobClient::new(url.clone(), None, Some(BlobClientOptions { client_options, ..BlobClientOptions::default() }))
        .map_err(|error| Fault::usage(format!("this is no URL to upload to: {error}")))
}

/// Stages every block that is not staged yet; answers with the file's hashes and the bytes that were there.
async fn stage(
    file: &Path,
    blob: &Arc<BlobClient>,
    parallel: usize,
    sidecar: &mut Sidecar,
    sidecar_file: &SidecarFile,
    bar: &ProgressBar,
) -> Result<(Hashes, u64)> {
    let (to_senders, mut blocks) = mpsc::channel::<Block>(1);
    let (path, block_bytes, size) = (file.to_owned(), sidecar.block_bytes, sidecar.size);
    let reader = tokio::task::spawn_blocking(move || read(&path, size, block_bytes, &to_senders));
    let mut under_way = FuturesUnordered::new();
    let (mut resumed, mut unnoted, mut ended) = (0, 0, false);
    let mut failed = None;
    while failed.is_none() && (!ended || !under_way.is_empty()) {
        tokio::select! {
            block = blocks.recv(), if !ended && under_way.len() < parallel => match block {
                None => ended = true,
                Some(block) if sidecar.staged.get(&block.index) == Some(&block.hash) => {
                    resumed += block.bytes.len() as u64;
                    bar.inc(block.bytes.len() as u64);
                }
                Some(block) => {
                    let blob = Arc::clone(blob);
                    under_way.push(async move { stage_block(&blob, block).await });
                }
            },
            Some(done) = under_way.next() => match done {
                Ok((index, hash, bytes)) => {
                    bar.inc(bytes);
                    sidecar.staged.insert(index, hash);
                    unnoted += 1;
                    if unnoted >= NOTE_EVERY {
                        sidecar_file.write(sidecar);
                        unnoted = 0;
                    }
                }
                Err(fault) => failed = Some(fault),
            },
        }
    }
    if unnoted > 0 {
        sidecar_file.write(sidecar);
    }
    // Without a receiver the reader ends at its next block.
    drop(blocks);
    let hashes = reader.await.map_err(|error| Fault::internal(error.to_string()))?;
    match failed {
        Some(fault) => Err(fault),
        None => hashes.map(|hashes| (hashes, resumed)),
    }
}

/// Reads the file once, in order, and hands its blocks on.
fn read(path: &Path, size: u64, block_bytes: u64, to_senders: &mpsc::Sender<Block>) -> Result<Hashes> {
    let mut file = File::open(path).file("read", path)?;
    let (mut blake3, mut sha256) = (blake3::Hasher::new(), Sha256::new());
    let mut total = 0;
    for index in 0..size.div_ceil(block_bytes) {
        let mut bytes = Vec::with_capacity(block_bytes.min(size - total) as usize);
        file.by_ref().take(block_bytes).read_to_end(&mut bytes).file("read", path)?;
        total += bytes.len() as u64;
        blake3.update(&bytes);
        sha256.update(&bytes);
        let hash = blake3::hash(&bytes).to_hex().to_string();
        if to_senders.blocking_send(Block { index, bytes: bytes.into(), hash }).is_err() {
            return Err(Fault::interrupted());
        }
    }
    let grown = file.read(&mut [0]).file("read", path)? > 0;
    if total != size || grown {
        return Err(Fault::usage(format!("{} changed while it was uploaded; try again when it is complete", path.display())));
    }
    Ok(Hashes { bytes: total, blake3: blake3.finalize().to_hex().to_string(), sha256: hex::encode(sha256.finalize()) })
}

async fn stage_block(blob: &BlobClient, block: Block) -> Result<(u64, String, u64)> {
    let Block { index, bytes, hash } = block;
    let length = bytes.len() as u64;
    let options = BlockBlobClientStageBlockOptions {
        transactional_content_md5: Some(Md5::digest(&bytes).to_vec()),
        ..BlockBlobClientStageBlockOptions::default()
    };
    blob.block_blob_client()
        .stage_block(&block_id(index), length, bytes.into(), Some(options))
        .await
        .map_err(|error| storage_fault(&error))?;
    Ok((index, hash, length))
}

async fn commit(blob: &BlobClient, size: u64, block_bytes: u64, hashes: &Hashes) -> Result<Committed> {
    let ids = (0..size.div_ceil(block_bytes)).map(block_id).collect();
    let list = BlockLookupList { latest: Some(ids), ..BlockLookupList::default() };
    let list = list.try_into().map_err(|error: azure_core::Error| Fault::internal(error.to_string()))?;
    let metadata = HashMap::from([("blake3".to_owned(), hashes.blake3.clone()), ("sha256".to_owned(), hashes.sha256.clone())]);
    let options = BlockBlobClientCommitBlockListOptions {
        metadata: Some(metadata),
        if_none_match: Some("*".into()),
        ..BlockBlobClientCommitBlockListOptions::default()
    };
    match blob.block_blob_client().commit_block_list(list, Some(options)).await {
        Ok(_) => Ok(Committed::Done),
        Err(error) if code(&error) == "InvalidBlockList" => Ok(Committed::BlocksAreGone),
        Err(error) => Err(storage_fault(&error)),
    }
}

fn code(error: &azure_core::Error) -> String {
    match error.kind() {
        ErrorKind::HttpResponse { error_code, raw_response, .. } => raw_response
            .as_deref()
            .and_then(|response| response.headers().get_optional_str(&"x-ms-error-code".into()).map(str::to_owned))
            .or_else(|| error_code.clone())
            .unwrap_or_default(),
        _ => String::new(),
    }
}

/// What the storage account says, in words; never the URL, whose signature is a secret.
fn storage_fault(error: &azure_core::Error) -> Fault {
    match (error.http_status().map(u16::from), code(error)) {
        (Some(409), code) if code == "BlobAlreadyExists" || code == "UnauthorizedBlobOverwrite" => {
            Fault::usage("there is a file at this path already, and a grant never overwrites: choose another --to")
        }
        (Some(403), code) if code == "UnauthorizedBlobOverwrite" => {
            Fault::usage("there is a file at this path already, and a grant never overwrites: choose another --to")
        }
        (Some(status @ (401 | 403)), code) => {
            Fault::unreachable(format!("the storage account refuses the upload ({status} {code}): is the URL complete, and still valid?"))
        }
        (Some(404), code) => Fault::unreachable(format!("the place to upload to does not exist (404 {code})")),
        (Some(status), code) => Fault::unreachable(format!("the storage account answered {status} {code}")),
        (None, _) => {
            let mut root: &dyn std::error::Error = error;
            while let Some(source) = root.source() {
                root = source;
            }
            Fault::unreachable(format!("cannot reach the storage account: {root}; start the same command again to go on where it stopped"))
        }
    }
}
