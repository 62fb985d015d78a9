//! Summaries are kept until something changes: to make one, every run of its days is read.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex as Lock, PoisonError},
    time::Duration,
};

use sluice_flow::{
    Context, Result,
    changes::{self, Place},
    summary::{Summary, summary},
};
use tokio::{sync::Mutex, time::Instant};

/// How long one is kept at most: what is overdue and who is silent depends on the time, too.
const KEPT: Duration = Duration::from_mins(1);

/// A summary and how old it is.
struct Made {
    /// When it was begun.
    begun: Instant,
    /// When it was ready.
    ready: Instant,
    /// Where the feed of changes was before it was begun.
    place: Place,
    summary: Arc<Summary>,
}

/// What one kind of summary is of: partner, or all of them, and days.
type Key = (Option<String>, u32);

/// The summaries that were asked for lately.
#[derive(Default)]
pub struct Summaries(Lock<HashMap<Key, Arc<Mutex<Option<Made>>>>>);

impl Summaries {
    /// A summary that has every change that was told before it was asked for. Of those who ask at once one makes it.
    ///
    /// # Errors
    /// Those of the catalog.
    pub async fn get(&self, context: &Context, partner: Option<&str>, days: u32) -> Result<Arc<Summary>> {
        let asked = Instant::now();
        let place = self.place((partner.map(str::to_owned), days), asked);
        let mut kept = place.lock().await;
        if let Some(made) = kept.as_ref() {
            let is_new = made.begun >= asked;
            if is_new || (made.ready + KEPT > asked && !has_changed(context, partner, made).await?) {
                return Ok(Arc::clone(&made.summary));
            }
        }
        let (begun, place) = (Instant::now(), changes::now(context, partner).await?);
        let summary = Arc::new(summary(context, partner, days).await?);
        *kept = Some(Made { begun, ready: Instant::now(), place, summary: Arc::clone(&summary) });
        Ok(summary)
    }

    /// The place of a summary. Those that nobody has asked for in a while are forgotten.
    fn place(&self, key: Key, asked: Instant) -> Arc<Mutex<Option<Made>>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, kept| kept.try_lock().map_or(true, |made| made.as_ref().is_none_or(|made| made.ready + KEPT > asked)));
        Arc::clone(all.entry(key).or_default())
    }
}

async fn has_changed(context: &Context, partner: Option<&str>, made: &Made) -> Result<bool> {
    Ok(!changes::after(context, partner, made.place.clone()).await?.runs.is_empty())
}
