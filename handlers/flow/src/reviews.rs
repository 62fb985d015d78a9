//! What people do with review cases: see them, take them, decide them.

mod claims;
mod comments;
mod trial;
mod undo;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sluice_engine::{Cause, Compiled, HeldRow, KeyKind, KeyRule, Problem, RevisedOutcome, RevisedRow, revise};

use crate::{
    Context, Document, Error, Message, Outputs, Query, Result, RunId, Step, Write,
    audit::{self, Actor, Change},
    catalog::body,
    cpu,
    held::HeldReader,
    layout,
    page::Page,
    review::{CaseStatus, Decision, ReviewCase, Verdict},
    run::{Run, State},
};

pub use claims::{assign, claim, release};
pub use comments::comment;
pub use trial::{TriedRow, try_corrections};
pub use undo::undo;

/// Most entries of a page.
const PAGE: usize = 1000;
/// Rows that go through the engine at once.
pub(crate) const BATCH_ROWS: usize = 20_000;
/// Most rows whose problems are told when corrections do not fit.
const TOLD_ROWS: usize = 100;
/// Most characters of a comment.
const COMMENT_CHARS: usize = 2000;

/// Where a text is looked for. The id of a case begins with that of its run.
const SEARCHED: &[&str] = &["title", "cause", "column", "partner", "pipeline", "case_id"];

/// Which cases to list. What is not set does not restrict.
#[derive(Debug, Clone, Default)]
pub struct CaseFilter {
    /// Of this run.
    pub run: Option<RunId>,
    /// Of this pipeline.
    pub pipeline: Option<String>,
    /// Of this partner.
    pub partner: Option<String>,
    /// In one of these states; empty means open or confirming.
    pub status: Vec<CaseStatus>,
    /// Held for this cause.
    pub cause: Option<String>,
    /// Only cases that wait and whose time is over.
    pub overdue: bool,
    /// Due before this time (RFC 3339, UTC with milliseconds).
    pub due_before: Option<String>,
    /// Opened before this time, likewise.
    pub opened_before: Option<String>,
    /// With this text in title, cause, column, partner, pipeline, run or case id, whatever the case of its letters.
    pub text: Option<String>,
    /// Only cases that the person with this object id has claimed.
    pub claimed_by: Option<String>,
}

/// A decision as a person asks for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecisionRequest {
    /// For all rows that `rows` does not name.
    pub verdict: Verdict,
    /// Row number (as text) to another verdict.
    #[serde(default)]
    pub rows: BTreeMap<String, Verdict>,
    /// Why.
    #[serde(default)]
    pub comment: String,
    /// The case's digest that was seen.
    pub digest: String,
}

/// Why the corrections of a decision were refused; the cause of an error `W0422`. Its `Display` tells no value.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{} rows do not fit after their correction", .0.len())]
pub struct RowProblems(pub Vec<RowProblem>);

/// What is wrong with one row after its correction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowProblem {
    /// 0-based number of the row in the file.
    pub row: u64,
    /// Every reason.
    pub problems: Vec<Problem>,
}

/// A case with the version it was read at.
struct Read {
    case: ReviewCase,
    document: Document,
}

/// Cases, the one that is due first coming first.
///
/// # Errors
/// Those of the catalog.
pub async fn list(context: &Context, filter: &CaseFilter, cursor: Option<&str>, limit: usize) -> Result<Page<ReviewCase>> {
    let mut equals = Vec::<(&'static str, Value)>::new();
    for (field, value) in [("pipeline", &filter.pipeline), ("partner", &filter.partner), ("cause", &filter.cause)] {
        if let Some(value) = value {
            equals.push((field, value.as_str().into()));
        }
    }
    let waiting = [CaseStatus::Open, CaseStatus::Confirming];
    let status: Vec<_> = match (filter.overdue, filter.status.as_slice()) {
        (true, _) | (false, []) => waiting.to_vec(),
        (false, some) => some.to_vec(),
    };
    let status = status.iter().map(body).collect::<Result<_>>()?;
    let limit = limit.clamp(1, PAGE);
    let overdue = filter.overdue.then(|| ("due_at", context.now()));
    let due = filter.due_before.clone().map(|before| ("due_at", before));
    let opened = filter.opened_before.clone().map(|before| ("created_at", before));
    let mut query = Query {
        kind: "case",
        partition: filter.run.as_ref().map(RunId::partition),
        equals,
        any_of: Some(("status", status)),
        less_than: overdue.into_iter().chain(due).chain(opened).collect(),
        contains: filter.text.clone().map(|text| (SEARCHED, text)),
        order: Some(("due_at", false)),
        limit,
        after: cursor.map(str::to_owned),
        ..Default::default()
    };
    let mut page = Page::default();
    loop {
        let found = context.catalog.query(&query).await?;
        for document in &found.documents {
            let case: ReviewCase = document.parse()?;
            if filter.claimed_by.as_ref().is_none_or(|id| claimed_by(&case, id)) {
                page.items.push(case);
            }
        }
        page.next = found.next;
        // A person's own cases may be thinly spread: pages are put together until there is something to show.
        if page.next.is_none() || page.items.len() >= limit.div_ceil(2) {
            return Ok(page);
        }
        query.after.clone_from(&page.next);
    }
}

fn claimed_by(case: &ReviewCase, id: &str) -> bool {
    matches!(&case.claimed_by, Some(Actor::Person { id: claimer, .. }) if claimer == id)
}

/// One case.
///
/// # Errors
/// Refused `W0404` if there is no such case; those of the catalog.
pub async fn get(context: &Context, case_id: &str) -> Result<ReviewCase> {
    Ok(read(context, case_id).await?.case)
}

/// The run and the number that a case id names.
fn parse_id(case_id: &str) -> Result<(RunId, u32)> {
    let missing = || Error::refused("W0404", format!("there is no review case {case_id:?}"));
    let (run, number) = case_id.rsplit_once('.').ok_or_else(missing)?;
    let run = RunId::try_from(run.to_owned()).map_err(|_| missing())?;
    Ok((run, number.parse().map_err(|_| missing())?))
}

async fn read(context: &Context, case_id: &str) -> Result<Read> {
    let (run, number) = parse_id(case_id)?;
    let document = context.catalog.get(&run.partition(), &ReviewCase::document_id(number)).await?;
    let document = document.ok_or_else(|| Error::refused("W0404", format!("there is no review case {case_id:?}")))?;
    Ok(Read { case: document.parse()?, document })
}

/// Whether a row belongs to a case.
pub(crate) fn belongs(case: &ReviewCase, cause: &Cause) -> bool {
    case.cause == cause.name && case.column == cause.column
}

/// Held rows of a case, in the order of the file.
///
/// # Errors
/// Refused `W0404` if there is no such case, `W0400` for a cursor that is none; those of catalog and lake.
pub async fn rows(context: &Context, case_id: &str, cursor: Option<&str>, limit: usize) -> Result<Page<HeldRow>> {
    let case = read(context, case_id).await?.case;
    let (first_chunk, mut offset) = match cursor {
        None => (0, 0),
        Some(cursor) => cursor
            .split_once(':')
            .and_then(|(chunk, offset)| Some((chunk.parse::<u32>().ok()?, offset.parse::<u64>().ok()?)))
            .ok_or_else(|| Error::refused("W0400", "the cursor is not one that a page of rows gave"))?,
    };
    let run = audit::load(context, &case.run).await?.run;
    let limit = limit.clamp(1, PAGE);
    let mut page = Page::default();
    for (chunk, generation) in (0u32..).zip(layout::effective_chunks(context, &run).await?).skip(first_chunk as usize) {
        let mut reader = HeldReader::new(context, layout::held(&run, generation, chunk), offset);
        offset = 0;
        while let Some((row, next)) = reader.next().await? {
            if belongs(&case, &row.cause) {
                page.items.push(row);
                if page.items.len() == limit {
                    page.next = Some(format!("{chunk}:{next}"));
                    return Ok(page);
                }
            }
        }
    }
    Ok(page)
}

fn taken(claimer: &Actor) -> Error {
    let name = claimer.name();
    Error::refused("W0423", format!("the case is taken by {name}: ask them to give it back"))
}

fn waiting(case: &ReviewCase) -> Result<()> {
    match case.status {
        CaseStatus::Open | CaseStatus::Confirming => Ok(()),
        CaseStatus::Opening => Err(Error::refused("W0425", "the case is being opened: try again in a moment")),
        CaseStatus::Decided => Err(Error::refused("W0410", "the case is decided already")),
        CaseStatus::Void => Err(Error::refused("W0410", "the case is void: its run has ended")),
    }
}

/// Whether decisions of a run can still be made and taken back.
fn undecidable(run: &Run) -> Result<()> {
    match run.state {
        State::Reviewing if !run.review_closed => Ok(()),
        State::Reviewing => Err(Error::refused("W0410", "all cases of the run are decided, and the decisions are being applied")),
        state => Err(Error::refused("W0410", format!("the run is {}: nothing can be decided any more", state.name()))),
    }
}

fn changed() -> Error {
    Error::refused(
        "W0409",
        "the rows of the case are not those that you saw (they changed since): read the case again; nothing was changed",
    )
}

/// A row number as JSON keys have it.
fn row_number(text: &str) -> Result<u64> {
    let number: u64 = text.parse().map_err(|_| Error::refused("W0424", format!("{text:?} is not a row number")))?;
    if number.to_string() == text {
        Ok(number)
    } else {
        Err(Error::refused("W0424", format!("{text:?} is not written as a row number is")))
    }
}

/// Changes a case (and its run) with the audit event in one transaction; repeats all of it when somebody else was faster. Nothing is
/// written if `change` says that there is nothing to tell.
async fn change<F>(context: &Context, actor: &Actor, case_id: &str, mut change: F) -> Result<(Run, ReviewCase)>
where
    F: FnMut(&mut Run, &mut ReviewCase) -> Result<Option<(&'static str, Value)>> + Send,
{
    for _ in 0..20 {
        let Read { mut case, document } = read(context, case_id).await?;
        let mut versioned = audit::load(context, &case.run).await?;
        let Some((action, detail)) = change(&mut versioned.run, &mut case)? else {
            return Ok((versioned.run, case));
        };
        let writes = vec![Write::Replace { id: document.id, kind: "case", body: body(&case)?, etag: document.etag }];
        let change = Change { actor: actor.clone(), action, detail, writes };
        if let Some(run) = audit::attempt(context, versioned.run, versioned.etag, change).await? {
            return Ok((run, case));
        }
    }
    Err(Error::transient("K0409", format!("review case {case_id} was changed by others many times in a row")))
}

/// Decides a case. With `review.approvers: 2` two people must decide the same; the first may change their mind until then. After the
/// last case of a run the outputs bring the run forward.
///
/// # Errors
/// Refused: `W0404` no such case; `W0409` the rows are not those that were seen; `W0410` decided already, or the run has ended; `W0403`
/// the second decision needs another person; `W0411` it is not the same as the first; `W0422` a corrected row does not fit (the cause is
/// [`RowProblems`]); `W0424` a column cannot be corrected, or a row is not in the case; `W0413` too much is named; `W0423` taken by
/// another; `W0425` not open yet; `W0427` rows are sent back without a word. Those of catalog and lake.
pub async fn decide(context: &Context, actor: &Actor, case_id: &str, request: DecisionRequest) -> Result<(ReviewCase, Outputs)> {
    if !matches!(actor, Actor::Person { .. }) {
        return Err(Error::refused("W0403", "only a person can decide a review case"));
    }
    if request.comment.chars().count() > COMMENT_CHARS {
        return Err(Error::refused("W0413", format!("a comment has at most {COMMENT_CHARS} characters")));
    }
    check_comment(request.rows.values().chain([&request.verdict]), &request.comment)?;
    let size = body(&request)?.to_string().len();
    if size > DECISION_BYTES {
        return Err(Error::refused(
            "W0413",
            format!("a decision has at most {DECISION_BYTES} bytes, this one {size}: let fewer rows differ from the rest"),
        ));
    }
    let case = get(context, case_id).await?;
    admissible(&case, actor, &request)?;
    check_rows(context, &case, &request).await?;
    let decision = Decision {
        by: actor.clone(),
        at: context.now(),
        verdict: request.verdict.clone(),
        rows: request.rows.clone(),
        comment: request.comment.clone(),
        digest: request.digest.clone(),
    };
    let (run, case) = change(context, actor, case_id, |run, case| {
        // Once more, since it is this version of the case that is replaced.
        admissible(case, actor, &request)?;
        undecidable(run)?;
        record(run, case, decision.clone()).map(Some)
    })
    .await?;
    let last = case.status == CaseStatus::Decided && run.open_cases == 0;
    Ok((case, if last { Outputs::one(Message::new(&run.run_id, Step::Decisions)) } else { Outputs::none() }))
}

/// Whether a decision says what it has to: a partner who gets rows back must know why.
///
/// # Errors
/// Refused `W0427` if one of the verdicts sends rows back and the comment is empty.
pub fn check_comment<'a>(verdicts: impl IntoIterator<Item = &'a Verdict>, comment: &str) -> Result<()> {
    let returns = verdicts.into_iter().any(|verdict| *verdict == Verdict::Return);
    if returns && comment.trim().is_empty() {
        let message = "rows are sent back without a comment: say why, the partner reads it beside each row; nothing was decided";
        return Err(Error::refused("W0427", message));
    }
    Ok(())
}

/// Most bytes of a decision as JSON: two of them and the rest of a case must fit into a document.
const DECISION_BYTES: usize = 400_000;

/// What can be said about a decision from the case alone.
fn admissible(case: &ReviewCase, actor: &Actor, request: &DecisionRequest) -> Result<()> {
    waiting(case)?;
    if case.digest != request.digest {
        return Err(changed());
    }
    if let Some(claimer) = case.claimed_by.as_ref().filter(|claimer| !claimer.is(actor)) {
        return Err(taken(claimer));
    }
    let (CaseStatus::Confirming, Some(first)) = (case.status, case.decisions.first()) else {
        return Ok(());
    };
    let same = first.verdict == request.verdict && first.rows == request.rows;
    match (first.by.is(actor), same) {
        (true, true) => Err(Error::refused("W0403", "you decided this case already: a second person must confirm it")),
        (false, false) => Err(Error::refused(
            "W0411",
            "your decision is not the same as the first one: agree on one, and who decided first can decide again",
        )),
        _ => Ok(()),
    }
}

/// Puts a decision into its case. Gives the audit event: ids, counts and hashes, no value.
fn record(run: &mut Run, case: &mut ReviewCase, decision: Decision) -> Result<(&'static str, Value)> {
    let mut hashed = body(&decision)?;
    hashed.sort_all_objects();
    let mut detail = json!({
        "case": case.case_id,
        "cause": case.cause,
        "rows": case.rows,
        "digest": case.digest,
        "verdict": decision.verdict.name(),
        "decision": blake3::hash(hashed.to_string().as_bytes()).to_hex().to_string(),
    });
    let mut others = BTreeMap::<_, u64>::new();
    for verdict in decision.rows.values() {
        *others.entry(verdict.name()).or_default() += 1;
    }
    if !others.is_empty() {
        detail["others"] = json!(others);
    }
    case.claimed_by = None;
    let first = case.status == CaseStatus::Open;
    if case.approvers > 1 {
        let again = case.decisions.iter().any(|d| d.by.is(&decision.by));
        if first || again {
            case.status = CaseStatus::Confirming;
            case.decisions = vec![decision];
            return Ok((if again { "case.redecided" } else { "case.proposed" }, detail));
        }
    }
    case.decisions.push(decision);
    case.status = CaseStatus::Decided;
    run.open_cases = run
        .open_cases
        .checked_sub(1)
        .ok_or_else(|| Error::bug("W0500", format!("run {} has no open case, yet {} is open", run.run_id, case.case_id)))?;
    detail["openCases"] = run.open_cases.into();
    Ok(("case.decided", detail))
}

/// Rows that are named must be in the case, and corrected rows must fit.
async fn check_rows(context: &Context, case: &ReviewCase, request: &DecisionRequest) -> Result<()> {
    let corrects = |verdict: &Verdict| matches!(verdict, Verdict::Correct { .. });
    let all_corrected = corrects(&request.verdict);
    if request.rows.is_empty() && !all_corrected {
        return Ok(());
    }
    let mut named = request.rows.keys().map(|row| row_number(row)).collect::<Result<BTreeSet<u64>>>()?;
    let run = audit::load(context, &case.run).await?.run;
    let compiled = context.plans.of_run(context, &run).await?;
    for verdict in request.rows.values().chain([&request.verdict]) {
        check_columns(&compiled, verdict)?;
    }
    let (mut batch, mut wrong) = (Vec::new(), Vec::new());
    'chunks: for (chunk, generation) in (0u32..).zip(layout::effective_chunks(context, &run).await?) {
        let mut reader = HeldReader::new(context, layout::held(&run, generation, chunk), 0);
        while let Some((held, _)) = reader.next().await? {
            if !belongs(case, &held.cause) {
                continue;
            }
            let verdict = request.rows.get(&held.row.to_string()).unwrap_or(&request.verdict);
            named.remove(&held.row);
            if corrects(verdict) {
                batch.push(revision(held, verdict));
                if batch.len() == BATCH_ROWS {
                    check_batch(&compiled, &run, &mut batch, &mut wrong).await?;
                }
            }
            if wrong.len() >= TOLD_ROWS || (named.is_empty() && !all_corrected) {
                break 'chunks;
            }
        }
    }
    check_batch(&compiled, &run, &mut batch, &mut wrong).await?;
    if let Some(row) = named.first().filter(|_| wrong.is_empty()) {
        return Err(Error::refused("W0424", format!("row {row} is not in the case")));
    }
    if wrong.is_empty() {
        return Ok(());
    }
    wrong.truncate(TOLD_ROWS);
    Err(Error::refused("W0422", "corrected rows do not fit: see the problems of each row").because(RowProblems(wrong)))
}

fn check_columns(compiled: &Compiled, verdict: &Verdict) -> Result<()> {
    let Verdict::Correct { values } = verdict else { return Ok(()) };
    for column in values.keys() {
        if !compiled.plan().contract.columns.iter().any(|c| c.name == *column) {
            return Err(Error::refused("W0424", format!("the contract has no column {column:?}")));
        }
        if let Some(key) = key_of(compiled, column) {
            return Err(Error::refused(
                "W0424",
                format!("column {column:?} is part of the key {:?}: reject the row and let the partner send it again", key.name),
            ));
        }
    }
    Ok(())
}

/// The key that a column is part of. Keys were compared over the whole run before a row was held; a new value would escape that.
fn key_of<'a>(compiled: &'a Compiled, column: &String) -> Option<&'a KeyRule> {
    compiled.keys().iter().find(|k| k.kind != KeyKind::Count && k.columns.contains(column))
}

/// The columns that a correction can change, in the order of the contract.
pub(crate) fn correctable(compiled: &Compiled) -> Vec<String> {
    let columns = compiled.plan().contract.columns.iter().map(|c| &c.name);
    columns.filter(|column| key_of(compiled, column).is_none()).cloned().collect()
}

/// A held row with its verdict, ready for the engine. Whoever approves or corrects a row has seen why it was held, so none of its causes
/// holds it again; a cause that a correction adds does.
pub(crate) fn revision(held: HeldRow, verdict: &Verdict) -> RevisedRow {
    let waive = held.causes();
    let corrections = match verdict {
        Verdict::Correct { values } => values.clone(),
        Verdict::Approve | Verdict::Reject | Verdict::Return => BTreeMap::new(),
    };
    RevisedRow { held, waive, corrections }
}

async fn check_batch(
    compiled: &std::sync::Arc<Compiled>,
    run: &Run,
    batch: &mut Vec<RevisedRow>,
    wrong: &mut Vec<RowProblem>,
) -> Result<()> {
    let rows = std::mem::take(batch);
    if rows.is_empty() {
        return Ok(());
    }
    let (compiled, id) = (compiled.clone(), run.run_id.clone());
    let (rows, revised) = cpu::run(usize::MAX, move || {
        let revised = revise(&compiled, id.as_str(), &rows);
        (rows, revised)
    })
    .await?;
    for (row, outcome) in rows.iter().zip(revised?.outcomes) {
        if let RevisedOutcome::Problems(problems) = outcome {
            wrong.push(RowProblem { row: row.held.row, problems });
        }
    }
    Ok(())
}
