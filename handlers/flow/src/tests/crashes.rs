//! Whatever goes wrong on the way, the end is the same: invariants 1, 2, 3, 5 and 7.

use futures::{FutureExt as _, future::BoxFuture};

use super::sample::{CONTRACT, Mix, PIPELINE, approve_all, csv, decide_all};
use crate::{
    Sizes,
    harness::{Scenario, World, every_crash, every_delivery},
    review::Verdict,
};

fn before(world: &mut World) -> BoxFuture<'_, ()> {
    async move {
        world.put_pipeline(PIPELINE, CONTRACT).await;
    }
    .boxed()
}

fn small(world: &mut World) -> BoxFuture<'_, ()> {
    async move {
        let event = world.upload("acme", "orders/a.csv", csv(60, 20, Mix::ALL));
        world.event(event.clone());
        world.event(event);
        approve_all(world).await;
    }
    .boxed()
}

fn sent_back(world: &mut World) -> BoxFuture<'_, ()> {
    async move {
        let event = world.upload("acme", "orders/a.csv", csv(60, 20, Mix::ALL));
        world.event(event);
        decide_all(world, Verdict::Return).await;
        let counts = world.only_run().counts.expect("counted");
        assert!(counts.returned > 0 && counts.returned < counts.rejected && counts.corrected == 0, "{counts:?}");
    }
    .boxed()
}

fn large(world: &mut World) -> BoxFuture<'_, ()> {
    async move {
        let event = world.upload("acme", "orders/a.csv", csv(500, 6_000, Mix::ALL));
        world.event(event);
        approve_all(world).await;
        let run = world.only_run();
        assert!(run.segments > 2 && run.chunks > 2 && run.generation == 1 && run.cases == 1, "{run:?}");
        let passes = world.lake.contents().into_keys().filter(|p| p.path.contains("/exclusions/") && p.path.ends_with(".json")).count();
        assert!(passes > 2, "{passes} passes");
    }
    .boxed()
}

/// Small passes of the search for repeated keys, so that there are several.
fn sizes() -> Sizes {
    Sizes { keys_in_memory: 200, ..Sizes::for_testing() }
}

#[tokio::test]
async fn a_small_file_survives_a_crash_at_every_call() {
    let scenario = Scenario { sizes: Sizes { keys_in_memory: 20, ..sizes() }, before: &before, act: &small };
    let crashes = every_crash(&scenario, 1).await;
    assert!(crashes > 150, "{crashes}");
}

#[tokio::test]
async fn a_file_of_many_parts_survives_crashes() {
    let scenario = Scenario { sizes: sizes(), before: &before, act: &large };
    let crashes = every_crash(&scenario, 7).await;
    assert!(crashes > 50, "{crashes}");
}

#[tokio::test]
async fn rows_that_are_sent_back_survive_crashes() {
    let crashes = every_crash(&Scenario { sizes: sizes(), before: &before, act: &sent_back }, 3).await;
    assert!(crashes > 50, "{crashes}");
}

#[tokio::test]
async fn order_repetition_and_company_change_nothing() {
    every_delivery(&Scenario { sizes: sizes(), before: &before, act: &large }, 8).await;
    every_delivery(&Scenario { sizes: sizes(), before: &before, act: &small }, 20).await;
    every_delivery(&Scenario { sizes: sizes(), before: &before, act: &sent_back }, 8).await;
}
