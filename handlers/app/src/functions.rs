//! The functions of the app in one table. `functions/<Name>/function.json` says the same to the Functions host, and a test
//! holds the two together; where a message may go is therefore decided here and nowhere else.

use sluice_flow::Step;

/// What starts a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// Event Grid: a blob was created.
    BlobCreated,
    /// The queue of a step.
    Queue(Step),
    /// The dead-letter queue of a step.
    DeadLetter(Step),
    /// A timer.
    Timer {
        /// NCRONTAB expression, six fields.
        schedule: &'static str,
    },
    /// An HTTP route below the route prefix, as the host's router reads it.
    Http {
        /// Such as `runs/{*rest}`.
        route: &'static str,
    },
}

/// A function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Function {
    /// Name of its folder, and the path that the host posts to.
    pub name: &'static str,
    /// What starts it.
    pub trigger: Trigger,
    /// Steps that it can send messages to: its Service Bus output bindings.
    pub outputs: &'static [Step],
}

impl Function {
    /// The function of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        FUNCTIONS.iter().find(|f| f.name == name)
    }

    /// The function that serves the queue of `step`.
    pub fn of_step(step: Step) -> Option<&'static Self> {
        FUNCTIONS.iter().find(|f| f.trigger == Trigger::Queue(step))
    }

    /// Name of the trigger binding, the key in `Data`.
    pub fn binding(&self) -> &'static str {
        match self.trigger {
            Trigger::BlobCreated => "event",
            Trigger::Queue(_) | Trigger::DeadLetter(_) => "message",
            Trigger::Timer { .. } => "timer",
            Trigger::Http { .. } => "req",
        }
    }

    /// First segment of an HTTP function's route.
    pub fn resource(&self) -> Option<&'static str> {
        match self.trigger {
            Trigger::Http { route } => route.split('/').next(),
            _ => None,
        }
    }
}

/// Schedule of the sweep: every five minutes.
pub const SWEEP_SCHEDULE: &str = "0 */5 * * * *";

use Step::{Archive, Decisions, Gather, Move, Publish, Reviews, Seal, Transform};

const fn step(name: &'static str, step: Step, outputs: &'static [Step]) -> Function {
    Function { name, trigger: Trigger::Queue(step), outputs }
}

const fn dead_letter(name: &'static str, step: Step) -> Function {
    Function { name, trigger: Trigger::DeadLetter(step), outputs: &[] }
}

const fn http(name: &'static str, route: &'static str, outputs: &'static [Step]) -> Function {
    Function { name, trigger: Trigger::Http { route }, outputs }
}

/// All functions. A step lists its own queue where it splits spans or does long work in portions, `archive` where it can end a
/// run (the receipt is written there), and gather lists `decisions` for the case that it is delivered again after the last one.
pub const FUNCTIONS: &[Function] = &[
    Function { name: "Admit", trigger: Trigger::BlobCreated, outputs: &[Move, Archive] },
    step("Move", Move, &[Move, Seal, Archive]),
    step("Seal", Seal, &[Seal, Transform, Gather, Archive]),
    step("Transform", Transform, &[Transform, Gather, Archive]),
    step("Gather", Gather, &[Transform, Gather, Reviews, Decisions, Publish, Archive]),
    step("Review", Reviews, &[Reviews, Archive]),
    step("Decide", Decisions, &[Publish, Archive]),
    step("Publish", Publish, &[Archive]),
    step("Archive", Archive, &[]),
    dead_letter("MoveDeadLetter", Move),
    dead_letter("SealDeadLetter", Seal),
    dead_letter("TransformDeadLetter", Transform),
    dead_letter("GatherDeadLetter", Gather),
    dead_letter("ReviewDeadLetter", Reviews),
    dead_letter("DecideDeadLetter", Decisions),
    dead_letter("PublishDeadLetter", Publish),
    dead_letter("ArchiveDeadLetter", Archive),
    Function { name: "Sweep", trigger: Trigger::Timer { schedule: SWEEP_SCHEDULE }, outputs: &Step::ALL },
    http("Submissions", "submissions/{*rest}", &[]),
    http("Runs", "runs/{*rest}", &Step::ALL),
    http("Changes", "changes", &[]),
    http("Summary", "summary", &[]),
    http("Cases", "reviews/{*rest}", &[Decisions]),
    http("Pipelines", "pipelines/{*rest}", &[]),
    http("Parameters", "parameters/{*rest}", &[]),
    http("Tables", "tables/{*rest}", &[]),
    http("Rows", "rows/{*rest}", &[]),
    http("Health", "health", &[]),
    http("OpenApi", "openapi.json", &[]),
];
