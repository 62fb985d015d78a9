//! Once all cases of a run are decided: approved and corrected rows go through the engine again and are written, the rest is rejected.

use std::{collections::HashMap, sync::Arc};

use serde_json::json;
use sluice_engine::{Code, Compiled, HeldRow, Problem, Revised, RevisedOutcome, Stream, rejected_record, revise};

use crate::{
    Context, Error, Message, Outputs, Query, Result, Step,
    audit::{self, Actor, Change},
    catalog::body,
    cpu,
    held::{self, HeldReader},
    layout,
    review::{CaseStatus, Decision, ReviewCase, Verdict},
    reviews,
    revision::{self, RevisedFile, Revision},
    run::{Run, State},
    writer::{self, BlobWriter},
};

/// Rows that go through the engine at once.
const BATCH_ROWS: usize = reviews::BATCH_ROWS;
/// Bytes of raw records that go through the engine at once.
const BATCH_BYTES: usize = 16 << 20;

/// Applies the decisions of a run.
///
/// # Errors
/// Those of catalog and lake; [`crate::Kind::Bug`] `W0502` if a held row is in no case, or a decided case has no decision.
pub async fn run(context: &Context, message: Message) -> Result<Outputs> {
    let run = close(context, &message).await?;
    let publish = || Outputs::one(Message::new(&message.run, Step::Publish));
    match run.state {
        State::Reviewing if run.review_closed => {}
        State::Publishing => return Ok(publish()),
        // A decision was taken back meanwhile: whoever decides the last case sends this message again.
        _ => return Ok(Outputs::none()),
    }
    let cases = cases(context, &run).await?;
    let compiled = context.plans.of_run(context, &run).await?;
    let revision = Applying::new(context, &run, &compiled, &cases)?.apply().await?;
    let output = writer::write_json(context, revision::ledger(&run), &revision).await?;
    audit::update(context, &message.run, |run| {
        if run.state != State::Reviewing {
            return Ok(None);
        }
        let counts = run.counts.as_mut().ok_or_else(|| Error::bug("W0502", format!("run {} has cases and no counts", run.run_id)))?;
        counts.corrected = revision.corrected.len();
        counts.rejected += revision.rejected.len();
        counts.returned = revision.returned.len();
        counts.filtered += revision.filtered.len();
        counts.held = counts.held.saturating_sub(revision.decided());
        run.state = State::Publishing;
        run.dead_letter = None;
        let detail = json!({
            "cases": cases.len(),
            "corrected": revision.corrected.len(),
            "rejected": revision.rejected.len(),
            "returned": revision.returned.len(),
            "filtered": revision.filtered.len(),
            "ledger": output.sha256,
        });
        Ok(Some(Change { actor: Actor::step("decisions"), action: "run.decided", detail, writes: Vec::new() }))
    })
    .await?;
    Ok(publish())
}

/// Closes the review of a run whose cases are all decided. From here on no decision can be taken back, so that every attempt applies the
/// same ones.
async fn close(context: &Context, message: &Message) -> Result<Run> {
    audit::update(context, &message.run, |run| {
        if run.state != State::Reviewing || run.review_closed || run.open_cases > 0 {
            return Ok(None);
        }
        run.review_closed = true;
        let detail = json!({ "cases": run.cases });
        Ok(Some(Change { actor: Actor::step("decisions"), action: "review.closed", detail, writes: Vec::new() }))
    })
    .await
}

/// All cases of a run, in order.
///
/// # Errors
/// Those of the catalog.
pub(crate) async fn cases(context: &Context, run: &Run) -> Result<Vec<ReviewCase>> {
    let mut query = Query { kind: "case", partition: Some(run.run_id.partition()), limit: 100, ..Default::default() };
    let mut cases = Vec::new();
    loop {
        let page = context.catalog.query(&query).await?;
        for document in &page.documents {
            cases.push(document.parse()?);
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(cases),
        }
    }
}

/// A decided case, and the rows of it that were met.
struct Decided<'a> {
    case: &'a ReviewCase,
    decision: &'a Decision,
    hasher: blake3::Hasher,
}

/// The decisions of a run while they are applied, row by row in the order of the file.
struct Applying<'a> {
    context: &'a Context,
    run: &'a Run,
    compiled: &'a Arc<Compiled>,
    /// Cause and column to what was decided.
    cases: HashMap<(String, Option<String>), Decided<'a>>,
    batch: Vec<(HeldRow, Verdict, &'a Decision)>,
    batch_bytes: usize,
    batches: u32,
    rejects: Option<BlobWriter>,
    revision: Revision,
}

impl<'a> Applying<'a> {
    fn new(context: &'a Context, run: &'a Run, compiled: &'a Arc<Compiled>, cases: &'a [ReviewCase]) -> Result<Self> {
        let mut decided = HashMap::new();
        let mut revision = Revision::default();
        for case in cases {
            let decision = case.decisions.last().filter(|_| case.status == CaseStatus::Decided);
            let decision = decision
                .ok_or_else(|| Error::bug("W0502", format!("review case {} is not decided, yet its run has no open case", case.case_id)))?;
            let mut hashed = body(&case.decisions)?;
            hashed.sort_all_objects();
            revision.decisions.insert(case.case_id.clone(), blake3::hash(hashed.to_string().as_bytes()).to_hex().to_string());
            decided.insert((case.cause.clone(), case.column.clone()), Decided { case, decision, hasher: blake3::Hasher::new() });
        }
        Ok(Self { context, run, compiled, cases: decided, batch: Vec::new(), batch_bytes: 0, batches: 0, rejects: None, revision })
    }

    async fn apply(mut self) -> Result<Revision> {
        let generations = layout::effective_chunks(self.context, self.run).await?;
        for (chunk, generation) in (0u32..).zip(generations) {
            let mut reader = HeldReader::new(self.context, layout::held(self.run, generation, chunk), 0);
            while let Some((row, _)) = reader.next().await? {
                let key = (row.cause.name.clone(), row.cause.column.clone());
                let of_case = self.cases.get_mut(&key);
                let of_case = of_case
                    .ok_or_else(|| Error::bug("W0502", format!("row {} of run {} is held and in no case", row.row, self.run.run_id)))?;
                held::digest(&mut of_case.hasher, &row)?;
                let decision = of_case.decision;
                let verdict = decision.of(row.row).clone();
                self.batch_bytes += row.raw.len();
                self.batch.push((row, verdict, decision));
                if self.batch.len() >= BATCH_ROWS || self.batch_bytes >= BATCH_BYTES {
                    self.flush().await?;
                }
            }
        }
        self.flush().await?;
        self.check_digests()?;
        if let Some(rejects) = self.rejects.take() {
            self.revision.outputs.push(rejects.finish(self.context).await?);
        }
        Ok(self.revision)
    }

    /// What was decided on is what was applied: people decided on the rows of a digest.
    fn check_digests(&self) -> Result<()> {
        match self.cases.values().find(|c| c.hasher.finalize().to_hex().as_str() != c.case.digest) {
            None => Ok(()),
            Some(changed) => {
                Err(Error::bug("W0503", format!("the rows of review case {} are not those that were decided on", changed.case.case_id)))
            }
        }
    }

    /// Puts the rows of the batch where they belong.
    async fn flush(&mut self) -> Result<()> {
        self.batch_bytes = 0;
        let batch = std::mem::take(&mut self.batch);
        let again: Vec<_> = batch
            .iter()
            .filter(|(_, verdict, _)| !verdict.rejects())
            .map(|(held, verdict, _)| reviews::revision(held.clone(), verdict))
            .collect();
        let mut outcomes = Vec::new().into_iter();
        if !again.is_empty() {
            let (compiled, id) = (self.compiled.clone(), self.run.run_id.to_string());
            let revised = cpu::run(usize::MAX, move || revise(&compiled, &id, &again)).await??;
            outcomes = self.write_files(revised).await?.into_iter();
        }
        for (held, verdict, decision) in batch {
            let outcome = match by_person(&held, &verdict, &decision.comment) {
                Some(problem) => Some(RevisedOutcome::Problems(held.problems.iter().cloned().chain([problem]).collect())),
                None => outcomes.next(),
            };
            match outcome {
                Some(RevisedOutcome::Accepted { .. }) => _ = self.revision.corrected.insert(held.row),
                Some(RevisedOutcome::Filtered) => _ = self.revision.filtered.insert(held.row),
                Some(RevisedOutcome::Problems(problems)) => {
                    self.revision.rejected.insert(held.row);
                    if verdict == Verdict::Return {
                        self.revision.returned.insert(held.row);
                    }
                    self.write_reject(&held, &problems).await?;
                }
                None => return Err(Error::bug("W0502", format!("the engine told nothing of row {}", held.row))),
            }
        }
        Ok(())
    }

    /// Writes the files of accepted rows; gives the outcomes.
    async fn write_files(&mut self, revised: Revised) -> Result<Vec<RevisedOutcome>> {
        let Revised { outcomes, files: pieces, accepted, .. } = revised;
        for facts in accepted {
            let wanted = Stream::Accepted { partition: facts.partition.clone(), part: facts.part };
            let content: Vec<&[u8]> = pieces.iter().filter(|(stream, _)| *stream == wanted).map(|(_, piece)| piece.as_slice()).collect();
            let blob = revision::approved(self.run, self.compiled.plan(), self.compiled.aggregates(), self.batches, &facts);
            let output = writer::write(self.context, blob, &content.concat()).await?;
            self.revision.files.push(RevisedFile { output, facts });
        }
        self.batches += 1;
        Ok(outcomes)
    }

    async fn write_reject(&mut self, held: &HeldRow, problems: &[Problem]) -> Result<()> {
        let record = rejected_record(self.compiled, self.run.header.as_deref(), &held.raw, problems);
        let (blob, piece) = (revision::rejected(self.run, self.compiled.plan()), self.run.piece_bytes);
        self.rejects.get_or_insert_with(|| BlobWriter::new(blob, piece)).write(self.context, &record).await
    }
}

/// That a person rejected a row or sent it back, and why; `None` if they did neither.
pub(crate) fn by_person(held: &HeldRow, verdict: &Verdict, comment: &str) -> Option<Problem> {
    let (code, done) = match verdict {
        Verdict::Reject => (Code::PersonReject, "rejected in review"),
        Verdict::Return => (Code::PersonReturn, "sent back to you"),
        Verdict::Approve | Verdict::Correct { .. } => return None,
    };
    let message = if comment.is_empty() { done.to_owned() } else { format!("{done}: {comment}") };
    Some(Problem { code, row: held.row, line: held.line, offset: held.offset, column: None, value: None, rule: None, message })
}
