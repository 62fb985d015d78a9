//! Taking a decision back, as long as it is not applied.

use serde_json::json;

use super::{change, changed, undecidable};
use crate::{
    Context, Error, Result,
    audit::Actor,
    review::{CaseStatus, ReviewCase},
};

/// Takes back the caller's own decision, proposed or final. `by_force` takes back the last one, whoever made it (for operators).
///
/// # Errors
/// Refused: `W0404` no such case; `W0409` the rows are not those that were seen; `W0410` the run has moved on; `W0425` not open yet;
/// `W0426` there is no decision that the caller could take back. Those of the catalog.
pub async fn undo(context: &Context, actor: &Actor, case_id: &str, digest: &str, by_force: bool) -> Result<ReviewCase> {
    let (_, case) = change(context, actor, case_id, |run, case| {
        match case.status {
            CaseStatus::Opening => return Err(Error::refused("W0425", "the case is being opened: try again in a moment")),
            CaseStatus::Void => return Err(Error::refused("W0410", "the case is void: its run has ended")),
            CaseStatus::Open | CaseStatus::Confirming | CaseStatus::Decided => {}
        }
        if case.digest != digest {
            return Err(changed());
        }
        undecidable(run)?;
        let own = case.decisions.iter().position(|decision| decision.by.is(actor));
        let last = case.decisions.len().checked_sub(1).filter(|_| by_force);
        let Some(index) = own.or(last) else { return Err(nothing_to_undo(case)) };
        let decision = case.decisions.remove(index);
        if case.status == CaseStatus::Decided {
            run.open_cases += 1;
        }
        // Where two must agree, what the other one decided still stands.
        case.status = if case.decisions.is_empty() { CaseStatus::Open } else { CaseStatus::Confirming };
        let detail =
            json!({ "case": case.case_id, "digest": case.digest, "by": decision.by, "at": decision.at, "openCases": run.open_cases });
        Ok(Some(("case.undone", detail)))
    })
    .await?;
    Ok(case)
}

fn nothing_to_undo(case: &ReviewCase) -> Error {
    let names: Vec<&str> = case.decisions.iter().map(|decision| decision.by.name()).collect();
    if names.is_empty() {
        return Error::refused("W0426", "the case is not decided: there is nothing to take back");
    }
    Error::refused("W0426", format!("the decision is not yours: ask {} or an operator to take it back", names.join(" or ")))
}
