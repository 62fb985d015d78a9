//! The description that is served is the one that is checked in.

use serde_json::Value;
use sluice_app::api;

use super::harness::{Harness, golden};

#[tokio::test]
async fn the_served_description_is_the_checked_in_one() {
    golden("docs/api/openapi.json", &(api::description() + "\n"));
    let harness = Harness::start().await;
    let served = harness.call("GET", "/openapi.json", None, None).await;
    assert_eq!(served.status, 200);
    assert_eq!(served.json(), serde_json::from_str::<Value>(&api::description()).unwrap());
    assert!(served.json()["openapi"].as_str().unwrap().starts_with("3.1"));
}

#[tokio::test]
async fn every_described_operation_is_mounted() {
    let harness = Harness::start().await;
    for (method, path) in super::access::operations() {
        let answer = harness.call(&method, &super::access::filled(&path), None, None).await;
        assert!(![404, 405].contains(&answer.status.as_u16()), "{method} {path}: {}", answer.text);
    }
}

#[test]
fn every_reference_of_the_description_resolves() {
    let description: Value = serde_json::from_str(&api::description()).unwrap();
    let mut stack = vec![&description];
    let mut references = 0;
    while let Some(value) = stack.pop() {
        match value {
            Value::Object(map) => {
                if let Some(reference) = map.get("$ref").and_then(Value::as_str) {
                    references += 1;
                    assert!(description.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
                }
                stack.extend(map.values());
            }
            Value::Array(list) => stack.extend(list),
            _ => {}
        }
    }
    assert!(references > 20);
}

#[test]
fn each_operation_has_a_name_of_its_own() {
    let description: serde_json::Value = serde_json::from_str(&api::description()).unwrap();
    let paths = description["paths"].as_object().unwrap().values();
    let names: Vec<&str> = paths.flat_map(|path| path.as_object().unwrap().values()).map(|o| o["operationId"].as_str().unwrap()).collect();
    let mut distinct = names.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), names.len(), "{names:?}");
}
