//! The lake as an `ObjectStore`, as far as Delta needs one: its log is read, listed and appended to, and checkpoints are written.
//! Data files never pass through here.

use std::{fmt, ops::Range, sync::Arc};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::{StreamExt as _, TryStreamExt as _, stream, stream::BoxStream};
use object_store::{
    Attributes, CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UploadPart, path::Path,
};

use crate::{BlobInfo, BlobPath, Created, Lake};

const STORE: &str = "lake";

/// One container of the lake.
#[derive(Clone)]
pub(crate) struct LakeStore {
    lake: Arc<dyn Lake>,
    container: &'static str,
}

impl LakeStore {
    /// The container as a store.
    pub(crate) fn new(lake: Arc<dyn Lake>, container: &'static str) -> Self {
        Self { lake, container }
    }

    fn blob(&self, location: &Path) -> BlobPath {
        BlobPath::new(self.container, location.as_ref())
    }
}

impl fmt::Debug for LakeStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LakeStore({})", self.container)
    }
}

impl fmt::Display for LakeStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.container)
    }
}

/// Only checkpoints and the hint that names the newest may be written twice: every writer of a version writes the same content.
fn may_overwrite(location: &Path) -> bool {
    let name = location.filename().unwrap_or_default();
    location.as_ref().contains("_delta_log/") && (name == "_last_checkpoint" || name.contains(".checkpoint") || name.ends_with(".crc"))
}

fn generic(error: crate::Error) -> Error {
    Error::Generic { store: STORE, source: Box::new(error) }
}

fn unsupported(what: &str) -> Error {
    Error::NotSupported { source: format!("{what} is not needed by the log of a table").into() }
}

fn meta(path: Path, info: &BlobInfo) -> ObjectMeta {
    ObjectMeta { location: path, last_modified: info.modified, size: info.size, e_tag: Some(info.etag.0.clone()), version: None }
}

fn joined(payload: &PutPayload) -> Bytes {
    match payload.as_ref() {
        [one] => one.clone(),
        parts => parts
            .iter()
            .fold(BytesMut::with_capacity(payload.content_length()), |mut all, part| {
                all.extend_from_slice(part);
                all
            })
            .freeze(),
    }
}

#[async_trait]
impl ObjectStore for LakeStore {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let (blob, body) = (self.blob(location), joined(&payload));
        let etag = match options.mode {
            PutMode::Create => match self.lake.create(&blob, body, &std::collections::BTreeMap::new()).await.map_err(generic)? {
                Created::New(etag) => etag,
                Created::Exists => return Err(Error::AlreadyExists { path: location.to_string(), source: "somebody was faster".into() }),
            },
            PutMode::Overwrite if may_overwrite(location) => self.lake.overwrite(&blob, body).await.map_err(generic)?,
            PutMode::Overwrite | PutMode::Update(_) => return Err(unsupported("replacing a file that is no checkpoint")),
        };
        Ok(PutResult { e_tag: Some(etag.0), version: None })
    }

    async fn put_multipart_opts(&self, location: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        if !may_overwrite(location) {
            return Err(unsupported("a large file that is no checkpoint"));
        }
        Ok(Box::new(Gathered { store: self.clone(), location: location.clone(), body: BytesMut::new() }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let blob = self.blob(location);
        let info = self.lake.head(&blob).await.map_err(generic)?;
        let info = info.ok_or_else(|| Error::NotFound { path: location.to_string(), source: "no such blob".into() })?;
        let meta = meta(location.clone(), &info);
        options.check_preconditions(&meta)?;
        let range: Range<u64> = match &options.range {
            Some(range) => range.as_range(meta.size).map_err(|e| Error::Generic { store: STORE, source: Box::new(e) })?,
            None => 0..meta.size,
        };
        let body = if options.head || range.is_empty() {
            Bytes::new()
        } else {
            self.lake.read(&blob, range.clone(), Some(&info.etag)).await.map_err(generic)?
        };
        let payload = GetResultPayload::Stream(stream::once(async move { Ok(body) }).boxed());
        Ok(GetResult { payload, meta, range, attributes: Attributes::default() })
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        locations.map(|_| Err(unsupported("removing a file"))).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let store = self.clone();
        let prefix = prefix.filter(|p| !p.as_ref().is_empty()).map_or_else(String::new, |p| format!("{p}/"));
        stream::try_unfold(Some(None::<String>), move |after| {
            let (store, prefix) = (store.clone(), prefix.clone());
            async move {
                let Some(after) = after else { return Ok(None) };
                let page = store.lake.list(store.container, &prefix, after.as_deref()).await.map_err(generic)?;
                let entries: Vec<_> = page.blobs.into_iter().map(|(blob, info)| Ok(meta(Path::parse(blob.path)?, &info))).collect();
                Ok::<_, Error>(Some((stream::iter(entries), page.next.map(Some))))
            }
        })
        .try_flatten()
        .boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let root = prefix.cloned().unwrap_or_default();
        let (mut objects, mut common_prefixes) = (Vec::new(), Vec::<Path>::new());
        let mut entries = self.list(prefix);
        while let Some(entry) = entries.try_next().await? {
            let mut below = entry.location.prefix_match(&root).into_iter().flatten();
            match (below.next(), below.next()) {
                (Some(folder), Some(_)) => {
                    let folder = root.clone().join(folder);
                    if common_prefixes.last() != Some(&folder) {
                        common_prefixes.push(folder);
                    }
                }
                _ => {
                    drop(below);
                    objects.push(entry);
                }
            }
        }
        Ok(ListResult { common_prefixes, objects })
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(unsupported("copying a file"))
    }
}

/// A large checkpoint. It is put together in memory and written in one request, so that two writers of the same version cannot mix
/// their blocks.
#[derive(Debug)]
struct Gathered {
    store: LakeStore,
    location: Path,
    body: BytesMut,
}

#[async_trait]
impl MultipartUpload for Gathered {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        for part in &data {
            self.body.extend_from_slice(part);
        }
        Box::pin(std::future::ready(Ok(())))
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let body = std::mem::take(&mut self.body).freeze();
        let etag = self.store.lake.overwrite(&self.store.blob(&self.location), body).await.map_err(generic)?;
        Ok(PutResult { e_tag: Some(etag.0), version: None })
    }

    async fn abort(&mut self) -> Result<()> {
        self.body.clear();
        Ok(())
    }
}
