//! Compiled plans of recent runs.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
};

use chrono::{DateTime, TimeDelta, Utc};
use sluice_contract::Plan;
use sluice_engine::Compiled;
use tokio::sync::OnceCell;

use crate::{
    Context, Error, Result, pipelines,
    pipelines::PipelinePointer,
    run::{Pinned, Run},
};

/// Most plans kept. Each holds the reference tables its pipeline looks up.
const MOST_PLANS: usize = 32;

/// How long live pipelines, parameters and tables are taken from memory: a new version reaches new runs after this time.
const FRESH: TimeDelta = TimeDelta::seconds(5);

type Slot = Arc<OnceCell<Arc<Compiled>>>;

/// Compiled plans of recent runs, so that a chunk does not compile its pipeline again, and the live pipelines of the last seconds, so that
/// thousands of small files do not read them each.
#[derive(Default)]
pub struct PlanCache {
    /// The most recently used last. Waiting callers share a slot, so that one of them compiles.
    plans: Mutex<Vec<([u8; 32], Slot)>>,
    live: Mutex<Option<Arc<Live>>>,
}

/// The live pipelines at one time.
pub(crate) struct Live {
    at: DateTime<Utc>,
    /// All of them.
    pub(crate) pointers: Vec<PipelinePointer>,
    /// What a run of a pipeline is pinned to, by pipeline name.
    pub(crate) pinned: Mutex<HashMap<String, Pinned>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no holder of the plan cache panics")
}

/// What a compiled plan depends on.
fn key(pinned: &Pinned) -> Result<[u8; 32]> {
    let parts = (&pinned.pipeline, pinned.pipeline_version, &pinned.plan_hash, &pinned.parameters, &pinned.tables);
    let text = serde_json::to_vec(&parts).map_err(|e| Error::bug("K0501", "a pinned plan could not be serialized").because(e))?;
    Ok(*blake3::hash(&text).as_bytes())
}

impl PlanCache {
    /// The compiled plan of a run.
    ///
    /// # Errors
    /// Those of the catalog, the lake and the secret store; [`crate::Kind::Permanent`] `A0005` if the pipeline cannot be used any more.
    pub async fn of_run(&self, context: &Context, run: &Run) -> Result<Arc<Compiled>> {
        let pinned = run.pinned.as_ref().ok_or_else(|| Error::bug("J0504", format!("run {} has no pipeline", run.run_id)))?;
        self.get(context, pinned).await
    }

    /// The compiled plan of what a run is pinned to.
    ///
    /// # Errors
    /// As [`PlanCache::of_run`].
    pub async fn get(&self, context: &Context, pinned: &Pinned) -> Result<Arc<Compiled>> {
        let slot = self.slot(key(pinned)?);
        slot.get_or_try_init(|| compile(context, pinned)).await.cloned()
    }

    fn slot(&self, key: [u8; 32]) -> Slot {
        let mut plans = lock(&self.plans);
        let slot = match plans.iter().position(|(k, _)| *k == key) {
            Some(index) => plans.remove(index).1,
            None => Slot::default(),
        };
        if plans.len() >= MOST_PLANS {
            plans.remove(0);
        }
        plans.push((key, slot.clone()));
        slot
    }

    /// The live pipelines, at most a few seconds old.
    pub(crate) async fn live(&self, context: &Context) -> Result<Arc<Live>> {
        let now = context.clock.now();
        if let Some(live) = lock(&self.live).as_ref().filter(|l| now - l.at < FRESH) {
            return Ok(live.clone());
        }
        let live = Arc::new(Live { at: now, pointers: pipelines::list(context).await?, pinned: Mutex::default() });
        *lock(&self.live) = Some(live.clone());
        Ok(live)
    }

    /// Forgets the live pipelines: one of them was changed here.
    pub fn forget_live(&self) {
        *lock(&self.live) = None;
    }
}

impl Live {
    /// What a run of a live pipeline is pinned to.
    pub(crate) async fn pinned(&self, context: &Context, pointer: &PipelinePointer) -> Result<Pinned> {
        if let Some(pinned) = lock(&self.pinned).get(&pointer.name) {
            return Ok(pinned.clone());
        }
        let pinned = pipelines::pin(context, pointer).await?;
        lock(&self.pinned).insert(pointer.name.clone(), pinned.clone());
        Ok(pinned)
    }
}

impl std::fmt::Debug for PlanCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PlanCache").field("plans", &lock(&self.plans).len()).finish_non_exhaustive()
    }
}

async fn compile(context: &Context, pinned: &Pinned) -> Result<Arc<Compiled>> {
    let version = pipelines::get(context, &pinned.pipeline, pinned.pipeline_version).await?;
    let broken = |mistakes: sluice_contract::Mistakes| {
        let (name, version) = (&pinned.pipeline, pinned.pipeline_version);
        Error::permanent("A0005", format!("version {version} of pipeline {name} cannot be used: put it right and reprocess"))
            .because(mistakes)
    };
    let plan = Plan::parse(&version.sources()).map_err(broken)?;
    let tables = pipelines::load_tables(context, &pinned.tables).await?;
    let secrets = pipelines::load_secrets(context, &plan, pipelines::Missing::IsAnError).await?;
    Compiled::new(plan, pinned.parameters.clone(), tables, secrets).map_err(broken)
}
