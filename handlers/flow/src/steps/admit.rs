//! Admit: an upload becomes a run. The same version of the same blob is one run, however often, late or out of order its events come.

use serde_json::{Value, json};
use sluice_engine::{Code, splittable};

use super::{begin::receipt, messages};
use crate::{
    BlobInfo, BlobPath, Context, ETag, Error, Kind, Outputs, Query, Result, SubmissionId,
    audit::{self, Actor},
    grant::{Grant, Scope},
    lake::{LANDING_PREFIX, RAW},
    pipelines,
    run::{AuditHead, Declared, Failure, Pinned, RUN_DOCUMENT, Run, Source, State},
};

/// An upload as Event Grid (or the sweep) tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobEvent {
    /// The operation, such as `PutBlob`, `PutBlockList`, `sweep`.
    pub api: String,
    /// The landing blob.
    pub blob: BlobPath,
    /// Its version at the time of the event.
    pub etag: Option<ETag>,
    /// Its size at the time of the event.
    pub size: Option<u64>,
}

/// Operations after which a blob is complete. `CreateFile` and `SftpCreate` come before its content; so do the pieces of append blobs.
/// <https://learn.microsoft.com/azure/event-grid/event-schema-blob-storage>
const COMPLETE: [&str; 7] = ["PutBlob", "PutBlockList", "CopyBlob", "PutBlobFromURL", "PutBlobFromUrl", "FlushWithClose", "SftpCommit"];

impl BlobEvent {
    /// Reads an event of the Event Grid schema or of `CloudEvents` 1.0. `None` if it is not about a complete upload to a landing container.
    ///
    /// # Errors
    /// [`Kind::Bug`] `M0005` if it is said to be such an event but lacks what one has.
    pub fn from_event_grid(event: &Value) -> Result<Option<Self>> {
        let kind = event.get("eventType").or_else(|| event.get("type")).and_then(Value::as_str).unwrap_or_default();
        if kind != "Microsoft.Storage.BlobCreated" {
            return Ok(None);
        }
        let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let missing = |name: &str| Error::bug("M0005", format!("a BlobCreated event has no {name}"));
        let data = event.get("data").ok_or_else(|| missing("data"))?;
        let api = text(data, "api").ok_or_else(|| missing("data.api"))?;
        let subject = text(event, "subject").ok_or_else(|| missing("subject"))?;
        let place = subject.split_once("/containers/").and_then(|(_, rest)| rest.split_once("/blobs/"));
        let (container, path) = place.ok_or_else(|| missing("container and blob in its subject"))?;
        let is_append = text(data, "blobType").is_some_and(|t| t == "AppendBlob");
        if !COMPLETE.contains(&api.as_str()) || is_append || partner_of(container).is_none() {
            return Ok(None);
        }
        let etag = text(data, "eTag").or_else(|| text(data, "etag")).map(|e| quoted(&e));
        let size = data.get("contentLength").and_then(Value::as_u64);
        Ok(Some(Self { api, blob: BlobPath::new(container, path), etag, size }))
    }
}

/// An `ETag` with its quotes: events come without, HEAD answers with them.
pub(crate) fn quoted(etag: &str) -> ETag {
    ETag(if etag.starts_with('"') { etag.to_owned() } else { format!("\"{etag}\"") })
}

/// The partner whose landing container this is.
pub fn partner_of(container: &str) -> Option<&str> {
    container.strip_prefix(LANDING_PREFIX).filter(|p| !p.is_empty())
}

/// Makes a run of the blob's version, unless there is one.
///
/// # Errors
/// Those of lake and catalog. A file that cannot be taken is no error: it has a run that says why.
pub async fn run(context: &Context, event: &BlobEvent) -> Result<Outputs> {
    let Some(partner) = partner_of(&event.blob.container) else {
        return Err(Error::bug("M0005", format!("{} is no landing blob", event.blob)));
    };
    let named = event.etag.as_ref().map(|e| quoted(&e.0));
    if let Some(etag) = &named
        && let Some(outputs) = again(context, &event.blob, etag).await?
    {
        return Ok(outputs);
    }
    let found = context.lake.head(&event.blob).await?.map(|info| BlobInfo { etag: quoted(&info.etag.0), ..info });
    let mut outputs = Vec::new();
    if let Some(etag) = named.filter(|etag| found.as_ref().is_none_or(|info| info.etag != *etag)) {
        outputs.extend(gone(context, partner, event, etag, found.is_some()).await?.0);
    }
    if let Some(info) = found {
        match again(context, &event.blob, &info.etag).await? {
            Some(earlier) => outputs.extend(earlier.0),
            None => outputs.extend(admit(context, partner, event, &info).await?.0),
        }
    }
    Ok(Outputs(outputs))
}

/// What to send if the version has a run: the first messages again, if it may not have got them.
async fn again(context: &Context, blob: &BlobPath, etag: &ETag) -> Result<Option<Outputs>> {
    let id = SubmissionId::of(blob, etag).run(1);
    let Some(document) = context.catalog.get(&id.partition(), RUN_DOCUMENT).await? else {
        return Ok(None);
    };
    let run: Run = document.parse()?;
    Ok(Some(match run.state {
        State::Moving => messages(context, &run).await?,
        state if state.is_terminal() => receipt(&run),
        _ => Outputs::none(),
    }))
}

/// A run for a version that cannot be read any more.
async fn gone(context: &Context, partner: &str, event: &BlobEvent, etag: ETag, replaced: bool) -> Result<Outputs> {
    let source = Source { blob: event.blob.clone(), etag, size: event.size.unwrap_or_default(), declared: Declared::default() };
    let error = if replaced {
        Error::refused("A0003", "the file was overwritten before it could be read: the new version has a run of its own")
    } else {
        Error::refused("A0004", "the file was removed before it could be read: upload it again")
    };
    create(context, refused(draft(context, partner, source), &error), event).await
}

async fn admit(context: &Context, partner: &str, event: &BlobEvent, info: &BlobInfo) -> Result<Outputs> {
    let source = Source { blob: event.blob.clone(), etag: info.etag.clone(), size: info.size, declared: Declared::default() };
    let mut run = draft(context, partner, source);
    match prepare(context, &mut run, info).await {
        Ok(()) => {}
        Err(error) if matches!(error.kind(), Kind::Refused | Kind::Permanent) => run = refused(run, &error),
        Err(error) => return Err(error),
    }
    create(context, run, event).await
}

/// Finds out everything that the run needs.
async fn prepare(context: &Context, run: &mut Run, info: &BlobInfo) -> Result<()> {
    let (blob, size) = (run.source.blob.clone(), run.source.size);
    let Some((pinned, compiled)) = pipelines::find(context, &run.partner, &run.path).await? else {
        let paths = pipelines::paths_of(context, &run.partner).await?;
        return Err(if paths.is_empty() {
            Error::refused("A0001", format!("no pipeline takes files of partner {}", run.partner))
        } else {
            Error::refused(
                "A0002",
                format!("no pipeline of partner {} takes {}; there are pipelines for: {}", run.partner, run.path, paths.join(", ")),
            )
        });
    };
    pin(run, pinned);
    if size == 0 {
        return Err(Error::refused(Code::EmptyFile.as_str(), "the file has no bytes: upload it again"));
    }
    let grant = grant(context, run).await?;
    run.source.declared = declared(info, grant.as_ref())?;
    // A later attempt repairs what the first one did: its grant may have expired.
    run.fixes = run.fixes.take().or_else(|| grant.and_then(|grant| grant.fixes));
    (run.segment_bytes, run.piece_bytes) = sizes(context, size)?;
    run.segments = size.div_ceil(run.segment_bytes) as u32;
    let first = context.lake.read(&blob, 0..64, Some(&info.etag)).await.map_err(|error| match error.code() {
        // The event of what happened comes, or the sweep finds it: here the run only says what became of this version.
        "L0412" => {
            Error::refused("A0003", "the file was overwritten before it could be read: the new version has a run of its own").because(error)
        }
        "L0404" => Error::refused("A0004", "the file was removed before it could be read: upload it again").because(error),
        _ => error,
    })?;
    run.splitting = Some(splittable(compiled.plan(), &first, &run.path));
    Ok(())
}

/// The next attempt of a run, with what is live now: it reads `source`, which has the bytes of the earlier one.
pub(crate) async fn attempt(context: &Context, earlier: &Run, source: Source, info: &BlobInfo) -> Result<Run> {
    let declared = source.declared.clone();
    let mut run = draft(context, &earlier.partner, source);
    run.submission = earlier.submission.clone();
    run.attempt = earlier.attempt + 1;
    run.run_id = run.submission.run(run.attempt);
    run.path.clone_from(&earlier.path);
    run.fixes.clone_from(&earlier.fixes);
    match prepare(context, &mut run, info).await {
        Ok(()) => {}
        Err(error) if matches!(error.kind(), Kind::Refused | Kind::Permanent) => run = refused(run, &error),
        Err(error) => return Err(error),
    }
    if run.source.blob.container == RAW {
        // The copy is checked against what was received.
        run.source.declared = declared;
    }
    Ok(run)
}

fn pin(run: &mut Run, pinned: Pinned) {
    run.pipeline = Some(pinned.pipeline.clone());
    run.pinned = Some(pinned);
}

/// A run that is about to move.
fn draft(context: &Context, partner: &str, source: Source) -> Run {
    let submission = SubmissionId::of(&source.blob, &source.etag);
    let now = context.now();
    Run {
        run_id: submission.run(1),
        submission,
        attempt: 1,
        partner: partner.to_owned(),
        pipeline: None,
        path: source.blob.path.clone(),
        fixes: None,
        pinned: None,
        source,
        state: State::Moving,
        created_at: now.clone(),
        updated_at: now,
        segments: 0,
        segment_bytes: context.sizes.segment_bytes,
        piece_bytes: context.sizes.piece_bytes,
        splitting: None,
        content: None,
        chunks: 0,
        header: None,
        generation: 0,
        counts: None,
        open_cases: 0,
        cases: 0,
        review_closed: false,
        table_version: None,
        failure: None,
        receipt: false,
        dead_letter: None,
        audit: AuditHead { seq: 0, hash: audit::GENESIS.to_owned() },
    }
}

fn refused(mut run: Run, error: &Error) -> Run {
    run.state = if error.kind() == Kind::Refused { State::Rejected } else { State::Failed };
    run.failure = Some(Failure {
        code: error.code().to_owned(),
        message: error.chain(),
        step: "admit".to_owned(),
        line: error.line(),
        offset: error.offset(),
    });
    run
}

async fn create(context: &Context, run: Run, event: &BlobEvent) -> Result<Outputs> {
    let action = match run.state {
        State::Rejected => "run.rejected",
        State::Failed => "run.failed",
        _ => "run.admitted",
    };
    let pipeline =
        run.pinned.as_ref().map(|p| json!({ "name": p.pipeline, "version": p.pipeline_version, "parameters": p.parameters_version }));
    let code = run.failure.as_ref().map(|f| f.code.clone());
    let detail = json!({ "api": event.api, "etag": run.source.etag.0, "size": run.source.size, "pipeline": pipeline, "code": code });
    let outputs = messages(context, &run).await?;
    if audit::create(context, run.clone(), Actor::step("admit"), action, detail).await? {
        return Ok(outputs);
    }
    // The same event came twice at once.
    Ok(again(context, &run.source.blob, &run.source.etag).await?.unwrap_or_default())
}

/// Most blocks of a blob. <https://learn.microsoft.com/rest/api/storageservices/put-block-list>
const MOST_BLOCKS: u64 = 50_000;
/// Largest piece: three of them are in memory at once.
const LARGEST_PIECE: u64 = 64 << 20;

/// Bytes of a segment and of a piece for a file of `size` bytes: as set up, or larger where its blocks would be too many.
fn sizes(context: &Context, size: u64) -> Result<(u64, u64)> {
    let mut piece = context.sizes.piece_bytes;
    while size.div_ceil(piece) > MOST_BLOCKS {
        piece *= 2;
    }
    if piece > LARGEST_PIECE.max(context.sizes.piece_bytes) {
        let most = MOST_BLOCKS * LARGEST_PIECE;
        return Err(Error::refused("A0007", format!("a file has at most {most} bytes, found {size}: split it")));
    }
    Ok((context.sizes.segment_bytes.max(piece), piece))
}

/// Checksums and size that the partner declared: in the blob's metadata, its Content-MD5, and the newest grant for exactly this path.
fn declared(info: &BlobInfo, grant: Option<&Grant>) -> Result<Declared> {
    let metadata = |name: &str| info.metadata.get(name).map(String::as_str);
    let mut declared = Declared {
        md5: checksum("md5", metadata("md5"), 32)?,
        sha256: checksum("sha256", metadata("sha256"), 64)?,
        blake3: checksum("blake3", metadata("blake3"), 64)?,
        size: None,
    };
    let property = Declared { md5: info.md5.as_ref().map(hex::encode), ..Declared::default() };
    join(&mut declared, property)?;
    if let Some(grant) = grant {
        join(&mut declared, grant.declared.clone())?;
    }
    Ok(declared)
}

fn checksum(name: &str, text: Option<&str>, digits: usize) -> Result<Option<String>> {
    let Some(text) = text else { return Ok(None) };
    let text = text.trim().to_ascii_lowercase();
    if text.len() == digits && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(Some(text));
    }
    Err(Error::refused(
        "A0006",
        format!("metadata {name} is to be {digits} hex digits, found {} characters: upload the file again", text.len()),
    ))
}

fn join(declared: &mut Declared, more: Declared) -> Result<()> {
    fn one<T: PartialEq>(name: &str, to: &mut Option<T>, from: Option<T>) -> Result<()> {
        match (&to, from) {
            (Some(a), Some(b)) if *a != b => {
                Err(Error::refused("A0008", format!("the {name} is declared twice, with different values: upload the file again")))
            }
            (None, from) => {
                *to = from;
                Ok(())
            }
            _ => Ok(()),
        }
    }
    one("MD5", &mut declared.md5, more.md5)?;
    one("SHA-256", &mut declared.sha256, more.sha256)?;
    one("BLAKE3", &mut declared.blake3, more.blake3)?;
    one("size", &mut declared.size, more.size)
}

/// The newest grant for exactly this path that has not expired.
async fn grant(context: &Context, run: &Run) -> Result<Option<Grant>> {
    let partition = Some(format!("partner:{}", run.partner));
    let equals = vec![("path", Value::from(run.path.as_str()))];
    let mut query = Query { kind: "grant", partition, equals, order: Some(("created_at", true)), limit: 100, ..Query::default() };
    let now = context.now();
    loop {
        let page = context.catalog.query(&query).await?;
        for document in &page.documents {
            let grant: Grant = document.parse()?;
            let is_it = matches!(&grant.scope, Scope::File { path } if *path == run.path);
            if is_it && grant.expires_at > now {
                return Ok(Some(grant));
            }
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(None),
        }
    }
}
