//! What falls by the wayside is picked up.

use chrono::TimeDelta;
use serde_json::json;

use super::sample::{Mix, csv, run_of, world};
use crate::{
    Write,
    grant::{Grant, Scope},
    harness::World,
    run::{Declared, State},
};

async fn sweep_after(world: &mut World, minutes: i64) {
    world.clock.advance(TimeDelta::minutes(minutes));
    world.sweep();
    world.drain().await;
}

#[tokio::test]
async fn an_upload_without_an_event_is_found_once_its_event_had_time_to_come() {
    let mut world = world().await;
    let event = world.upload("acme", "orders/a.csv", csv(5, 10, Mix::default()));
    world.sweep();
    world.drain().await;
    assert!(world.runs().is_empty(), "its event may still come");
    sweep_after(&mut world, 2).await;
    assert_eq!(run_of(&world, &event).state, State::Completed);
    world.event(event);
    sweep_after(&mut world, 2).await;
    world.only_run();
    world.check().await;
}

#[tokio::test]
async fn a_run_whose_message_was_lost_goes_on_from_every_state() {
    let body = csv(1_000, 2_000, Mix::ALL);
    for state in [State::Moving, State::Sealing, State::Transforming, State::Gathering, State::Publishing, State::Archiving] {
        let mut world = world().await;
        let mix = if state == State::Publishing || state == State::Archiving { Mix::default() } else { Mix::ALL };
        let body = if mix.large == 0 { csv(20, 10, mix) } else { body.clone() };
        let event = world.upload("acme", "orders/a.csv", body);
        world.event(event.clone());
        world.drain_until(|w| w.runs().iter().any(|r| r.state == state)).await;
        assert_eq!(run_of(&world, &event).state, state, "the run gets there");
        world.lose_messages();
        sweep_after(&mut world, 5).await;
        assert_eq!(run_of(&world, &event).state, state, "it may just take long");
        sweep_after(&mut world, 6).await;
        sweep_after(&mut world, 11).await;
        assert!(matches!(run_of(&world, &event).state, State::Completed | State::Reviewing), "{}", state.name());
        world.check().await;
    }
}

#[tokio::test]
async fn a_run_that_makes_progress_is_left_alone() {
    let mut world = world().await;
    let event = world.upload("acme", "orders/a.csv", csv(1_500, 3_000, Mix::default()));
    world.event(event.clone());
    let moved = |n: usize| move |w: &World| w.catalog.contents().values().filter(|d| d.kind == "segment").count() >= n;
    for segments in 1..4 {
        world.drain_until(moved(segments)).await;
        world.clock.advance(TimeDelta::minutes(11));
        let outputs = crate::steps::sweep::run(&world.context).await.expect("swept");
        assert!(outputs.0.is_empty(), "{outputs:?}");
    }
    world.drain().await;
    assert_eq!(run_of(&world, &event).state, State::Completed);
}

#[tokio::test]
async fn grants_of_the_past_are_removed() {
    let world = world().await;
    let grant = |id: &str, expires_at: &str| {
        let grant = Grant {
            fixes: None,
            grant_id: id.to_owned(),
            partner: "acme".to_owned(),
            scope: Scope::Container { read_back: false },
            declared: Declared::default(),
            created_at: "2025-12-01T00:00:00.000Z".to_owned(),
            created_by: "p".to_owned(),
            expires_at: expires_at.to_owned(),
        };
        Write::Create { id: format!("grant:{id}"), kind: "grant", body: json!(grant) }
    };
    let writes = vec![
        grant("old", "2025-12-30T00:00:00.000Z"),
        grant("late", "2025-12-31T12:00:00.000Z"),
        grant("good", "2026-02-01T00:00:00.000Z"),
    ];
    world.context.catalog.commit("partner:acme", writes).await.expect("commit");
    crate::steps::sweep::run(&world.context).await.expect("swept");
    let left: Vec<_> =
        world.catalog.contents().into_keys().filter(|(partition, _)| partition == "partner:acme").map(|(_, id)| id).collect();
    assert_eq!(left, ["grant:good", "grant:late"]);
}
