//! Seal: the raw copy becomes one unchangeable blob, is checked against what was declared, and is planned in chunks.

use std::{collections::BTreeMap, sync::Arc};

use futures::TryStreamExt as _;
use serde_json::json;
use sluice_contract::Plan;
use sluice_engine::{Chunk, ChunkPlanner, Code, HeaderEnd, HeaderInfo, Splitting, parquet_chunks, read_header};

use super::{Begin, begin, messages};
use crate::{
    Committed, Context, Created, Error, Message, Outputs, Result, SubmissionId, Write,
    audit::{self, Actor, Change},
    cpu, digest,
    integrity::{BLOCK, merge},
    layout, parquet_footer,
    raw::Raw,
    run::{Content, Run, State},
    segments::{self, Segment},
};

/// Most segments whose digests one invocation catches up with before it hands over to a message of its own.
const CATCH_UP: u32 = 32;

/// Commits the raw copy, checks it, plans chunks and starts their transforms.
///
/// # Errors
/// [`crate::Kind::Refused`] `J0201` to `J0204` if size or a checksum is not what was declared, or the engine's code if the file is not what
/// the pipeline takes; those of lake and catalog.
pub async fn run(context: &Context, message: Message) -> Result<Outputs> {
    let read = match begin(context, &message, State::Sealing).await? {
        Begin::Work(read) => read,
        Begin::Later(run) if is_next(&run) => return messages(context, &run).await,
        Begin::Later(_) => return Ok(Outputs::none()),
        Begin::Over(outputs) => return Ok(outputs),
    };
    let run = &read.run;
    let segments = segments::all(context, run).await?;
    let raw = Raw::with(run, &segments)?;
    let blake3 = merge(raw.values(), run.source.size).filter(|_| segments.iter().map(|s| s.bytes).sum::<u64>() == run.source.size);
    let blake3 = blake3
        .ok_or_else(|| Error::bug("J0505", format!("the segments of run {} do not make up its file", run.run_id)))?
        .to_hex()
        .to_string();
    commit(context, run, &blake3).await?;
    let Some((sha256, md5)) = digests(context, run, &raw).await? else {
        return Ok(Outputs::one(message));
    };
    check_declared(run, &blake3, &sha256, md5.as_deref())?;
    let repeats = repeats(context, run, &blake3).await?;
    let compiled = context.plans.of_run(context, run).await?;
    let (header, chunks) = plan(context, run, compiled.plan(), &raw, &segments).await?;
    layout::store_plan(context, &run.run_id, &chunks).await?;
    let identity = Content { blake3, sha256, repeats };
    let run = audit::update_read(context, &read, |run| {
        if run.state != State::Sealing {
            return Ok(None);
        }
        run.content = Some(identity.clone());
        run.header = header.as_ref().and_then(|h| h.names.clone());
        run.chunks = chunks.len() as u32;
        run.state = if chunks.is_empty() { State::Gathering } else { State::Transforming };
        let detail = json!({ "blake3": identity.blake3, "sha256": identity.sha256, "repeats": identity.repeats, "chunks": run.chunks });
        Ok(Some(Change { actor: Actor::step("seal"), action: "run.sealed", detail, writes: Vec::new() }))
    })
    .await?;
    if is_next(&run) { messages(context, &run).await } else { Ok(Outputs::none()) }
}

/// Whether the run is where seal left it.
fn is_next(run: &Run) -> bool {
    run.generation == 0 && (run.state == State::Transforming || run.state == State::Gathering && run.chunks == 0)
}

/// Makes the staged blocks one blob. If it is there, an earlier attempt made it.
async fn commit(context: &Context, run: &Run, blake3: &str) -> Result<()> {
    let metadata = BTreeMap::from([("run".to_owned(), run.run_id.to_string()), ("blake3".to_owned(), blake3.to_owned())]);
    let blocks = run.source.size.div_ceil(run.piece_bytes) as u32;
    let path = run.raw();
    if context.lake.commit_blocks(&path, blocks, &metadata).await? == Created::Exists {
        let found = context.lake.head(&path).await?.map(|info| info.size);
        if found != Some(run.source.size) {
            let message = format!("expected {} bytes in {path}, found {found:?}: reprocess the submission", run.source.size);
            return Err(Error::permanent("I0004", message));
        }
    }
    Ok(())
}

/// SHA-256 and MD5 of the file. Segments that were moved out of order are read again, verified; `None` if too many are left for this invocation.
async fn digests(context: &Context, run: &Run, raw: &Raw) -> Result<Option<(String, Option<String>)>> {
    let (start, mut digests, etag) = digest::load(context, run).await?.into_parts();
    let end = run.segments.min(start + CATCH_UP);
    if start < end {
        let bytes = segments::range(run, start).start..segments::range(run, end - 1).end;
        let mut pieces = std::pin::pin!(raw.pieces(context, bytes));
        let mut ahead = pieces.try_next().await?;
        while let Some(bytes) = ahead {
            let (fed, next) = tokio::join!(
                cpu::run(bytes.len(), move || {
                    digests.update(&bytes);
                    digests
                }),
                pieces.try_next()
            );
            digests = fed?;
            ahead = next?;
        }
        // If somebody else was faster, the next message finds where they got to; the result here is right all the same.
        digest::store(context, &run.run_id, end, &digests, etag).await?;
    }
    Ok((end == run.segments).then(|| digests.finish()))
}

fn check_declared(run: &Run, blake3: &str, sha256: &str, md5: Option<&str>) -> Result<()> {
    let declared = &run.source.declared;
    let size = run.source.size.to_string();
    let checks = [
        ("J0201", "size in bytes", declared.size.map(|s| s.to_string()), Some(size.as_str())),
        ("J0202", "SHA-256", declared.sha256.clone(), Some(sha256)),
        ("J0203", "MD5", declared.md5.clone(), md5),
        ("J0204", "BLAKE3", declared.blake3.clone(), Some(blake3)),
    ];
    for (code, name, declared, found) in checks {
        if let Some(declared) = declared
            && found != Some(declared.as_str())
        {
            let found = found.unwrap_or("none");
            return Err(Error::refused(code, format!("the declared {name} is {declared}, the file's is {found}: upload the file again")));
        }
    }
    Ok(())
}

/// The first submission of this partner with the same bytes, if this is not it.
async fn repeats(context: &Context, run: &Run, blake3: &str) -> Result<Option<SubmissionId>> {
    let partition = format!("content:{}:{blake3}", run.partner);
    let first = json!({ "submission": run.submission, "at": context.now() });
    let write = Write::Create { id: "content".to_owned(), kind: "content", body: first };
    if context.catalog.commit(&partition, vec![write]).await? == Committed::Done {
        return Ok(None);
    }
    let document = context.catalog.get(&partition, "content").await?;
    let document = document.ok_or_else(|| Error::transient("J0411", format!("{partition} is not there yet")))?;
    let first = document.body["submission"].as_str().unwrap_or_default().to_owned();
    let first = SubmissionId::try_from(first).map_err(|e| Error::bug("K0502", format!("{partition} names no submission")).because(e))?;
    Ok((first != run.submission).then_some(first))
}

async fn plan(context: &Context, run: &Run, plan: &Plan, raw: &Raw, segments: &[Segment]) -> Result<(Option<HeaderInfo>, Vec<Chunk>)> {
    let size = run.source.size;
    match run.splitting {
        Some(Splitting::Records) => {
            let header = header(context, run, plan, raw).await?;
            let chunks = plan_records(context, plan, raw, segments, HeaderEnd::from(&header), size).await?;
            Ok((Some(header), chunks))
        }
        Some(Splitting::Whole) => Ok((None, vec![Chunk { start: 0, end: size, first_row: 0, first_line: 1, row_groups: Vec::new() }])),
        Some(Splitting::RowGroups) => {
            let footer: Arc<[u8]> = parquet_footer::read(context, raw, size).await?;
            Ok((None, parquet_chunks(plan, &footer, size, context.sizes.chunk_bytes)?))
        }
        None => Err(Error::bug("J0504", format!("run {} has no pipeline", run.run_id))),
    }
}

/// The header, from the first block, or from as much as the longest row allowed.
async fn header(context: &Context, run: &Run, plan: &Plan, raw: &Raw) -> Result<HeaderInfo> {
    let size = run.source.size;
    let most = plan.pipeline.limits.row_bytes.max(BLOCK).min(size);
    let first = raw.read(context, 0..BLOCK.min(most)).await?;
    match read_header(plan, &first, first.len() as u64 == size) {
        Err(refusal) if refusal.code == Code::HeaderTooLong && (first.len() as u64) < most => {
            let more = raw.read(context, 0..most).await?;
            Ok(read_header(plan, &more, more.len() as u64 == size)?)
        }
        other => Ok(other?),
    }
}

async fn plan_records(context: &Context, plan: &Plan, raw: &Raw, segments: &[Segment], start: HeaderEnd, size: u64) -> Result<Vec<Chunk>> {
    let mut planner = ChunkPlanner::new(plan, start, context.sizes.chunk_bytes);
    for segment in segments {
        let notes = segment.notes.as_ref().ok_or_else(|| Error::bug("J0506", format!("segment {} has no notes", segment.index)))?;
        let Some(again) = planner.push(segment.bytes, notes) else { continue };
        let mut scanner = again.scanner(plan);
        let mut pieces = std::pin::pin!(raw.pieces(context, again.from..again.to));
        while let Some(bytes) = pieces.try_next().await? {
            scanner = cpu::run(bytes.len(), move || {
                scanner.feed(&bytes);
                scanner
            })
            .await?;
        }
        planner.rescanned(&scanner.finish());
    }
    Ok(planner.finish(size))
}
