//! The catalog in memory.

use std::{
    cmp::Ordering,
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use async_trait::async_trait;
use serde_json::Value;

use super::Faults;
use crate::{Catalog, Committed, Document, DocumentPage, ETag, Error, Query, Result, Write};

#[derive(Debug, Default)]
struct State {
    /// By partition and id.
    documents: BTreeMap<(String, String), Document>,
    versions: u64,
}

/// The catalog in memory.
pub struct MemoryCatalog {
    state: Mutex<State>,
    faults: Arc<Faults>,
}

impl MemoryCatalog {
    /// An empty catalog.
    pub fn new(faults: Arc<Faults>) -> Self {
        Self { state: Mutex::default(), faults }
    }

    /// All documents by partition and id. Never fails and is not counted.
    pub fn contents(&self) -> BTreeMap<(String, String), Document> {
        self.state().documents.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of the catalog panics")
    }
}

/// The largest batch that Cosmos DB takes.
const MOST_WRITES: usize = 100;

fn apply(state: &mut State, partition: &str, writes: Vec<Write>) -> Result<Committed> {
    if writes.is_empty() || writes.len() > MOST_WRITES {
        return Err(Error::bug("K0400", format!("a batch has 1 to {MOST_WRITES} writes, found {}", writes.len())));
    }
    // What the batch has changed so far; `None` is a removed document. It is all applied, or none of it.
    let mut changed: BTreeMap<(String, String), Option<Document>> = BTreeMap::new();
    let mut versions = state.versions;
    for (index, write) in writes.into_iter().enumerate() {
        let (Write::Create { id, .. } | Write::Replace { id, .. } | Write::Put { id, .. } | Write::Delete { id, .. }) = &write;
        if id.is_empty() || id.contains(['/', '\\', '?', '#']) {
            return Err(Error::bug("K0400", format!("{id:?} is no document id")));
        }
        let key = (partition.to_owned(), id.clone());
        let before = changed.get(&key).map_or_else(|| state.documents.get(&key), Option::as_ref);
        let (kind, body) = match write {
            Write::Create { .. } if before.is_some() => return Ok(Committed::Conflict { index }),
            Write::Replace { ref etag, .. } | Write::Delete { ref etag, .. } if before.is_none_or(|d| d.etag != *etag) => {
                return Ok(Committed::Conflict { index });
            }
            Write::Delete { .. } => {
                changed.insert(key, None);
                continue;
            }
            Write::Create { kind, body, .. } | Write::Put { kind, body, .. } | Write::Replace { kind, body, .. } => (kind, body),
        };
        let fields = body.as_object().ok_or_else(|| Error::bug("K0400", format!("the body of {} is no object", key.1)))?;
        if let Some(name) = fields.keys().find(|name| ["id", "pk", "kind"].contains(&name.as_str()) || name.starts_with('_')) {
            return Err(Error::bug("K0400", format!("the body of {} has a field {name}, which is the store's", key.1)));
        }
        versions += 1;
        let etag = ETag(format!("\"{versions:08x}\""));
        let document = Document { partition: key.0.clone(), id: key.1.clone(), kind: kind.to_owned(), etag, body };
        changed.insert(key, Some(document));
    }
    for (key, document) in changed {
        match document {
            Some(document) => state.documents.insert(key, document),
            None => state.documents.remove(&key),
        };
    }
    state.versions = versions;
    Ok(Committed::Done)
}

fn matches(query: &Query, document: &Document) -> bool {
    document.kind == query.kind
        && query.partition.as_ref().is_none_or(|p| *p == document.partition)
        && query.id_prefix.as_ref().is_none_or(|p| document.id.starts_with(p))
        && query.equals.iter().all(|(field, value)| document.body.get(field) == Some(value))
        && query.any_of.as_ref().is_none_or(|(field, values)| document.body.get(field).is_some_and(|v| values.contains(v)))
        && query.less_than.iter().all(|(field, limit)| document.body.get(field).and_then(Value::as_str).is_some_and(|v| v < limit.as_str()))
        && query
            .at_least
            .as_ref()
            .is_none_or(|(field, limit)| document.body.get(field).and_then(Value::as_str).is_some_and(|v| v >= limit.as_str()))
        && query.contains.as_ref().is_none_or(|(fields, text)| fields.iter().any(|field| contains(&document.body, field, text)))
        && query.present.is_none_or(|(field, present)| document.body.get(field).is_some() == present)
}

fn contains(body: &Value, field: &str, text: &str) -> bool {
    body.get(field).and_then(Value::as_str).is_some_and(|value| value.to_lowercase().contains(&text.to_lowercase()))
}

/// Where a document stands in the order of a query.
fn place(query: &Query, document: &Document) -> (String, String, String) {
    let text = query.order.map_or(document.id.as_str(), |(field, _)| document.body.get(field).and_then(Value::as_str).unwrap_or_default());
    (text.to_owned(), document.partition.clone(), document.id.clone())
}

fn compare(query: &Query, a: &(String, String, String), b: &(String, String, String)) -> Ordering {
    if query.order.is_some_and(|(_, descending)| descending) { b.cmp(a) } else { a.cmp(b) }
}

fn find(state: &State, query: &Query) -> Result<DocumentPage> {
    if query.limit == 0 || query.limit > 1000 {
        return Err(Error::bug("K0400", format!("a page has 1 to 1000 documents, asked for {}", query.limit)));
    }
    let after: Option<(String, String, String)> = match &query.after {
        Some(text) => {
            Some(serde_json::from_str(text).map_err(|e| Error::refused("K0401", "the cursor is not one that was given out").because(e))?)
        }
        None => None,
    };
    let mut found: Vec<_> = state.documents.values().filter(|d| matches(query, d)).map(|d| (place(query, d), d)).collect();
    found.sort_by(|(a, _), (b, _)| compare(query, a, b));
    found.retain(|(at, _)| after.as_ref().is_none_or(|after| compare(query, at, after) == Ordering::Greater));
    let next = match found.get(query.limit - 1) {
        Some((at, _)) if found.len() > query.limit => {
            Some(serde_json::to_string(at).map_err(|e| Error::bug("K0501", "a cursor could not be serialized").because(e))?)
        }
        _ => None,
    };
    Ok(DocumentPage { documents: found.into_iter().take(query.limit).map(|(_, d)| d.clone()).collect(), next })
}

#[async_trait]
impl Catalog for MemoryCatalog {
    async fn get(&self, partition: &str, id: &str) -> Result<Option<Document>> {
        self.faults.around("catalog.get", || Ok(self.state().documents.get(&(partition.to_owned(), id.to_owned())).cloned())).await
    }

    async fn commit(&self, partition: &str, writes: Vec<Write>) -> Result<Committed> {
        self.faults.around("catalog.commit", || apply(&mut self.state(), partition, writes)).await
    }

    async fn query(&self, query: &Query) -> Result<DocumentPage> {
        self.faults.around("catalog.query", || find(&self.state(), query)).await
    }
}
