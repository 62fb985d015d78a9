//! Ending a run before its data is published.

use serde_json::json;

use super::begin::receipt;
use crate::{
    Context, Error, Kind, Outputs, Query, Result, RunId, Step, Write,
    audit::{self, Actor, Change},
    catalog::body,
    review::{CaseStatus, ReviewCase},
    run::{Failure, State},
};

/// Ends a run in a terminal state other than completed; its open review cases become void, and its receipt is to be written. A run that has
/// ended keeps its end.
///
/// # Errors
/// Those of the catalog.
pub async fn end(context: &Context, run: &RunId, state: State, failure: Option<Failure>, actor: Actor) -> Result<Outputs> {
    let action = match state {
        State::Rejected => "run.rejected",
        State::Cancelled => "run.cancelled",
        _ => "run.failed",
    };
    void_cases(context, run).await?;
    let run = audit::update(context, run, |run| {
        if run.state.is_terminal() {
            return Ok(None);
        }
        let detail = json!({ "from": run.state.name(), "code": failure.as_ref().map(|f| f.code.clone()) });
        run.state = state;
        run.failure.clone_from(&failure);
        run.open_cases = 0;
        Ok(Some(Change { actor: actor.clone(), action, detail, writes: Vec::new() }))
    })
    .await?;
    Ok(receipt(&run))
}

/// Ends a run because of an error of a step: rejected if the data is at fault, failed if something else is.
///
/// # Errors
/// The error itself if it is neither (it is for the queue to retry), otherwise those of the catalog.
pub async fn end_with(context: &Context, run: &RunId, step: Step, error: Error) -> Result<Outputs> {
    let state = match error.kind() {
        Kind::Refused => State::Rejected,
        Kind::Permanent => State::Failed,
        Kind::Transient | Kind::Bug => return Err(error),
    };
    tracing::warn!(run = run.as_str(), step = step.name(), code = error.code(), state = state.name(), "run ends");
    end(context, run, state, Some(failure(&error, step.name())), Actor::step(step.name())).await
}

/// An error as a run keeps it.
pub fn failure(error: &Error, step: &str) -> Failure {
    Failure { code: error.code().to_owned(), message: error.chain(), step: step.to_owned(), line: error.line(), offset: error.offset() }
}

/// Makes the cases of a run that has ended void: nobody can decide them any more.
pub(crate) async fn void_cases(context: &Context, run: &RunId) -> Result<()> {
    let query = Query { kind: "case", partition: Some(run.partition()), limit: 1000, ..Query::default() };
    // Each round makes the open ones fewer; a case that a person changes in the meantime is read again.
    loop {
        let page = context.catalog.query(&Query { any_of: Some(("status", open_statuses())), ..query.clone() }).await?;
        if page.documents.is_empty() {
            return Ok(());
        }
        for document in page.documents {
            let mut case: ReviewCase = document.parse()?;
            case.status = CaseStatus::Void;
            let write = Write::Replace { id: document.id, kind: "case", body: body(&case)?, etag: document.etag };
            context.catalog.commit(&run.partition(), vec![write]).await?;
        }
    }
}

fn open_statuses() -> Vec<serde_json::Value> {
    [CaseStatus::Opening, CaseStatus::Open, CaseStatus::Confirming].map(|s| json!(s)).to_vec()
}
