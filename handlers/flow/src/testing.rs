//! A world in memory for the tests of this crate.

use std::sync::Arc;

use crate::{
    Context, Sizes,
    memory::{Faults, ManualClock, MemoryCatalog, MemoryLake, MemorySecrets},
};

/// The doubles behind a context.
pub(crate) struct World {
    pub(crate) context: Context,
    pub(crate) lake: Arc<MemoryLake>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) clock: Arc<ManualClock>,
}

/// An empty world.
pub(crate) fn world() -> World {
    let (faults, clock) = (Arc::new(Faults::default()), Arc::new(ManualClock::default()));
    let lake = Arc::new(MemoryLake::new(clock.clone(), faults.clone()));
    let context = Context {
        lake: lake.clone(),
        catalog: Arc::new(MemoryCatalog::new(faults.clone())),
        secrets: Arc::new(MemorySecrets::default()),
        clock: clock.clone(),
        sizes: Sizes::for_testing(),
        plans: Arc::default(),
        tables: Arc::default(),
    };
    World { context, lake, faults, clock }
}

impl World {
    /// The same world for another process: nothing is remembered but what is stored.
    pub(crate) fn another_process(&self) -> Context {
        Context { plans: Arc::default(), tables: Arc::default(), ..self.context.clone() }
    }
}

/// An empty world's context.
pub(crate) fn context() -> Context {
    world().context
}

/// The HTTP service runs on many threads: what it calls must be able to move between them.
#[test]
fn what_the_service_calls_can_move_between_threads() {
    use crate::{reviews, rejected, rows, runs, steps, submissions};
    fn can_move<T: Send>(_: impl FnOnce() -> T) {}
    let (context, actor) = (context(), crate::audit::Actor::step("test"));
    let request = || reviews::DecisionRequest { verdict: crate::review::Verdict::Approve, rows: Default::default(), comment: String::new(), digest: String::new() };
    can_move(|| reviews::list(&context, a_ref(), None, 1));
    can_move(|| reviews::rows(&context, "", None, 1));
    can_move(|| reviews::claim(&context, &actor, ""));
    can_move(|| reviews::release(&context, &actor, "", false));
    can_move(|| reviews::decide(&context, &actor, "", request()));
    can_move(|| runs::list(&context, a_ref(), None, 1));
    can_move(|| runs::chunks(&context, a_ref(), None, 1));
    can_move(|| runs::cancel(&context, &actor, a_ref()));
    can_move(|| runs::resume(&context, &actor, a_ref()));
    can_move(|| runs::reprocess(&context, &actor, a_ref()));
    can_move(|| rejected::stream(&context, a_ref(), rejected::Cells::AsSent));
    can_move(|| rows::explain(&context, a_ref(), 0));
    can_move(|| submissions::find(&context, None, ""));
    can_move(|| steps::reviews::run(&context, any()));
    can_move(|| steps::decisions::run(&context, any()));
    can_move(|| steps::publish::run(&context, any()));
    can_move(|| steps::archive::run(&context, any()));
}

fn a_ref<T>() -> &'static T {
    unreachable!("only types are looked at")
}

fn any<T>() -> T {
    unreachable!("only types are looked at")
}
