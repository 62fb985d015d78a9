//! A Service Bus trigger: takes messages off a queue and runs the function on them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Broker, Delivery, QueueError};
use crate::envelope;
use crate::functions::Function;
use crate::invoker::Invoker;

/// One trigger's loop.
#[derive(Debug, Clone)]
pub(crate) struct Listener {
    pub(crate) invoker: Arc<Invoker>,
    pub(crate) function: Function,
    pub(crate) queue: String,
    pub(crate) binary: bool,
}

impl Listener {
    /// Runs until it is dropped, or the handler is gone for good. Dropping it ends what is under way.
    pub(crate) async fn run(self) {
        let options = &self.invoker.app.host.service_bus;
        let slots = Arc::new(Semaphore::new(options.max_concurrent_calls));
        let mut calls = JoinSet::new();
        loop {
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
            // Only then take a message: while the handler restarts, no delivery is counted for nothing.
            if self.invoker.worker.ready().await.is_err() {
                return;
            }
            let delivery = match self.invoker.broker.receive(&self.queue).await {
                Ok(delivery) => delivery,
                Err(error) => {
                    tracing::error!(queue = self.queue, %error, "trigger stopped");
                    return;
                }
            };
            let listener = self.clone();
            calls.spawn(async move {
                listener.call(&delivery).await;
                drop(slot);
            });
            while calls.try_join_next().is_some() {}
        }
    }

    async fn call(&self, delivery: &Delivery) {
        let body = envelope::service_bus(&self.function.name, &self.function.binding, delivery, self.binary);
        let invocation = self.invoker.invoke(&self.function, "serviceBus", Some(delivery.count), &body);
        let renewal = renew(&self.invoker.broker, delivery, self.invoker.app.host.service_bus.max_auto_lock_renewal);
        let result = tokio::select! {
            result = invocation => result,
            never = renewal => match never {},
        };
        let settled = match result {
            Ok(_) => self.invoker.broker.complete(delivery),
            Err(_) => self.invoker.broker.abandon(delivery),
        };
        if let Err(error) = settled {
            tracing::warn!(queue = self.queue, message = delivery.message.id, %error, "message could not be settled");
        }
    }
}

/// Renews at half of the lock duration, until `limit` is over; never resolves.
async fn renew(broker: &Broker, delivery: &Delivery, limit: Option<Duration>) -> std::convert::Infallible {
    let started = Instant::now();
    loop {
        tokio::time::sleep(broker.lock_duration() / 2).await;
        let over = limit.is_some_and(|limit| started.elapsed() > limit);
        if over || broker.renew(delivery) == Err(QueueError::LockLost) {
            tracing::warn!(queue = %delivery.queue, message = delivery.message.id, "message lock is no longer renewed");
            std::future::pending::<()>().await;
        }
    }
}
