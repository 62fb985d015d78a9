//! What becomes a run, and what a run says that cannot be.

use serde_json::json;

use super::sample::{Mix, PIPELINE, csv, failure, pipeline, run_of, upload, world};
use crate::{
    BlobPath, ETag, Step, Write,
    grant::{Grant, Scope},
    lake::LANDING_PREFIX,
    memory::When,
    run::{Declared, State},
    steps::admit::BlobEvent,
};

fn small() -> Vec<u8> {
    csv(5, 10, Mix::default())
}

#[tokio::test]
async fn the_same_event_ten_times_is_one_run() {
    let mut world = world().await;
    let event = world.upload("acme", "orders/a.csv", small());
    for _ in 0..10 {
        world.event(event.clone());
    }
    world.drain().await;
    world.event(event);
    world.drain().await;
    let run = world.only_run();
    assert_eq!((run.state, run.counts.map(|c| c.published)), (State::Completed, Some(5)));
    world.check().await;
}

#[tokio::test]
async fn the_same_bytes_under_two_names_are_two_submissions_and_the_second_says_so() {
    let mut world = world().await;
    let first = upload(&mut world, "orders/a.csv", small()).await;
    let second = upload(&mut world, "orders/b.csv", small()).await;
    assert_eq!(first.content.expect("sealed").repeats, None);
    assert_eq!(second.content.expect("sealed").repeats, Some(first.submission));
    assert_eq!(second.state, State::Completed);
}

#[tokio::test]
async fn a_file_that_nobody_waits_for_says_what_is_taken() {
    let mut world = world().await;
    let run = upload(&mut world, "elsewhere/a.csv", small()).await;
    let (state, code, message) = failure(&run);
    assert_eq!((state, code), (State::Rejected, "A0002"));
    assert!(message.contains("orders/*"), "{message}");
    let event = world.upload("stranger", "orders/a.csv", small());
    world.event(event.clone());
    world.drain().await;
    let run = run_of(&world, &event);
    assert_eq!(failure(&run).1, "A0001");
    assert!(run.receipt, "a rejected run has a receipt");
    world.check().await;
}

#[tokio::test]
async fn an_empty_file_is_rejected() {
    let mut world = world().await;
    let run = upload(&mut world, "orders/a.csv", "").await;
    assert_eq!((failure(&run).0, failure(&run).1), (State::Rejected, "F0001"));
}

#[tokio::test]
async fn a_version_that_is_gone_has_a_run_that_says_so_and_the_new_one_is_taken() {
    let mut world = world().await;
    let first = world.upload("acme", "orders/a.csv", small());
    let second = world.upload("acme", "orders/a.csv", csv(7, 10, Mix::default()));
    world.event(first.clone());
    world.drain().await;
    assert_eq!(failure(&run_of(&world, &first)).1, "A0003");
    assert_eq!(run_of(&world, &second).counts.map(|c| c.published), Some(7));
    world.event(second);
    world.drain().await;
    assert_eq!(world.runs().len(), 2);

    let third = world.upload("acme", "orders/gone.csv", small());
    world.lake.remove(&third.blob);
    world.event(third.clone());
    world.drain().await;
    assert_eq!(failure(&run_of(&world, &third)).1, "A0004");
    world.check().await;
}

#[tokio::test]
async fn a_late_event_of_an_old_version_finds_its_run() {
    let mut world = world().await;
    let first = world.upload("acme", "orders/a.csv", small());
    world.event(first.clone());
    world.drain().await;
    let second = world.upload("acme", "orders/a.csv", csv(7, 10, Mix::default()));
    world.event(first.clone());
    world.drain().await;
    assert_eq!(run_of(&world, &first).state, State::Completed);
    world.event(second);
    world.drain().await;
    assert_eq!(world.runs().len(), 2);
}

#[tokio::test]
async fn declared_checksums_are_checked_wherever_they_are_declared() {
    let body = small();
    let (sha256, blake3) = (hex::encode(<sha2::Sha256 as sha2::Digest>::digest(&body)), blake3::hash(&body).to_hex().to_string());
    let md5 = <md5::Md5 as md5::Digest>::digest(&body).to_vec();
    let md5_hex = hex::encode(&md5);
    let wrong = |hex: &str| hex.chars().rev().collect::<String>();
    for (metadata, code) in [
        (vec![("sha256", sha256.clone())], None),
        (vec![("blake3", blake3.to_uppercase()), ("sha256", sha256.clone()), ("md5", md5_hex.clone())], None),
        (vec![("sha256", wrong(&sha256))], Some("J0202")),
        (vec![("md5", wrong(&md5_hex))], Some("J0203")),
        (vec![("blake3", wrong(&blake3))], Some("J0204")),
        (vec![("sha256", "abc".to_owned())], Some("A0006")),
    ] {
        let mut world = world().await;
        let metadata: Vec<(&str, &str)> = metadata.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let event = world.upload_with("acme", "orders/a.csv", body.clone(), &metadata);
        world.event(event);
        world.drain().await;
        let run = world.only_run();
        assert_eq!(run.failure.as_ref().map(|f| f.code.as_str()), code, "{metadata:?}");
        world.check().await;
    }
    for (md5, code) in [(md5, None), (vec![7; 16], Some("J0203"))] {
        let mut world = world().await;
        let blob = BlobPath::new(format!("{LANDING_PREFIX}acme"), "orders/a.csv");
        let etag = world.lake.upload(&blob, body.clone(), Some(md5), &[]);
        world.event(BlobEvent { api: "PutBlob".to_owned(), blob, etag: Some(etag), size: None });
        world.drain().await;
        assert_eq!(world.only_run().failure.as_ref().map(|f| f.code.as_str()), code, "Content-MD5");
    }
}

#[tokio::test]
async fn what_a_grant_declares_is_checked_until_it_expires() {
    let grant = |id: &str, path: &str, created_at: &str, expires_at: &str, size| Grant {
        fixes: None,
        grant_id: id.to_owned(),
        partner: "acme".to_owned(),
        scope: Scope::File { path: path.to_owned() },
        declared: Declared { size: Some(size), ..Declared::default() },
        created_at: created_at.to_owned(),
        created_by: "p".to_owned(),
        expires_at: expires_at.to_owned(),
    };
    let size = small().len() as u64;
    for (grants, code) in [
        (vec![grant("1", "orders/a.csv", "2025-12-31T00:00:00.000Z", "2026-12-31T00:00:00.000Z", 7)], Some("J0201")),
        (vec![grant("1", "orders/a.csv", "2025-12-31T00:00:00.000Z", "2025-12-31T01:00:00.000Z", 7)], None),
        (vec![grant("1", "orders/b.csv", "2025-12-31T00:00:00.000Z", "2026-12-31T00:00:00.000Z", 7)], None),
        (
            vec![
                grant("1", "orders/a.csv", "2025-12-30T00:00:00.000Z", "2026-12-31T00:00:00.000Z", 7),
                grant("2", "orders/a.csv", "2025-12-31T00:00:00.000Z", "2026-12-31T00:00:00.000Z", size),
            ],
            None,
        ),
    ] {
        let mut world = world().await;
        for grant in &grants {
            let mut body = json!(grant);
            body["path"] = body["scope"]["path"].clone();
            let write = Write::Create { id: format!("grant:{}", grant.grant_id), kind: "grant", body };
            world.context.catalog.commit("partner:acme", vec![write]).await.expect("commit");
        }
        let run = upload(&mut world, "orders/a.csv", small()).await;
        assert_eq!(run.failure.as_ref().map(|f| f.code.as_str()), code, "{grants:?}");
    }
}

#[tokio::test]
async fn the_most_specific_pipeline_takes_the_file_and_the_run_is_pinned_to_it() {
    let mut world = world().await;
    world.put_pipeline(&pipeline("special", "orders/special-*", "{ csv: {} }"), super::sample::CONTRACT).await;
    let run = upload(&mut world, "orders/special-1.csv", small()).await;
    let pinned = run.pinned.expect("pinned");
    assert_eq!((pinned.pipeline.as_str(), pinned.pipeline_version, pinned.parameters_version), ("special", 1, 0));
    assert_eq!(json!(pinned.parameters), json!({ "large": 900 }));
    assert_eq!(upload(&mut world, "orders/1.csv", small()).await.pipeline.as_deref(), Some("orders"));
}

#[tokio::test]
async fn a_pipeline_whose_secret_is_gone_fails_its_runs_and_says_which() {
    let mut world = world().await;
    world.secrets.set("note-key", b"k");
    let masked = PIPELINE.replace("tasks:\n", "tasks:\n  - mask: { column: note, with: hmac-sha256, key: note-key }\n");
    world.put_pipeline(&masked, super::sample::CONTRACT).await;
    world.context.secrets = std::sync::Arc::new(crate::memory::MemorySecrets::default());
    world.crash();
    let run = upload(&mut world, "orders/a.csv", small()).await;
    let (state, code, message) = failure(&run);
    assert_eq!((state, code), (State::Failed, "V0404"));
    assert!(message.contains("note-key"), "{message}");
    assert!(run.receipt);
}

#[tokio::test]
async fn an_admission_whose_answer_is_lost_sends_its_messages_again() {
    let mut world = world().await;
    let event = world.upload("acme", "orders/a.csv", small());
    // The commit of the run document is the first commit of an admission.
    let calls = world.faults.calls().len() as u64;
    world.event(event.clone());
    let mut trial = super::sample::world().await;
    let same = trial.upload("acme", "orders/a.csv", small());
    let start = trial.faults.calls().len();
    let outputs = crate::steps::admit::run(&trial.context, &same).await.expect("admitted");
    assert_eq!(outputs.0.iter().map(|m| m.step).collect::<Vec<_>>(), [Step::Move]);
    let commit = trial.faults.calls()[start..].iter().position(|c| *c == "catalog.commit").expect("a commit") as u64;
    trial.send(outputs);
    trial.drain().await;
    world.faults.plan(crate::memory::Fault { call: calls + commit, when: When::After });
    world.drain().await;
    assert_eq!(world.only_run().state, State::Completed);
}

#[test]
fn events_of_both_schemas_are_read_and_others_are_passed_over() {
    let subject = "/blobServices/default/containers/landing-acme/blobs/orders/2024/a b.csv";
    let data = |api: &str| json!({ "api": api, "eTag": "0x8D4BCC2E4835CD0", "contentLength": 524_288, "blobType": "BlockBlob", "url": "https://x/y" });
    let event = |data| json!({ "eventType": "Microsoft.Storage.BlobCreated", "subject": subject, "data": data });
    let read = |value: &serde_json::Value| BlobEvent::from_event_grid(value).expect("an event");
    let expected = BlobEvent {
        api: "PutBlockList".to_owned(),
        blob: BlobPath::new("landing-acme", "orders/2024/a b.csv"),
        etag: Some(ETag("\"0x8D4BCC2E4835CD0\"".to_owned())),
        size: Some(524_288),
    };
    assert_eq!(read(&event(data("PutBlockList"))), Some(expected.clone()));
    let cloud = json!({ "type": "Microsoft.Storage.BlobCreated", "specversion": "1.0", "subject": subject, "data": data("PutBlockList") });
    assert_eq!(read(&cloud), Some(expected));
    for api in ["PutBlob", "CopyBlob", "FlushWithClose", "SftpCommit"] {
        assert!(read(&event(data(api))).is_some(), "{api}");
    }
    for api in ["CreateFile", "SftpCreate", "PutBlock"] {
        assert_eq!(read(&event(data(api))), None, "{api} is no complete upload");
    }
    let mut append = data("PutBlob");
    append["blobType"] = json!("AppendBlob");
    assert_eq!(read(&event(append)), None);
    let elsewhere = json!({ "eventType": "Microsoft.Storage.BlobCreated", "subject": "/blobServices/default/containers/raw/blobs/x", "data": data("PutBlob") });
    assert_eq!(read(&elsewhere), None);
    assert_eq!(read(&json!({ "eventType": "Microsoft.Storage.BlobDeleted" })), None);
    let broken = json!({ "eventType": "Microsoft.Storage.BlobCreated", "data": data("PutBlob") });
    assert_eq!(BlobEvent::from_event_grid(&broken).expect_err("no subject").code(), "M0005");
}
