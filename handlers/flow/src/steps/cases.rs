//! Review cases: the held rows of a run by cause, each with a digest that binds a decision to the very rows that were seen.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta};
use sluice_engine::{Cause, Compiled, HeldRow};

use crate::{
    Context, Error, Result, Write,
    catalog::body,
    held::{self, HeldReader},
    layout,
    review::{CaseStatus, ReviewCase},
    reviews, rfc3339,
    run::Run,
};

/// The rows of one cause so far.
struct Rows {
    title: String,
    count: u64,
    hasher: blake3::Hasher,
}

/// Stores a case for each cause of held rows, in the order of causes, and returns how many there are. Cases that are there already stay.
///
/// # Errors
/// Those of lake and catalog; [`crate::Kind::Bug`] `J0302` if the held rows are not as many as the ledger says.
pub(super) async fn open(context: &Context, run: &Run, compiled: &Compiled, generations: &[u32], held: u64) -> Result<u32> {
    let by_cause = collect(context, run, generations).await?;
    let found: u64 = by_cause.values().map(|rows| rows.count).sum();
    if found != held {
        return Err(Error::bug("J0302", format!("the ledger of run {} holds {held} rows, found {found}", run.run_id)));
    }
    let cases = by_cause.len() as u32;
    for (number, (cause, rows)) in (0..).zip(by_cause) {
        let case = case(context, run, compiled, number, cause, rows)?;
        let write = Write::Create { id: ReviewCase::document_id(number), kind: "case", body: body(&case)? };
        context.catalog.commit(&run.run_id.partition(), vec![write]).await?;
    }
    Ok(cases)
}

async fn collect(context: &Context, run: &Run, generations: &[u32]) -> Result<BTreeMap<Cause, Rows>> {
    let mut causes: BTreeMap<Cause, Rows> = BTreeMap::new();
    for (chunk, generation) in (0u32..).zip(generations) {
        let mut reader = HeldReader::new(context, layout::held(run, *generation, chunk), 0);
        while let Some((row, _)) = reader.next().await? {
            let rows =
                causes.entry(row.cause.clone()).or_insert_with(|| Rows { title: title(&row), count: 0, hasher: blake3::Hasher::new() });
            rows.count += 1;
            held::digest(&mut rows.hasher, &row)?;
        }
    }
    Ok(causes)
}

/// What a person reads first: what the deciding cause says about the first row. A rule speaks for itself; what is said of a value begins
/// with its column.
fn title(row: &HeldRow) -> String {
    let problem = row.problems.iter().find(|p| Cause::of(p).as_ref() == Some(&row.cause));
    match (problem, &row.cause.column) {
        (Some(problem), Some(column)) => format!("{column}: {}", problem.message),
        (Some(problem), None) => problem.message.clone(),
        (None, _) => row.cause.name.clone(),
    }
}

fn case(context: &Context, run: &Run, compiled: &Compiled, number: u32, cause: Cause, rows: Rows) -> Result<ReviewCase> {
    let review = &compiled.plan().pipeline.review;
    // From the time the rows were found, not from now: a repeated attempt gives the same case.
    let found_at =
        DateTime::parse_from_rfc3339(&run.updated_at).map_err(|e| Error::bug("K0502", "a run's time cannot be read").because(e))?;
    let due = i64::try_from(review.due_within_seconds).ok().and_then(TimeDelta::try_seconds).and_then(|d| found_at.checked_add_signed(d));
    Ok(ReviewCase {
        case_id: ReviewCase::id(&run.run_id, number),
        run: run.run_id.clone(),
        number,
        partner: run.partner.clone(),
        pipeline: run.pipeline.clone().unwrap_or_default(),
        cause: cause.name,
        column: cause.column,
        title: rows.title,
        rows: rows.count,
        digest: rows.hasher.finalize().to_hex().to_string(),
        status: CaseStatus::Opening,
        approvers: review.approvers,
        claimed_by: None,
        due_at: rfc3339(due.unwrap_or(found_at).to_utc()),
        created_at: context.now(),
        decisions: Vec::new(),
        correctable: reviews::correctable(compiled),
        comments: Vec::new(),
    })
}
