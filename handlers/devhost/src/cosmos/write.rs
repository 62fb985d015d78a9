//! Which requests change something, and what.

use azure_data_cosmos_driver::binary_json;
use serde_json::Value;

use super::emulator::{PARTITION_KEY, Query};
use crate::percent;

/// A change, told from the request alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Write {
    CreateDatabase,
    DeleteDatabase { database: String },
    CreateContainer { database: String },
    ReplaceContainer { database: String },
    DeleteContainer { database: String, container: String },
    Documents { database: String, container: String, partition_key: String, ids: Vec<String> },
}

impl Write {
    /// `None` for reads, queries, and requests that the emulator will refuse.
    pub(super) fn of(query: &Query) -> Option<Self> {
        let segments: Vec<String> = query.url.path().split('/').filter(|s| !s.is_empty()).map(percent::decode).collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let is = |name: &str| query.header(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let is_query = is("x-ms-documentdb-isquery") || is("x-ms-documentdb-query") || is("x-ms-cosmos-is-query-plan-request");
        let text = |name: &&str| (*name).to_owned();
        let documents = |database: &&str, container: &&str, ids: Vec<String>| {
            let partition_key = query.header(PARTITION_KEY)?.to_owned();
            Some(Self::Documents { database: text(database), container: text(container), partition_key, ids })
        };
        match (query.method.as_ref(), segments.as_slice()) {
            ("POST", ["dbs"]) if !is_query => Some(Self::CreateDatabase),
            ("DELETE", ["dbs", database]) => Some(Self::DeleteDatabase { database: text(database) }),
            ("POST", ["dbs", database, "colls"]) if !is_query => Some(Self::CreateContainer { database: text(database) }),
            ("PUT", ["dbs", database, "colls", _]) => Some(Self::ReplaceContainer { database: text(database) }),
            ("DELETE", ["dbs", database, "colls", container]) => {
                Some(Self::DeleteContainer { database: text(database), container: text(container) })
            }
            ("POST", ["dbs", database, "colls", container, "docs"]) if !is_query => {
                let body = json(&query.body)?;
                let ids = match &body {
                    Value::Array(operations) => batch_ids(operations),
                    document => vec![document.get("id")?.as_str()?.to_owned()],
                };
                documents(database, container, ids)
            }
            ("PUT" | "PATCH" | "DELETE", ["dbs", database, "colls", container, "docs", id]) => {
                documents(database, container, vec![text(id)])
            }
            _ => None,
        }
    }
}

/// A body in text, or in Cosmos DB's binary JSON, which the SDK prefers for documents.
fn json(body: &[u8]) -> Option<Value> {
    if binary_json::is_binary(body) { binary_json::decode(body).ok() } else { serde_json::from_slice(body).ok() }
}

/// Documents that a transactional batch writes, each once.
fn batch_ids(operations: &[Value]) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for operation in operations {
        let is_read = operation.get("operationType").and_then(Value::as_str).is_some_and(|kind| kind.eq_ignore_ascii_case("read"));
        let id = operation.pointer("/resourceBody/id").or_else(|| operation.get("id")).and_then(Value::as_str);
        if let Some(id) = id
            && !is_read
            && !ids.iter().any(|known| known == id)
        {
            ids.push(id.to_owned());
        }
    }
    ids
}
