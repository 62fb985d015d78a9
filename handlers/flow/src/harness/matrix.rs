//! The same scenario over and over, each time with something else going wrong.

use futures::future::BoxFuture;

use super::{Delivery, Outcome, World};
use crate::{
    Sizes,
    memory::{Fault, When},
};

/// Something that happens in a world.
pub struct Scenario<'a> {
    /// Sizes of the work.
    pub sizes: Sizes,
    /// What is there before: pipelines, tables, secrets. Nothing goes wrong here.
    pub before: &'a (dyn for<'w> Fn(&'w mut World) -> BoxFuture<'w, ()> + Sync),
    /// What happens: uploads, events, what people do. It drains the world itself, and tries again what people do until it is done.
    pub act: &'a (dyn for<'w> Fn(&'w mut World) -> BoxFuture<'w, ()> + Sync),
}

impl Scenario<'_> {
    /// Plays it once. The fault is counted from the start of `act`.
    pub async fn play(&self, delivery: Delivery, fault: Option<Fault>) -> World {
        let mut world = World::new(self.sizes, delivery);
        (self.before)(&mut world).await;
        let start = world.faults.calls().len() as u64;
        if let Some(Fault { call, when }) = fault {
            world.faults.plan(Fault { call: start + call, when });
        }
        (self.act)(&mut world).await;
        world.drain().await;
        world.crash();
        world.check().await;
        world
    }

    /// Calls to the outside while it is played without a fault.
    async fn calls(&self) -> Vec<&'static str> {
        let mut world = World::new(self.sizes, Delivery::default());
        (self.before)(&mut world).await;
        let start = world.faults.calls().len();
        (self.act)(&mut world).await;
        world.drain().await;
        world.faults.calls().split_off(start)
    }
}

/// Crashes once at every `step`th call to the outside, before its effect and after it, and checks that the end is always the same. Returns how
/// many crashes there were.
pub async fn every_crash(scenario: &Scenario<'_>, step: usize) -> usize {
    let expected = Outcome::of(&scenario.play(Delivery::default(), None).await);
    let calls = scenario.calls().await;
    let mut crashes = 0;
    for (call, name) in calls.iter().enumerate().step_by(step) {
        for when in [When::Before, When::After] {
            let world = scenario.play(Delivery::default(), Some(Fault { call: call as u64, when })).await;
            assert!(world.faults.all_happened(), "call {call} ({name}) is never made");
            let differences = Outcome::of(&world).differences(&expected);
            assert!(differences.is_empty(), "after a crash {when:?} call {call} of {} ({name}): {differences:#?}", calls.len());
            crashes += 1;
        }
    }
    crashes
}

/// Delivers every message twice, in many random orders, and several at once, and checks that the end is always the same.
pub async fn every_delivery(scenario: &Scenario<'_>, seeds: u64) {
    let expected = Outcome::of(&scenario.play(Delivery::default(), None).await);
    let mut deliveries = vec![Delivery { twice: true, ..Delivery::default() }, Delivery { together: 16, ..Delivery::default() }];
    for seed in 1..=seeds {
        deliveries.push(Delivery { seed: Some(seed), ..Delivery::default() });
        deliveries.push(Delivery { seed: Some(seed), twice: true, together: 1 + (seed % 8) as usize });
    }
    for delivery in deliveries {
        let world = scenario.play(delivery, None).await;
        let differences = Outcome::of(&world).differences(&expected);
        assert!(differences.is_empty(), "{delivery:?}: {differences:#?}");
    }
}
