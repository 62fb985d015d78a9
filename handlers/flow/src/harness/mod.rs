//! Test support: a world in memory that delivers messages as a queue does, only worse: twice, in any order, many at once, and with a crash
//! at any call to the outside. Whatever happens on the way, the end must be the same.

mod matrix;
mod outcome;

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use sluice_contract::Sources;

pub use matrix::{Scenario, every_crash, every_delivery};
pub use outcome::Outcome;

use crate::{
    BlobPath, Context, Error, Kind, Message, Outputs, Sizes,
    lake::LANDING_PREFIX,
    memory::{Faults, ManualClock, MemoryCatalog, MemoryLake, MemorySecrets},
    pipelines::{self, PipelineVersion},
    run::Run,
    steps::{self, admit::BlobEvent},
};

/// How messages are delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// Every message comes once more after it was completed.
    pub twice: bool,
    /// Any message may come next, chosen by this seed; otherwise the oldest.
    pub seed: Option<u64>,
    /// How many are worked on at once, meeting between any two calls to the outside.
    pub together: usize,
}

impl Default for Delivery {
    /// Each once, the oldest first, one at a time.
    fn default() -> Self {
        Self { twice: false, seed: None, together: 1 }
    }
}

/// As Service Bus by default: a message that failed this often is dead.
const MOST_DELIVERIES: u32 = 10;

#[derive(Debug, Clone, PartialEq)]
enum Work {
    Event(BlobEvent),
    Message(Message),
    Sweep,
}

#[derive(Debug, Clone)]
struct Envelope {
    work: Work,
    deliveries: u32,
    /// Whether it comes once more when it is done.
    again: bool,
}

/// A world in memory with a queue. Dropping it with messages left over is a failed test.
pub struct World {
    /// What steps work with.
    pub context: Context,
    /// The lake behind the context.
    pub lake: Arc<MemoryLake>,
    /// The catalog behind the context.
    pub catalog: Arc<MemoryCatalog>,
    /// The secrets behind the context.
    pub secrets: Arc<MemorySecrets>,
    /// The clock behind the context.
    pub clock: Arc<ManualClock>,
    /// The faults of lake and catalog.
    pub faults: Arc<Faults>,
    delivery: Delivery,
    random: u64,
    queue: VecDeque<Envelope>,
    delivered: u64,
}

impl World {
    /// An empty world.
    pub fn new(sizes: Sizes, delivery: Delivery) -> Self {
        let (faults, clock, secrets) = (Arc::new(Faults::default()), Arc::new(ManualClock::default()), Arc::new(MemorySecrets::default()));
        let lake = Arc::new(MemoryLake::new(clock.clone(), faults.clone()));
        let catalog = Arc::new(MemoryCatalog::new(faults.clone()));
        let context = Context {
            lake: lake.clone(),
            catalog: catalog.clone(),
            secrets: secrets.clone(),
            clock: clock.clone(),
            sizes,
            plans: Arc::default(),
            places: Arc::default(),
            tables: Arc::default(),
        };
        let random = delivery.seed.unwrap_or_default() | 1;
        Self { context, lake, catalog, secrets, clock, faults, delivery, random, queue: VecDeque::new(), delivered: 0 }
    }

    /// Stores a pipeline, which must be right.
    pub async fn put_pipeline(&self, pipeline: &str, contract: &str) -> PipelineVersion {
        let sources = Sources { pipeline_file: "pipeline.yaml", pipeline, contract_file: "contract.odcs.yaml", contract };
        pipelines::put(&self.context, "engineer", &sources).await.unwrap_or_else(|e| panic!("the pipeline is wrong: {e}"))
    }

    /// A partner's upload, and the event that tells of it.
    pub fn upload(&self, partner: &str, path: &str, body: impl Into<Bytes>) -> BlobEvent {
        self.upload_with(partner, path, body, &[])
    }

    /// A partner's upload with metadata, and the event that tells of it.
    pub fn upload_with(&self, partner: &str, path: &str, body: impl Into<Bytes>, metadata: &[(&str, &str)]) -> BlobEvent {
        let (blob, body) = (BlobPath::new(format!("{LANDING_PREFIX}{partner}"), path), body.into());
        let size = Some(body.len() as u64);
        let etag = self.lake.upload(&blob, body, None, metadata);
        BlobEvent { api: "PutBlockList".to_owned(), blob, etag: Some(etag), size }
    }

    /// Queues an event.
    pub fn event(&mut self, event: BlobEvent) {
        self.push(Work::Event(event));
    }

    /// Queues what a service function gave out.
    pub fn send(&mut self, outputs: Outputs) {
        outputs.0.into_iter().for_each(|message| self.push(Work::Message(message)));
    }

    /// Queues a sweep.
    pub fn sweep(&mut self) {
        self.push(Work::Sweep);
    }

    fn push(&mut self, work: Work) {
        self.queue.push_back(Envelope { work, deliveries: 0, again: self.delivery.twice });
    }

    /// Delivers until nothing is left. Panics if a message becomes a dead letter.
    pub async fn drain(&mut self) {
        self.drain_until(|_| false).await;
    }

    /// Delivers until nothing is left or `enough` says so, which is asked before each delivery.
    pub async fn drain_until(&mut self, enough: impl Fn(&Self) -> bool) {
        while !self.queue.is_empty() && !enough(self) {
            let batch: Vec<Envelope> = (0..self.delivery.together.max(1)).map_while(|_| self.next()).collect();
            let context = self.context.clone();
            let done = futures::future::join_all(batch.iter().map(|envelope| deliver(&context, envelope.work.clone()))).await;
            for (envelope, done) in batch.into_iter().zip(done) {
                self.delivered += 1;
                assert!(self.delivered < 1_000_000, "messages make messages without end, the last one: {:?}", envelope.work);
                self.settle(envelope, done);
            }
        }
    }

    fn next(&mut self) -> Option<Envelope> {
        if self.delivery.seed.is_none() || self.queue.is_empty() {
            return self.queue.pop_front();
        }
        // xorshift64: any sequence will do, as long as the same seed gives the same.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.queue.remove((self.random % self.queue.len() as u64) as usize)
    }

    fn settle(&mut self, mut envelope: Envelope, done: Result<Outputs, Error>) {
        match done {
            Ok(outputs) => {
                if envelope.again {
                    envelope.again = false;
                    self.queue.push_back(envelope);
                }
                self.send(outputs);
            }
            Err(error) => {
                envelope.deliveries += 1;
                let dead = error.kind() == Kind::Bug || envelope.deliveries >= MOST_DELIVERIES;
                assert!(!dead, "{:?} becomes a dead letter: {} {}", envelope.work, error.code(), error.chain());
                self.crash();
                self.queue.push_back(envelope);
            }
        }
    }

    /// Loses every message, as a purged queue would.
    pub fn lose_messages(&mut self) {
        self.queue.clear();
    }

    /// Another process takes over: what was only in memory is gone.
    pub fn crash(&mut self) {
        self.context.plans = Arc::default();
        self.context.tables = Arc::default();
    }

    /// Messages delivered so far.
    pub fn delivered(&self) -> u64 {
        self.delivered
    }

    /// All runs, by id.
    pub fn runs(&self) -> Vec<Run> {
        let documents = self.catalog.contents();
        let runs = documents.values().filter(|d| d.kind == "run");
        runs.map(|d| d.parse().expect("a run document holds a run")).collect()
    }

    /// The only run. Panics if there are none or several.
    pub fn only_run(&self) -> Run {
        let mut runs = self.runs();
        assert_eq!(runs.len(), 1, "expected one run, found {:?}", runs.iter().map(|r| r.run_id.as_str()).collect::<Vec<_>>());
        runs.remove(0)
    }
}

async fn deliver(context: &Context, work: Work) -> Result<Outputs, Error> {
    match work {
        Work::Event(event) => steps::admit::run(context, &event).await,
        Work::Message(message) => steps::dispatch(context, message).await,
        Work::Sweep => steps::sweep::run(context).await,
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(self.queue.is_empty(), "messages are left over: {:?}", self.queue);
        }
    }
}
