//! Reading `{"Outputs":{...},"Logs":[...],"ReturnValue":...}`.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value};

use crate::functions::{Function, OutputKind};

/// What .NET makes of bytes when it wants text.
const BYTES_AS_TEXT: &str = "System.Byte[]";

/// Bytes of an error body that are quoted.
const QUOTED: usize = 500;

/// A response that the host accepts.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Returned {
    outputs: Map<String, Value>,
    return_value: Option<Value>,
    pub(crate) logs: Vec<String>,
}

/// Outputs on their way.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Routed {
    /// Queue and bodies, in the order of the bindings.
    pub(crate) messages: Vec<(String, Vec<String>)>,
    pub(crate) http: Option<HttpResult>,
    /// Outputs that no binding names: the host drops them without a word.
    pub(crate) ignored: Vec<String>,
}

/// The value of an `http` output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HttpResult {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// Used unless the headers name one.
    pub(crate) content_type: &'static str,
}

/// Reads a response; the error is why the invocation failed. Its logs are then lost, as on Azure.
pub(crate) fn interpret(status: u16, content_type: Option<&str>, body: &[u8]) -> Result<Returned, String> {
    if !(200..300).contains(&status) {
        let text = String::from_utf8_lossy(&body[..body.len().min(QUOTED)]).trim().to_owned();
        return Err(format!("handler answered {status}{}{text}", if text.is_empty() { "" } else { ": " }));
    }
    let hangs = |what: &str| {
        format!(
            "handler answered {status} with {what}: on Azure this invocation would hang until functionTimeout, and then the host would kill the handler; answer at least {{}}"
        )
    };
    if body.is_empty() {
        return Err(hangs("an empty body"));
    }
    let is_json = content_type.is_some_and(|c| {
        let kind = c.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        kind == "application/json" || kind.ends_with("+json")
    });
    if !is_json {
        return Err(format!("expected Content-Type application/json, found {}", content_type.unwrap_or("none")));
    }
    let value: Value = serde_json::from_slice(body).map_err(|error| format!("the response is not JSON: {error}"))?;
    let object = match value {
        Value::Null => return Err(hangs("null")),
        Value::Object(object) => object,
        other => return Err(format!("expected a JSON object with Outputs, Logs and ReturnValue, found {}", kind(&other))),
    };
    let mut returned = Returned::default();
    for (key, value) in object {
        match key.to_ascii_lowercase().as_str() {
            "outputs" => match value {
                Value::Object(outputs) => returned.outputs = outputs,
                Value::Null => {}
                other => return Err(format!("Outputs: expected an object, found {}", kind(&other))),
            },
            "returnvalue" => returned.return_value = Some(value).filter(|v| !v.is_null()),
            "logs" => match value {
                Value::Array(lines) => {
                    returned.logs = lines.into_iter().map(text).collect();
                }
                Value::Null => {}
                other => return Err(format!("Logs: expected a list of texts, found {}", kind(&other))),
            },
            _ => {}
        }
    }
    Ok(returned)
}

/// Matches outputs with bindings.
pub(crate) fn route(function: &Function, returned: Returned) -> Result<Routed, String> {
    let mut routed = Routed::default();
    let mut outputs = returned.outputs;
    for output in &function.outputs {
        let value = if output.name == "$return" {
            returned.return_value.clone()
        } else {
            let key = outputs.keys().find(|key| key.eq_ignore_ascii_case(&output.name)).cloned();
            key.and_then(|key| outputs.shift_remove(&key))
        };
        let Some(value) = value.filter(|value| !value.is_null()) else { continue };
        match &output.kind {
            OutputKind::ServiceBus { queue } => routed.messages.push((queue.clone(), bodies(value, output.binary))),
            OutputKind::Http => routed.http = Some(http_result(&value).map_err(|error| format!("output \"{}\": {error}", output.name))?),
        }
    }
    routed.ignored = outputs.keys().cloned().collect();
    Ok(routed)
}

/// One message per element of an array; a text that is base64 is decoded to bytes, of which a text output keeps
/// the type name only (the binding's `dataType: "binary"` switches that off, not on).
fn bodies(value: Value, binary: bool) -> Vec<String> {
    match value {
        Value::String(text) if !binary && is_base64(&text) => vec![BYTES_AS_TEXT.into()],
        Value::String(text) => match serde_json::from_str(&text) {
            Ok(Value::Array(elements)) => elements.into_iter().map(self::text).collect(),
            _ => vec![text],
        },
        Value::Array(elements) => elements.into_iter().map(text).collect(),
        other => vec![other.to_string()],
    }
}

/// What `Convert.FromBase64String` accepts: white space anywhere, length a multiple of four.
fn is_base64(text: &str) -> bool {
    let dense: String = text.chars().filter(|c| !matches!(c, ' ' | '\t' | '\r' | '\n')).collect();
    BASE64_STANDARD.decode(dense).is_ok()
}

fn http_result(value: &Value) -> Result<HttpResult, String> {
    let Value::Object(parts) = value else {
        return Ok(HttpResult { status: 200, headers: Vec::new(), content_type: content_type(value), body: text(value.clone()) });
    };
    let part = |name: &str| parts.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    let status = match part("statusCode").or_else(|| part("status")) {
        None | Some(Value::Null) => 200,
        Some(status) => {
            let number = status.as_u64().or_else(|| status.as_str().and_then(|s| s.parse().ok()));
            number
                .and_then(|n| u16::try_from(n).ok())
                .filter(|n| (100..600).contains(n))
                .ok_or_else(|| format!("expected an HTTP status code, found {status}"))?
        }
    };
    let headers = match part("headers") {
        Some(Value::Object(headers)) => headers.iter().map(|(name, value)| (name.clone(), text(value.clone()))).collect(),
        None | Some(Value::Null) => Vec::new(),
        Some(other) => return Err(format!("headers: expected an object, found {}", kind(other))),
    };
    let body = part("body").cloned().unwrap_or(Value::Null);
    Ok(HttpResult { status, headers, content_type: content_type(&body), body: text(body) })
}

fn content_type(value: &Value) -> &'static str {
    match value {
        Value::Object(_) | Value::Array(_) => "application/json; charset=utf-8",
        _ => "text/plain; charset=utf-8",
    }
}

fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
