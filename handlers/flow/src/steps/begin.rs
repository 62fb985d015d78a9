//! Where a run stands when a message for it arrives: messages come late, twice and out of order.

use crate::{
    Context, Error, Message, Outputs, Result, Step,
    audit::{self, Versioned},
    run::{Run, State},
};

/// What a message finds.
pub(crate) enum Begin {
    /// The run is where the message expects it.
    Work(Box<Versioned>),
    /// The run is further: what was emitted then can be emitted again.
    Later(Box<Run>),
    /// Nothing is left to do but to send these.
    Over(Outputs),
}

/// Loads the run of a message for the step that works in `state`.
///
/// # Errors
/// Those of the catalog; [`crate::Kind::Transient`] `J0409` if the run is not that far, which a stale read can show.
pub(crate) async fn begin(context: &Context, message: &Message, state: State) -> Result<Begin> {
    let read = Box::new(audit::load(context, &message.run).await?);
    let run = &read.run;
    if run.state.is_terminal() {
        return Ok(Begin::Over(receipt(run)));
    }
    let (found, expected) = (place(run.state, run.generation), place(state, message.generation));
    if found < expected {
        let message = format!("{} of run {} came while it is {}", message.step, message.run, run.state.name());
        return Err(Error::transient("J0409", message));
    }
    Ok(if found == expected { Begin::Work(read) } else { Begin::Later(Box::new(read.run)) })
}

/// What a run that is over still needs: its receipt.
pub(crate) fn receipt(run: &Run) -> Outputs {
    if run.receipt { Outputs::none() } else { Outputs::one(Message::new(&run.run_id, Step::Archive)) }
}

/// States in the order of a run; transforming and gathering come once a generation.
fn place(state: State, generation: u32) -> u64 {
    let generation = u64::from(generation);
    match state {
        State::Moving => 0,
        State::Sealing => 1,
        State::Transforming => 2 + 2 * generation,
        State::Gathering => 3 + 2 * generation,
        State::Reviewing => 1 << 40,
        State::Publishing => 2 << 40,
        State::Archiving => 3 << 40,
        State::Completed | State::Rejected | State::Failed | State::Cancelled => 4 << 40,
    }
}
