//! Opaque cursors: where a listing goes on, and of which listing it is.

use std::hash::{DefaultHasher, Hash, Hasher};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::problem::Problem;

#[derive(Serialize, Deserialize)]
struct Cursor {
    /// Hash of the listing and its filters: a cursor of another listing is refused instead of misread.
    of: u64,
    next: String,
}

/// Most items of a page.
pub const MOST_ITEMS: usize = 200;
/// Items of a page unless asked otherwise.
pub const DEFAULT_ITEMS: usize = 50;

fn hash(listing: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    listing.hash(&mut hasher);
    hasher.finish()
}

/// The cursor for the page that starts at `next` of `listing`.
pub fn encode(listing: &impl Hash, next: Option<String>) -> Option<String> {
    let cursor = Cursor { of: hash(listing), next: next? };
    serde_json::to_vec(&cursor).ok().map(|json| URL_SAFE_NO_PAD.encode(json))
}

/// Where `listing` goes on.
///
/// # Errors
/// 400 if the cursor is not one of this listing.
pub fn decode(listing: &impl Hash, cursor: Option<&str>) -> Result<Option<String>, Problem> {
    let Some(text) = cursor.filter(|text| !text.is_empty()) else { return Ok(None) };
    let cursor = URL_SAFE_NO_PAD.decode(text).ok().and_then(|json| serde_json::from_slice::<Cursor>(&json).ok());
    match cursor {
        Some(cursor) if cursor.of == hash(listing) => Ok(Some(cursor.next)),
        _ => Err(Problem::bad_request("cursor: expected the `next` of a page with the same filters")),
    }
}

/// Items to ask for.
pub fn limit(asked: Option<usize>) -> usize {
    asked.unwrap_or(DEFAULT_ITEMS).clamp(1, MOST_ITEMS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_belongs_to_its_listing() {
        let cursor = encode(&("runs", Some("acme")), Some("k=7".into())).unwrap();
        assert_eq!(decode(&("runs", Some("acme")), Some(&cursor)).unwrap().as_deref(), Some("k=7"));
        assert!(decode(&("runs", Some("skyline")), Some(&cursor)).is_err());
        assert!(decode(&("runs", Some("acme")), Some("!")).is_err());
        assert_eq!(encode(&"runs", None), None);
    }
}
