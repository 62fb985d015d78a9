//! JSON values: as they are read, and kept as text.

use serde::de::IgnoredAny;

use super::raw::Raw;

/// A JSON value as it is written. `scratch` takes the text of a string that has escapes.
pub(crate) fn raw<'a>(json: &'a [u8], scratch: &'a mut String) -> Raw<'a> {
    match json.first() {
        Some(b'"') => {
            let inner = &json[1..json.len() - 1];
            if memchr::memchr(b'\\', inner).is_none() {
                return Raw::Text(inner);
            }
            // A lone surrogate escape is the one thing in a JSON string that is no text.
            match serde_json::from_slice(json) {
                Ok(text) => {
                    *scratch = text;
                    Raw::Text(scratch.as_bytes())
                }
                Err(_) => Raw::Text(b"\xff"),
            }
        }
        Some(b'{' | b'[') => Raw::Json(json),
        Some(b't') => Raw::Boolean(true),
        Some(b'f') => Raw::Boolean(false),
        Some(b'-' | b'0'..=b'9') => Raw::Number(json),
        _ => Raw::Null,
    }
}

/// A JSON object or array without white space between its parts. Numbers and strings stay as they are written.
pub(crate) fn compact(text: &str) -> Option<String> {
    let trimmed = text.trim_matches([' ', '\t', '\n', '\r']);
    if !trimmed.starts_with(['{', '[']) || serde_json::from_str::<IgnoredAny>(trimmed).is_err() {
        return None;
    }
    let mut compact = String::with_capacity(trimmed.len());
    let (mut in_string, mut is_escaped) = (false, false);
    for c in trimmed.chars() {
        if in_string {
            in_string = is_escaped || c != '"';
            is_escaped = !is_escaped && c == '\\';
        } else if matches!(c, ' ' | '\t' | '\n' | '\r') {
            continue;
        } else {
            in_string = c == '"';
        }
        compact.push(c);
    }
    Some(compact)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_what_they_are_written_as() {
        let mut scratch = String::new();
        for (json, expected) in [
            ("\"a\"", Raw::Text(b"a")),
            ("\"\"", Raw::Text(b"")),
            ("\"a\\n\\u00fc\"", Raw::Text("a\nü".as_bytes())),
            ("\"\\ud800\"", Raw::Text(b"\xff")),
            ("-1.50", Raw::Number(b"-1.50")),
            ("true", Raw::Boolean(true)),
            ("false", Raw::Boolean(false)),
            ("[1]", Raw::Json(b"[1]")),
            ("{}", Raw::Json(b"{}")),
            ("null", Raw::Null),
            ("", Raw::Null),
        ] {
            assert_eq!(raw(json.as_bytes(), &mut scratch), expected, "{json}");
        }
    }

    #[test]
    fn white_space_goes_and_everything_else_stays() {
        assert_eq!(compact("{ \"a b\" : [1.50, \"x \\\" y\"] }\n").as_deref(), Some("{\"a b\":[1.50,\"x \\\" y\"]}"));
        assert_eq!(compact("1"), None);
        assert_eq!(compact("{\"a\":}"), None);
    }
}
