//! What runs, what waits, what failed, what came in, and who is silent.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    Context, Document, Query, Result,
    catalog::body,
    review::{CaseStatus, ReviewCase},
    rfc3339,
    run::{Run, State},
};

/// Runs after which a rhythm can be told.
const RHYTHM_RUNS: usize = 3;
/// Gaps between files count as this long at least.
const LEAST_GAP: TimeDelta = TimeDelta::hours(1);
/// Files that are this many usual gaps late are missed.
const MISSED_GAPS: i32 = 2;

/// The whole summary.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// RFC 3339: when it was made.
    pub at: String,
    /// Runs that are being worked on.
    pub in_flight: u64,
    /// What waits for people.
    pub waiting: Waiting,
    /// Runs of these days that failed.
    pub failed: u64,
    /// Runs of these days with a message in a dead-letter queue.
    pub dead_lettered: u64,
    /// What came in, by day, partner and pipeline.
    pub days: Vec<Day>,
    /// Who should have sent something and has not.
    pub silent: Vec<Silence>,
}

/// What waits for people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    /// Runs under review.
    pub runs: u64,
    /// Cases that are not decided.
    pub cases: u64,
    /// Their rows.
    pub rows: u64,
    /// Those of the cases whose time is over.
    pub overdue: u64,
}

/// What came in on one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Day {
    /// ISO 8601 date, in UTC.
    pub day: String,
    /// Partner id.
    pub partner: String,
    /// Pipeline name; `None` for files that no pipeline takes.
    pub pipeline: Option<String>,
    /// Runs.
    pub runs: u64,
    /// Rows of those that were counted.
    pub rows: u64,
    /// Rows of them that were rejected.
    pub rejected: u64,
    /// Bytes.
    pub bytes: u64,
}

/// A partner whose files used to come more often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Silence {
    /// Partner id.
    pub partner: String,
    /// Pipeline name.
    pub pipeline: String,
    /// RFC 3339: when the last file came.
    pub last_at: String,
    /// Median seconds between two files.
    pub usual_seconds: u64,
}

/// Sums up the runs of the last `days` days and what is under way; of one partner only, if one is named.
///
/// # Errors
/// Those of the catalog.
pub async fn summary(context: &Context, partner: Option<&str>, days: u32) -> Result<Summary> {
    let now = context.clock.now();
    let since = rfc3339(now - TimeDelta::days(i64::from(days)));
    let mut summary = Summary { at: rfc3339(now), ..Summary::default() };
    let mut by_day = BTreeMap::<(String, String, Option<String>), Day>::new();
    let mut arrivals = BTreeMap::<(String, String), Vec<DateTime<Utc>>>::new();
    let recent =
        Query { kind: "run", at_least: Some(("created_at", since.clone())), order: Some(("created_at", false)), ..Query::default() };
    each(context, partner, recent, |run: Run| {
        count(&mut summary, &run);
        add_day(&mut by_day, &run);
        if let (1, Some(pipeline), Ok(at)) = (run.attempt, run.pipeline, DateTime::parse_from_rfc3339(&run.created_at)) {
            arrivals.entry((run.partner, pipeline)).or_default().push(at.to_utc());
        }
    })
    .await?;
    // What is older and still not at its end.
    let states = State::UNFINISHED.iter().map(body).collect::<Result<_>>()?;
    // In the order of times, which differ: ids are those of a run's partition, the same in every run, and pages go on at a value.
    let order = Some(("created_at", false));
    let old = Query { kind: "run", any_of: Some(("state", states)), less_than: vec![("created_at", since)], order, ..Query::default() };
    each(context, partner, old, |run: Run| {
        in_flight(&mut summary, &run);
    })
    .await?;
    let statuses = [CaseStatus::Open, CaseStatus::Confirming].iter().map(body).collect::<Result<_>>()?;
    let cases = Query { kind: "case", any_of: Some(("status", statuses)), order: Some(("due_at", false)), ..Query::default() };
    let waiting = &mut summary.waiting;
    let at = &summary.at;
    each(context, partner, cases, |case: ReviewCase| {
        waiting.cases += 1;
        waiting.rows += case.rows;
        waiting.overdue += u64::from(case.due_at < *at);
    })
    .await?;
    summary.days = by_day.into_values().collect();
    summary.silent = arrivals.into_iter().filter_map(|(source, arrivals)| silence(source, &arrivals, now)).collect();
    Ok(summary)
}

/// Hands over every document of a query.
async fn each<T: DeserializeOwned>(
    context: &Context,
    partner: Option<&str>,
    mut query: Query,
    mut take: impl FnMut(T) + Send,
) -> Result<()> {
    query.equals.extend(partner.map(|partner| ("partner", Value::from(partner))));
    query.limit = 1000;
    loop {
        let page = context.catalog.query(&query).await?;
        for document in page.documents.iter().map(Document::parse) {
            take(document?);
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(()),
        }
    }
}

fn in_flight(summary: &mut Summary, run: &Run) {
    match run.state {
        State::Reviewing => summary.waiting.runs += 1,
        state if !state.is_terminal() => summary.in_flight += 1,
        _ => {}
    }
}

fn count(summary: &mut Summary, run: &Run) {
    in_flight(summary, run);
    summary.failed += u64::from(run.state == State::Failed);
    summary.dead_lettered += u64::from(run.dead_letter.is_some());
}

fn add_day(days: &mut BTreeMap<(String, String, Option<String>), Day>, run: &Run) {
    let date = run.created_at.split('T').next().unwrap_or_default().to_owned();
    let key = (date.clone(), run.partner.clone(), run.pipeline.clone());
    let day = days.entry(key).or_insert_with(|| Day {
        day: date,
        partner: run.partner.clone(),
        pipeline: run.pipeline.clone(),
        runs: 0,
        rows: 0,
        rejected: 0,
        bytes: 0,
    });
    day.runs += 1;
    day.bytes += run.source.size;
    if let Some(counts) = &run.counts {
        day.rows += counts.rows;
        day.rejected += counts.rejected;
    }
}

/// Whether the next file is overdue, measured by the usual gap between files.
fn silence((partner, pipeline): (String, String), arrivals: &[DateTime<Utc>], now: DateTime<Utc>) -> Option<Silence> {
    let last = *arrivals.iter().max()?;
    if arrivals.len() < RHYTHM_RUNS {
        return None;
    }
    let mut times = arrivals.to_vec();
    times.sort_unstable();
    let mut gaps: Vec<TimeDelta> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    gaps.sort_unstable();
    // Files that come in one go say nothing of the next.
    let usual = gaps[gaps.len() / 2].max(LEAST_GAP);
    let usual_seconds = u64::try_from(usual.num_seconds()).ok()?;
    (now - last > usual * MISSED_GAPS).then(|| Silence { partner, pipeline, last_at: rfc3339(last), usual_seconds })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn silent(days: &[i64], now: i64) -> Option<u64> {
        let at = |day: i64| DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(day);
        let arrivals: Vec<_> = days.iter().map(|day| at(*day)).collect();
        silence(("p".to_owned(), "q".to_owned()), &arrivals, at(now)).map(|silence| silence.usual_seconds / 86_400)
    }

    #[test]
    fn a_partner_is_silent_after_twice_its_usual_gap() {
        assert_eq!(silent(&[0, 1, 2, 3], 5), None, "exactly twice the gap is not yet late");
        assert_eq!(silent(&[0, 1, 2, 3], 6), Some(1));
        assert_eq!(silent(&[0, 7, 14], 27), None);
        assert_eq!(silent(&[14, 0, 7], 29), Some(7), "whatever the order");
        assert_eq!(silent(&[0, 1], 100), None, "two files are no rhythm");
        assert_eq!(silent(&[0, 1, 2, 30, 31], 34), Some(1), "one long gap does not change what is usual");
    }

    #[test]
    fn files_that_came_in_one_go_are_no_rhythm_of_seconds() {
        let at = |minute: i64| DateTime::<Utc>::UNIX_EPOCH + TimeDelta::minutes(minute);
        let silent = |now| silence(("p".to_owned(), "q".to_owned()), &[at(0), at(0), at(0)], at(now)).map(|silence| silence.usual_seconds);
        assert_eq!(silent(120), None);
        assert_eq!(silent(121), Some(3600));
    }
}
