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
}

/// An empty world.
pub(crate) fn world() -> World {
    let (faults, clock) = (Arc::new(Faults::default()), Arc::new(ManualClock::default()));
    let lake = Arc::new(MemoryLake::new(clock.clone(), faults.clone()));
    let context = Context {
        lake: lake.clone(),
        catalog: Arc::new(MemoryCatalog::new(faults.clone())),
        secrets: Arc::new(MemorySecrets::default()),
        clock,
        sizes: Sizes::for_testing(),
        plans: Arc::default(),
        places: Arc::default(),
        tables: Arc::default(),
    };
    World { context, lake, faults }
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
