//! Microsoft's in-memory emulator, spoken to in plain requests and answers.

use azure_core::http::headers::{HeaderName, HeaderValue};
use azure_core::http::{Method, Request};
use azure_data_cosmos_driver::in_memory_emulator::{
    ConsistencyLevel, ContainerConfig, InMemoryEmulatorHttpClient, VirtualAccountConfig, VirtualRegion,
};
use azure_data_cosmos_driver::models::PartitionKeyDefinition;
use bytes::Bytes;
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

use super::ordered::Written;

/// Header with the JSON array of a document's partition key values.
pub(super) const PARTITION_KEY: &str = "x-ms-documentdb-partitionkey";

/// A request.
#[derive(Debug, Clone)]
pub(super) struct Query {
    pub(super) method: Method,
    pub(super) url: Url,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Bytes,
}

impl Query {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether this is a transactional batch.
    pub(super) fn is_batch(&self) -> bool {
        self.header("x-ms-cosmos-is-batch-request").is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

pub(super) struct Emulator {
    client: InMemoryEmulatorHttpClient,
    base: Url,
    partitions: u32,
    /// Two creations of one container must not both find it missing.
    creating: Mutex<()>,
}

impl Emulator {
    pub(super) fn new(url: &str, partitions: u32) -> Result<Self, String> {
        let base = Url::parse(url).map_err(|error| error.to_string())?;
        let account = VirtualAccountConfig::new(vec![VirtualRegion::new("East US", base.clone())])
            .map_err(|error| error.to_string())?
            .with_consistency(ConsistencyLevel::Session);
        let client = InMemoryEmulatorHttpClient::try_new(account).map_err(|error| error.to_string())?;
        Ok(Self { client, base, partitions, creating: Mutex::new(()) })
    }

    /// A request as it came over HTTP; `None` if its method is none of Cosmos DB's.
    pub(super) fn query(&self, method: &str, path: &str, headers: Vec<(String, String)>, body: Bytes) -> Option<Query> {
        let method = match method {
            "GET" => Method::Get,
            "POST" => Method::Post,
            "PUT" => Method::Put,
            "PATCH" => Method::Patch,
            "DELETE" => Method::Delete,
            "HEAD" => Method::Head,
            _ => return None,
        };
        Some(Query { method, url: self.base.join(path).ok()?, headers, body })
    }

    /// Runs one request.
    pub(super) async fn execute(&self, query: &Query) -> Result<Answer, String> {
        let mut request = Request::new(query.url.clone(), query.method);
        for (name, value) in &query.headers {
            request.insert_header(HeaderName::from(name.clone()), HeaderValue::from(value.clone()));
        }
        request.set_body(query.body.clone());
        let response = self.client.execute_request(&request).await.map_err(|error| error.to_string())?;
        let response = response.try_into_raw_response().await.map_err(|error| error.to_string())?;
        Ok(Answer {
            status: u16::from(response.status()),
            headers: response.headers().iter().map(|(name, value)| (name.as_str().to_owned(), value.as_str().to_owned())).collect(),
            body: response.body().to_vec(),
        })
    }

    /// Creates a container with as many physical partitions as configured. The emulator would give it 4, and what its
    /// own batches cost grows with the size of a partition.
    pub(super) async fn create_container(&self, database: &str, query: &Query) -> Result<Answer, String> {
        let _turn = self.creating.lock().await;
        let Some((id, partition_key)) = self.plain_container(database, &query.body).await? else { return self.execute(query).await };
        let mut config = ContainerConfig::new().with_partition_count(self.partitions.max(1));
        if let Some(throughput) = query.header("x-ms-offer-throughput").and_then(|value| value.parse().ok()) {
            config = config.with_throughput(throughput);
        }
        let Ok(config) = config.build() else { return self.execute(query).await };
        self.client.store().create_container_with_config(database, &id, partition_key, config);
        // The call above takes no further properties (indexing policy, time to live): a replace sets them.
        let url = self.url(&["dbs", database, "colls", &id]);
        let mut answer = self.execute(&Query { method: Method::Put, url, ..query.clone() }).await?;
        if answer.status == 200 {
            answer.status = 201;
        }
        Ok(answer)
    }

    /// Id and partition key of a container that can be created without the emulator's own checks.
    async fn plain_container(&self, database: &str, body: &[u8]) -> Result<Option<(String, PartitionKeyDefinition)>, String> {
        let Ok(body) = serde_json::from_slice::<Value>(body) else { return Ok(None) };
        let partition_key = body.get("partitionKey").and_then(|key| serde_json::from_value(key.clone()).ok());
        let id = body.get("id").and_then(Value::as_str).map(str::to_owned);
        let (Some(id), Some(partition_key)) = (id, partition_key) else { return Ok(None) };
        let is_plain = body.get("uniqueKeyPolicy").is_none()
            && self.get(&["dbs", database]).await?.status == 200
            && self.get(&["dbs", database, "colls", &id]).await?.status == 404;
        Ok(is_plain.then_some((id, partition_key)))
    }

    /// Current state of a document, system properties included; `None` if there is none.
    pub(super) async fn read(&self, database: &str, container: &str, partition_key: &str, id: &str) -> Result<Option<Value>, String> {
        Ok(self.written(database, container, partition_key, id).await?.document)
    }

    /// Current state of a document that was just written.
    pub(super) async fn written(&self, database: &str, container: &str, partition_key: &str, id: &str) -> Result<Written, String> {
        let url = self.url(&["dbs", database, "colls", container, "docs", id]);
        let headers = vec![(PARTITION_KEY.to_owned(), partition_key.to_owned())];
        let answer = self.execute(&Query { method: Method::Get, url, headers, body: Bytes::new() }).await?;
        let document = match answer.status {
            200 => Some(serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?),
            404 => None,
            status => return Err(format!("a document just written cannot be read: status {status}")),
        };
        let session_token = answer.headers.into_iter().find(|(name, _)| name == "x-ms-session-token").map(|(_, token)| token);
        Ok(Written { partition_key: partition_key.to_owned(), id: id.to_owned(), document, session_token })
    }

    /// Runs a POST that must succeed, while a journal is restored.
    pub(super) async fn restore(&self, segments: &[&str], headers: Vec<(String, String)>, body: &Value) -> Result<(), String> {
        let query = Query { method: Method::Post, url: self.url(segments), headers, body: body.to_string().into() };
        let answer = match segments {
            ["dbs", database, "colls"] => self.create_container(database, &query).await?,
            _ => self.execute(&query).await?,
        };
        if (200..300).contains(&answer.status) {
            return Ok(());
        }
        Err(format!("{} cannot be restored: status {}, {}", segments.join("/"), answer.status, String::from_utf8_lossy(&answer.body)))
    }

    /// Reads a resource by its path.
    pub(super) async fn get(&self, segments: &[&str]) -> Result<Answer, String> {
        self.execute(&Query { method: Method::Get, url: self.url(segments), headers: Vec::new(), body: Bytes::new() }).await
    }

    pub(super) fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.clear().extend(segments);
        }
        url
    }
}
