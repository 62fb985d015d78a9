//! Building `{"Data":{...},"Metadata":{...}}`.

use azure_core::Uuid;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use crate::broker::Delivery;

/// Time to live of a message: Service Bus keeps it for 14 days unless told otherwise.
const MESSAGE_TTL_DAYS: i64 = 14;

/// A value as the host writes it: objects inline, everything else as a string that holds JSON.
fn encoded(value: &Value) -> Value {
    match value {
        Value::Object(_) => value.clone(),
        other => Value::String(other.to_string()),
    }
}

fn date(time: DateTime<Utc>) -> Value {
    Value::String(time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// Binding data: keys are compared without regard to case, and the first spelling stays.
#[derive(Debug, Default)]
struct Metadata(Map<String, Value>);

impl Metadata {
    fn set(&mut self, key: &str, value: Value) {
        let known = self.0.keys().find(|known| known.eq_ignore_ascii_case(key)).cloned();
        self.0.insert(known.unwrap_or_else(|| key.to_owned()), value);
    }

    /// The top-level properties of a body that is a JSON object overwrite what the trigger provided
    /// (`Utility.ApplyBindingData`); arrays are left out.
    fn merge_body(&mut self, body: &str) {
        if let Ok(Value::Object(properties)) = serde_json::from_str(body) {
            for (key, value) in properties.iter().filter(|(_, value)| !value.is_array() && !value.is_null()) {
                self.set(key, encoded(value));
            }
        }
    }

    fn finish(mut self, function: &str) -> Value {
        // Keys that end in "trigger" are the trigger value itself, which stands in Data.
        self.0.retain(|key, _| !key.to_ascii_lowercase().ends_with("trigger"));
        self.0.insert("sys".into(), json!({"MethodName": function, "UtcNow": date(Utc::now()), "RandGuid": Uuid::new_v4().to_string()}));
        Value::Object(self.0)
    }
}

fn envelope(binding: &str, data: impl Into<Value>, metadata: Metadata, function: &str) -> Value {
    let data: Value = data.into();
    json!({"Data": {binding: data}, "Metadata": metadata.finish(function)})
}

/// A Service Bus message; `binary` is the binding's `dataType`.
pub(crate) fn service_bus(function: &str, binding: &str, delivery: &Delivery, binary: bool) -> Value {
    let message = &delivery.message;
    let mut metadata = Metadata::default();
    metadata.set("DeliveryCount", encoded(&delivery.count.into()));
    metadata.set("LockToken", encoded(&delivery.token.to_string().into()));
    metadata.set("LockedUntil", date(delivery.locked_until));
    metadata.set("MessageId", encoded(&message.id.as_str().into()));
    metadata.set("SequenceNumber", encoded(&message.sequence.into()));
    metadata.set("EnqueuedTimeUtc", date(message.enqueued));
    metadata.set("ExpiresAtUtc", date(message.enqueued + TimeDelta::days(MESSAGE_TTL_DAYS)));
    metadata.set("ApplicationProperties", Value::Object(message.properties.clone()));
    metadata.set("UserProperties", Value::Object(message.properties.clone()));
    if binary {
        return envelope(binding, BASE64_STANDARD.encode(&message.body), metadata, function);
    }
    metadata.merge_body(&message.body);
    envelope(binding, encoded(&message.body.as_str().into()), metadata, function)
}

/// One event of Event Grid: inline, its `data` in the metadata too.
pub(crate) fn event_grid(function: &str, binding: &str, event: &Value) -> Value {
    let mut metadata = Metadata::default();
    if let Some(data) = event.get("data") {
        metadata.set("data", encoded(data));
    }
    envelope(binding, encoded(event), metadata, function)
}

/// A timer's `TimerInfo`, as a string of JSON.
pub(crate) fn timer(function: &str, binding: &str, last: Option<DateTime<Utc>>, next: Option<DateTime<Utc>>, past_due: bool) -> Value {
    let never = "0001-01-01T00:00:00";
    let time = |time: Option<DateTime<Utc>>| time.map_or_else(|| never.into(), date);
    let info = json!({
        "Schedule": {"AdjustForDST": true},
        "ScheduleStatus": {"Last": time(last), "Next": time(next), "LastUpdated": time(last)},
        "IsPastDue": past_due,
    });
    envelope(binding, Value::String(info.to_string()), Metadata::default(), function)
}

/// The input of a manual run: a text, like a message without properties.
pub(crate) fn manual(function: &str, binding: &str, input: &str) -> Value {
    let mut metadata = Metadata::default();
    metadata.merge_body(input);
    envelope(binding, encoded(&input.into()), metadata, function)
}

/// What of an HTTP request goes into the envelope.
#[derive(Debug)]
pub(crate) struct HttpParts<'a> {
    pub(crate) url: String,
    pub(crate) method: &'a str,
    pub(crate) query: &'a [(String, String)],
    pub(crate) headers: &'a [(String, String)],
    pub(crate) route: &'a [(String, String)],
    /// `None` without a `Content-Length` above 0, as `HttpRequestExtensions` has it.
    pub(crate) body: Option<&'a [u8]>,
}

/// An HTTP request that is neither forwarded nor proxied.
pub(crate) fn http(function: &str, binding: &str, parts: &HttpParts<'_>) -> Value {
    let map = |pairs: &[(String, String)]| -> Map<String, Value> {
        pairs.iter().map(|(key, value)| (key.clone(), Value::String(value.clone()))).collect()
    };
    let mut headers = Map::new();
    for (name, value) in parts.headers {
        if let Some(values) = headers.entry(name.clone()).or_insert_with(|| json!([])).as_array_mut() {
            values.push(value.as_str().into());
        }
    }
    let content_type = parts.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type")).map_or("", |(_, v)| v);
    let is_binary = content_type.starts_with("application/octet-stream") || content_type.starts_with("multipart/");
    let mut request = json!({
        "Url": parts.url,
        "Method": parts.method,
        "Query": map(parts.query),
        "Headers": headers,
        "Params": map(parts.route),
        "Identities": [{
            "AuthenticationType": null,
            "IsAuthenticated": false,
            "Actor": null,
            "BootstrapContext": null,
            "Claims": [],
            "Label": null,
            "Name": null,
            "NameClaimType": "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
            "RoleClaimType": "http://schemas.microsoft.com/ws/2008/06/identity/claims/role",
        }],
    });
    if let Some(body) = parts.body.filter(|body| !body.is_empty()) {
        request["Body"] = if is_binary { BASE64_STANDARD.encode(body) } else { String::from_utf8_lossy(body).into_owned() }.into();
    }
    let mut metadata = Metadata::default();
    for (name, value) in parts.route {
        metadata.set(name, encoded(&value.as_str().into()));
    }
    envelope(binding, request, metadata, function)
}
