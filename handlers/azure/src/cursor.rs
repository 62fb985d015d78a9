//! Where a list goes on: at a value of the field it is ordered by, after the documents with this value that were given out already.
//!
//! The service's own continuation tokens are not used: they are bound to the version of the SDK, and a page without `TOP` may be made of all
//! that follows.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use sluice_flow::{Error, Kind, Query, Result};

/// Bytes of a hash that stands for a document or a query: of a billion, two are alike with a probability below one in 10^10.
const HASH_BYTES: usize = 12;

/// A document as it is stored.
type Stored = Map<String, Value>;

/// Where a list goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    /// Hash of the query.
    #[serde(rename = "q")]
    query: String,
    /// Value of the last document that was given out.
    #[serde(rename = "v")]
    pub(crate) value: String,
    /// Hashes of those that were given out and have this value.
    #[serde(rename = "s")]
    seen: Vec<String>,
}

fn hash(parts: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    URL_SAFE_NO_PAD.encode(&hasher.finalize()[..HASH_BYTES])
}

/// What a cursor is bound to: all of a query but its page.
fn hash_of_query(query: &Query) -> String {
    let Query { kind, partition, id_prefix, equals, any_of, less_than, at_least, contains, present, order, limit: _, after: _ } = query;
    let ranges = format!("{less_than:?} {at_least:?} {contains:?} {present:?} {order:?}");
    hash(&[format!("{kind:?} {partition:?} {id_prefix:?} {equals:?} {any_of:?} {ranges}").as_bytes()])
}

fn text<'a>(document: &'a Stored, field: &str) -> &'a str {
    document.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn hash_of_document(document: &Stored) -> String {
    hash(&[text(document, "pk").as_bytes(), text(document, "id").as_bytes()])
}

impl Cursor {
    /// Reads the cursor of a query, if it has one.
    ///
    /// # Errors
    /// Refused `K0401`: it was not given out for this query.
    pub(crate) fn of(query: &Query) -> Result<Option<Self>> {
        let Some(after) = &query.after else { return Ok(None) };
        let cursor: Option<Self> = URL_SAFE_NO_PAD.decode(after).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        match cursor.filter(|cursor| cursor.query == hash_of_query(query)) {
            Some(cursor) => Ok(Some(cursor)),
            None => {
                Err(Error::new(Kind::Refused, "K0401", "the cursor is not one that was given out for this query; ask again without it"))
            }
        }
    }

    /// How many documents to ask for, so that a page is full and it is known whether others follow.
    pub(crate) fn most(query: &Query, cursor: Option<&Self>) -> usize {
        query.limit + cursor.map_or(0, |cursor| cursor.seen.len()) + 1
    }

    /// The next page, of the documents found from the cursor on, and its cursor.
    ///
    /// # Errors
    /// Code `K0400` (bug): a cursor is no JSON.
    pub(crate) fn page(query: &Query, cursor: Option<&Self>, mut found: Vec<Stored>) -> Result<(Vec<Stored>, Option<String>)> {
        let field = query.order.map_or("id", |(field, _)| field);
        if let Some(cursor) = cursor {
            found.retain(|document| text(document, field) != cursor.value || !cursor.seen.contains(&hash_of_document(document)));
        }
        let follows = found.len() > query.limit;
        found.truncate(query.limit);
        let Some(last) = found.last().filter(|_| follows) else { return Ok((found, None)) };
        let value = text(last, field).to_owned();
        let mut seen: Vec<String> = cursor.filter(|cursor| cursor.value == value).map(|cursor| cursor.seen.clone()).unwrap_or_default();
        seen.extend(found.iter().filter(|document| text(document, field) == value).map(hash_of_document));
        let next = Self { query: hash_of_query(query), value, seen };
        let next = serde_json::to_vec(&next).map_err(|error| Error::bug("K0400", "a cursor is not JSON").because(error))?;
        Ok((found, Some(URL_SAFE_NO_PAD.encode(next))))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn query(limit: usize, after: Option<String>) -> Query {
        Query { kind: "run", order: Some(("at", false)), limit, after, ..Query::default() }
    }

    /// What the service answers: documents from the cursor's value on, at most so many.
    fn answer(documents: &[(&str, u32)], query: &Query) -> Vec<Stored> {
        let cursor = Cursor::of(query).unwrap();
        let most = Cursor::most(query, cursor.as_ref());
        let from = documents.iter().filter(|(at, _)| cursor.as_ref().is_none_or(|cursor| *at >= cursor.value.as_str())).take(most);
        from.map(|(at, n)| json!({"pk": format!("p{}", n % 2), "id": n.to_string(), "at": at}).as_object().unwrap().clone()).collect()
    }

    #[test]
    fn each_document_comes_once_however_many_have_one_value() {
        let documents = [("a", 0), ("b", 1), ("b", 2), ("b", 3), ("b", 4), ("c", 5), ("d", 6), ("d", 7)];
        for limit in 1..=9 {
            let (mut after, mut given, mut pages) = (None, Vec::new(), 0);
            loop {
                let query = query(limit, after);
                let cursor = Cursor::of(&query).unwrap();
                let (page, next) = Cursor::page(&query, cursor.as_ref(), answer(&documents, &query)).unwrap();
                assert!(!page.is_empty() && page.len() <= limit);
                given.extend(page.iter().map(|document| text(document, "id").to_owned()));
                pages += 1;
                after = next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(given, ["0", "1", "2", "3", "4", "5", "6", "7"], "pages of {limit}");
            assert_eq!(pages, 8_usize.div_ceil(limit));
        }
    }

    #[test]
    fn a_cursor_of_somebody_else_is_refused() {
        let first = query(1, None);
        let (_, next) = Cursor::page(&first, None, answer(&[("a", 0), ("b", 1)], &first)).unwrap();
        assert!(Cursor::of(&query(7, next.clone())).unwrap().is_some(), "another size of the page is no other query");
        let other = Query { partition: Some("p".to_owned()), ..query(1, next) };
        for query in [other, query(1, Some(String::new())), query(1, Some("!".to_owned())), query(1, Some("bm9uZQ".to_owned()))] {
            let error = Cursor::of(&query).unwrap_err();
            assert_eq!((error.kind(), error.code()), (Kind::Refused, "K0401"));
        }
    }
}
