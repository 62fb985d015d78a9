//! A review case becomes visible to reviewers.

use serde_json::json;

use crate::{
    Context, Error, Message, Outputs, Result, Write,
    audit::{self, Actor, Change},
    catalog::body,
    review::{CaseStatus, ReviewCase},
    run::State,
};

/// Opens the case that the message names.
///
/// # Errors
/// Those of the catalog; [`crate::Kind::Bug`] `W0501` if the run has no such case.
pub async fn run(context: &Context, message: Message) -> Result<Outputs> {
    let partition = message.run.partition();
    for _ in 0..20 {
        let versioned = audit::load(context, &message.run).await?;
        if versioned.run.state != State::Reviewing {
            return Ok(Outputs::none());
        }
        let document = context.catalog.get(&partition, &ReviewCase::document_id(message.first)).await?;
        let document = document.ok_or_else(|| Error::bug("W0501", format!("run {} has no review case {}", message.run, message.first)))?;
        let mut case: ReviewCase = document.parse()?;
        if case.status != CaseStatus::Opening {
            return Ok(Outputs::none());
        }
        case.status = CaseStatus::Open;
        let detail = json!({ "case": case.case_id, "cause": case.cause, "rows": case.rows, "digest": case.digest, "dueAt": case.due_at });
        let writes = vec![Write::Replace { id: document.id, kind: "case", body: body(&case)?, etag: document.etag }];
        let change = Change { actor: Actor::step("reviews"), action: "case.opened", detail, writes };
        if audit::attempt(context, versioned.run, versioned.etag, change).await?.is_some() {
            return Ok(Outputs::none());
        }
    }
    Err(Error::transient(
        "K0409",
        format!("review case {} of run {} was changed by others many times in a row", message.first, message.run),
    ))
}
