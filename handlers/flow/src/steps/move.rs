//! Move: one segment from landing to raw, read under the version that the run was admitted for.

use bytes::Bytes;
use sluice_engine::{HeaderEnd, Scanner, SegmentNotes, Splitting, read_header};

use super::{Begin, begin, messages};
use crate::{
    Context, Error, Message, Outputs, Result, Step, Write,
    audit::{self, Actor, Change},
    catalog::body,
    cpu,
    digest::{self, Digests},
    fanin,
    integrity::{BlockHasher, BlockValue},
    run::{Run, State},
    segments::{self, Segment},
};

/// Copies the segment `message.first`, unless that was done before; the last one to be done starts the seal.
///
/// # Errors
/// [`crate::Kind::Refused`] `J0101` or `J0102` if the landing blob was overwritten or removed; those of lake and catalog.
pub async fn run(context: &Context, message: Message) -> Result<Outputs> {
    let read = match begin(context, &message, State::Moving).await? {
        Begin::Work(read) => read,
        Begin::Later(run) if run.state == State::Sealing => return messages(context, &run).await,
        Begin::Later(_) => return Ok(Outputs::none()),
        Begin::Over(outputs) => return Ok(outputs),
    };
    let run = &read.run;
    let index = message.first;
    if index >= run.segments {
        return Err(Error::bug("M0004", format!("run {} has {} segments, found a message for segment {index}", run.run_id, run.segments)));
    }
    if context.catalog.get(&run.run_id.partition(), &Segment::document_id(index)).await?.is_none() {
        copy(context, run, index).await?;
    }
    if !fanin::done(context, &run.run_id, Step::Move, 0, run.segments, index).await? {
        return Ok(Outputs::none());
    }
    let run = audit::update_read(context, &read, |run| {
        if run.state != State::Moving {
            return Ok(None);
        }
        run.state = State::Sealing;
        let detail = serde_json::json!({ "segments": run.segments });
        Ok(Some(Change { actor: Actor::step("move"), action: "run.moved", detail, writes: Vec::new() }))
    })
    .await?;
    // A run that others took further needs no message from here.
    if run.state == State::Sealing { messages(context, &run).await } else { Ok(Outputs::none()) }
}

/// What is worked out from the bytes on their way.
struct Work {
    hasher: BlockHasher,
    scanner: Option<Scanner>,
    digests: Option<Digests>,
}

impl Work {
    fn feed(mut self, bytes: &[u8]) -> Self {
        self.hasher.update(bytes);
        if let Some(scanner) = &mut self.scanner {
            scanner.feed(bytes);
        }
        if let Some(digests) = &mut self.digests {
            digests.update(bytes);
        }
        self
    }
}

async fn copy(context: &Context, run: &Run, index: u32) -> Result<()> {
    let _place = context.places.segment().await?;
    let range = segments::range(run, index);
    // The first segment needs nothing from before: if somebody began the chain already, what is stored here loses, and that is as good.
    let chain = if index == 0 { digest::Chain::new(run) } else { digest::load(context, run).await? };
    let (next, digests, etag) = chain.into_parts();
    let pieces: Vec<_> =
        range.clone().step_by(run.piece_bytes as usize).map(|start| start..(start + run.piece_bytes).min(range.end)).collect();
    let mut blocks = (range.start / run.piece_bytes) as u32..;
    let mut ahead = Some(read(context, run, pieces[0].clone()).await?);
    let mut work = Work {
        hasher: BlockHasher::new(range.start, run.source.size),
        scanner: scanner(context, run, index, ahead.as_ref()).await?,
        digests: (next == index).then_some(digests),
    };
    let mut later = pieces.into_iter().skip(1);
    while let Some(bytes) = ahead {
        let (block, next) = (blocks.next().unwrap_or_default(), later.next());
        let raw = run.raw();
        let stage = context.lake.stage_block(&raw, block, bytes.clone());
        let crunch = cpu::run(bytes.len(), move || work.feed(&bytes));
        let read_ahead = async {
            match next {
                Some(range) => read(context, run, range).await.map(Some),
                None => Ok(None),
            }
        };
        let (staged, crunched, read) = tokio::join!(stage, crunch, read_ahead);
        staged?;
        work = crunched?;
        ahead = read?;
    }
    let Work { hasher, scanner, digests } = work;
    note(context, run, index, &hasher.finish(), scanner.map(Scanner::finish)).await?;
    if let Some(digests) = digests {
        digest::store(context, &run.run_id, index + 1, &digests, etag).await?;
    }
    Ok(())
}

async fn read(context: &Context, run: &Run, range: std::ops::Range<u64>) -> Result<Bytes> {
    let source = &run.source;
    let bytes = context.lake.read(&source.blob, range.clone(), Some(&source.etag)).await.map_err(|error| match error.code() {
        "L0412" => Error::refused("J0101", "the file was overwritten during its run: the new version has a run of its own").because(error),
        "L0404" => Error::refused("J0102", "the file was removed during its run: upload it again").because(error),
        _ => error,
    })?;
    let expected = range.end - range.start;
    if bytes.len() as u64 != expected {
        return Err(Error::transient(
            "J0104",
            format!("expected {expected} bytes at offset {} of {}, found {}", range.start, source.blob, bytes.len()),
        ));
    }
    Ok(bytes)
}

/// A scanner, if the file is to be cut at records. Where the first piece shows the whole header, scanning starts after it, which is cheaper;
/// whether the header is as it must be is for seal to say.
async fn scanner(context: &Context, run: &Run, index: u32, first: Option<&Bytes>) -> Result<Option<Scanner>> {
    if run.splitting != Some(Splitting::Records) {
        return Ok(None);
    }
    let compiled = context.plans.of_run(context, run).await?;
    let plan = compiled.plan();
    let whole = first.is_some_and(|bytes| bytes.len() as u64 == run.source.size);
    let header = first.filter(|_| index == 0).and_then(|bytes| read_header(plan, bytes, whole).ok());
    Ok(Some(match header {
        Some(info) => Scanner::after_header(plan, HeaderEnd::from(&info)),
        None => Scanner::new(plan),
    }))
}

async fn note(context: &Context, run: &Run, index: u32, values: &[BlockValue], notes: Option<SegmentNotes>) -> Result<()> {
    let range = segments::range(run, index);
    let segment = Segment::new(index, range.end - range.start, values, notes);
    let write = Write::Create { id: Segment::document_id(index), kind: "segment", body: body(&segment)? };
    // A conflict means that the same message was worked on twice at once: both found the same.
    context.catalog.commit(&run.run_id.partition(), vec![write]).await.map(drop)
}
