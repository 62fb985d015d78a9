//! The dashboard's figures are those of the runs.

use chrono::TimeDelta;

use super::{
    review::LARGE,
    sample::{Mix, csv, upload, world},
};
use crate::summary;

#[tokio::test]
async fn what_came_in_what_waits_and_who_is_silent() {
    let mut world = world().await;
    for day in 0..4 {
        upload(&mut world, &format!("orders/{day}.csv"), csv(20, 3, Mix { negative: 7, ..Mix::default() })).await;
        world.clock.advance(TimeDelta::days(1));
    }
    upload(&mut world, "orders/held.csv", csv(60, 20, LARGE)).await;
    upload(&mut world, "elsewhere/a.csv", "x").await;
    let found = summary::summary(&world.context, None, 14).await.expect("a summary");
    assert_eq!((found.waiting.runs, found.waiting.cases, found.waiting.rows, found.waiting.overdue), (1, 1, 5, 0));
    assert_eq!((found.in_flight, found.failed, found.dead_lettered), (0, 0, 0));
    assert_eq!(found.silent, []);
    assert_eq!(found.days.iter().map(|d| (d.day.as_str(), d.pipeline.as_deref())).collect::<Vec<_>>().len(), 6);
    let first = &found.days[0];
    assert_eq!((first.day.as_str(), first.runs, first.rows, first.rejected), ("2026-01-01", 1, 20, 2));
    assert_eq!(first.bytes, csv(20, 3, Mix { negative: 7, ..Mix::default() }).len() as u64);
    assert!(found.days.iter().any(|d| d.day == "2026-01-05" && d.pipeline.is_none() && d.rows == 0));
    let others = summary::summary(&world.context, Some("rival"), 14).await.expect("a summary");
    assert_eq!((others.days.len(), others.waiting.cases), (0, 0));

    world.clock.advance(TimeDelta::days(3));
    let later = summary::summary(&world.context, None, 14).await.expect("a summary");
    assert_eq!(later.waiting.overdue, 1);
    assert_eq!(later.silent.iter().map(|s| (s.pipeline.as_str(), s.usual_seconds)).collect::<Vec<_>>(), [("orders", 86_400)]);
    assert_eq!(later.silent[0].last_at, "2026-01-05T00:00:00.000Z");
    // What waits is told however old it is.
    world.clock.advance(TimeDelta::days(30));
    let old = summary::summary(&world.context, None, 14).await.expect("a summary");
    assert_eq!((old.days.len(), old.waiting.runs, old.waiting.cases), (0, 1, 1));
}
