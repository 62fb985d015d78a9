//! A batch done by point operations ends as the emulator's own batch does.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::emulator::{Answer, Emulator, PARTITION_KEY, Query};
use super::*;

const IDS: [&str; 4] = ["a", "b", "c d", "é"];
const KEY: &str = "[\"p\"]";

#[derive(Debug, Clone, Copy)]
enum Condition {
    None,
    Current,
    Stale,
}

#[derive(Debug, Clone)]
struct Operation {
    kind: &'static str,
    id: &'static str,
    condition: Condition,
    n: u32,
    foreign_key: bool,
}

fn operation() -> impl Strategy<Value = Operation> {
    let condition = prop_oneof![6 => Just(Condition::None), 3 => Just(Condition::Current), 1 => Just(Condition::Stale)];
    let kind = prop::sample::select(vec!["Create", "Upsert", "Upsert", "Replace", "Delete", "Read"]);
    (kind, prop::sample::select(IDS.to_vec()), condition, any::<u32>(), prop::bool::weighted(0.02))
        .prop_map(|(kind, id, condition, n, foreign_key)| Operation { kind, id, condition, n, foreign_key })
}

async fn read(emulator: &Emulator, id: &str) -> Option<Value> {
    emulator.read("db", "docs", KEY, id).await.unwrap()
}

/// The batch as the SDK writes it; its conditions fit this emulator.
async fn body(emulator: &Emulator, operations: &[Operation]) -> Value {
    let mut list = Vec::new();
    for operation in operations {
        let mut json = json!({"operationType": operation.kind});
        if matches!(operation.kind, "Create" | "Upsert" | "Replace") {
            json["resourceBody"] = json!({"id": operation.id, "pk": if operation.foreign_key { "q" } else { "p" }, "n": operation.n});
        }
        if !matches!(operation.kind, "Create" | "Upsert") {
            json["id"] = operation.id.into();
        }
        let current = read(emulator, operation.id).await.map_or_else(|| json!("\"none\""), |document| document["_etag"].clone());
        match operation.condition {
            Condition::Current if operation.kind != "Create" => json["ifMatch"] = current,
            Condition::Stale if operation.kind != "Create" => json["ifMatch"] = json!("\"stale\""),
            _ => {}
        }
        list.push(json);
    }
    Value::Array(list)
}

async fn request(emulator: &Emulator, operations: &[Operation], minimal: bool) -> Query {
    let mut headers = vec![
        (PARTITION_KEY.to_owned(), KEY.to_owned()),
        ("x-ms-cosmos-is-batch-request".to_owned(), "True".to_owned()),
        ("x-ms-cosmos-batch-atomic".to_owned(), "True".to_owned()),
    ];
    if minimal {
        headers.push(("prefer".to_owned(), "return=minimal".to_owned()));
    }
    let body = body(emulator, operations).await.to_string();
    emulator.query("POST", "/dbs/db/colls/docs/docs", headers, body.into()).unwrap()
}

async fn prepare(emulator: &Emulator) {
    emulator.restore(&["dbs"], Vec::new(), &json!({"id": "db"})).await.unwrap();
    let container = json!({"id": "docs", "partitionKey": {"paths": ["/pk"], "kind": "Hash", "version": 2}});
    emulator.restore(&["dbs", "db", "colls"], Vec::new(), &container).await.unwrap();
}

/// What a client can tell apart: status, and of each operation its status and which parts it has.
fn seen(answer: &Answer) -> (u16, Value) {
    let mut body: Value = serde_json::from_slice(&answer.body).unwrap();
    for result in body.as_array_mut().into_iter().flatten() {
        if let Some(document) = result.get_mut("resourceBody") {
            assert_ne!(document["_etag"], Value::Null);
            document.as_object_mut().unwrap().retain(|name, _| !name.starts_with('_'));
        }
        if result.get("eTag").is_some_and(|etag| !etag.as_str().unwrap().is_empty()) {
            result["eTag"] = json!("some");
        }
        // What a batch costs is made up on both sides.
        result.as_object_mut().unwrap().shift_remove("requestCharge");
    }
    if answer.status >= 400 {
        body = Value::Null;
    }
    (answer.status, body)
}

async fn documents(emulator: &Emulator) -> BTreeMap<&'static str, Value> {
    let mut found = BTreeMap::new();
    for id in IDS {
        if let Some(mut document) = read(emulator, id).await {
            document.as_object_mut().unwrap().retain(|name, _| !name.starts_with('_'));
            found.insert(id, document);
        }
    }
    found
}

#[tokio::test]
async fn what_the_sdk_sends_does_not_need_the_emulators_batch() {
    let emulator = Emulator::new("http://127.0.0.1:1/", 4).unwrap();
    prepare(&emulator).await;
    let operation = |kind, id| Operation { kind, id, condition: Condition::Current, n: 1, foreign_key: false };
    let mut statuses = Vec::new();
    for operations in [
        vec![operation("Create", "a"), operation("Upsert", "b")],
        vec![operation("Replace", "a"), operation("Delete", "b"), operation("Create", "c d")],
        vec![operation("Upsert", "a"), operation("Create", "c d")],
    ] {
        let request = request(&emulator, &operations, true).await;
        statuses.push(batch::run(&emulator, ["db", "docs", KEY], &request).await.unwrap().unwrap().status);
    }
    assert_eq!(statuses, [200, 200, 207]);
    assert_eq!(documents(&emulator).await.into_keys().collect::<Vec<_>>(), ["a", "c d"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn point_operations_end_as_the_emulators_own_batch(
        batches in prop::collection::vec((prop::collection::vec(operation(), 1..5), any::<bool>()), 1..8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let ours = Cosmos::open(dir.path(), "http://127.0.0.1:1/", 4).await.unwrap();
            let theirs = Emulator::new("http://127.0.0.1:1/", 4).unwrap();
            prepare(&ours.emulator).await;
            prepare(&theirs).await;
            for (operations, minimal) in batches {
                let answer = ours.handle(&request(&ours.emulator, &operations, minimal).await).await.unwrap();
                let expected = theirs.execute(&request(&theirs, &operations, minimal).await).await.unwrap();
                assert_eq!(seen(&answer), seen(&expected), "{operations:?}");
                assert_eq!(documents(&ours.emulator).await, documents(&theirs).await);
            }
        });
    }
}
