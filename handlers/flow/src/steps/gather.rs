//! Gather: what only the whole run can tell: repeated keys, quality rules, limits, and the proof that every row has one outcome.

use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::json;
use sluice_engine::{Compiled, Overrides, Refusal, RunReport, Totals};

use super::{Begin, begin, cases, messages, transform::ChunkDone};
use crate::{
    Context, Error, Message, Outputs, Query, Result,
    audit::{self, Actor, Change, Versioned},
    exclusions::{self, Exclusions, Search},
    layout,
    ledger::{ChunkLedger, Proof, StoredReport},
    run::{Counts, Run, State},
    writer,
};

/// Ledgers read ahead.
const AHEAD: usize = 8;

/// Checks the run as a whole; sends it to a second transform, to review, or to publish.
///
/// # Errors
/// [`crate::Kind::Refused`] with the engine's code if a quality rule or limit does not hold; [`crate::Kind::Bug`] `J0301` if the ledger does
/// not balance; those of lake and catalog.
pub async fn run(context: &Context, message: Message) -> Result<Outputs> {
    let read = match begin(context, &message, State::Gathering).await? {
        Begin::Work(read) => read,
        Begin::Later(run) if is_next(&run, message.generation) => return messages(context, &run).await,
        Begin::Later(_) => return Ok(Outputs::none()),
        Begin::Over(outputs) => return Ok(outputs),
    };
    let run = &read.run;
    let compiled = context.plans.of_run(context, run).await?;
    let found = if run.generation > 0 {
        Exclusions::load(context, run).await?
    } else {
        match search(context, run, &compiled).await? {
            Search::Unfinished => return Ok(Outputs::one(message)),
            Search::Done(found) if !found.chunks.is_empty() => return transform_again(context, &read, found).await,
            Search::Done(found) => found,
        }
    };
    let generations = layout::effective_chunks(context, run).await?;
    let (report, totals) = add_up(context, run, &generations).await?;
    let repeats = Overrides { repeats: found.repeats, ..Overrides::default() };
    let stored = StoredReport { verdicts: report.verdicts(compiled.plan(), &repeats), report };
    writer::write_json(context, layout::report(run), &stored).await?;
    refuse(&stored.report.refusals(compiled.plan(), &repeats))?;
    let cases = match totals.held {
        0 => 0,
        held => cases::open(context, run, &compiled, &generations, held).await?,
    };
    finish(context, &read, totals, cases).await
}

/// Whether the run is where the gathering of a generation left it.
fn is_next(run: &Run, generation: u32) -> bool {
    match run.state {
        State::Transforming => run.generation == generation + 1,
        State::Reviewing | State::Publishing => run.generation == generation,
        _ => false,
    }
}

async fn search(context: &Context, run: &Run, compiled: &Compiled) -> Result<Search> {
    if compiled.keys().is_empty() {
        return Ok(Search::Done(Exclusions::default()));
    }
    let mut key_bytes = Vec::new();
    let id_prefix = Some("chunk:0:".to_owned());
    let mut query = Query { kind: "chunk", partition: Some(run.run_id.partition()), id_prefix, limit: 1000, ..Query::default() };
    loop {
        let page = context.catalog.query(&query).await?;
        for document in &page.documents {
            let done: ChunkDone = document.parse()?;
            key_bytes.push(done.key_bytes);
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    if key_bytes.len() != run.chunks as usize {
        return Err(Error::transient("J0410", format!("expected {} chunks of run {}, found {}", run.chunks, run.run_id, key_bytes.len())));
    }
    exclusions::search(context, run, compiled, &key_bytes).await
}

/// Chunks with rows that are taken out are transformed once more, without them; the others keep what they have.
async fn transform_again(context: &Context, read: &Versioned, found: Exclusions) -> Result<Outputs> {
    let found = found.store(context, &read.run).await?;
    let run = audit::update_read(context, read, |run| {
        if run.state != State::Gathering || run.generation > 0 {
            return Ok(None);
        }
        run.generation = 1;
        run.state = State::Transforming;
        let detail = json!({ "repeats": found.repeats, "chunks": found.chunks.len() });
        Ok(Some(Change { actor: Actor::step("gather"), action: "run.excluded", detail, writes: Vec::new() }))
    })
    .await?;
    if is_next(&run, 0) { messages(context, &run).await } else { Ok(Outputs::none()) }
}

/// Adds up the accounts of all chunks, in order, and proves that every row is in exactly one set.
async fn add_up(context: &Context, run: &Run, generations: &[u32]) -> Result<(RunReport, Totals)> {
    let (mut report, mut proof) = (RunReport::default(), Proof::default());
    for (page, generations) in (0u32..).zip(generations.chunks(layout::PAGE as usize)) {
        let planned = layout::plan_page(context, &run.run_id, page).await?;
        let paths: Vec<_> =
            (page * layout::PAGE..).zip(generations).map(|(chunk, generation)| layout::ledger(run, *generation, chunk)).collect();
        let mut ledgers =
            futures::stream::iter(paths).map(|path| async move { writer::read_json::<ChunkLedger>(context, &path).await }).buffered(AHEAD);
        let mut chunks = planned.iter();
        while let Some(ledger) = ledgers.try_next().await? {
            let chunk =
                chunks.next().ok_or_else(|| Error::bug("J0301", format!("page {page} of the plan of run {} is too short", run.run_id)))?;
            proof.add(chunk.first_row, &ledger.report)?;
            report.merge(&ledger.report);
        }
    }
    Ok((report, proof.finish(run.chunks)?))
}

/// Every reason at once, under the code of the first.
fn refuse(refusals: &[Refusal]) -> Result<()> {
    let Some(first) = refusals.first() else { return Ok(()) };
    let messages: Vec<_> = refusals.iter().map(|r| r.message.as_str()).collect();
    Err(Error::refused(first.code.as_str(), messages.join("; ")).at(first.line, first.offset))
}

async fn finish(context: &Context, read: &Versioned, totals: Totals, cases: u32) -> Result<Outputs> {
    let generation = read.run.generation;
    let counts = Counts {
        rows: totals.rows,
        published: totals.accepted,
        corrected: 0,
        rejected: totals.rejected,
        returned: 0,
        filtered: totals.filtered,
        duplicate: totals.duplicate,
        held: totals.held,
    };
    let run = audit::update_read(context, read, |run| {
        if run.state != State::Gathering || run.generation != generation {
            return Ok(None);
        }
        run.counts = Some(counts);
        run.cases = cases;
        run.open_cases = cases;
        run.state = if cases > 0 { State::Reviewing } else { State::Publishing };
        Ok(Some(Change {
            actor: Actor::step("gather"),
            action: "run.gathered",
            detail: json!({ "counts": counts, "cases": cases }),
            writes: Vec::new(),
        }))
    })
    .await?;
    if is_next(&run, generation) { messages(context, &run).await } else { Ok(Outputs::none()) }
}
