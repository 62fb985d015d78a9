//! Payloads of every trigger kind, as the host sends them, are understood; what cannot be understood fails.

use std::collections::BTreeMap;

use axum::body::to_bytes;
use serde_json::{Value, json};
use sluice_app::{
    functions::{Function, Trigger},
    trigger::{Envelope, http},
};

use super::harness::{Harness, json_file, root};

fn fixtures() -> BTreeMap<String, Value> {
    let folder = root().join("tests/fixtures");
    let names = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    names.map(|name| (name.clone(), json_file(&format!("tests/fixtures/{name}")))).collect()
}

fn function(name: &str, fixture: &Value) -> &'static Function {
    let function = fixture["function"].as_str().and_then(Function::named);
    function.unwrap_or_else(|| panic!("{name} names no function of the table"))
}

#[test]
fn every_kind_of_trigger_has_a_fixture() {
    let kinds: Vec<Trigger> = fixtures().iter().map(|(name, fixture)| function(name, fixture).trigger).collect();
    assert!(kinds.iter().any(|t| matches!(t, Trigger::BlobCreated)));
    assert!(kinds.iter().any(|t| matches!(t, Trigger::Queue(_))));
    assert!(kinds.iter().any(|t| matches!(t, Trigger::DeadLetter(_))));
    assert!(kinds.iter().any(|t| matches!(t, Trigger::Timer { .. })));
    assert!(kinds.iter().any(|t| matches!(t, Trigger::Http { .. })));
    for (name, fixture) in fixtures() {
        assert!(fixture["source"].as_str().is_some_and(|s| s.len() > 10), "{name} names no source");
    }
}

#[tokio::test]
async fn payloads_are_decoded_whatever_their_encoding() {
    for (name, fixture) in fixtures() {
        let function = function(&name, &fixture);
        let envelope = Envelope::parse(fixture["body"].to_string().as_bytes()).unwrap();
        if let Some(payload) = fixture.get("payload") {
            assert_eq!(&envelope.payload(function.binding()).unwrap(), payload, "{name}");
        }
        if let Some(text) = fixture.get("text") {
            assert_eq!(&envelope.text(function.binding()).unwrap(), text, "{name}");
        }
        for (property, value) in fixture["properties"].as_object().into_iter().flatten() {
            assert_eq!(envelope.property(property).as_deref(), value.as_str(), "{name}");
        }
        if let Some(expected) = fixture.get("request") {
            let request = http::request(envelope.value(function.binding()).unwrap()).unwrap();
            let (parts, body) = request.into_parts();
            let body = to_bytes(body, 1 << 20).await.unwrap();
            let found =
                json!({ "method": parts.method.as_str(), "uri": parts.uri.to_string(), "body": String::from_utf8(body.to_vec()).unwrap() });
            assert_eq!(&found, expected, "{name}");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_understood_fails_and_so_reaches_the_dead_letter_queue() {
    let harness = Harness::start().await;
    let failing: Vec<_> = fixtures().into_iter().filter(|(_, fixture)| fixture.get("fails").is_some()).collect();
    assert!(failing.len() >= 4);
    for (name, fixture) in failing {
        let answer = harness.invoke(function(&name, &fixture).name, &fixture["body"]).await;
        assert_eq!(answer.status, 500, "{name}");
        assert_eq!(answer.headers["content-type"], "application/json", "{name}");
        assert_eq!(answer.json()["Error"]["code"], fixture["fails"], "{name}");
        assert_eq!(answer.json()["Outputs"], json!({}), "{name}");
    }
}
