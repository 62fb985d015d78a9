//! What is published is what was uploaded, or the run says that it is not.

use super::sample::{Mix, csv, failure, run_of, upload, world};
use crate::{harness::World, run::State, steps::admit::BlobEvent};

/// Five segments and several chunks.
fn large() -> Vec<u8> {
    csv(1_500, 3_000, Mix::default())
}

async fn until(world: &mut World, event: &BlobEvent, state: State) {
    world.drain_until(|w| w.runs().iter().any(|r| r.state == state)).await;
    assert_eq!(run_of(world, event).state, state);
}

#[tokio::test]
async fn a_file_of_many_segments_has_the_digests_of_the_whole() {
    let mut world = world().await;
    let body = large();
    let run = upload(&mut world, "orders/a.csv", body.clone()).await;
    assert!(run.segments >= 5 && run.chunks >= 2, "{} segments, {} chunks", run.segments, run.chunks);
    let content = run.content.as_ref().expect("sealed");
    assert_eq!(content.blake3, blake3::hash(&body).to_hex().to_string());
    assert_eq!(content.sha256, hex::encode(<sha2::Sha256 as sha2::Digest>::digest(&body)));
    assert_eq!(world.lake.blob(&run.raw()).expect("a raw copy").body, body);
    assert_eq!((run.state, run.counts.map(|c| c.published)), (State::Completed, Some(1_500)));
    world.check().await;
}

#[tokio::test]
async fn segments_moved_out_of_order_give_the_same_digests() {
    let body = large();
    for seed in 1..6 {
        let delivery = crate::harness::Delivery { seed: Some(seed), together: 3, twice: false };
        let mut world = World::new(crate::Sizes::for_testing(), delivery);
        world.put_pipeline(super::sample::PIPELINE, super::sample::CONTRACT).await;
        let run = upload(&mut world, "orders/a.csv", body.clone()).await;
        assert_eq!(run.content.expect("sealed").sha256, hex::encode(<sha2::Sha256 as sha2::Digest>::digest(&body)), "seed {seed}");
    }
}

#[tokio::test]
async fn a_seal_with_much_to_catch_up_with_goes_on_in_messages_of_its_own() {
    let delivery = crate::harness::Delivery { seed: Some(7), ..crate::harness::Delivery::default() };
    let mut world = World::new(crate::Sizes::for_testing(), delivery);
    world.put_pipeline(super::sample::PIPELINE, super::sample::CONTRACT).await;
    let body = csv(150, 500_000, Mix::default());
    let run = upload(&mut world, "orders/a.csv", body.clone()).await;
    assert!(run.segments > 64, "{} segments", run.segments);
    assert_eq!(run.content.expect("sealed").sha256, hex::encode(<sha2::Sha256 as sha2::Digest>::digest(&body)));
    assert_eq!(run.counts.map(|c| c.published), Some(150));
}

#[tokio::test]
async fn a_bit_that_flips_in_the_raw_copy_is_caught_wherever_it_is() {
    let body = large();
    let size = body.len() as u64;
    for (offset, state) in [(0, State::Transforming), (size / 2, State::Transforming), (size - 1, State::Transforming)] {
        let mut world = world().await;
        let event = world.upload("acme", "orders/a.csv", body.clone());
        world.event(event.clone());
        until(&mut world, &event, state).await;
        assert!(world.lake.corrupt(&run_of(&world, &event).raw(), offset, 0b100));
        world.drain().await;
        let run = run_of(&world, &event);
        assert_eq!((failure(&run).0, failure(&run).1), (State::Failed, "I0001"), "offset {offset}");
        let failure = run.failure.as_ref().expect("failed");
        assert_eq!(failure.offset, Some(offset / crate::integrity::BLOCK * crate::integrity::BLOCK));
        assert!(failure.message.contains(&run.raw().to_string()), "{}", failure.message);
    }
}

#[tokio::test]
async fn a_bit_that_flips_between_landing_and_raw_is_caught() {
    let mut world = world().await;
    let event = world.upload("acme", "orders/a.csv", large());
    world.event(event.clone());
    until(&mut world, &event, State::Sealing).await;
    assert!(world.lake.corrupt_staged(&run_of(&world, &event).raw(), 1, 77, 1));
    world.drain().await;
    assert_eq!(failure(&run_of(&world, &event)).1, "I0001");
}

#[tokio::test]
async fn a_file_that_is_overwritten_or_removed_during_its_run_is_rejected() {
    let mut world = world().await;
    let first = world.upload("acme", "orders/a.csv", large());
    world.event(first.clone());
    world.drain_until(|w| w.catalog.contents().values().any(|d| d.kind == "segment")).await;
    let second = world.upload("acme", "orders/a.csv", csv(9, 10, Mix::default()));
    world.event(second.clone());
    world.drain().await;
    let run = run_of(&world, &first);
    assert_eq!((failure(&run).0, failure(&run).1, run.receipt), (State::Rejected, "J0101", true));
    assert_eq!(run_of(&world, &second).state, State::Completed);

    let third = world.upload("acme", "orders/b.csv", large());
    world.event(third.clone());
    world.drain_until(|w| run_of_opt(w, &third).is_some_and(|r| r.state == State::Moving)).await;
    world.lake.remove(&third.blob);
    world.drain().await;
    assert_eq!(failure(&run_of(&world, &third)).1, "J0102");
    world.check().await;
}

fn run_of_opt(world: &World, event: &BlobEvent) -> Option<crate::run::Run> {
    let etag = event.etag.as_ref()?;
    let id = crate::SubmissionId::of(&event.blob, etag).run(1);
    world.runs().into_iter().find(|r| r.run_id == id)
}
