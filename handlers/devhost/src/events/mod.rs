//! Event Grid: a new blob becomes a `BlobCreated` event and reaches its function's webhook at least once.
//!
//! Two sources, one memory: Azurite's access log tells of a write at once, a listing at the start and every now and
//! then makes up for what the log did not show (a crash of devhost in between). [`Delivered`] remembers on disk which
//! version of which blob each subscription was told of, so the two never tell it twice.

mod access_log;
mod azurite;
mod delivered;
mod delivery;
mod event;
mod storage;

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

pub(crate) use access_log::BlobWritten;
pub(crate) use azurite::Azurite;
pub(crate) use delivered::Delivered;
use delivery::{Deliverer, PendingEvent};
use event::Sequencer;
pub(crate) use storage::BlobAccount;
use storage::StorageError;

use crate::config::EventSubscription;
use crate::error::NotReady;

/// Blobs looked at at once.
const LOOKS: usize = 8;

/// Tries to look at a blob before the next listing has to find it.
const LOOK_ATTEMPTS: u32 = 3;

/// Everything a watcher needs.
pub(crate) struct EventGrid {
    account_name: String,
    account: BlobAccount,
    delivered: Arc<Delivered>,
    sequencer: Sequencer,
    reconcile_every: Duration,
    subscribers: Vec<Subscriber>,
}

struct Subscriber {
    subscription: EventSubscription,
    deliverer: Arc<Deliverer>,
    events: mpsc::UnboundedSender<PendingEvent>,
    inbox: std::sync::Mutex<Option<mpsc::UnboundedReceiver<PendingEvent>>>,
}

/// How events are sent.
pub(crate) struct Delivery<'a> {
    pub(crate) http_url: &'a str,
    pub(crate) client: &'a reqwest::Client,
    pub(crate) retry_scale: f64,
    pub(crate) reconcile_every: Duration,
    pub(crate) state_dir: &'a Path,
}

impl EventGrid {
    pub(crate) fn new(
        account_name: String,
        account: BlobAccount,
        delivered: Arc<Delivered>,
        subscriptions: Vec<EventSubscription>,
        delivery: &Delivery<'_>,
    ) -> Self {
        let dead_letter_lock = Arc::new(Mutex::new(()));
        let subscribers = subscriptions.into_iter().map(|subscription| {
            let (events, inbox) = mpsc::unbounded_channel();
            let sender = Arc::new(Deliverer {
                subscription: subscription.clone(),
                endpoint: format!("{}/runtime/webhooks/EventGrid?functionName={}", delivery.http_url, subscription.function),
                client: delivery.client.clone(),
                delivered: Arc::clone(&delivered),
                retry_scale: delivery.retry_scale,
                dead_letters: delivery.state_dir.join("events-deadletter.ndjson"),
                dead_letter_lock: Arc::clone(&dead_letter_lock),
            });
            Subscriber { subscription, deliverer: sender, events, inbox: std::sync::Mutex::new(Some(inbox)) }
        });
        let subscribers = subscribers.collect();
        Self { account_name, account, delivered, sequencer: Sequencer::default(), reconcile_every: delivery.reconcile_every, subscribers }
    }

    /// The validation handshake of every subscription.
    pub(crate) async fn validate(&self) -> Result<(), NotReady> {
        for subscriber in &self.subscribers {
            subscriber.deliverer.validate().await?;
        }
        Ok(())
    }

    /// Runs for ever; dropping the future ends all deliveries.
    pub(crate) async fn run(self: Arc<Self>, mut written: mpsc::UnboundedReceiver<BlobWritten>) {
        let mut deliveries = JoinSet::new();
        for subscriber in &self.subscribers {
            let inbox = subscriber.inbox.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
            if let Some(inbox) = inbox {
                deliveries.spawn(Arc::clone(&subscriber.deliverer).run(inbox));
            }
        }
        let mut listing = tokio::time::interval(self.reconcile_every);
        listing.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let log = async {
            let mut looks = FuturesUnordered::new();
            loop {
                tokio::select! {
                    Some(blob) = written.recv(), if looks.len() < LOOKS => {
                        if self.is_subscribed(&blob) {
                            looks.push(self.look(blob));
                        }
                    }
                    Some(()) = looks.next() => {}
                    else => return,
                }
            }
        };
        let reconcile = async {
            loop {
                listing.tick().await;
                if let Err(error) = self.reconcile().await {
                    tracing::warn!(%error, "blobs cannot be listed to make up for missed events; trying again later");
                }
            }
        };
        futures::future::join(log, reconcile).await;
    }

    fn is_subscribed(&self, blob: &BlobWritten) -> bool {
        let subject = event::subject(&blob.container, &blob.blob);
        self.subscribers.iter().any(|subscriber| subscriber.wants(&subject))
    }

    async fn look(&self, blob: BlobWritten) {
        for attempt in 1..=LOOK_ATTEMPTS {
            match self.account.head(&blob.container, &blob.blob).await {
                Ok(Some(properties)) => return self.announce(&blob, &properties),
                // Deleted or replaced in the meantime: a replacement has a log line of its own.
                Ok(None) => return,
                Err(error) => {
                    tracing::warn!(%error, attempt, "a new blob cannot be looked at");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
        }
    }

    fn announce(&self, blob: &BlobWritten, properties: &storage::BlobProperties) {
        let subject = event::subject(&blob.container, &blob.blob);
        let path = format!("{}/{}", blob.container, blob.blob);
        for subscriber in self.subscribers.iter().filter(|subscriber| subscriber.wants(&subject)) {
            if self.delivered.claim(&subscriber.subscription.function, &path, &properties.etag) {
                let event = event::blob_created(&self.account_name, &subject, blob.api, properties, &self.sequencer);
                let pending = PendingEvent { blob: path.clone(), etag: properties.etag.clone(), event };
                // The receiver lives as long as `run`, which called this.
                let _ = subscriber.events.send(pending);
            }
        }
    }

    /// Lists what is there and announces what nobody was told of.
    async fn reconcile(&self) -> Result<(), StorageError> {
        for container in self.account.containers().await? {
            let beginning = event::subject(&container, "");
            let subscribers: Vec<&Subscriber> = self.subscribers.iter().filter(|s| s.may_want(&beginning)).collect();
            if subscribers.is_empty() {
                continue;
            }
            // Taken before the listing, so that a blob told of during the listing is not held for gone.
            let told: Vec<_> = subscribers.iter().map(|s| self.delivered.in_container(&s.subscription.function, &container)).collect();
            let mut present = HashSet::new();
            let mut marker = None;
            loop {
                let (page, next) = self.account.blobs(&container, marker.as_deref()).await?;
                for listed in page {
                    let path = format!("{container}/{}", listed.name);
                    let subject = event::subject(&container, &listed.name);
                    let is_news =
                        |s: &&Subscriber| s.wants(&subject) && !self.delivered.knows(&s.subscription.function, &path, &listed.etag);
                    if subscribers.iter().any(is_news) {
                        self.look(BlobWritten { container: container.clone(), blob: listed.name, api: "PutBlob" }).await;
                    }
                    present.insert(path);
                }
                marker = next;
                if marker.is_none() {
                    break;
                }
            }
            for (subscriber, told) in subscribers.iter().zip(told) {
                for (path, etag) in told.iter().filter(|(path, _)| !present.contains(path)) {
                    self.delivered.forget(&subscriber.subscription.function, path, etag);
                }
            }
        }
        Ok(())
    }
}

impl Subscriber {
    fn wants(&self, subject: &str) -> bool {
        subject.starts_with(&self.subscription.subject_begins_with) && subject.ends_with(&self.subscription.subject_ends_with)
    }

    /// Whether a blob of the container could be wanted.
    fn may_want(&self, container_subject: &str) -> bool {
        let wanted = &self.subscription.subject_begins_with;
        container_subject.starts_with(wanted.as_str()) || wanted.starts_with(container_subject)
    }
}
