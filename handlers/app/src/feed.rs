//! One look at the catalog for all who wait for a change.

use std::{sync::Arc, time::Duration};

use sluice_flow::{
    Context, Result,
    changes::{self, Changes, Place, Recent},
};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep_until},
};

/// How often the catalog is asked while somebody waits.
const EVERY: Duration = Duration::from_millis(700);

/// The last look.
#[derive(Clone)]
struct Look {
    at: Instant,
    /// `None` if too much changed to be held for others.
    recent: Option<Arc<Recent>>,
}

/// What the requests of this process that wait for a change share.
#[derive(Default)]
pub struct Feed {
    /// Whoever comes first when the next look is due makes it, and the others wait for that.
    look: Mutex<Option<Look>>,
}

impl Feed {
    /// What changed after a place: at once if there is something, else as soon as there is, or nothing when the time is over.
    ///
    /// # Errors
    /// Those of the catalog.
    pub async fn wait(&self, context: &Context, partner: Option<&str>, place: Place, until: Instant) -> Result<Changes> {
        let mut found = changes::after(context, partner, place).await?;
        while found.runs.is_empty() && Instant::now() < until {
            let next = self.next().await;
            sleep_until(next.min(until)).await;
            let look = self.look(context).await?;
            found = match look.recent.as_ref().and_then(|recent| recent.after(partner, &found.place)) {
                Some(told) => told,
                None => changes::after(context, partner, found.place).await?,
            };
        }
        Ok(found)
    }

    /// When the next look is due.
    async fn next(&self) -> Instant {
        let last = self.look.lock().await.as_ref().map(|look| look.at);
        last.map(|at| at + EVERY).filter(|next| *next > Instant::now()).unwrap_or_else(|| Instant::now() + EVERY)
    }

    /// A look that is not older than [`EVERY`].
    async fn look(&self, context: &Context) -> Result<Look> {
        let mut last = self.look.lock().await;
        if let Some(look) = last.as_ref().filter(|look| look.at + EVERY > Instant::now()) {
            return Ok(look.clone());
        }
        let at = Instant::now();
        let look = Look { at, recent: changes::recent(context).await?.map(Arc::new) };
        *last = Some(look.clone());
        Ok(look)
    }
}
