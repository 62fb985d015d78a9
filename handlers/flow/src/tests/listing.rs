//! Which runs a list has.

use chrono::TimeDelta;
use serde_json::json;

use super::{
    review::LARGE,
    sample::{Mix, csv, upload, world},
};
use crate::{
    audit::{self, Actor, Change},
    run::{Failure, State},
    runs::{self, RunFilter},
};

#[tokio::test]
async fn runs_that_are_stuck_or_quiet_can_be_listed() {
    let mut world = world().await;
    let done = upload(&mut world, "orders/done.csv", csv(20, 3, Mix::default())).await;
    let held = upload(&mut world, "orders/held.csv", csv(60, 20, LARGE)).await;
    audit::update(&world.context, &done.run_id, |run| {
        let (code, message, step) = ("X0001".to_owned(), "stuck".to_owned(), "archive".to_owned());
        run.dead_letter = Some(Failure { code, message, step, line: None, offset: None });
        Ok(Some(Change { actor: Actor::step("archive"), action: "run.stuck", detail: json!({}), writes: Vec::new() }))
    })
    .await
    .expect("changed");
    let listed = async |filter: RunFilter| {
        let page = runs::list(&world.context, &filter, None, 10).await.expect("a list");
        page.items.into_iter().map(|run| run.path).collect::<Vec<_>>()
    };
    assert_eq!(listed(RunFilter { dead_lettered: Some(true), ..RunFilter::default() }).await, ["orders/done.csv"]);
    assert_eq!(listed(RunFilter { dead_lettered: Some(false), ..RunFilter::default() }).await, ["orders/held.csv"]);
    let quiet = |since: String, state: Vec<State>| RunFilter { quiet_since: Some(since), state, ..RunFilter::default() };
    assert_eq!(listed(quiet(held.updated_at, Vec::new())).await, Vec::<String>::new());
    world.clock.advance(TimeDelta::seconds(1));
    let now = world.context.now();
    assert_eq!(listed(quiet(now.clone(), Vec::new())).await, ["orders/held.csv"], "what has ended is not quiet");
    assert_eq!(listed(quiet(now.clone(), vec![State::Reviewing, State::Completed])).await, ["orders/held.csv"]);
    assert_eq!(listed(quiet(now, vec![State::Completed])).await, Vec::<String>::new());
}
