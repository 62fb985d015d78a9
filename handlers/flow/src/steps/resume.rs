//! The messages that bring a run forward from where it stands: after a state change, after a dead letter, after a stall.

use super::begin::receipt;
use crate::{
    Context, Message, Outputs, Query, Result, Step,
    exclusions::Exclusions,
    review::CaseStatus,
    run::{Run, State},
};

/// The messages of a run's current step, as they were first emitted. Sending them again is harmless.
///
/// # Errors
/// Those of the catalog and the lake.
pub async fn messages(context: &Context, run: &Run) -> Result<Outputs> {
    let span = |step, parts: u32| match parts {
        0 => Outputs::none(),
        parts => Outputs::one(Message::span(&run.run_id, step, 0..=parts - 1, run.generation)),
    };
    Ok(match run.state {
        State::Moving => span(Step::Move, run.segments),
        State::Sealing => span(Step::Seal, 1),
        State::Transforming => span(Step::Transform, transform_parts(context, run).await?),
        State::Gathering => span(Step::Gather, 1),
        State::Reviewing => reviewing(context, run).await?,
        State::Publishing => Outputs::one(Message::new(&run.run_id, Step::Publish)),
        State::Archiving => Outputs::one(Message::new(&run.run_id, Step::Archive)),
        State::Completed | State::Rejected | State::Failed | State::Cancelled => receipt(run),
    })
}

/// Parts of the transform of the run's generation: all chunks, or those with rows that are taken out.
pub(crate) async fn transform_parts(context: &Context, run: &Run) -> Result<u32> {
    Ok(if run.generation == 0 { run.chunks } else { Exclusions::load(context, run).await?.chunks.len() as u32 })
}

/// Decisions if all cases are decided; otherwise the cases that are not open yet are opened, and the others wait for people.
async fn reviewing(context: &Context, run: &Run) -> Result<Outputs> {
    if run.open_cases == 0 {
        return Ok(Outputs::one(Message::new(&run.run_id, Step::Decisions)));
    }
    let equals = vec![("status", serde_json::json!(CaseStatus::Opening))];
    let query = Query { kind: "case", partition: Some(run.run_id.partition()), equals, limit: 1, ..Query::default() };
    let unopened = !context.catalog.query(&query).await?.documents.is_empty();
    Ok(if unopened { Outputs::one(Message::span(&run.run_id, Step::Reviews, 0..=run.cases - 1, 0)) } else { Outputs::none() })
}
