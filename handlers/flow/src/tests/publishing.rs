//! Publishing and what stays of a run: the accounts are proven first (invariant 5), and every run ends with a receipt and a manifest.

use sha2::{Digest as _, Sha256};
use sluice_contract::Tier;

use super::sample::{CONTRACT, Mix, PIPELINE, approve_all, csv, pipeline, upload, world};
use crate::{
    BlobPath, Kind, Message, Sizes, Step,
    audit::{self, AuditEvent},
    harness::{Delivery, World},
    lake::CURATED,
    layout,
    ledger::ChunkLedger,
    manifest::{self, Manifest},
    receipt,
    run::{Run, State},
    runs, submissions, writer,
};

async fn manifest_of(world: &World, run: &Run) -> Manifest {
    writer::read_json(&world.context, &manifest::blob(run)).await.expect("a manifest")
}

fn published_blobs(world: &World) -> Vec<BlobPath> {
    world.lake.contents().into_keys().filter(|b| b.container == CURATED).collect()
}

/// A run that is about to publish; its message is lost.
async fn before_publishing() -> (World, Run) {
    let mut world = world().await;
    let event = world.upload("acme", "orders/a.csv", csv(60, 20, Mix { large: 0, ..Mix::ALL }));
    world.event(event);
    world.drain_until(|world| world.runs().first().is_some_and(|r| r.state == State::Publishing)).await;
    world.lose_messages();
    let run = world.only_run();
    assert_eq!(run.state, State::Publishing);
    (world, run)
}

#[tokio::test]
async fn a_completed_run_has_a_receipt_that_tells_everything() {
    let mut world = world().await;
    let body = csv(60, 20, Mix::ALL);
    upload(&mut world, "orders/a.csv", body.clone()).await;
    approve_all(&mut world).await;
    let run = world.only_run();
    assert_eq!((run.state, run.table_version), (State::Completed, Some(0)));
    let receipt = submissions::receipt(&world.context, &run.run_id).await.expect("a receipt");
    assert_eq!((receipt.outcome, receipt.counts, receipt.file.path.as_str()), (State::Completed, run.counts, "orders/a.csv"));
    assert_eq!((receipt.checked, receipt.keep_until.as_deref()), (None, None));
    assert_eq!(receipt.file.blake3.as_deref(), Some(blake3::hash(&body).to_hex().as_str()));
    assert_eq!(receipt.file.sha256, Some(hex::encode(Sha256::digest(&body))));
    let against = receipt.checked_against.expect("a contract");
    assert_eq!(
        (against.contract.as_str(), against.contract_version.as_str(), against.pipeline_version),
        ("urn:datacontract:acme:orders", "1.0.0", 1)
    );
    let broken = receipt.problems.iter().find(|p| p.code.as_str() == "R0103").expect("amounts that are no numbers");
    assert_eq!((broken.column.as_deref(), broken.count, broken.samples[0].value.as_deref()), (Some("amount"), 3, Some("a lot")));
    assert!(broken.samples.iter().all(|p| body[p.offset as usize..].starts_with(format!("{},", p.row).as_bytes())));
    let rejected = receipt.rejected_rows.expect("rejected rows");
    assert_eq!(rejected.rows, run.counts.expect("counted").rejected);
    assert_eq!(receipt.review.map(|r| r.corrected), run.counts.map(|c| c.corrected));
    assert_eq!(receipt.published.map(|p| (p.table, p.version)), Some(("orders".to_owned(), 0)));
    let events = audit::events(&world.context, &run.run_id).await.expect("events");
    assert_eq!(events[receipt.audit.seq as usize].hash, receipt.audit.hash);
}

#[tokio::test]
async fn a_manifest_names_every_blob_with_its_hash() {
    let mut world = world().await;
    upload(&mut world, "orders/a.csv", csv(400, 6_000, Mix::ALL)).await;
    approve_all(&mut world).await;
    let run = world.only_run();
    let manifest = manifest_of(&world, &run).await;
    for output in &manifest.outputs {
        let blob = world.lake.blob(&output.blob).unwrap_or_else(|| panic!("{} is not there", output.blob));
        assert_eq!((output.bytes, &output.sha256), (blob.body.len() as u64, &hex::encode(Sha256::digest(&blob.body))), "{}", output.blob);
    }
    let named: Vec<_> = manifest.outputs.iter().map(|o| o.blob.clone()).collect();
    assert!(named.is_sorted() && named.windows(2).all(|w| w[0] != w[1]), "{named:?}");
    // Nothing that counts is left out: neither a published file nor anything in the archive but chunks that were done again.
    let is_again = |path: &str| run.generation > 0 && path.contains("/g0/");
    for blob in world.lake.contents().into_keys() {
        let counts = match blob.container.as_str() {
            "archive" => blob != manifest::blob(&run) && !is_again(&blob.path),
            "curated" => !blob.path.contains("_delta_log") && (run.generation == 0 || !blob.path.contains("-g0-")),
            "raw" => true,
            _ => false,
        };
        assert!(!counts || named.contains(&blob), "{blob} is not in the manifest");
    }
    assert_eq!(manifest.plan.expect("a plan").pipeline, PIPELINE);
    assert_eq!((manifest.cases.len(), manifest.cases[0].decisions.len()), (1, 1));
    let exported = world.lake.blob(&manifest::audit(&run)).expect("the chain").body;
    let events: Vec<AuditEvent> = serde_json::Deserializer::from_slice(&exported).into_iter().collect::<Result<_, _>>().expect("events");
    audit::verify(&run.run_id, &manifest.audit, &events).expect("the exported chain is whole");
    let archived = audit::events(&world.context, &run.run_id).await.expect("events").pop().expect("an event");
    let stored = world.lake.blob(&manifest::blob(&run)).expect("stored").body;
    assert_eq!(archived.detail["manifest"], hex::encode(Sha256::digest(&stored)));
}

#[tokio::test]
async fn every_file_of_the_table_is_the_runs_own() {
    let mut world = world().await;
    upload(&mut world, "orders/a.csv", csv(60, 20, Mix::NO_REPEATS)).await;
    approve_all(&mut world).await;
    let run = world.only_run();
    let entry = world.lake.blob(&BlobPath::new(CURATED, "orders/_delta_log/00000000000000000000.json")).expect("a commit").body;
    let lines: Vec<serde_json::Value> = serde_json::Deserializer::from_slice(&entry).into_iter().collect::<Result<_, _>>().expect("lines");
    let adds: Vec<_> = lines.iter().filter_map(|l| l.get("add")).collect();
    let mut rows = 0;
    for add in &adds {
        let blob = BlobPath::new(CURATED, format!("orders/{}", add["path"].as_str().expect("a path")));
        let body = world.lake.blob(&blob).unwrap_or_else(|| panic!("{blob} is not there")).body;
        assert_eq!(add["size"], body.len());
        let stats: serde_json::Value = serde_json::from_str(add["stats"].as_str().expect("statistics")).expect("JSON");
        rows += stats["numRecords"].as_u64().expect("a count");
    }
    let counts = run.counts.expect("counted");
    assert_eq!((rows, adds.len()), (counts.published + counts.corrected, published_blobs(&world).len() - 1));
}

#[tokio::test]
async fn nothing_is_published_when_the_accounts_do_not_balance() {
    type Fault = fn(&mut ChunkLedger);
    let faults: [(Fault, &str); 3] = [
        (
            |l| {
                let row = l.report.accepted.min().expect("an accepted row");
                l.report.accepted.remove(row);
            },
            "J0301",
        ),
        (
            |l| {
                let row = l.report.rejected.min().expect("a rejected row");
                l.report.accepted.insert(row);
            },
            "J0301",
        ),
        // Balanced in itself, but a row has gone from rejected to held, and nobody decided it.
        (
            |l| {
                let row = l.report.rejected.min().expect("a rejected row");
                l.report.rejected.remove(row);
                l.report.held.insert(row);
                l.report.tally.totals.rejected -= 1;
                l.report.tally.totals.held += 1;
            },
            "D0202",
        ),
    ];
    for (fault, code) in faults {
        let (world, run) = before_publishing().await;
        let generation = layout::effective_chunks(&world.context, &run).await.expect("chunks")[0];
        let blob = layout::ledger(&run, generation, 0);
        let mut ledger: ChunkLedger = writer::read_json(&world.context, &blob).await.expect("a ledger");
        fault(&mut ledger);
        world.context.lake.overwrite(&blob, serde_json::to_vec(&ledger).expect("JSON").into()).await.expect("overwritten");
        let error =
            crate::steps::dispatch(&world.context, Message::new(&run.run_id, Step::Publish)).await.expect_err("it does not balance");
        assert_eq!((error.kind(), error.code()), (Kind::Bug, code), "{}", error.chain());
        assert_eq!(world.only_run().state, State::Publishing);
        assert!(!published_blobs(&world).iter().any(|b| b.path.contains("_delta_log")), "nothing may be committed");
    }
}

#[tokio::test]
async fn nothing_is_published_when_the_counts_of_the_run_are_others() {
    let (world, run) = before_publishing().await;
    audit::update(&world.context, &run.run_id, |run| {
        run.counts.as_mut().expect("counted").published += 1;
        Ok(Some(audit::Change { actor: audit::Actor::step("test"), action: "test", detail: serde_json::Value::Null, writes: Vec::new() }))
    })
    .await
    .expect("changed");
    let error = crate::steps::dispatch(&world.context, Message::new(&run.run_id, Step::Publish)).await.expect_err("the counts are others");
    assert_eq!((error.kind(), error.code()), (Kind::Bug, "D0202"));
}

#[tokio::test]
async fn a_run_without_accepted_rows_publishes_nothing_and_completes() {
    let mut world = world().await;
    let run = upload(&mut world, "orders/a.csv", "id,region,amount,note\n1,nowhere,1.00,x\n2,nowhere,2.00,y\n").await;
    assert_eq!((run.state, run.table_version, run.counts.expect("counted").filtered), (State::Completed, None, 2));
    assert_eq!(published_blobs(&world), []);
    let receipt = submissions::receipt(&world.context, &run.run_id).await.expect("a receipt");
    assert_eq!((receipt.published, receipt.rejected_rows), (None, None));
    world.check().await;
}

#[tokio::test]
async fn a_rejected_run_has_the_same_receipt_and_manifest() {
    for (path, body, code) in
        [("orders/a.csv", "", "F0001"), ("elsewhere/a.csv", "id\n1\n", "A0002"), ("orders/b.csv", "id,region\n1,north\n", "F0003")]
    {
        let mut world = world().await;
        let run = upload(&mut world, path, body).await;
        let receipt = submissions::receipt(&world.context, &run.run_id).await.expect("a receipt");
        assert_eq!((receipt.outcome, receipt.file.path.as_str()), (State::Rejected, path));
        assert_eq!(receipt.failure.as_ref().map(|f| f.code.as_str()), Some(code));
        assert_eq!((receipt.published, receipt.checked_against.is_some()), (None, code != "A0002"));
        assert_eq!((receipt.counts, receipt.checked), (None, None), "its rows were not looked at");
        let manifest = manifest_of(&world, &run).await;
        assert_eq!((manifest.outcome, &manifest.failure), (State::Rejected, &receipt.failure));
        assert!(manifest.outputs.iter().any(|o| o.blob == receipt::blob(&run)));
        assert_eq!(published_blobs(&world), []);
        world.check().await;
    }
}

#[tokio::test]
async fn columns_that_do_not_fit_the_table_fail_the_run() {
    let mut world = world().await;
    let other = pipeline("others", "others/*", "{ csv: {} }").replace("table: others", "table: orders");
    let contract = CONTRACT.replace("physicalType: \"decimal(12,2)\"", "physicalType: double");
    world.put_pipeline(&other, &contract).await;
    let first = upload(&mut world, "orders/a.csv", csv(10, 5, Mix::default())).await;
    assert_eq!(first.table_version, Some(0));
    let run = upload(&mut world, "others/a.csv", csv(10, 5, Mix::default())).await;
    let failure = run.failure.as_ref().expect("a failure");
    assert_eq!((run.state, failure.code.as_str(), run.table_version, run.receipt), (State::Failed, "D0002", None, true));
    assert!(failure.message.contains("amount is double, in the table decimal(12,2)"), "{}", failure.message);
    world.check().await;
}

#[tokio::test]
async fn the_raw_copy_moves_to_its_tier_and_the_landing_blob_goes_if_asked() {
    for overwritten in [false, true] {
        let mut world = World::new(Sizes::for_testing(), Delivery::default());
        world.put_pipeline(&format!("{PIPELINE}archive: {{ tier: cool, retain: P7Y, removeLanding: true }}\n"), CONTRACT).await;
        let event = world.upload("acme", "orders/a.csv", csv(10, 5, Mix::default()));
        world.event(event.clone());
        world.drain_until(|world| world.runs().first().is_some_and(|r| r.state == State::Archiving)).await;
        if overwritten {
            world.upload("acme", "orders/a.csv", "another version");
        }
        world.drain().await;
        let run = world.only_run();
        assert_eq!(run.state, State::Completed);
        assert_eq!(world.lake.blob(&run.raw()).expect("the raw copy").tier, Tier::Cool);
        assert_eq!(world.lake.blob(&event.blob).is_some(), overwritten, "another version is another submission's");
        let receipt = submissions::receipt(&world.context, &run.run_id).await.expect("a receipt");
        // Seven years of 366 days after the first of January 2026, so that nothing is removed before its time.
        assert_eq!(receipt.keep_until.as_deref(), Some("2033-01-06"));
        assert_eq!(manifest_of(&world, &run).await.keep_until, receipt.keep_until);
    }
}

#[tokio::test]
async fn an_aggregate_is_published_instead_of_the_rows() {
    let mut world = World::new(Sizes::for_testing(), Delivery::default());
    let tasks = "tasks:\n  - aggregate: { by: [region], take: { orders: \"count(*)\", total: \"sum(amount)\" } }\n";
    let text = PIPELINE.replace("tasks:\n", tasks).replace("  - filter: \"region <> 'nowhere'\"\n", "");
    world.put_pipeline(&text, CONTRACT).await;
    upload(&mut world, "orders/a.csv", csv(400, 6_000, Mix { large: 50, ..Mix::default() })).await;
    approve_all(&mut world).await;
    let run = world.only_run();
    assert_eq!((run.state, run.table_version), (State::Completed, Some(0)), "{:?}", run.failure);
    assert!(run.chunks > 1, "{} chunks", run.chunks);
    let data: Vec<_> = published_blobs(&world).into_iter().filter(|b| !b.path.contains("_delta_log")).collect();
    assert_eq!(data.len(), 2, "one file for each region: {data:?}");
    assert!(data.iter().all(|b| b.path.ends_with(&format!("{}-aggregate.parquet", run.run_id))), "{data:?}");
    let aggregate = crate::publication::load_aggregate(&world.context, &run).await.expect("read").expect("an account");
    assert_eq!(aggregate.files.iter().map(|f| f.facts.rows).sum::<u64>(), 2);
    let counts = run.counts.expect("counted");
    assert_eq!((counts.published, counts.corrected), (393, 7));
    world.check().await;
}

#[tokio::test]
async fn a_report_and_chunks_can_be_seen() {
    let mut world = world().await;
    let run = upload(&mut world, "orders/a.csv", csv(600, 6_000, Mix { large: 0, ..Mix::ALL })).await;
    let report = runs::report(&world.context, &run.run_id).await.expect("read").expect("a report");
    assert_eq!(report.report.tally.totals.rows, 600);
    let (mut rows, mut cursor) = (0, None);
    loop {
        let page = runs::chunks(&world.context, &run.run_id, cursor.as_deref(), 2).await.expect("a page");
        rows += page.items.iter().map(|c| c.tally.as_ref().expect("done").totals.rows).sum::<u64>();
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(rows, 600);
    assert!(run.chunks > 2, "{}", run.chunks);
}
