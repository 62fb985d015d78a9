//! Transactional batches as a series of point operations.
//!
//! The emulator copies a whole physical partition for every batch, so that its cost grows with all that is stored. A
//! batch that is plainly valid is therefore done here, under the exclusive lock of its logical partition: every
//! condition is checked first, and only then is anything written. What is not plain goes to the emulator as it is.

use azure_core::Uuid;
use azure_core::http::Method;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::emulator::{Answer, Emulator, PARTITION_KEY, Query};

/// Largest batch: 100 operations (service limit).
const MOST_OPERATIONS: usize = 100;

/// Largest request in bytes (service limit: 2 MB).
const LARGEST_REQUEST: usize = 2 << 20;

/// What an operation of a batch is said to cost in RU; nothing here models costs.
const CHARGE: f64 = 1.24;

/// Headers of the batch that its point operations take over: whether bodies are wanted in the answer.
const TAKEN_OVER: [&str; 2] = ["prefer", "x-ms-cosmos-populate-content-response-on-write"];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Kind {
    Create,
    Upsert,
    Replace,
    Delete,
    Read,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Operation {
    #[serde(rename = "operationType")]
    kind: Kind,
    id: Option<String>,
    resource_body: Option<Map<String, Value>>,
    if_match: Option<String>,
    if_none_match: Option<String>,
}

/// An operation whose document is known.
struct Step {
    kind: Kind,
    id: String,
    body: Option<Map<String, Value>>,
    if_match: Option<String>,
    /// The document before the batch.
    before: Option<Value>,
}

/// Runs the batch; `None` if the emulator has to.
pub(super) async fn run(emulator: &Emulator, place: [&str; 3], query: &Query) -> Result<Option<Answer>, String> {
    let [database, container, partition_key] = place;
    let Some(operations) = operations(&query.body) else { return Ok(None) };
    let Some(property) = key_property(emulator, database, container).await? else { return Ok(None) };
    let mut steps: Vec<Step> = Vec::with_capacity(operations.len());
    for operation in operations {
        let Some(step) = plain(operation, &property, partition_key) else { return Ok(None) };
        if steps.iter().any(|known| known.id == step.id) {
            return Ok(None);
        }
        steps.push(step);
    }
    if steps.iter().all(|step| step.kind == Kind::Read) {
        return Ok(None);
    }
    for step in &mut steps {
        step.before = emulator.read(database, container, partition_key, &step.id).await?;
    }
    if let Some((failed, status)) = steps.iter().enumerate().find_map(|(index, step)| step.refusal().map(|status| (index, status))) {
        let results = (0..steps.len()).map(|index| result(if index == failed { status } else { 424 }, None, None)).collect();
        return Ok(Some(answer(207, results, Vec::new())));
    }
    let taken_over = query.headers.iter().filter(|(name, _)| TAKEN_OVER.contains(&name.as_str())).cloned();
    let mut headers: Vec<(String, String)> = taken_over.collect();
    headers.push((PARTITION_KEY.to_owned(), partition_key.to_owned()));
    let mut results = Vec::with_capacity(steps.len());
    let mut last_headers = Vec::new();
    for step in &steps {
        let Some(write) = step.write(emulator, database, container, &headers) else {
            results.push(result(200, step.before.clone(), step.etag()));
            continue;
        };
        let written = emulator.execute(&write).await?;
        if !(200..300).contains(&written.status) {
            return Err(format!("a batch was checked, and yet an operation of it ended with status {}", written.status));
        }
        let etag = written.headers.iter().find(|(name, _)| name == "etag").map(|(_, etag)| etag.as_str()).or(step.etag());
        let body = if written.body.is_empty() { None } else { serde_json::from_slice(&written.body).ok() };
        results.push(result(written.status, body, etag));
        last_headers = written.headers;
    }
    // The session token and the sequence numbers are those of the last write.
    last_headers.retain(|(name, _)| !matches!(name.as_str(), "etag" | "content-type" | "content-length" | "x-ms-request-charge"));
    Ok(Some(answer(200, results, last_headers)))
}

fn operations(body: &[u8]) -> Option<Vec<Operation>> {
    let operations: Vec<Operation> = serde_json::from_slice(body).ok()?;
    (body.len() <= LARGEST_REQUEST && (1..=MOST_OPERATIONS).contains(&operations.len())).then_some(operations)
}

/// The one top-level property that is the partition key; `None` for hierarchical keys, deeper paths and containers
/// with unique keys.
async fn key_property(emulator: &Emulator, database: &str, container: &str) -> Result<Option<String>, String> {
    let found = emulator.get(&["dbs", database, "colls", container]).await?;
    let Ok(properties) = serde_json::from_slice::<Value>(&found.body) else { return Ok(None) };
    let paths = properties.pointer("/partitionKey/paths").and_then(Value::as_array);
    let Some([Value::String(path)]) = paths.map(Vec::as_slice) else { return Ok(None) };
    let property = path.strip_prefix('/').filter(|name| !name.contains(['/', '"']));
    let has_unique_keys = properties.pointer("/uniqueKeyPolicy/uniqueKeys").and_then(Value::as_array).is_some_and(|keys| !keys.is_empty());
    Ok(property.filter(|_| found.status == 200 && !has_unique_keys).map(str::to_owned))
}

/// The operation as a step, if it is what every client sends.
fn plain(operation: Operation, property: &str, partition_key: &str) -> Option<Step> {
    let Operation { kind, id, resource_body: body, if_match, if_none_match } = operation;
    let takes_body = matches!(kind, Kind::Create | Kind::Upsert | Kind::Replace);
    if if_none_match.is_some() || takes_body != body.is_some() {
        return None;
    }
    let body_id = body.as_ref().map(|body| body.get("id").and_then(Value::as_str).map(str::to_owned));
    let id = match (id, body_id) {
        (Some(id), None) | (None, Some(Some(id))) => id,
        (Some(id), Some(Some(body_id))) if id == body_id => id,
        _ => return None,
    };
    if let Some(body) = &body {
        let key: Value = serde_json::from_str(partition_key).ok()?;
        let value = body.get(property).filter(|value| value.is_string())?;
        if key != json!([value]) {
            return None;
        }
    }
    Some(Step { kind, id, body, if_match, before: None })
}

impl Step {
    /// The status with which this operation ends the batch.
    fn refusal(&self) -> Option<u16> {
        match (self.kind, self.etag()) {
            (Kind::Create, Some(_)) => Some(409),
            (Kind::Replace | Kind::Delete | Kind::Read, None) => Some(404),
            (Kind::Create | Kind::Upsert, None) => None,
            (_, Some(etag)) => self.if_match.as_ref().filter(|wanted| *wanted != etag && *wanted != "*").map(|_| 412),
        }
    }

    /// `ETag` of the document before the batch.
    fn etag(&self) -> Option<&str> {
        self.before.as_ref().and_then(|document| document.get("_etag")).and_then(Value::as_str)
    }

    fn write(&self, emulator: &Emulator, database: &str, container: &str, headers: &[(String, String)]) -> Option<Query> {
        let documents = ["dbs", database, "colls", container, "docs"];
        let document = ["dbs", database, "colls", container, "docs", self.id.as_str()];
        let mut headers = headers.to_vec();
        let (method, segments) = match self.kind {
            Kind::Read => return None,
            Kind::Create => (Method::Post, &documents[..]),
            Kind::Upsert => {
                headers.push(("x-ms-documentdb-is-upsert".into(), "true".into()));
                (Method::Post, &documents[..])
            }
            Kind::Replace => (Method::Put, &document[..]),
            Kind::Delete => (Method::Delete, &document[..]),
        };
        let body = self.body.as_ref().map_or_else(Bytes::new, |body| Value::Object(body.clone()).to_string().into());
        Some(Query { method, url: emulator.url(segments), headers, body })
    }
}

fn result(status: u16, body: Option<Value>, etag: Option<&str>) -> Value {
    let mut result = json!({"statusCode": status});
    if let Some(body) = body {
        result["resourceBody"] = body;
    }
    if let Some(etag) = etag {
        result["eTag"] = etag.into();
    }
    result["requestCharge"] = CHARGE.into();
    result
}

fn answer(status: u16, results: Vec<Value>, mut headers: Vec<(String, String)>) -> Answer {
    headers.push(("content-type".into(), "application/json".into()));
    headers.push(("x-ms-request-charge".into(), (CHARGE * results.len() as f64).to_string()));
    if !headers.iter().any(|(name, _)| name == "x-ms-activity-id") {
        headers.push(("x-ms-activity-id".into(), Uuid::new_v4().to_string()));
    }
    Answer { status, headers, body: Value::Array(results).to_string().into_bytes() }
}
