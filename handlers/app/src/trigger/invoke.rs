//! One invocation of a function that is not plain HTTP: decode, call the flow, hand over the outputs.

use futures::FutureExt;
use serde_json::Value;
use sluice_flow::{Context, Error, Kind, Message, Outputs, Step, steps};

use super::{DecodeError, Envelope};
use crate::functions::{Function, Trigger};

/// Why an invocation failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The payload could not be understood.
    #[error("the payload of {function} could not be understood")]
    Payload {
        /// The function.
        function: &'static str,
        /// Why.
        source: DecodeError,
    },
    /// The flow says that the message must come again.
    #[error("{} {}", .0.code(), .0.chain())]
    Flow(#[from] Error),
}

impl Failure {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Payload { .. } => "H0002",
            Self::Flow(error) => error.code(),
        }
    }

    /// Whether somebody must look at it: it will not heal.
    pub fn is_bug(&self) -> bool {
        match self {
            Self::Payload { .. } => true,
            Self::Flow(error) => error.kind() != Kind::Transient,
        }
    }
}

/// Carries out an invocation.
///
/// # Errors
/// [`Failure`]: the host abandons the message.
pub async fn invoke(context: &Context, function: &'static Function, body: &[u8]) -> Result<Outputs, Failure> {
    let understood = |source| Failure::Payload { function: function.name, source };
    let envelope = Envelope::parse(body).map_err(understood)?;
    match function.trigger {
        Trigger::BlobCreated => {
            let payload = envelope.payload(function.binding()).map_err(understood)?;
            let events = match payload {
                Value::Array(events) => events,
                event => vec![event],
            };
            admit(context, &events).await
        }
        Trigger::Queue(step) => {
            let payload = envelope.payload(function.binding()).map_err(understood)?;
            let message = Message::from_json(&payload.to_string())?;
            dispatch(context, step, message, &envelope).await
        }
        Trigger::DeadLetter(step) => {
            let text = envelope.text(function.binding()).map_err(understood)?;
            dead_letter(context, step, &text, &envelope).await
        }
        Trigger::Timer { .. } => Ok(steps::sweep::run(context).boxed().await?),
        Trigger::Http { .. } => Err(understood(DecodeError::Value { expected: "a trigger that is not HTTP", found: "HTTP" })),
    }
}

async fn admit(context: &Context, events: &[Value]) -> Result<Outputs, Failure> {
    let mut outputs = Outputs::none();
    for event in events {
        if let Some(event) = steps::admit::BlobEvent::from_event_grid(event)? {
            outputs.0.extend(steps::admit::run(context, &event).boxed().await?.0);
        }
    }
    Ok(outputs)
}

async fn dispatch(context: &Context, step: Step, message: Message, envelope: &Envelope) -> Result<Outputs, Failure> {
    tracing::Span::current().record("run", message.run.as_str());
    if message.step != step {
        return Err(Error::bug("H0007", format!("a message for {} came to the queue of {step}", message.step)).into());
    }
    tracing::debug!(
        first = message.first,
        last = message.last,
        generation = message.generation,
        delivery_count = envelope.metadata("DeliveryCount"),
        "message received"
    );
    Ok(steps::dispatch(context, message).boxed().await?)
}

/// The text may be anything: that may be why it is here. So it is recorded as it is, never refused: a dead-letter queue has no
/// dead-letter queue of its own.
async fn dead_letter(context: &Context, step: Step, text: &str, envelope: &Envelope) -> Result<Outputs, Failure> {
    let reason = envelope.property("DeadLetterReason").unwrap_or_default();
    let description = envelope.property("DeadLetterErrorDescription").unwrap_or_default();
    steps::dead_letter::run(context, step.name(), text, &reason, &description).await?;
    Ok(Outputs::none())
}
