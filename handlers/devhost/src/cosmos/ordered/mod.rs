//! Ordered queries over a physical partition.
//!
//! The emulator copies every document of a partition for each query, and once more for what it projects, so that a page of 50 costs as much as
//! everything that is stored. What the SDK sends for an ordered query over several partitions is therefore answered here, from documents that
//! are looked at where they are, and only the page is written out. What has another form goes to the emulator as it is.

mod statement;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use serde::Serialize;
use serde_json::{Map, Value, value::RawValue};

use super::emulator::{Answer, PARTITION_KEY, Query};
use statement::Statement;

/// What a query is said to cost in RU; nothing here models costs.
const CHARGE: &str = "1";

/// A document as the emulator gives it, with its text.
#[derive(Debug)]
struct Stored {
    properties: Map<String, Value>,
    text: Box<RawValue>,
}

/// The documents of one physical partition, by partition key and id.
#[derive(Debug, Default)]
struct Partition {
    documents: BTreeMap<(String, String), Arc<Stored>>,
    /// Of its last write.
    session_token: String,
}

/// A document after a write; `None` if it is gone.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) partition_key: String,
    pub(super) id: String,
    pub(super) document: Option<Value>,
    /// Session token of the partition, which begins with its id.
    pub(super) session_token: Option<String>,
}

/// By database and container, and then by id of the physical partition.
type Containers = HashMap<(String, String), HashMap<String, Partition>>;

/// A document and the text that it is ordered by.
type Found = (String, Arc<Stored>);

/// All documents.
#[derive(Debug, Default)]
pub(super) struct Documents(RwLock<Containers>);

/// The answer of a page.
#[derive(Serialize)]
struct Feed<'a> {
    #[serde(rename = "_rid")]
    rid: &'a str,
    #[serde(rename = "Documents")]
    documents: Vec<Item<'a>>,
    #[serde(rename = "_count")]
    count: usize,
}

#[derive(Serialize)]
struct Item<'a> {
    #[serde(rename = "_rid")]
    rid: &'a Value,
    #[serde(rename = "orderByItems")]
    order: [OrderItem<'a>; 1],
    payload: &'a RawValue,
}

#[derive(Serialize)]
struct OrderItem<'a> {
    item: &'a str,
}

impl Documents {
    /// Takes over what one request has written, all at once.
    pub(super) fn apply(&self, database: &str, container: &str, written: Vec<Written>) -> Result<(), String> {
        let written = written.into_iter().map(|one| Ok((one.stored()?, one))).collect::<Result<Vec<_>, String>>()?;
        let mut containers = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let partitions = containers.entry((database.to_owned(), container.to_owned())).or_default();
        for (stored, one) in written {
            let token = one.session_token.unwrap_or_default();
            let key = (one.partition_key, one.id);
            let Some(stored) = stored else {
                for partition in partitions.values_mut() {
                    partition.documents.remove(&key);
                }
                continue;
            };
            let id = token.split(':').next().unwrap_or_default().to_owned();
            let partition = partitions.entry(id).or_default();
            partition.session_token = token;
            partition.documents.insert(key, Arc::new(stored));
        }
        Ok(())
    }

    /// Forgets a container, or all of a database.
    pub(super) fn forget(&self, database: &str, container: Option<&str>) {
        let mut containers = self.0.write().unwrap_or_else(PoisonError::into_inner);
        containers.retain(|(known, name), _| known != database || container.is_some_and(|container| container != name));
    }

    /// Answers a request, if it is an ordered query over one physical partition of a form that is understood here.
    pub(super) fn answer(&self, query: &Query) -> Option<Answer> {
        let is_query = query.header("x-ms-documentdb-isquery").or_else(|| query.header("x-ms-documentdb-query"));
        let is_plan = query.header("x-ms-cosmos-is-query-plan-request").is_some();
        let is_narrower = [PARTITION_KEY, "x-ms-start-epk", "x-ms-end-epk"].iter().any(|name| query.header(name).is_some());
        if query.method.as_ref() != "POST" || is_query.is_none() || is_plan || is_narrower {
            return None;
        }
        let partition = query.header("x-ms-documentdb-partitionkeyrangeid")?;
        let segments: Vec<String> = query.url.path().split('/').filter(|s| !s.is_empty()).map(crate::percent::decode).collect();
        let [dbs, database, colls, container, docs] = segments.as_slice() else { return None };
        if [dbs.as_str(), colls, docs] != ["dbs", "colls", "docs"] {
            return None;
        }
        let offset: usize = query.header("x-ms-continuation").map_or(Some(0), |token| token.parse().ok())?;
        let limit = query.header("x-ms-max-item-count").and_then(|count| count.parse().ok()).filter(|count| *count > 0);
        let statement = Statement::parse(&query.body)?;
        let (found, session_token) = self.find((database, container), partition, &statement)?;
        let page: Vec<&Arc<Stored>> = found.iter().skip(offset).take(limit.unwrap_or(usize::MAX)).map(|(_, stored)| stored).collect();
        let body = serde_json::to_vec(&feed(&statement, &page)?).ok()?;
        let mut headers = vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("x-ms-request-charge".to_owned(), CHARGE.to_owned()),
            ("x-ms-item-count".to_owned(), page.len().to_string()),
            ("x-ms-activity-id".to_owned(), azure_core::Uuid::new_v4().to_string()),
            ("x-ms-session-token".to_owned(), session_token),
        ];
        // As the emulator writes it, so that either can go on.
        if offset + page.len() < found.len() {
            headers.push(("x-ms-continuation".to_owned(), (offset + page.len()).to_string()));
        }
        Some(Answer { status: 200, headers, body })
    }

    /// The documents that a statement takes, in its order, each with the text that it is ordered by. `None` if some of them have no such text:
    /// where those belong is a question for the emulator.
    fn find(&self, container: (&String, &String), partition: &str, statement: &Statement) -> Option<(Vec<Found>, String)> {
        let containers = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let partition = containers.get(&(container.0.clone(), container.1.clone()))?.get(partition)?;
        let taken = partition.documents.values().filter(|stored| statement.takes(&stored.properties));
        let text = |stored: &Arc<Stored>| Some((stored.properties.get(&statement.order)?.as_str()?.to_owned(), Arc::clone(stored)));
        let mut found = taken.map(text).collect::<Option<Vec<_>>>()?;
        // Those that are alike stay in the order of their keys, so that a page goes on where the last one ended.
        if statement.is_descending {
            found.sort_by(|(one, _), (other, _)| other.cmp(one));
        } else {
            found.sort_by(|(one, _), (other, _)| one.cmp(other));
        }
        Some((found, partition.session_token.clone()))
    }
}

impl Written {
    fn stored(&self) -> Result<Option<Stored>, String> {
        let Some(document) = &self.document else { return Ok(None) };
        let Value::Object(properties) = document else { return Err("a document is no object".to_owned()) };
        let text = RawValue::from_string(document.to_string()).map_err(|error| error.to_string())?;
        Ok(Some(Stored { properties: properties.clone(), text }))
    }
}

fn feed<'a>(statement: &Statement, page: &[&'a Arc<Stored>]) -> Option<Feed<'a>> {
    let item = |stored: &&'a Arc<Stored>| {
        let order = [OrderItem { item: stored.properties.get(&statement.order)?.as_str()? }];
        Some(Item { rid: stored.properties.get("_rid")?, order, payload: &stored.text })
    };
    let documents = page.iter().map(item).collect::<Option<Vec<_>>>()?;
    Some(Feed { rid: "", count: documents.len(), documents })
}
