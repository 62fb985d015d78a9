//! The live feed: which runs changed since somebody last asked.
//!
//! A run carries the time of its last change, given before the change is committed: one that is committed late shows a time that others have
//! passed already. So a place in the feed is a time a little in the past, with the changes after it that were told already.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Context, Document, Error, Query, Result, rfc3339, run::Run};

/// How late a change may become visible: the longest call to the catalog, and the clocks of two machines.
const LATE: TimeDelta = TimeDelta::seconds(10);
/// How much later than others somebody may ask who is told from [`Recent`].
const SLOW: TimeDelta = TimeDelta::seconds(5);
/// Most changes that are held for others.
const MOST_RECENT: usize = 1000;
/// Most changes told at once.
const MOST: usize = 100;
/// Most changes that a place remembers, so that it fits into a URL.
const MOST_SEEN: usize = 100;
/// Hex digits that stand for a change.
const DIGITS: usize = 12;

/// A place in the feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// RFC 3339: changes before it are told.
    #[serde(rename = "f")]
    from: String,
    /// Changes from then on that are told, too.
    #[serde(rename = "s")]
    seen: BTreeSet<String>,
}

/// Changes and the place behind them.
#[derive(Debug, Clone)]
pub struct Changes {
    /// Runs as they are now, the one that changed first coming first.
    pub runs: Vec<Run>,
    /// Where the feed goes on.
    pub place: Place,
}

/// The end of the feed as it is now.
///
/// # Errors
/// Those of the catalog.
pub async fn now(context: &Context, partner: Option<&str>) -> Result<Place> {
    let mut place = Place { from: rfc3339(context.clock.now() - LATE), seen: BTreeSet::new() };
    loop {
        let changes = after(context, partner, place).await?;
        place = changes.place;
        if changes.runs.is_empty() {
            return Ok(place);
        }
    }
}

/// What changed after a place; of this partner only, if one is named.
///
/// # Errors
/// Those of the catalog.
pub async fn after(context: &Context, partner: Option<&str>, place: Place) -> Result<Changes> {
    let asked = context.clock.now();
    let mut query = query(partner, place.from.clone());
    let mut telling = Telling::new(&place);
    loop {
        let page = context.catalog.query(&query).await?;
        for run in page.documents.iter().map(Document::parse::<Run>) {
            if !telling.take(run?) {
                return Ok(telling.end(asked, false));
            }
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(telling.end(asked, true)),
        }
    }
}

fn query(partner: Option<&str>, from: String) -> Query {
    Query {
        kind: "run",
        equals: partner.map(|partner| ("partner", Value::from(partner))).into_iter().collect(),
        at_least: Some(("updated_at", from)),
        order: Some(("updated_at", false)),
        limit: MOST,
        ..Query::default()
    }
}

/// All that changed lately, of all partners: whoever waits at the end of the feed can be told from it, without a look of their own.
#[derive(Debug)]
pub struct Recent {
    /// When the catalog was asked.
    asked: DateTime<Utc>,
    /// RFC 3339: it has all changes from then on.
    from: String,
    /// Runs as they are now, the one that changed first coming first.
    runs: Vec<Run>,
}

/// What changed lately; `None` if that is too much to be held for others.
///
/// # Errors
/// Those of the catalog.
pub async fn recent(context: &Context) -> Result<Option<Recent>> {
    let asked = context.clock.now();
    let from = rfc3339(asked - LATE - SLOW);
    let page = context.catalog.query(&Query { limit: MOST_RECENT, ..query(None, from.clone()) }).await?;
    if page.next.is_some() {
        return Ok(None);
    }
    let runs = page.documents.iter().map(Document::parse).collect::<Result<_>>()?;
    Ok(Some(Recent { asked, from, runs }))
}

impl Recent {
    /// What [`after`] would say; `None` if the place is too old for that.
    pub fn after(&self, partner: Option<&str>, place: &Place) -> Option<Changes> {
        if place.from < self.from {
            return None;
        }
        let mut telling = Telling::new(place);
        let concerned = self.runs.iter().filter(|run| partner.is_none_or(|partner| partner == run.partner));
        for run in concerned.filter(|run| run.updated_at >= place.from) {
            if !telling.take(run.clone()) {
                return Some(telling.end(self.asked, false));
            }
        }
        Some(telling.end(self.asked, true))
    }
}

/// Changes from a place on, while they are read in order of time.
struct Telling<'a> {
    place: &'a Place,
    runs: Vec<Run>,
    /// Time and sign of all changes, those that the place remembers among them.
    told: Vec<(String, String)>,
}

impl<'a> Telling<'a> {
    fn new(place: &'a Place) -> Self {
        Self { place, runs: Vec::new(), told: Vec::new() }
    }

    /// Takes the next change; `false` if there are as many as can be told at once.
    fn take(&mut self, run: Run) -> bool {
        let change = change_of(&run);
        let at = run.updated_at.clone();
        if !self.place.seen.contains(&change) {
            if self.runs.len() == MOST {
                return false;
            }
            self.runs.push(run);
        }
        self.told.push((at, change));
        true
    }

    /// The changes, and the place behind them. `is_all` says that there are no more.
    fn end(self, asked: DateTime<Utc>, is_all: bool) -> Changes {
        let Self { place: before, runs, mut told } = self;
        let mut from = rfc3339(asked - LATE).max(before.from.clone());
        if let Some((last, _)) = told.last().filter(|_| !is_all) {
            // Not beyond what was told: the rest of a long list is still to come.
            from = from.min(last.clone()).max(before.from.clone());
        }
        told.retain(|(at, _)| *at >= from);
        if told.len() > MOST_SEEN {
            // Under heavy load the latest hundred have to do, with all that are of one moment with them: one that is not remembered would be
            // told again and again.
            from.clone_from(&told[told.len() - MOST_SEEN].0);
            told.retain(|(at, _)| *at >= from);
        }
        Changes { runs, place: Place { from, seen: told.into_iter().map(|(_, change)| change).collect() } }
    }
}

/// What stands for this state of this run.
fn change_of(run: &Run) -> String {
    blake3::hash(format!("{} {}", run.run_id, run.audit.seq).as_bytes()).to_hex()[..DIGITS].to_owned()
}

/// Reads a place from the text of a cursor.
///
/// # Errors
/// Refused `W0400` if it is none.
pub fn parse(text: &str) -> Result<Place> {
    serde_json::from_str(text).map_err(|_| Error::refused("W0400", "the cursor is not one that the feed gave: ask without it"))
}
