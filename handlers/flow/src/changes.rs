//! The live feed: which runs changed since somebody last asked.
//!
//! A run carries the time of its last change, given before the change is committed: one that is committed late shows a time that others have
//! passed already. So a place in the feed is a time a little in the past, with the changes after it that were told already.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Context, Document, Error, Query, Result, rfc3339, run::Run};

/// How late a change may become visible: the longest call to the catalog, and the clocks of two machines.
const LATE: TimeDelta = TimeDelta::seconds(10);
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
    let mut query = Query {
        kind: "run",
        equals: partner.map(|partner| ("partner", Value::from(partner))).into_iter().collect(),
        at_least: Some(("updated_at", place.from.clone())),
        order: Some(("updated_at", false)),
        limit: MOST,
        ..Query::default()
    };
    let mut runs: Vec<Run> = Vec::new();
    let mut told: Vec<(String, String)> = Vec::new();
    loop {
        let page = context.catalog.query(&query).await?;
        for run in page.documents.iter().map(Document::parse::<Run>) {
            let run = run?;
            let change = change_of(&run);
            if !place.seen.contains(&change) {
                if runs.len() == MOST {
                    return Ok(Changes { runs, place: next_place(context, &place, told) });
                }
                runs.push(run.clone());
            }
            told.push((run.updated_at, change));
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(Changes { runs, place: next_place(context, &place, told) }),
        }
    }
}

/// What stands for this state of this run.
fn change_of(run: &Run) -> String {
    blake3::hash(format!("{} {}", run.run_id, run.audit.seq).as_bytes()).to_hex()[..DIGITS].to_owned()
}

/// The place behind `told`, which are all changes from the place before on, in order of time.
fn next_place(context: &Context, before: &Place, mut told: Vec<(String, String)>) -> Place {
    let latest = rfc3339(context.clock.now() - LATE);
    let mut from = latest.max(before.from.clone());
    if let Some((last, _)) = told.last() {
        // Not beyond what was told: the rest of a long list is still to come.
        from = from.min(last.clone()).max(before.from.clone());
    }
    told.retain(|(at, _)| *at >= from);
    if told.len() > MOST_SEEN {
        // Under heavy load the latest hundred have to do, with all that are of one moment with them: one that is not remembered would be told
        // again and again.
        from.clone_from(&told[told.len() - MOST_SEEN].0);
        told.retain(|(at, _)| *at >= from);
    }
    Place { from, seen: told.into_iter().map(|(_, change)| change).collect() }
}

/// Reads a place from the text of a cursor.
///
/// # Errors
/// Refused `W0400` if it is none.
pub fn parse(text: &str) -> Result<Place> {
    serde_json::from_str(text).map_err(|_| Error::refused("W0400", "the cursor is not one that the feed gave: ask without it"))
}
