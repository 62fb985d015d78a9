//! [`Lake`] on Blob Storage.

use std::{collections::BTreeMap, num::NonZero, ops::Range, sync::Arc};

use async_trait::async_trait;
use azure_core::{http::Etag, time::OffsetDateTime};
use azure_storage_blob::{
    BlobClient, BlobServiceClient,
    models::{
        AccessTier, BlobClientDeleteOptions, BlobClientDownloadOptions, BlobClientGetPropertiesResultHeaders, BlobClientUploadOptions,
        BlobContainerClientListBlobsOptions, BlobItem, BlobServiceClientListContainersOptions, BlockBlobClientCommitBlockListOptions,
        BlockBlobClientCommitBlockListResultHeaders, BlockLookupList, DeleteSnapshotsOptionType, HttpRange, ListBlobsIncludeItem,
    },
};
use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use sluice_contract::Tier;
use sluice_flow::{BlobInfo, BlobPage, BlobPath, Created, ETag, Error, Lake, Result};

use crate::{
    Patience,
    blob_error::{answer, blob_error, root_cause},
};

/// Blobs of one page of a listing.
const PAGE: i32 = 5000;
/// Blocks of one blob (REST "Put Block").
const MOST_BLOCKS: u32 = 50_000;
/// Tries of a read whose body broke off; the SDK retries only until the headers are there.
const BODY_TRIES: u32 = 3;
/// Most bytes that one read may ask for; the rest of a range is past the end of any blob that fits in memory.
const LONGEST_READ: u64 = 1 << 40;
/// Marks a directory of an account with a hierarchical namespace, which flat listings show as an empty blob.
const FOLDER: &str = "hdi_isfolder";

/// Blobs of one storage account.
///
/// A create-only write whose first answer was lost finds its own blob at the second try and says [`Created::Exists`]:
/// callers must take it as "done", as they do for a redelivered message.
pub struct AzureLake {
    service: Arc<BlobServiceClient>,
    patience: Patience,
}

impl AzureLake {
    pub(crate) fn new(service: Arc<BlobServiceClient>, patience: Patience) -> Self {
        Self { service, patience }
    }

    fn blob(&self, path: &BlobPath) -> BlobClient {
        self.service.blob_client(&path.container, &path.path)
    }

    async fn within<T>(&self, doing: &str, call: impl Future<Output = Result<T>>) -> Result<T> {
        self.patience.within("L0503", doing, call).await
    }

    /// One GET. The outer error is the request's, the inner one broke the body off.
    async fn get(&self, path: &BlobPath, range: Range<u64>, if_match: Option<&ETag>) -> azure_core::Result<azure_core::Result<Bytes>> {
        let options = BlobClientDownloadOptions {
            range: Some(HttpRange::from(range)),
            if_match: if_match.map(sdk_etag),
            parallel: Some(NonZero::<usize>::MIN),
            partition_size: Some(NonZero::<usize>::MAX),
            ..BlobClientDownloadOptions::default()
        };
        let mut answer = self.blob(path).download(Some(options)).await?;
        let length = answer.properties.content_length.and_then(|n| usize::try_from(n).ok()).unwrap_or_default();
        let mut bytes = BytesMut::with_capacity(length);
        loop {
            match answer.body.try_next().await {
                Ok(Some(piece)) => bytes.extend_from_slice(&piece),
                Ok(None) => return Ok(Ok(bytes.freeze())),
                Err(error) => return Ok(Err(error)),
            }
        }
    }

    /// The error of a conditional call. A version was asked for, and the service may say "another version" of a blob that is not there.
    async fn blame(&self, path: &BlobPath, doing: &str, error: &azure_core::Error) -> Result<Error> {
        let error = blob_error(doing, error);
        if error.code() == "L0412" && self.head(path).await?.is_none() {
            return Ok(Error::permanent("L0404", format!("could not {doing}: no such blob")));
        }
        Ok(error)
    }

    async fn put(&self, doing: &str, path: &BlobPath, body: Bytes, options: BlobClientUploadOptions<'_>) -> Result<Created> {
        // One request, whatever the size: the SDK's managed upload would stage blocks of its own beside ours.
        let options = BlobClientUploadOptions { partition_size: Some(NonZero::<u64>::MAX), ..options };
        let create_only = options.if_none_match.is_some();
        match self.blob(path).upload(body.into(), Some(options)).await {
            Ok(stored) => Ok(Created::New(etag(doing, stored.etag)?)),
            Err(error) if create_only && already_exists(&error) => Ok(Created::Exists),
            Err(error) => Err(blob_error(doing, &error)),
        }
    }
}

#[async_trait]
impl Lake for AzureLake {
    async fn head(&self, path: &BlobPath) -> Result<Option<BlobInfo>> {
        let doing = format!("look at {path}");
        self.within(&doing, async {
            let found = match self.blob(path).get_properties(None).await {
                Ok(found) => found,
                Err(error) if answer(&error).is_some_and(|a| a.status == 404) => return Ok(None),
                Err(error) => return Err(blob_error(&doing, &error)),
            };
            let sdk = |error: azure_core::Error| blob_error(&doing, &error);
            let metadata = lower_case(found.metadata().map_err(sdk)?);
            if metadata.contains_key(FOLDER) {
                return Ok(None);
            }
            Ok(Some(BlobInfo {
                size: found.content_length().map_err(sdk)?.ok_or_else(|| missing(&doing, "length"))?,
                etag: etag(&doing, found.etag().map_err(sdk)?)?,
                modified: time(&doing, found.last_modified().map_err(sdk)?)?,
                md5: found.content_md5().map_err(sdk)?,
                metadata,
            }))
        })
        .await
    }

    async fn read(&self, path: &BlobPath, range: Range<u64>, if_match: Option<&ETag>) -> Result<Bytes> {
        let doing = format!("read {path}");
        if range.is_empty() {
            let info = self.head(path).await?.ok_or_else(|| Error::permanent("L0404", format!("could not {doing}: no such blob")))?;
            return match if_match {
                Some(expected) if *expected != info.etag => {
                    Err(Error::permanent("L0412", format!("could not {doing}: it has another version")))
                }
                _ => Ok(Bytes::new()),
            };
        }
        let range = range.start..range.end.min(range.start.saturating_add(LONGEST_READ));
        self.within(&doing, async {
            let mut broken = String::new();
            for _ in 0..BODY_TRIES {
                match self.get(path, range.clone(), if_match).await {
                    Ok(Ok(bytes)) => return Ok(bytes),
                    Ok(Err(error)) => broken = root_cause(&error),
                    Err(error) if answer(&error).is_some_and(|a| a.status == 416) => return Ok(Bytes::new()),
                    Err(error) => return Err(self.blame(path, &doing, &error).await?),
                }
            }
            Err(Error::transient("L0503", format!("could not {doing}: the answer broke off {BODY_TRIES} times ({broken})")))
        })
        .await
    }

    async fn create(&self, path: &BlobPath, body: Bytes, metadata: &BTreeMap<String, String>) -> Result<Created> {
        let doing = format!("create {path}");
        let options =
            BlobClientUploadOptions { metadata: Some(metadata.clone().into_iter().collect()), ..BlobClientUploadOptions::default() };
        self.within(&doing, Box::pin(self.put(&doing, path, body, options.if_not_exists()))).await
    }

    async fn stage_block(&self, path: &BlobPath, index: u32, body: Bytes) -> Result<()> {
        let doing = format!("stage block {index} of {path}");
        if index >= MOST_BLOCKS {
            return Err(Error::bug("L0500", format!("could not {doing}: a blob has at most {MOST_BLOCKS} blocks")));
        }
        self.within(&doing, async {
            let length = body.len() as u64;
            let block = self.blob(path).block_blob_client();
            block.stage_block(&block_id(index), length, body.into(), None).await.map_err(|e| blob_error(&doing, &e))?;
            Ok(())
        })
        .await
    }

    async fn commit_blocks(&self, path: &BlobPath, count: u32, metadata: &BTreeMap<String, String>) -> Result<Created> {
        let doing = format!("commit {count} blocks of {path}");
        self.within(&doing, async {
            let blocks = BlockLookupList { latest: Some((0..count).map(block_id).collect()), ..BlockLookupList::default() };
            let blocks = blocks.try_into().map_err(|error: azure_core::Error| blob_error(&doing, &error))?;
            let options = BlockBlobClientCommitBlockListOptions {
                metadata: Some(metadata.clone().into_iter().collect()),
                if_none_match: Some("*".into()),
                ..BlockBlobClientCommitBlockListOptions::default()
            };
            match self.blob(path).block_blob_client().commit_block_list(blocks, Some(options)).await {
                Ok(stored) => Ok(Created::New(etag(&doing, stored.etag().map_err(|e| blob_error(&doing, &e))?)?)),
                Err(error) if already_exists(&error) => Ok(Created::Exists),
                Err(error) => {
                    // A committed blob has no staged blocks any more, and the service may look at them before the condition.
                    let unstaged = answer(&error).is_some_and(|a| a.code == "InvalidBlockList");
                    if unstaged && self.head(path).await?.is_some() { Ok(Created::Exists) } else { Err(blob_error(&doing, &error)) }
                }
            }
        })
        .await
    }

    async fn overwrite(&self, path: &BlobPath, body: Bytes) -> Result<ETag> {
        let doing = format!("write {path}");
        let put = Box::pin(self.put(&doing, path, body, BlobClientUploadOptions::default()));
        match self.within(&doing, put).await? {
            Created::New(etag) => Ok(etag),
            Created::Exists => Err(Error::bug("L0500", format!("could not {doing}: an unconditional write was refused"))),
        }
    }

    async fn list(&self, container: &str, prefix: &str, after: Option<&str>) -> Result<BlobPage> {
        let doing = format!("list {container}/{prefix}");
        self.within(&doing, async {
            let options = BlobContainerClientListBlobsOptions {
                include: Some(vec![ListBlobsIncludeItem::Metadata]),
                marker: after.map(str::to_owned),
                maxresults: Some(PAGE),
                prefix: (!prefix.is_empty()).then(|| prefix.to_owned()),
                ..BlobContainerClientListBlobsOptions::default()
            };
            let listing = async { self.service.blob_container_client(container).list_blobs(Some(options))?.into_pages().try_next().await };
            let page = match listing.await {
                Ok(Some(page)) => page.into_model().map_err(|e| blob_error(&doing, &e))?,
                Ok(None) => return Ok(BlobPage::default()),
                Err(error) if answer(&error).is_some_and(|a| a.code == "ContainerNotFound") => return Ok(BlobPage::default()),
                Err(error) => return Err(blob_error(&doing, &error)),
            };
            let mut blobs = Vec::with_capacity(page.blob_items.len());
            for item in page.blob_items {
                blobs.extend(listed(&doing, container, item)?);
            }
            Ok(BlobPage { blobs, next: page.next_marker.filter(|marker| !marker.is_empty()) })
        })
        .await
    }

    async fn containers(&self, prefix: &str) -> Result<Vec<String>> {
        let doing = format!("list containers {prefix}*");
        self.within(&doing, async {
            let options = BlobServiceClientListContainersOptions {
                prefix: (!prefix.is_empty()).then(|| prefix.to_owned()),
                ..BlobServiceClientListContainersOptions::default()
            };
            let sdk = |error: azure_core::Error| blob_error(&doing, &error);
            let mut pages = self.service.list_containers(Some(options)).map_err(sdk)?.into_pages();
            let mut names = Vec::new();
            while let Some(page) = pages.try_next().await.map_err(sdk)? {
                names.extend(page.into_model().map_err(sdk)?.container_items.into_iter().filter_map(|container| container.name));
            }
            Ok(names)
        })
        .await
    }

    async fn delete(&self, path: &BlobPath, if_match: Option<&ETag>) -> Result<()> {
        let doing = format!("delete {path}");
        self.within(&doing, async {
            let options = BlobClientDeleteOptions {
                delete_snapshots: Some(DeleteSnapshotsOptionType::Include),
                if_match: if_match.map(sdk_etag),
                ..BlobClientDeleteOptions::default()
            };
            match self.blob(path).delete(Some(options)).await {
                Ok(_) => Ok(()),
                Err(error) if answer(&error).is_some_and(|a| a.status == 404) => Ok(()),
                Err(error) => match self.blame(path, &doing, &error).await? {
                    missing if missing.code() == "L0404" => Ok(()),
                    other => Err(other),
                },
            }
        })
        .await
    }

    async fn set_tier(&self, path: &BlobPath, tier: Tier) -> Result<()> {
        let doing = format!("set the tier of {path}");
        self.within(&doing, async {
            let tier = match tier {
                Tier::Hot => AccessTier::Hot,
                Tier::Cool => AccessTier::Cool,
                Tier::Cold => AccessTier::Cold,
                Tier::Archive => AccessTier::Archive,
            };
            self.blob(path).set_tier(tier, None).await.map_err(|error| blob_error(&doing, &error))?;
            Ok(())
        })
        .await
    }
}

/// All ids of a blob must have one length.
fn block_id(index: u32) -> Vec<u8> {
    format!("{index:08}").into_bytes()
}

/// Whether a create-only write found the blob; services differ in the status (the emulator and Put Blob: 409).
fn already_exists(error: &azure_core::Error) -> bool {
    answer(error).is_some_and(|a| (a.status == 409 && a.code == "BlobAlreadyExists") || (a.status == 412 && a.code == "ConditionNotMet"))
}

/// A blob of a listing, or `None` for a directory.
fn listed(doing: &str, container: &str, item: BlobItem) -> Result<Option<(BlobPath, BlobInfo)>> {
    let metadata = lower_case(item.metadata.and_then(|m| m.values).unwrap_or_default());
    if metadata.contains_key(FOLDER) {
        return Ok(None);
    }
    let name = item.name.ok_or_else(|| missing(doing, "name"))?;
    let properties = item.properties.unwrap_or_default();
    let info = BlobInfo {
        size: properties.content_length.ok_or_else(|| missing(doing, "length"))?,
        etag: etag(doing, properties.etag)?,
        modified: time(doing, properties.last_modified)?,
        md5: properties.content_md5.filter(|md5| !md5.is_empty()),
        metadata,
    };
    Ok(Some((BlobPath::new(container, name), info)))
}

fn sdk_etag(etag: &ETag) -> Etag {
    Etag::from(etag.0.as_str())
}

/// Listings give the tag without its quotes, headers with them.
fn etag(doing: &str, found: Option<Etag>) -> Result<ETag> {
    let text = String::from(found.ok_or_else(|| missing(doing, "ETag"))?);
    Ok(ETag(if text.starts_with('"') { text } else { format!("\"{text}\"") }))
}

fn time(doing: &str, found: Option<OffsetDateTime>) -> Result<DateTime<Utc>> {
    found.and_then(|time| DateTime::from_timestamp(time.unix_timestamp(), 0)).ok_or_else(|| missing(doing, "time of the last change"))
}

fn missing(doing: &str, what: &str) -> Error {
    Error::bug("L0500", format!("could not {doing}: storage gave no {what}"))
}

fn lower_case(metadata: impl IntoIterator<Item = (String, String)>) -> BTreeMap<String, String> {
    metadata.into_iter().map(|(name, value)| (name.to_lowercase(), value)).collect()
}

#[cfg(test)]
mod tests;
