//! JSON values kept as text.

use serde::de::IgnoredAny;

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
    fn white_space_goes_and_everything_else_stays() {
        assert_eq!(compact("{ \"a b\" : [1.50, \"x \\\" y\"] }\n").as_deref(), Some("{\"a b\":[1.50,\"x \\\" y\"]}"));
        assert_eq!(compact("1"), None);
        assert_eq!(compact("{\"a\":}"), None);
    }
}
