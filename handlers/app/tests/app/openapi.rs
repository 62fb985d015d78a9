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

fn all_operations(description: &Value) -> impl Iterator<Item = (&String, &String, &Value)> {
    let paths = description["paths"].as_object().unwrap().iter();
    paths.flat_map(|(path, item)| item.as_object().unwrap().iter().map(move |(method, operation)| (method, path, operation)))
}

#[test]
fn every_operation_tells_how_it_refuses() {
    let description: Value = serde_json::from_str(&api::description()).unwrap();
    for (method, path, operation) in all_operations(&description) {
        let answers = operation["responses"].as_object().unwrap();
        let is_public = ["/health", "/openapi.json"].contains(&path.as_str());
        let expected: &[&str] = match (method.as_str(), is_public) {
            (_, true) => &[],
            ("put", _) => &["400", "401", "403", "413", "415", "422", "429", "500", "503"],
            ("post", _) => &["400", "401", "403", "429", "500", "503"],
            _ => &["401", "403", "429", "500", "503"],
        };
        for status in expected {
            assert!(answers.contains_key(*status), "{method} {path} does not tell of {status}");
        }
        for (status, answer) in answers.iter().filter(|(status, _)| status.as_str() >= "400") {
            let name = answer["$ref"].as_str().map(|reference| reference.trim_start_matches('#'));
            let answer = name.map_or(answer, |name| description.pointer(name).unwrap());
            assert!(!answer["description"].as_str().unwrap().is_empty(), "{method} {path} {status}");
            let is_problem = answer["content"].as_object().is_some_and(|content| content.contains_key("application/problem+json"));
            assert!(is_problem || path == "/health", "{method} {path} {status}: {answer}");
        }
        let parameters = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
        let takes_key = parameters.iter().any(|one| one["$ref"] == "#/components/parameters/IdempotencyKey");
        assert_eq!(takes_key, method == "post", "{method} {path}");
    }
}

#[tokio::test]
async fn words_that_the_description_takes_are_taken() {
    let harness = Harness::start().await;
    let description: Value = serde_json::from_str(&api::description()).unwrap();
    for (path, name, count) in [("/runs", "state", 11), ("/reviews", "status", 5)] {
        let parameters = description["paths"][path]["get"]["parameters"].as_array().unwrap();
        let pattern = parameters.iter().find(|one| one["name"] == name).unwrap()["schema"]["pattern"].as_str().unwrap();
        let words: Vec<&str> = pattern.trim_start_matches("^(").split(')').next().unwrap().split('|').collect();
        assert_eq!(words.len(), count);
        let answer = harness.call("GET", &format!("{path}?{name}={}", words.join(",")), Some(&harness.token("Auditor")), None).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
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
