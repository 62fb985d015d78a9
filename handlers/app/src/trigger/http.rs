//! HTTP requests in the JSON envelope: the host sends them so to functions that have more than an `http` output. They become
//! ordinary requests for the one router, and its responses become an `http` output.
//! Source of the rules: azure-functions-host, `HttpRequestExtensions.GetRequestAsJObject` and `HttpOutputBindingResponse`.

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, Method, Request, Uri},
    response::Response,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::Url;

use super::envelope::DecodeError;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Envelope {
    url: String,
    method: String,
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(default)]
    body: Value,
}

fn wrong(expected: &'static str, found: &'static str) -> DecodeError {
    DecodeError::Value { expected, found }
}

/// The request that is in the envelope.
///
/// # Errors
/// [`DecodeError::Value`] if it is no request.
pub fn request(value: &Value) -> Result<Request<Body>, DecodeError> {
    let envelope = Envelope::deserialize(value).map_err(|_| wrong("{Url, Method, Headers, Body}", "another shape"))?;
    let url = Url::parse(&envelope.url).ok().filter(|url| !url.cannot_be_a_base());
    let url = url.ok_or_else(|| wrong("an absolute URL with a path", "something else"))?;
    let target = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let uri: Uri = target.parse().map_err(|_| wrong("a path and a query", "something else"))?;
    let method =
        Method::from_bytes(envelope.method.to_ascii_uppercase().as_bytes()).map_err(|_| wrong("an HTTP method", "something else"))?;

    let mut request = Request::new(Body::empty());
    *request.uri_mut() = uri;
    *request.method_mut() = method;
    let mut binary = false;
    for (name, values) in &envelope.headers {
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else { continue };
        let values = match values {
            Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
            Value::String(value) => vec![value.as_str()],
            _ => Vec::new(),
        };
        for value in values {
            if name == "content-type" {
                binary = is_binary(value);
            }
            if let Ok(value) = HeaderValue::from_str(value) {
                request.headers_mut().append(&name, value);
            }
        }
    }
    // The length is the body's own again: decoding may have changed it.
    request.headers_mut().remove("content-length");
    request.headers_mut().remove("transfer-encoding");
    *request.body_mut() = match envelope.body {
        Value::Null => Body::empty(),
        Value::String(text) if binary => Body::from(STANDARD.decode(&text).map_err(|_| wrong("a body in base64", "other text"))?),
        Value::String(text) => Body::from(text),
        other => Body::from(other.to_string()),
    };
    Ok(request)
}

/// `Utility.IsMediaTypeOctetOrMultipart`: these bodies come as base64.
fn is_binary(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media_type == "application/octet-stream" || media_type.starts_with("multipart/")
}

/// The `http` output of a response. The body is text: the API answers nothing else.
pub fn output(response: &Response, body: &Bytes) -> Value {
    let mut headers = Map::new();
    for name in response.headers().keys() {
        let values: Vec<&str> = response.headers().get_all(name).iter().filter_map(|v| v.to_str().ok()).collect();
        headers.insert(name.to_string(), Value::String(values.join(", ")));
    }
    headers.remove("content-length");
    json!({ "statusCode": response.status().as_u16(), "headers": headers, "body": String::from_utf8_lossy(body) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_becomes_a_request() {
        let request = request(&json!({
            "Url": "http://localhost:7071/api/runs/s-1/cancel?why=x%20y", "Method": "post", "Query": { "why": "x y" },
            "Headers": { "Authorization": ["Bearer t"], "Content-Type": ["application/json"], "Content-Length": ["2"] }, "Body": "{}",
        }))
        .unwrap();
        assert_eq!(request.uri(), "/api/runs/s-1/cancel?why=x%20y");
        assert_eq!(request.method(), Method::POST);
        assert_eq!(request.headers()["authorization"], "Bearer t");
        assert!(!request.headers().contains_key("content-length"));
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for value in [
            json!({}),
            json!({ "Url": "/api", "Method": "GET" }),
            json!({ "Url": "mailto:api", "Method": "GET" }),
            json!({ "Url": "http://x/", "Method": "a b" }),
        ] {
            assert!(request(&value).is_err(), "{value}");
        }
    }
}
