//! What the Functions host posts to `/<FunctionName>`: `{"Data": {"<binding>": ...}, "Metadata": {...}}`, with values encoded in
//! several ways. Source of the rules: azure-functions-host, `ScriptInvocationContextExtensions` and `Utility.ApplyBindingData`.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Why a payload could not be understood. It never quotes the payload: that may be anything.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DecodeError {
    /// The body is no envelope.
    #[error("expected the host's envelope {{\"Data\": ..., \"Metadata\": ...}}: {0}")]
    Envelope(String),
    /// The trigger's binding is not in `Data`.
    #[error("expected binding {0:?} in Data, found {1:?}")]
    Binding(&'static str, Vec<String>),
    /// The trigger's value is not what it should be.
    #[error("expected {expected}, found {found}")]
    Value {
        /// What was expected.
        expected: &'static str,
        /// The type that was found.
        found: &'static str,
    },
}

/// A trigger's payload and metadata.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Envelope {
    #[serde(default)]
    data: Map<String, Value>,
    #[serde(default)]
    metadata: Map<String, Value>,
}

/// Most layers of encoding around a value: JSON in the envelope's string, base64, JSON text, and one to spare.
const LAYERS: usize = 5;

impl Envelope {
    /// Reads the body of a POST.
    ///
    /// # Errors
    /// [`DecodeError::Envelope`] if it is something else.
    pub fn parse(body: &[u8]) -> Result<Self, DecodeError> {
        serde_json::from_slice(body).map_err(|e| DecodeError::Envelope(format!("{} at column {}", category(&e), e.column())))
    }

    /// The trigger's value as it stands in `Data`.
    ///
    /// # Errors
    /// [`DecodeError::Binding`] if it is missing. A single value under another name is taken: the name is only a label.
    pub fn value(&self, binding: &'static str) -> Result<&Value, DecodeError> {
        let named = self.data.iter().find(|(name, _)| name.eq_ignore_ascii_case(binding)).map(|(_, v)| v);
        let only = || if self.data.len() == 1 { self.data.values().next() } else { None };
        named.or_else(only).ok_or_else(|| DecodeError::Binding(binding, self.data.keys().cloned().collect()))
    }

    /// The trigger's value as an object or an array, with all layers of encoding removed.
    ///
    /// # Errors
    /// Those of [`Envelope::value`] and [`peel`].
    pub fn payload(&self, binding: &'static str) -> Result<Value, DecodeError> {
        peel(self.value(binding)?)
    }

    /// The trigger's value as text: what the sender put on the queue, whatever it is.
    ///
    /// # Errors
    /// Those of [`Envelope::value`].
    pub fn text(&self, binding: &'static str) -> Result<String, DecodeError> {
        let value = self.value(binding)?;
        let Value::String(text) = value else { return Ok(value.to_string()) };
        // The host encodes a string as JSON once more; a binary body comes as plain base64.
        Ok(match serde_json::from_str(text) {
            Ok(Value::String(inner)) => inner,
            _ => from_base64(text).unwrap_or_else(|| text.clone()),
        })
    }

    /// A metadata value as text. Only for logs and reports: a JSON body can overwrite metadata of the same name.
    pub fn metadata(&self, name: &str) -> Option<String> {
        let (_, value) = self.metadata.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        plain(value)
    }

    /// A property that the broker or the sender put on the message.
    pub fn property(&self, name: &str) -> Option<String> {
        let properties = ["ApplicationProperties", "UserProperties"].into_iter().filter_map(|group| {
            let (_, value) = self.metadata.iter().find(|(key, _)| key.eq_ignore_ascii_case(group))?;
            peel(value).ok()
        });
        let mut found = properties.filter_map(|group| {
            let (_, value) = group.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
            plain(value)
        });
        found.next().or_else(|| self.metadata(name))
    }
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(match serde_json::from_str::<Value>(text) {
            Ok(Value::String(inner)) => inner,
            _ => text.clone(),
        }),
        other => Some(other.to_string()),
    }
}

/// Removes encodings until an object or array appears: JSON in strings, base64 of text.
///
/// # Errors
/// [`DecodeError::Value`] if there is none below the layers.
pub fn peel(value: &Value) -> Result<Value, DecodeError> {
    let mut value = value.clone();
    for _ in 0..LAYERS {
        let text = match value {
            Value::Object(_) | Value::Array(_) => return Ok(value),
            Value::String(text) => text,
            other => return Err(DecodeError::Value { expected: "a JSON object", found: kind(&other) }),
        };
        value = match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
            Ok(inner) => inner,
            Err(_) => match from_base64(&text) {
                Some(inner) => Value::String(inner),
                None => return Err(DecodeError::Value { expected: "a JSON object", found: "text that is not JSON" }),
            },
        };
    }
    match value {
        Value::Object(_) | Value::Array(_) => Ok(value),
        _ => Err(DecodeError::Value { expected: "a JSON object", found: "more layers of encoding than the host makes" }),
    }
}

fn from_base64(text: &str) -> Option<String> {
    if text.is_empty() {
        return None;
    }
    STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok())
}

fn category(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        serde_json::error::Category::Io => "cannot be read",
        serde_json::error::Category::Syntax => "not JSON",
        serde_json::error::Category::Data => "another shape",
        serde_json::error::Category::Eof => "cut off",
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn envelope(data: &Value) -> Envelope {
        Envelope::parse(json!({ "Data": { "message": data }, "Metadata": {} }).to_string().as_bytes()).unwrap()
    }

    #[test]
    fn a_number_or_a_boolean_is_not_a_message() {
        for text in ["1", "true", "null", "\"1\"", "no json"] {
            assert!(matches!(envelope(&json!(text)).payload("message"), Err(DecodeError::Value { .. })), "{text}");
        }
    }

    #[test]
    fn a_missing_binding_names_what_is_there() {
        let envelope = Envelope::parse(br#"{"Data": {"a": 1, "b": 2}}"#).unwrap();
        assert_eq!(envelope.payload("message"), Err(DecodeError::Binding("message", vec!["a".into(), "b".into()])));
    }

    #[test]
    fn an_error_does_not_quote_the_payload() {
        let error = Envelope::parse(br#"{"Data": "secret-canary"}"#).unwrap_err();
        assert!(!error.to_string().contains("canary"), "{error}");
    }

    proptest! {
        #[test]
        fn every_layering_of_an_object_is_read(key in "[a-z]{1,8}", text in ".*", json_layers in 0usize..3, base64_layer in any::<bool>()) {
            let object = json!({ key: { "text": text } });
            let mut value = object.clone();
            if base64_layer {
                value = json!(STANDARD.encode(value.to_string()));
            }
            for _ in 0..json_layers {
                value = Value::String(value.to_string());
            }
            prop_assert_eq!(envelope(&value).payload("message"), Ok(object));
        }

        #[test]
        fn text_is_what_the_sender_sent(text in ".*") {
            // As the host sends a string: as JSON within the JSON of the envelope.
            let sent = Value::String(Value::String(text.clone()).to_string());
            prop_assert_eq!(envelope(&sent).text("message"), Ok(text));
        }

        #[test]
        fn no_body_panics(body in any::<Vec<u8>>()) {
            let _ = Envelope::parse(&body).and_then(|e| e.payload("message"));
        }
    }
}
