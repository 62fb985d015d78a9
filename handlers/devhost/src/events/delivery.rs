//! Sending events to a function's webhook, with Event Grid's patience.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use azure_core::Uuid;
use serde_json::{Value, json};
use tokio::sync::{Mutex, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::delivered::Delivered;
use crate::config::EventSubscription;
use crate::error::NotReady;
use crate::rotating_file::RotatingFile;

/// Waits before the second try, the third, and so on; the last repeats.
const SCHEDULE_SECONDS: [u64; 8] = [10, 30, 60, 300, 600, 1800, 3600, 10_800];

/// How long an event is tried at all.
const TIME_TO_LIVE: Duration = Duration::from_hours(24);

/// How long Event Grid waits for an answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// An event and what it tells of.
#[derive(Debug, Clone)]
pub(crate) struct PendingEvent {
    /// `container/name`.
    pub(crate) blob: String,
    pub(crate) etag: String,
    pub(crate) event: Value,
}

/// One subscription's sender.
#[derive(Debug)]
pub(crate) struct Deliverer {
    pub(crate) subscription: EventSubscription,
    /// The webhook's address.
    pub(crate) endpoint: String,
    pub(crate) client: reqwest::Client,
    pub(crate) delivered: Arc<Delivered>,
    pub(crate) retry_scale: f64,
    pub(crate) dead_letters: PathBuf,
    pub(crate) dead_letter_lock: Arc<Mutex<()>>,
}

enum Answer {
    Accepted,
    /// Never to be tried again (400, 413).
    Refused(String),
    Failed(String),
}

impl Deliverer {
    /// The validation handshake.
    pub(crate) async fn validate(&self) -> Result<(), NotReady> {
        let code = Uuid::new_v4().to_string();
        let event = json!([{
            "id": Uuid::new_v4().to_string(),
            "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
            "subject": "",
            "data": {"validationCode": code},
            "dataVersion": "1",
        }]);
        let unconfirmed = |reason: String| NotReady::Subscription { function: self.subscription.function.clone(), reason };
        let request = self.client.post(&self.endpoint).header("aeg-event-type", "SubscriptionValidation").json(&event);
        let response = request.timeout(ANSWER_LIMIT).send().await.map_err(|error| unconfirmed(error.to_string()))?;
        let status = response.status();
        let answer: Value = response.json().await.map_err(|_| unconfirmed(format!("status {status}, body is not JSON")))?;
        if answer.get("validationResponse").and_then(Value::as_str) == Some(&code) {
            Ok(())
        } else {
            Err(unconfirmed(format!("status {status}, the validation code did not come back")))
        }
    }

    /// Sends what comes in, until the sender is dropped; dropping the future ends all tries.
    pub(crate) async fn run(self: Arc<Self>, mut events: mpsc::UnboundedReceiver<PendingEvent>) {
        let slots = Arc::new(Semaphore::new(self.subscription.max_concurrent_deliveries.max(1)));
        let mut deliveries = JoinSet::new();
        while let Some(first) = events.recv().await {
            let mut batch = vec![first];
            while batch.len() < self.subscription.max_events_per_batch {
                let Ok(next) = events.try_recv() else { break };
                batch.push(next);
            }
            // Held back here, so that a burst waits in the channel and can be batched.
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
            drop(slot);
            let deliverer = Arc::clone(&self);
            let slots = Arc::clone(&slots);
            deliveries.spawn(async move { deliverer.deliver(batch, &slots).await });
            while deliveries.try_join_next().is_some() {}
        }
        while deliveries.join_next().await.is_some() {}
    }

    async fn deliver(&self, batch: Vec<PendingEvent>, slots: &Semaphore) {
        let body = Value::Array(batch.iter().map(|pending| pending.event.clone()).collect());
        let given_up_at = Instant::now() + TIME_TO_LIVE.mul_f64(self.retry_scale);
        for attempt in 1..=self.subscription.max_delivery_attempts {
            let Ok(slot) = slots.acquire().await else { return };
            let answer = self.send(&body, attempt).await;
            drop(slot);
            match answer {
                Answer::Accepted => return self.settle(&batch),
                Answer::Refused(reason) => return self.give_up(&batch, &reason).await,
                Answer::Failed(reason) => {
                    tracing::warn!(function = self.subscription.function, attempt, reason, "event delivery failed");
                    if attempt == self.subscription.max_delivery_attempts || Instant::now() >= given_up_at {
                        return self.give_up(&batch, &reason).await;
                    }
                    tokio::time::sleep(self.delay_after(attempt)).await;
                }
            }
        }
    }

    fn delay_after(&self, attempt: u32) -> Duration {
        let index = (attempt as usize - 1).min(SCHEDULE_SECONDS.len() - 1);
        Duration::from_secs(SCHEDULE_SECONDS[index]).mul_f64(self.retry_scale)
    }

    async fn send(&self, body: &Value, attempt: u32) -> Answer {
        let request = self
            .client
            .post(&self.endpoint)
            .header("aeg-event-type", "Notification")
            .header("aeg-delivery-count", (attempt - 1).to_string())
            .json(body)
            .timeout(ANSWER_LIMIT);
        match request.send().await {
            Ok(response) if response.status().is_success() => Answer::Accepted,
            Ok(response) if matches!(response.status().as_u16(), 400 | 413) => Answer::Refused(format!("status {}", response.status())),
            Ok(response) => Answer::Failed(format!("status {}", response.status())),
            Err(error) => Answer::Failed(error.to_string()),
        }
    }

    fn settle(&self, batch: &[PendingEvent]) {
        for pending in batch {
            self.delivered.settle(&self.subscription.function, &pending.blob, &pending.etag);
        }
    }

    async fn give_up(&self, batch: &[PendingEvent], reason: &str) {
        let _turn = self.dead_letter_lock.lock().await;
        let write = || -> std::io::Result<()> {
            let mut file = RotatingFile::open(&self.dead_letters)?;
            for pending in batch {
                let line = json!({"function": self.subscription.function, "deadLetterReason": reason, "event": pending.event});
                file.line(&line.to_string())?;
            }
            Ok(())
        };
        match write() {
            Ok(()) => {
                tracing::error!(
                    function = self.subscription.function,
                    events = batch.len(),
                    reason,
                    "events were given up; see events-deadletter.ndjson"
                );
                self.settle(batch);
            }
            Err(error) => tracing::error!(%error, "events were given up and cannot be written to events-deadletter.ndjson"),
        }
    }
}
