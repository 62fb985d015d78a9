//! The live feed tells every change, and no change twice without need.

use chrono::TimeDelta;

use super::{
    review::{person, world},
    sample::{Mix, csv, upload},
};
use crate::{
    audit::{self, Actor, Change},
    changes::{self, Place},
    harness::World,
    reviews,
    run::Run,
};

async fn after(world: &World, partner: Option<&str>, place: Place) -> (Vec<Run>, Place) {
    let found = changes::after(&world.context, partner, place).await.expect("the feed");
    // As a client sends it back.
    let text = serde_json::to_string(&found.place).expect("a cursor");
    (found.runs, changes::parse(&text).expect("the same cursor"))
}

#[tokio::test]
async fn a_change_is_told_once_to_whom_it_concerns() {
    let (mut world, run, case) = world(1).await;
    let place = changes::now(&world.context, None).await.expect("a place");
    let (runs, place) = after(&world, None, place).await;
    assert!(runs.is_empty(), "what is there already is no change");
    reviews::claim(&world.context, &person("a"), &case.case_id).await.expect("claimed");
    let (runs, place) = after(&world, None, place).await;
    assert_eq!(runs.iter().map(|r| &r.run_id).collect::<Vec<_>>(), [&run.run_id], "a case tells through its run");
    let (runs, place) = after(&world, None, place).await;
    assert!(runs.is_empty(), "it was told");

    let others = changes::now(&world.context, Some("rival")).await.expect("a place");
    let mine = changes::now(&world.context, Some("acme")).await.expect("a place");
    let second = upload(&mut world, "orders/b.csv", csv(3, 3, Mix::default())).await;
    assert!(after(&world, Some("rival"), others).await.0.is_empty());
    for place in [place, mine] {
        let (runs, _) = after(&world, None, place).await;
        assert_eq!(runs.iter().map(|r| &r.run_id).collect::<Vec<_>>(), [&second.run_id]);
    }
    // From one look for all they are told the same.
    for partner in [None, Some("acme"), Some("rival")] {
        let place = changes::now(&world.context, partner).await.expect("a place");
        reviews::release(&world.context, &person("a"), &case.case_id, true).await.expect("released");
        reviews::claim(&world.context, &person("a"), &case.case_id).await.expect("claimed");
        let recent = changes::recent(&world.context).await.expect("a look").expect("not too much");
        let shared = recent.after(partner, &place).expect("new enough");
        let own = changes::after(&world.context, partner, place).await.expect("the feed");
        let ids = |runs: &[Run]| runs.iter().map(|r| (r.run_id.clone(), r.audit.seq)).collect::<Vec<_>>();
        assert_eq!((ids(&shared.runs), shared.place), (ids(&own.runs), own.place), "{partner:?}");
        assert_eq!(shared.runs.len(), usize::from(partner != Some("rival")));
    }
    let old = changes::now(&world.context, None).await.expect("a place");
    world.clock.advance(TimeDelta::minutes(1));
    let recent = changes::recent(&world.context).await.expect("a look").expect("not too much");
    assert!(recent.after(None, &old).is_none(), "a place that is too old is no place for a look of others");
    assert_eq!(changes::parse("nonsense").expect_err("no cursor").code(), "W0400");
}

#[tokio::test]
async fn a_change_that_becomes_visible_late_is_told_all_the_same() {
    let (world, run, _) = world(1).await;
    let late = world.context.now();
    world.clock.advance(TimeDelta::seconds(5));
    let place = changes::now(&world.context, None).await.expect("a place");
    // It took its time before others did, and is committed after them.
    let versioned = audit::load(&world.context, &run.run_id).await.expect("the run");
    let change = Change { actor: Actor::step("gather"), action: "run.touched", detail: serde_json::json!({}), writes: Vec::new() };
    world.clock.advance(TimeDelta::seconds(-5));
    let touched = audit::attempt(&world.context, versioned.run, versioned.etag, change).await.expect("written").expect("nobody was faster");
    assert_eq!(touched.updated_at, late);
    world.clock.advance(TimeDelta::seconds(6));
    assert_eq!(after(&world, None, place).await.0.len(), 1);
}

#[tokio::test]
async fn many_changes_come_in_portions_and_none_is_left_out() {
    let mut world = super::sample::world().await;
    let mut place = changes::now(&world.context, None).await.expect("a place");
    for n in 0..130 {
        // Most of them within one millisecond.
        world.event(world.upload("acme", &format!("elsewhere/{n}"), "x"));
        world.drain().await;
    }
    let mut told = std::collections::BTreeSet::new();
    for portion in 0.. {
        let (runs, next) = after(&world, None, place).await;
        place = next;
        if runs.is_empty() {
            break;
        }
        assert!(runs.len() <= 100 && portion < 3, "{} runs in portion {portion}", runs.len());
        told.extend(runs.into_iter().map(|r| r.run_id.to_string()));
        world.clock.advance(TimeDelta::seconds(1));
    }
    assert_eq!(told.len(), 130);
    assert!(serde_json::to_string(&place).expect("a cursor").len() < 3000, "it fits into a URL");
}
