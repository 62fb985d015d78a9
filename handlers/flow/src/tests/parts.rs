//! Many parts: the counting of those that are done, the splitting of messages, and what a file costs in calls.

use std::collections::BTreeMap;

use futures::future::join_all;
use proptest::prelude::*;

use super::sample::{Mix, csv, upload, world};
use crate::{Message, Step, SubmissionId, fanin, harness::World};

fn run_id() -> crate::RunId {
    SubmissionId::of(&crate::BlobPath::new("landing-acme", "a"), &crate::ETag("\"1\"".to_owned())).run(1)
}

fn empty_world() -> World {
    World::new(crate::Sizes::for_testing(), crate::harness::Delivery::default())
}

#[tokio::test]
async fn the_last_of_many_parts_is_told_so_in_any_order_and_again() {
    for parts in [1, 2, 63, 64, 65, 128, 129, 4_096, 4_097] {
        let world = empty_world();
        let order: Vec<u32> = (0..parts).map(|n| (u64::from(n) * 7_919 % u64::from(parts)) as u32).collect();
        let distinct: std::collections::BTreeSet<_> = order.iter().collect();
        assert_eq!(distinct.len() as u32, parts, "each part once");
        for (n, part) in (1u32..).zip(&order) {
            let all = fanin::done(&world.context, &run_id(), Step::Move, 0, parts, *part).await.expect("noted");
            assert_eq!(all, n == parts, "part {part}, the {n}th of {parts}");
        }
        let last = *order.last().expect("a part");
        assert!(fanin::done(&world.context, &run_id(), Step::Move, 0, parts, last).await.expect("noted"), "the last one can ask again");
        assert!(!fanin::done(&world.context, &run_id(), Step::Move, 1, parts.max(2), 0).await.expect("noted"), "generations do not mix");
    }
}

#[tokio::test]
async fn of_parts_that_end_at_once_at_least_one_is_told_that_all_are_done() {
    for parts in [5, 64, 70, 200] {
        let world = empty_world();
        let context = &world.context;
        let told = join_all(
            (0..parts).map(|part| async move { fanin::done(context, &run_id(), Step::Move, 0, parts, part).await.expect("noted") }),
        )
        .await;
        assert!(told.contains(&true), "{parts} parts");
    }
}

#[tokio::test]
async fn the_cost_of_counting_is_linear_in_the_parts() {
    let mut calls = Vec::new();
    for parts in [512u32, 4_096] {
        let world = empty_world();
        for part in 0..parts {
            fanin::done(&world.context, &run_id(), Step::Move, 0, parts, part).await.expect("noted");
        }
        calls.push(world.faults.calls().len() as f64 / f64::from(parts));
    }
    assert!(calls[1] < calls[0] * 1.1, "calls a part: {calls:?}");
}

proptest! {
    #[test]
    fn spans_are_split_into_all_their_parts_with_few_messages_at_a_time(first in 0u32..1_000, count in 1u32..300_000) {
        let mut open = vec![Message::span(&run_id(), Step::Transform, first..=first + count - 1, 1)];
        let mut parts = Vec::new();
        let mut rounds = 0;
        while !open.is_empty() {
            rounds += 1;
            let mut next = Vec::new();
            for message in open {
                match message.split() {
                    Some(smaller) => {
                        prop_assert!(smaller.len() <= 64 && smaller.iter().all(|m| m.generation == 1 && m.first <= m.last));
                        next.extend(smaller);
                    }
                    None => parts.push(message.first),
                }
            }
            open = next;
        }
        parts.sort_unstable();
        prop_assert!(parts.into_iter().eq(first..first + count));
        prop_assert!(rounds <= 5);
    }
}

#[tokio::test]
async fn a_small_file_costs_few_calls() {
    let mut world = world().await;
    upload(&mut world, "orders/warm.csv", csv(5, 10, Mix::default())).await;
    let before = world.faults.calls().len();
    upload(&mut world, "orders/a.csv", csv(5, 11, Mix::default())).await;
    let calls = world.faults.calls().split_off(before);
    let mut counts = BTreeMap::<_, u32>::new();
    for call in &calls {
        *counts.entry(*call).or_default() += 1;
    }
    assert!(calls.len() <= 80, "{} calls: {counts:?}", calls.len());
}
