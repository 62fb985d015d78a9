//! Who works on a case.

use serde_json::json;

use super::{change, taken, waiting};
use crate::{Context, Result, audit::Actor, review::ReviewCase};

/// Takes a case, so that others see that somebody works on it. Taking one's own case again changes nothing.
///
/// # Errors
/// Refused `W0404`, `W0410` (decided or void), `W0423` (taken by another); those of the catalog.
pub async fn claim(context: &Context, actor: &Actor, case_id: &str) -> Result<ReviewCase> {
    change(context, actor, case_id, |_, case| {
        waiting(case)?;
        match &case.claimed_by {
            Some(claimer) if claimer.is(actor) => Ok(None),
            Some(claimer) => Err(taken(claimer)),
            None => {
                case.claimed_by = Some(actor.clone());
                Ok(Some(("case.claimed", json!({ "case": case.case_id }))))
            }
        }
    })
    .await
    .map(|(_, case)| case)
}

/// Gives a case to somebody. `by_force` takes it from another person (for operators).
///
/// # Errors
/// As [`claim`].
pub async fn assign(context: &Context, actor: &Actor, case_id: &str, to: &Actor, by_force: bool) -> Result<ReviewCase> {
    change(context, actor, case_id, |_, case| {
        waiting(case)?;
        match &case.claimed_by {
            Some(claimer) if claimer.is(to) => return Ok(None),
            Some(claimer) if !by_force && !claimer.is(actor) => return Err(taken(claimer)),
            _ => {}
        }
        let detail = json!({ "case": case.case_id, "to": to, "claimedBy": case.claimed_by });
        case.claimed_by = Some(to.clone());
        Ok(Some(("case.assigned", detail)))
    })
    .await
    .map(|(_, case)| case)
}

/// Gives a case back. `by_force` takes it from another person (for operators).
///
/// # Errors
/// Refused `W0404`, `W0410` (decided or void), `W0423` (taken by another); those of the catalog.
pub async fn release(context: &Context, actor: &Actor, case_id: &str, by_force: bool) -> Result<ReviewCase> {
    change(context, actor, case_id, |_, case| {
        waiting(case)?;
        match &case.claimed_by {
            None => Ok(None),
            Some(claimer) if by_force || claimer.is(actor) => {
                let detail = json!({ "case": case.case_id, "claimedBy": claimer });
                case.claimed_by = None;
                Ok(Some(("case.released", detail)))
            }
            Some(claimer) => Err(taken(claimer)),
        }
    })
    .await
    .map(|(_, case)| case)
}
