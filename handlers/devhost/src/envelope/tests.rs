use std::path::Path;
use std::sync::Arc;

use azure_core::Uuid;
use chrono::DateTime;
use serde_json::{Map, Value, json};

use super::*;
use crate::broker::{Delivery, Message};
use crate::functions::{AppMistakes, Function};

fn delivery(body: &str) -> Delivery {
    let properties = Map::from_iter([("DeadLetterReason".to_owned(), "Why".into())]);
    let message = Message {
        sequence: 7,
        id: "abc".into(),
        body: body.into(),
        enqueued: DateTime::from_timestamp_millis(1_700_000_000_123).unwrap(),
        properties,
    };
    Delivery { queue: "q".into(), token: Uuid::from_u128(1), message: Arc::new(message), count: 1, locked_until: DateTime::UNIX_EPOCH }
}

/// The envelope without `sys`, whose time and GUID are never the same.
fn without_sys(mut envelope: Value) -> Value {
    let sys = envelope["Metadata"].as_object_mut().unwrap().shift_remove("sys").unwrap();
    let mut keys: Vec<_> = sys.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["MethodName", "RandGuid", "UtcNow"]);
    envelope
}

#[test]
fn a_message_is_encoded_twice_and_its_fields_overwrite_the_metadata() {
    let body = r#"{"run":"r1","deliverycount":9,"nested":{"a":1},"list":[1],"blobTrigger":"x"}"#;
    let envelope = without_sys(service_bus("Move", "message", &delivery(body), false));
    assert_eq!(
        envelope,
        json!({
            "Data": {"message": serde_json::to_string(body).unwrap()},
            "Metadata": {
                "DeliveryCount": "9",
                "LockToken": "\"00000000-0000-0000-0000-000000000001\"",
                "LockedUntil": "1970-01-01T00:00:00.000Z",
                "MessageId": "\"abc\"",
                "SequenceNumber": "7",
                "EnqueuedTimeUtc": "2023-11-14T22:13:20.123Z",
                "ExpiresAtUtc": "2023-11-28T22:13:20.123Z",
                "ApplicationProperties": {"DeadLetterReason": "Why"},
                "UserProperties": {"DeadLetterReason": "Why"},
                "run": "\"r1\"",
                "nested": {"a": 1},
            },
        })
    );
}

#[test]
fn a_binary_binding_gets_base64_and_no_merge() {
    let envelope = without_sys(service_bus("Move", "message", &delivery(r#"{"messageId":"x"}"#), true));
    assert_eq!(envelope["Data"]["message"], "eyJtZXNzYWdlSWQiOiJ4In0=");
    assert_eq!(envelope["Metadata"]["MessageId"], "\"abc\"");
}

#[test]
fn an_event_is_inline() {
    let event = json!({"id": "1", "subject": "/s", "data": {"api": "PutBlob"}});
    assert_eq!(
        without_sys(event_grid("Admit", "event", &event)),
        json!({"Data": {"event": event}, "Metadata": {"data": {"api": "PutBlob"}}})
    );
}

#[test]
fn a_timer_is_a_string_of_json() {
    let envelope = without_sys(timer("Sweep", "timer", None, Some(DateTime::UNIX_EPOCH), true));
    let info: Value = serde_json::from_str(envelope["Data"]["timer"].as_str().unwrap()).unwrap();
    assert_eq!(
        info,
        json!({
            "Schedule": {"AdjustForDST": true},
            "ScheduleStatus": {"Last": "0001-01-01T00:00:00", "Next": "1970-01-01T00:00:00.000Z", "LastUpdated": "0001-01-01T00:00:00"},
            "IsPastDue": true,
        })
    );
    assert_eq!(envelope["Metadata"], json!({}));
}

#[test]
fn an_http_request_is_an_object() {
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    let parts = |content_type: &str, body: Option<&'static [u8]>| {
        let headers = [pair("accept", "a"), pair("accept", "b"), pair("content-type", content_type)];
        let parts = HttpParts {
            url: "http://h/api/x/1?q=2".into(),
            method: "POST",
            query: &[pair("q", "2")],
            headers: &headers,
            route: &[pair("id", "1")],
            body,
        };
        without_sys(http("X", "req", &parts))
    };
    let envelope = parts("application/json", Some(b"{\"a\":1}"));
    let mut request = envelope["Data"]["req"].clone();
    assert_eq!(request.as_object_mut().unwrap().shift_remove("Identities").unwrap()[0]["IsAuthenticated"], false);
    assert_eq!(
        request,
        json!({
            "Url": "http://h/api/x/1?q=2",
            "Method": "POST",
            "Query": {"q": "2"},
            "Headers": {"accept": ["a", "b"], "content-type": ["application/json"]},
            "Params": {"id": "1"},
            "Body": "{\"a\":1}",
        })
    );
    assert_eq!(envelope["Metadata"], json!({"id": "\"1\""}));
    assert_eq!(parts("application/octet-stream", Some(&[0, 255]))["Data"]["req"]["Body"], "AP8=");
    assert_eq!(parts("text/plain", None)["Data"]["req"].get("Body"), None);
}

fn function(outputs: &str) -> Function {
    let json = format!(r#"{{"bindings":[{{"type":"eventGridTrigger","direction":"in","name":"e"}},{outputs}]}}"#);
    let mut mistakes = AppMistakes::default();
    Function::read("F", &serde_json::from_str(&json).unwrap(), Path::new("f"), &std::collections::BTreeMap::new(), &mut mistakes)
        .unwrap_or_else(|| panic!("{mistakes}"))
}

fn outputs(response: &Value) -> Result<Routed, String> {
    let function = function(
        r#"{"type":"serviceBus","direction":"out","name":"seal","queueName":"seal"},
           {"type":"serviceBus","direction":"out","name":"raw","queueName":"raw","dataType":"binary"},
           {"type":"http","direction":"out","name":"$return"}"#,
    );
    route(&function, interpret(200, Some("application/json; charset=utf-8"), response.to_string().as_bytes())?)
}

fn sent(response: &Value) -> Vec<String> {
    outputs(response).unwrap().messages.into_iter().flat_map(|(_, bodies)| bodies).collect()
}

#[test]
fn every_element_of_an_array_is_a_message() {
    assert_eq!(sent(&json!({"Outputs": {"seal": [{"a": 1}, "text", 3]}})), ["{\"a\":1}", "text", "3"]);
    assert_eq!(sent(&json!({"outputs": {"SEAL": "[{\"a\":1},{\"b\":2}]"}})), ["{\"a\":1}", "{\"b\":2}"]);
    assert_eq!(sent(&json!({"Outputs": {"seal": {"a": [1]}}})), ["{\"a\":[1]}"]);
    assert_eq!(sent(&json!({"Outputs": {"seal": null, "other": 1}})), [""; 0]);
    assert_eq!(outputs(&json!({"Outputs": {"other": 1}})).unwrap().ignored, ["other"]);
}

#[test]
fn a_text_that_is_base64_is_lost_unless_the_binding_is_binary() {
    for text in ["abcd", "12345678", "0123456789abcdef0123456789abcdef", "YQ==", "ab cd"] {
        assert_eq!(sent(&json!({"Outputs": {"seal": text}})), ["System.Byte[]"], "{text}");
        assert_eq!(sent(&json!({"Outputs": {"raw": text}})), [text], "{text}");
    }
    for text in ["abc", "{\"a\":1}", "run-1", "YQ="] {
        assert_eq!(sent(&json!({"Outputs": {"seal": text}})), [text]);
    }
}

#[test]
fn the_return_value_goes_to_the_output_of_that_name() {
    let routed = outputs(&json!({"ReturnValue": {"statusCode": "201", "headers": {"x-a": 1}, "body": {"ok": true}}})).unwrap();
    let http = routed.http.unwrap();
    assert_eq!((http.status, http.body.as_str(), http.content_type), (201, "{\"ok\":true}", "application/json; charset=utf-8"));
    assert_eq!(http.headers, [("x-a".to_owned(), "1".to_owned())]);
    let plain = outputs(&json!({"ReturnValue": "hello"})).unwrap().http.unwrap();
    assert_eq!((plain.status, plain.body.as_str()), (200, "hello"));
    assert!(outputs(&json!({"ReturnValue": {"statusCode": "soon"}})).unwrap_err().contains("\"soon\""));
}

#[test]
fn a_response_that_the_host_would_choke_on_fails_the_invocation() {
    for (status, content_type, body, part) in [
        (200, Some("application/json"), "", "would hang until functionTimeout"),
        (200, Some("application/json"), "null", "would hang until functionTimeout"),
        (204, None, "", "would hang"),
        (200, Some("text/plain"), "{}", "found text/plain"),
        (200, None, "{}", "found none"),
        (200, Some("application/json"), "{", "not JSON"),
        (200, Some("application/json"), "[]", "found a list"),
        (200, Some("application/json"), r#"{"Outputs":[]}"#, "Outputs: expected an object"),
        (500, Some("application/json"), r#"{"Logs":["lost"]}"#, "handler answered 500"),
        (302, None, "", "handler answered 302"),
    ] {
        let error = interpret(status, content_type, body.as_bytes()).unwrap_err();
        assert!(error.contains(part), "{status} {body:?}: {error}");
    }
    let returned = interpret(200, Some("application/json"), br#"{"Logs":["a",1],"Outputs":null}"#).unwrap();
    assert_eq!(returned.logs, ["a", "1"]);
}
