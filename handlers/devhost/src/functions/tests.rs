use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::*;

const HOST: &str = r#"{"version":"2.0","extensionBundle":{"id":"x","version":"[4.*, 5.0.0)"},
    "customHandler":{"description":{"defaultExecutablePath":"handler"},"enableProxyingHttpRequest":true},
    "extensions":{"serviceBus":{"maxConcurrentCalls":4,"maxAutoLockRenewalDuration":"00:10:00"},"http":{"routePrefix":"api"}}}"#;

fn write(root: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn load(files: &[(&str, &str)]) -> Result<App, AppMistakes> {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), files);
    App::load(root.path(), &BTreeMap::from([("QUEUE".to_owned(), "move".to_owned())]))
}

const MOVE: &str = r#"{"bindings":[
    {"type":"serviceBusTrigger","direction":"in","name":"message","queueName":"%QUEUE%","connection":"Bus"},
    {"type":"serviceBus","direction":"out","name":"seal","queueName":"seal","connection":"Bus"}]}"#;

#[test]
fn reads_both_layouts_alike() {
    for folder in ["functions/Move/function.json", "Move/function.json"] {
        let app = load(&[("host.json", HOST), (folder, MOVE)]).unwrap();
        assert_eq!(app.functions.len(), 1);
        assert_eq!(app.queues().collect::<Vec<_>>(), ["move", "seal"]);
        assert_eq!(app.host.service_bus.max_concurrent_calls, 4);
        assert_eq!(app.host.http_mode, HttpMode::Proxying);
    }
}

#[test]
fn reports_every_mistake_of_every_file() {
    let error = load(&[
        ("host.json", r#"{"version":"3.0","functionTimeout":"soon","extensions":{"serviceBus":{"autoCompleteMessages":false}}}"#),
        ("functions/A/function.json", r#"{"bindings":[{"type":"blobTrigger","direction":"in","name":"b"}]}"#),
        ("functions/B/function.json", r#"{"bindings":[{"type":"serviceBusTrigger","direction":"in","name":"m"}]}"#),
        ("functions/C/function.json", "{"),
        ("functions/D/function.json", r#"{"bindings":[{"type":"serviceBusTrigger","direction":"out","name":"m","queueName":"%NOPE%"}]}"#),
        ("functions/E/function.json", r#"{"bindings":[{"type":"timerTrigger","direction":"in","name":"t","schedule":"whenever"}]}"#),
        ("functions/F/function.json", r#"{"retry":{},"bindings":[{"type":"http","direction":"out","name":"$return"}]}"#),
    ])
    .unwrap_err()
    .to_string();
    for part in [
        "host.json: version: expected \"2.0\", found \"3.0\"",
        "host.json: customHandler.description.defaultExecutablePath",
        "host.json: functionTimeout: expected a time span",
        "autoCompleteMessages: expected true",
        "A/function.json: bindings[0].type: \"blobTrigger\" is unknown",
        "B/function.json: bindings[0].queueName: expected a text, found nothing",
        "C/function.json: is not JSON",
        "D/function.json: bindings[0].queueName: \"%NOPE%\" names a setting that does not exist",
        "E/function.json: bindings[0].schedule",
        "F/function.json: retry",
    ] {
        assert!(error.contains(part), "missing {part:?} in {error}");
    }
}

#[test]
fn two_functions_cannot_share_a_route() {
    let http = |methods: &str| {
        format!(
            r#"{{"bindings":[{{"type":"httpTrigger","direction":"in","name":"req","route":"runs/{{id}}","methods":{methods}}},
               {{"type":"http","direction":"out","name":"$return"}}]}}"#
        )
    };
    let error = load(&[("host.json", HOST), ("A/function.json", &http("[\"get\"]")), ("B/function.json", &http("[\"GET\",\"put\"]"))])
        .unwrap_err()
        .to_string();
    assert!(error.contains("route \"runs/{id}\" (GET) is also the route of function A"), "{error}");
    let app = load(&[("host.json", HOST), ("A/function.json", &http("[\"get\"]")), ("B/function.json", &http("[\"put\"]"))]).unwrap();
    assert!(app.functions.iter().all(Function::is_http_in_and_out));
}

#[test]
fn service_bus_needs_the_extension_bundle() {
    let host = r#"{"version":"2.0","customHandler":{"description":{"defaultExecutablePath":"h"}}}"#;
    let error = load(&[("host.json", host), ("Move/function.json", MOVE)]).unwrap_err().to_string();
    assert!(error.contains("extensionBundle is missing"), "{error}");
}

#[test]
fn a_disabled_function_is_left_out() {
    let disabled = MOVE.replacen('{', r#"{"disabled":true,"#, 1);
    let app = load(&[("host.json", HOST), ("A/function.json", &disabled), ("B/function.json", MOVE)]).unwrap();
    assert_eq!(app.functions.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(), ["B"]);
}
