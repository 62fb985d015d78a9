//! What partners and operators do: grants, finding submissions, rejected rows, one row explained, reprocessing, dead letters.

use std::{sync::Mutex, time::Duration};

use async_trait::async_trait;
use futures::TryStreamExt as _;
use serde_json::json;

use super::sample::{CONTRACT, Mix, PIPELINE, csv, upload, world};
use crate::{
    BlobPath, Message, Result, RunId, Step,
    audit::{self, Actor},
    grant::{Scope, UploadSigner},
    harness::World,
    rejected::{self, Cells},
    rows::{self, RowOutcome},
    run::{Declared, Run, State},
    runs::{self, RunFilter},
    steps::dead_letter,
    submissions::{self, GrantRequest, Granted},
};

pub(super) fn operator() -> Actor {
    Actor::Person { id: "o".to_owned(), name: "Olga".to_owned() }
}

/// A signer that remembers what it was asked for.
#[derive(Default)]
pub(super) struct Signer(Mutex<Vec<String>>);

impl Signer {
    /// For how long was signed, in seconds.
    pub(super) fn seconds(&self) -> Vec<u64> {
        let asked = self.0.lock().expect("no panic");
        asked.iter().map(|line| line.rsplit(' ').next().and_then(|seconds| seconds.parse().ok()).expect("seconds")).collect()
    }
}

#[async_trait]
impl UploadSigner for Signer {
    async fn sign(&self, partner: &str, scope: &Scope, valid: Duration) -> Result<url::Url> {
        self.0.lock().expect("no panic").push(format!("{partner} {scope:?} {}", valid.as_secs()));
        Ok(url::Url::parse("https://account.example/landing-acme?sig=secret").expect("a URL"))
    }

    async fn ensure_container(&self, _: &str) -> Result<()> {
        Ok(())
    }
}

pub(super) fn file(path: &str) -> GrantRequest {
    GrantRequest { scope: Scope::File { path: path.to_owned() }, declared: Declared::default(), valid_seconds: 3600, fixes: None }
}

#[tokio::test]
async fn a_grant_is_recorded_without_its_url_and_leads_to_its_run() {
    let (mut world, signer) = (world().await, Signer::default());
    let request = GrantRequest { declared: Declared { size: Some(1), ..Declared::default() }, ..file("orders/a.csv") };
    let Granted { grant, url, .. } =
        submissions::grant(&world.context, &signer, &operator(), "acme", request, None).await.expect("granted");
    assert_eq!(url.query(), Some("sig=secret"));
    assert_eq!(*signer.0.lock().expect("no panic"), ["acme File { path: \"orders/a.csv\" } 3600"]);
    assert_eq!((grant.grant_id.len(), grant.expires_at.as_str()), (27, "2026-01-01T01:00:00.000Z"));
    assert!(world.catalog.contents().values().all(|d| !d.body.to_string().contains("secret")), "no SAS is stored");
    // The declared size is held against the upload.
    let run = upload(&mut world, "orders/a.csv", csv(3, 3, Mix::default())).await;
    assert_eq!(run.failure.as_ref().map(|f| f.code.as_str()), Some("J0201"));
    let found = submissions::find(&world.context, Some("acme"), &grant.grant_id).await.expect("found");
    assert_eq!(found.iter().map(|r| &r.run_id).collect::<Vec<_>>(), [&run.run_id]);
    let error = submissions::grant(&world.context, &signer, &operator(), "acme", file("orders/a.csv"), None).await.expect_err("taken");
    assert_eq!(error.code(), "G0409");
}

#[tokio::test]
async fn a_request_for_a_grant_is_refused_with_all_that_is_wrong() {
    let (world, signer) = (world().await, Signer::default());
    let declared = Declared { md5: Some("xyz".to_owned()), ..Declared::default() };
    let request = GrantRequest { scope: Scope::Container { read_back: false }, declared, valid_seconds: 8 * 24 * 3600, fixes: None };
    let error = submissions::grant(&world.context, &signer, &operator(), "Acme", request, None).await.expect_err("wrong");
    assert_eq!(error.code(), "G0400");
    for part in ["partner \"Acme\"", "valid_seconds is 691200", "one file only", "md5 is not 32"] {
        assert!(error.message().contains(part), "{part:?} is missing: {}", error.message());
    }
    for path in ["", "/a", "a//b", "a/../b", "a/.", "a\\b", "a\nb", "a."] {
        let error = submissions::grant(&world.context, &signer, &operator(), "acme", file(path), None).await.expect_err("a bad path");
        assert_eq!(error.code(), "G0400", "{path:?}");
    }
    assert_eq!(signer.0.lock().expect("no panic").len(), 0, "nothing is signed");
}

#[tokio::test]
async fn a_partner_finds_its_own_submissions_only() {
    let mut world = world().await;
    let run = upload(&mut world, "orders/a.csv", csv(3, 3, Mix::default())).await;
    for id in [run.run_id.as_str(), run.submission.as_str(), "orders/a.csv"] {
        for partner in [Some("acme"), None] {
            let found = submissions::find(&world.context, partner, id).await.expect("found");
            assert_eq!(found.iter().map(|r| &r.run_id).collect::<Vec<_>>(), [&run.run_id], "{id}");
        }
        let error = submissions::find(&world.context, Some("rival"), id).await.expect_err("another partner's");
        let missing = submissions::find(&world.context, Some("rival"), "nothing").await.expect_err("nothing");
        assert_eq!((error.code(), error.message().replace(id, "nothing")), ("W0404", missing.message().to_owned()));
    }
    let filter = RunFilter {
        partner: Some("acme".into()),
        pipeline: Some("orders".into()),
        state: vec![State::Completed],
        path: Some("orders/a.csv".into()),
        ..RunFilter::default()
    };
    assert_eq!(runs::list(&world.context, &filter, None, 10).await.expect("a list").items.len(), 1);
    let other = RunFilter { state: vec![State::Failed, State::Rejected], ..filter };
    assert_eq!(runs::list(&world.context, &other, None, 10).await.expect("a list").items.len(), 0);
}

async fn rejected_text(world: &World, run: &Run, cells: Cells) -> String {
    let file = rejected::stream(&world.context, run, cells).await.expect("rejected rows");
    assert_eq!((file.extension, file.content_type), ("csv", "text/csv"));
    let pieces: Vec<bytes::Bytes> = file.bytes.try_collect().await.expect("read");
    String::from_utf8(pieces.concat()).expect("text")
}

#[tokio::test]
async fn rejected_rows_come_as_one_file_with_one_header() {
    let mut world = world().await;
    let run = upload(&mut world, "orders/a.csv", csv(400, 6_000, Mix { large: 0, repeated: 0, ..Mix::ALL })).await;
    let text = rejected_text(&world, &run, Cells::AsSent).await;
    assert!(text.starts_with("id,region,amount,note,_row,_line,_problems\n"), "{}", &text[..80]);
    assert_eq!(text.matches("id,region").count(), 1);
    let rejected = run.counts.expect("counted").rejected;
    assert_eq!(text.matches(": a negative amount").count() + text.matches("R0103 amount").count(), rejected as usize);
    assert!(run.chunks > 1 && rejected > 10, "{} chunks, {rejected} rejected", run.chunks);
}

#[tokio::test]
async fn cells_of_rejected_rows_can_be_made_safe() {
    let mut world = world().await;
    let run = upload(&mut world, "orders/a.csv", "id,region,amount,note\n1,=north,-5,@x\n2,north,1.00,fine\n").await;
    assert!(rejected_text(&world, &run, Cells::AsSent).await.contains("1,=north,-5,@x"));
    assert!(rejected_text(&world, &run, Cells::SpreadsheetSafe).await.contains("1,'=north,-5,'@x"));
}

#[tokio::test]
async fn every_row_can_be_explained() {
    let mut world = world().await;
    let body = csv(400, 6_000, Mix::ALL);
    let run = upload(&mut world, "orders/a.csv", body.clone()).await;
    assert!(run.chunks > 1 && run.generation == 1, "{} chunks, generation {}", run.chunks, run.generation);
    let mut counted = std::collections::BTreeMap::<String, u64>::new();
    for row in 0..400 {
        let explained = rows::explain(&world.context, &run, row).await.expect("explained").expect("a row");
        let (offset, raw) = (explained.offset.expect("an offset") as usize, explained.raw.clone().expect("a record"));
        assert!(body[offset..].starts_with(raw.as_bytes()), "row {row}");
        let line = 1 + body[..offset].iter().filter(|b| **b == b'\n').count() as u64;
        assert_eq!(explained.line, Some(line), "row {row}");
        let told = !explained.problems.is_empty();
        match explained.outcome {
            RowOutcome::Published => assert!(!told && !explained.files.is_empty(), "{explained:?}"),
            RowOutcome::Rejected => assert!(told, "{explained:?}"),
            RowOutcome::Held => assert!(told && explained.case_id.is_some(), "{explained:?}"),
            _ => {}
        }
        *counted.entry(format!("{:?}", explained.outcome)).or_default() += 1;
    }
    let counts = run.counts.expect("counted");
    let expected = [("Filtered", counts.filtered), ("Held", counts.held), ("Published", counts.published), ("Rejected", counts.rejected)];
    assert_eq!(counted.into_iter().collect::<Vec<_>>(), expected.map(|(n, c)| (n.to_owned(), c)));
    assert_eq!(rows::explain(&world.context, &run, 400).await.expect("no error"), None);
}

#[tokio::test]
async fn a_run_that_failed_is_tried_again_with_what_is_live_now() {
    let mut world = world().await;
    let strict = PIPELINE.replace("rejectedPercent: 60", "rejectedPercent: 1");
    world.put_pipeline(&strict, CONTRACT).await;
    let body = csv(60, 20, Mix { negative: 7, ..Mix::default() });
    let first = upload(&mut world, "orders/a.csv", body.clone()).await;
    assert_eq!(first.failure.as_ref().map(|f| f.code.as_str()), Some("F0031"));
    world.put_pipeline(PIPELINE, CONTRACT).await;
    world.context.plans.forget_live();
    // The landing blob is gone: the raw copy of the first attempt is read.
    world.lake.remove(&first.source.blob);
    let (second, outputs) = runs::reprocess(&world.context, &operator(), &first.run_id).await.expect("reprocessed");
    assert_eq!((second.attempt, &second.submission, second.path.as_str()), (2, &first.submission, "orders/a.csv"));
    assert_eq!(second.source.blob, first.raw());
    // The answer was lost, and it is asked for again.
    let (again, _) = runs::reprocess(&world.context, &operator(), &first.run_id).await.expect("under way");
    assert_eq!(again.run_id, second.run_id);
    assert_eq!(runs::reprocess(&world.context, &operator(), &second.run_id).await.expect_err("it has not ended").code(), "W0412");
    world.send(outputs);
    world.drain().await;
    world.check().await;
    let second = runs::get(&world.context, &second.run_id).await.expect("the run");
    assert_eq!((second.state, second.pinned.map(|p| p.pipeline_version)), (State::Completed, Some(3)));
    assert_eq!(second.content.map(|c| c.blake3), Some(blake3::hash(&body).to_hex().to_string()));
    assert_eq!(runs::reprocess(&world.context, &operator(), &first.run_id).await.expect_err("superseded").code(), "W0409");
    assert_eq!(runs::reprocess(&world.context, &operator(), &second.run_id).await.expect_err("published").code(), "W0412");
}

#[tokio::test]
async fn a_file_that_is_gone_cannot_be_tried_again() {
    let mut world = world().await;
    let run = upload(&mut world, "orders/a.csv", "").await;
    world.lake.remove(&run.source.blob);
    assert_eq!(runs::reprocess(&world.context, &operator(), &run.run_id).await.expect_err("gone").code(), "W0410");
    let other = RunId::try_from(format!("{}-7", run.submission)).expect("an id");
    assert_eq!(runs::reprocess(&world.context, &operator(), &other).await.expect_err("no run").code(), "W0404");
}

#[tokio::test]
async fn a_dead_letter_shows_at_its_run_until_it_is_resumed() {
    let mut world = world().await;
    let event = world.upload("acme", "orders/a.csv", csv(10, 5, Mix::default()));
    world.event(event);
    world.drain_until(|world| world.runs().first().is_some_and(|r| r.state == State::Publishing)).await;
    world.lose_messages();
    let run = world.only_run();
    let text = Message::new(&run.run_id, Step::Publish).to_json().to_string();
    for _ in 0..2 {
        dead_letter::run(&world.context, "publish", &text, "MaxDeliveryCountExceeded", "it failed ten times").await.expect("recorded");
    }
    let letter = world.only_run().dead_letter.expect("a dead letter");
    assert_eq!((letter.code.as_str(), letter.step.as_str()), ("MaxDeliveryCountExceeded", "publish"));
    let events = audit::events(&world.context, &run.run_id).await.expect("events");
    assert_eq!(events.iter().filter(|e| e.action == "message.deadLettered").count(), 1);
    // A letter of a step that is over does not hold the run.
    let late = Message::new(&run.run_id, Step::Move).to_json().to_string();
    dead_letter::run(&world.context, "move", &late, "late", "").await.expect("recorded");
    assert_eq!(world.only_run().dead_letter.expect("still the first").step, "publish");
    let (resumed, outputs) = runs::resume(&world.context, &operator(), &run.run_id).await.expect("resumed");
    assert_eq!(resumed.dead_letter, None);
    world.send(outputs);
    world.drain().await;
    world.check().await;
    assert_eq!(world.only_run().state, State::Completed);
    assert_eq!(runs::resume(&world.context, &operator(), &run.run_id).await.expect_err("over").code(), "W0412");
}

#[tokio::test]
async fn a_message_that_cannot_be_understood_is_kept_by_its_hash_only() {
    let world = world().await;
    for text in
        ["not JSON: 4111-1111-1111-1111", &json!({ "sluice": { "run": "s-0000000000000000000000000-1", "step": "move" } }).to_string()]
    {
        dead_letter::run(&world.context, "move", text, "reason", &"d".repeat(5000)).await.expect("recorded");
    }
    let documents = world.catalog.contents();
    let letters: Vec<_> = documents.iter().filter(|((partition, _), _)| partition == dead_letter::PARTITION).map(|(_, d)| d).collect();
    assert_eq!(letters.len(), 2);
    assert!(letters.iter().all(|d| !d.body.to_string().contains("4111") && d.body["description"].as_str().expect("text").len() == 500));
    assert!(letters.iter().any(|d| d.body["hash"] == blake3::hash(b"not JSON: 4111-1111-1111-1111").to_hex().as_str()));
}

#[tokio::test]
async fn a_changed_audit_event_is_noticed() {
    let mut world = world().await;
    let run = upload(&mut world, "orders/a.csv", csv(3, 3, Mix::default())).await;
    let check = runs::verify_audit(&world.context, &run.run_id).await.expect("checked");
    assert_eq!((check.fault, check.events), (None, run.audit.seq + 1));
    let id = audit::AuditEvent::document_id(1);
    let mut document = world.context.catalog.get(&run.run_id.partition(), &id).await.expect("read").expect("an event");
    document.body["action"] = "nothing happened".into();
    let write = crate::Write::Put { id, kind: "audit", body: document.body };
    world.context.catalog.commit(&run.run_id.partition(), vec![write]).await.expect("changed behind its back");
    let check = runs::verify_audit(&world.context, &run.run_id).await.expect("checked");
    assert_eq!(check.fault.as_deref(), Some("event 1 was changed after it was written"));
}

#[tokio::test]
async fn a_run_cannot_be_cancelled_once_it_is_being_published() {
    let mut world = world().await;
    let event = world.upload("acme", "orders/a.csv", csv(10, 5, Mix::default()));
    world.event(event);
    world.drain_until(|world| world.runs().first().is_some_and(|r| r.state == State::Publishing)).await;
    let run = world.only_run();
    assert_eq!(runs::cancel(&world.context, &operator(), &run.run_id).await.expect_err("too late").code(), "W0412");
    world.drain().await;
    assert_eq!(world.only_run().state, State::Completed);
    let mut other = super::sample::world().await;
    let event = other.upload("acme", "orders/a.csv", csv(10, 5, Mix::default()));
    other.event(event);
    other.drain_until(|world| world.runs().first().is_some_and(|r| r.state == State::Transforming)).await;
    let run = other.only_run();
    let (_, outputs) = runs::cancel(&other.context, &operator(), &run.run_id).await.expect("cancelled");
    other.send(outputs);
    other.drain().await;
    other.check().await;
    let run = other.only_run();
    assert_eq!((run.state, run.receipt, run.table_version), (State::Cancelled, true, None));
    assert!(!other.lake.contents().contains_key(&BlobPath::new("curated", "orders/_delta_log/00000000000000000000.json")));
}
