//! A partner, a contract, a pipeline and files of any size.

use std::fmt::Write as _;

use futures::{FutureExt as _, future::BoxFuture};

use crate::{
    Error, Kind, Sizes,
    audit::Actor,
    harness::{Delivery, World},
    review::{CaseStatus, ReviewCase, Verdict},
    reviews::{self, DecisionRequest},
    run::{Run, State},
};

pub(super) const CONTRACT: &str = r#"
apiVersion: v3.1.0
kind: DataContract
id: urn:datacontract:acme:orders
version: 1.0.0
status: active
schema:
  - name: orders
    properties:
      - { name: id, logicalType: integer, primaryKey: true }
      - { name: region, logicalType: string, required: true }
      - { name: amount, logicalType: number, physicalType: "decimal(12,2)" }
      - { name: note, logicalType: string }
"#;

pub(super) const PIPELINE: &str = r#"
apiVersion: sluice/v1
kind: Pipeline
name: orders
contract: contract.odcs.yaml
intake: { partner: acme, path: "orders/*", format: { csv: {} } }
parameters:
  large: { type: integer, default: 900 }
tasks:
  - filter: "region <> 'nowhere'"
rules:
  - { name: large-order, when: "amount > $large", outcome: review, because: "an order over {large}" }
  - { name: negative, when: "amount < 0", outcome: reject, because: "a negative amount" }
limits: { rejectedPercent: 60 }
publish: { table: orders, partitionBy: [region] }
"#;

/// A pipeline of another name, path and format.
pub(super) fn pipeline(name: &str, path: &str, format: &str) -> String {
    PIPELINE
        .replace("name: orders\n", &format!("name: {name}\n"))
        .replace("orders/*", path)
        .replace("{ csv: {} }", format)
        .replace("table: orders,", &format!("table: {name},"))
}

/// Which rows a file has beside ordinary ones: row `n` is of the kind whose number divides it, the first that does.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mix {
    /// Held for review.
    pub(super) large: usize,
    /// Rejected by a rule.
    pub(super) negative: usize,
    /// Rejected by the contract.
    pub(super) broken: usize,
    /// Left out by the filter.
    pub(super) nowhere: usize,
    /// Has the id of the row before.
    pub(super) repeated: usize,
}

impl Mix {
    pub(super) const ALL: Self = Self { large: 11, negative: 13, broken: 17, nowhere: 19, repeated: 23 };
    pub(super) const NO_REPEATS: Self = Self { repeated: 0, ..Self::ALL };
}

/// A CSV file of `rows` rows, each with a note of `note` characters with a quoted line break in it.
pub(super) fn csv(rows: usize, note: usize, mix: Mix) -> Vec<u8> {
    let mut text = "id,region,amount,note\n".to_owned();
    let is = |row: usize, every: usize| every > 0 && row > 0 && row.is_multiple_of(every);
    let padding = "x".repeat(note);
    for row in 0..rows {
        let id = if is(row, mix.repeated) { row - 1 } else { row };
        let region = if is(row, mix.nowhere) { "nowhere" } else { ["north", "south"][row % 2] };
        let amount = match () {
            () if is(row, mix.large) => "1000.50".to_owned(),
            () if is(row, mix.negative) => "-1.00".to_owned(),
            () if is(row, mix.broken) => "a lot".to_owned(),
            () => format!("{}.25", row % 800),
        };
        writeln!(text, "{id},{region},{amount},\"{row}\n{padding}\"").expect("writing to a String does not fail");
    }
    text.into_bytes()
}

/// A world with the sample pipeline.
pub(super) async fn world() -> World {
    let world = World::new(Sizes::for_testing(), Delivery::default());
    world.put_pipeline(PIPELINE, CONTRACT).await;
    world
}

/// Uploads a file, delivers its event and everything that follows.
pub(super) async fn upload(world: &mut World, path: &str, body: impl Into<bytes::Bytes>) -> Run {
    let event = world.upload("acme", path, body);
    world.event(event.clone());
    world.drain().await;
    run_of(world, &event)
}

/// The run of an event's version.
pub(super) fn run_of(world: &World, event: &crate::steps::admit::BlobEvent) -> Run {
    let etag = event.etag.as_ref().expect("uploads tell their version");
    let id = crate::SubmissionId::of(&event.blob, etag).run(1);
    world.runs().into_iter().find(|r| r.run_id == id).expect("the upload has a run")
}

/// What a run that ended badly says: state, code and message.
pub(super) fn failure(run: &Run) -> (State, &str, &str) {
    let failure = run.failure.as_ref().unwrap_or_else(|| panic!("the run is {} without a failure", run.state.name()));
    (run.state, &failure.code, &failure.message)
}

/// People decide every open case: all rows are approved.
pub(super) fn approve_all(world: &mut World) -> BoxFuture<'_, ()> {
    decide_all(world, Verdict::Approve)
}

/// People decide every open case in the same way. What fails for a while is done again.
pub(super) fn decide_all(world: &mut World, verdict: Verdict) -> BoxFuture<'_, ()> {
    async move {
        world.drain().await;
        let cases: Vec<ReviewCase> = world
            .catalog
            .contents()
            .values()
            .filter(|d| d.kind == "case")
            .map(|d| d.parse().expect("a case document holds a case"))
            .collect();
        let person = Actor::Person { id: "p-1".to_owned(), name: "Grace".to_owned() };
        let open: Vec<_> = cases.into_iter().filter(|c| c.status == CaseStatus::Open).collect();
        for case in open {
            loop {
                let request = DecisionRequest {
                    verdict: verdict.clone(),
                    rows: Default::default(),
                    comment: "as agreed".to_owned(),
                    digest: case.digest.clone(),
                };
                match reviews::decide(&world.context, &person, &case.case_id, request).await {
                    Ok((_, outputs)) => break world.send(outputs),
                    Err(error) if error.kind() == Kind::Transient => world.crash(),
                    // Decided before the answer was lost: what follows from it is for the sweep or an operator to send again.
                    Err(error) if error.code() == "W0410" => break resume(world, &case).await,
                    Err(error) => panic!("{}", error.chain()),
                }
            }
        }
        world.drain().await;
    }
    .boxed()
}

async fn resume(world: &mut World, case: &ReviewCase) {
    loop {
        let outputs = async {
            let run = crate::audit::load(&world.context, &case.run).await?.run;
            crate::steps::messages(&world.context, &run).await
        };
        match outputs.await {
            Ok(outputs) => return world.send(outputs),
            Err::<_, Error>(error) => assert_eq!(error.kind(), Kind::Transient, "{}", error.chain()),
        }
    }
}
