use azure_data_cosmos::clients::ContainerClient;
use azure_data_cosmos::feed::FeedScope;
use azure_data_cosmos::models::ContainerProperties;
use azure_data_cosmos::options::{ItemWriteOptions, MaxItemCountHint, Precondition, QueryOptions};
use azure_data_cosmos::{AccountEndpoint, AccountReference, CosmosClient, RoutingStrategy, TransactionalBatch};
use futures::TryStreamExt;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;

/// The emulator, served, and a client of the official SDK.
struct Served {
    cosmos: Arc<Cosmos>,
    server: JoinHandle<()>,
    client: CosmosClient,
}

impl Served {
    async fn start(state_dir: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let cosmos = Cosmos::open(state_dir, &url, 8).await.unwrap();
        let router = Arc::clone(&cosmos).router();
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let account = AccountReference::with_authentication_key(url.parse::<AccountEndpoint>().unwrap(), "a2V5".to_owned());
        let client = CosmosClient::builder().build(account, RoutingStrategy::ProximityTo("East US".into())).await.unwrap();
        Self { cosmos, server, client }
    }

    async fn create_container(&self) -> ContainerClient {
        self.client.create_database("db", None).await.unwrap();
        let database = self.client.database_client("db");
        database.create_container(ContainerProperties::new("docs", "/pk".into()), None).await.unwrap();
        self.container().await
    }

    async fn container(&self) -> ContainerClient {
        self.client.database_client("db").container_client("docs", None).await.unwrap()
    }

    async fn stop(self) {
        self.server.abort();
        let _ = self.server.await;
        self.cosmos.flush().await;
    }
}

async fn read(container: &ContainerClient, pk: &str, id: &str) -> Option<Value> {
    let found = container.read_item(pk.to_owned(), id, None).await;
    match found {
        Ok(response) => Some(response.into_model().unwrap()),
        Err(error) => {
            assert!(error.status().is_not_found(), "{error}");
            None
        }
    }
}

#[tokio::test]
async fn a_restart_keeps_every_document_in_its_last_state() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(dir.path()).await;
    let container = served.create_container().await;
    let doc = |id: &str, n: u32| json!({"id": id, "pk": "a b/é", "n": n});
    let pk = || "a b/é".to_owned();
    for id in ["replaced", "deleted", "upserted", "kept", "batch-deleted"] {
        container.create_item(pk(), id, doc(id, 1), None).await.unwrap();
    }
    container.replace_item(pk(), "replaced", doc("replaced", 2), None).await.unwrap();
    container.upsert_item(pk(), "upserted", doc("upserted", 3), None).await.unwrap();
    container.delete_item(pk(), "deleted", None).await.unwrap();
    let good = TransactionalBatch::new(pk())
        .create_item(doc("batch-created", 4))
        .unwrap()
        .upsert_item(doc("kept", 5), None)
        .unwrap()
        .delete_item("batch-deleted", None);
    container.execute_transactional_batch(good, None).await.unwrap();
    let bad = TransactionalBatch::new(pk()).create_item(doc("never", 6)).unwrap().create_item(doc("kept", 7)).unwrap();
    let _ = container.execute_transactional_batch(bad, None).await;
    // Another container, created and dropped, must not come back.
    let database = served.client.database_client("db");
    database.create_container(ContainerProperties::new("dropped", "/pk".into()), None).await.unwrap();
    database.container_client("dropped", None).await.unwrap().delete(None).await.unwrap();
    let before = read(&container, "a b/é", "kept").await.unwrap();
    served.stop().await;

    // Twice: the second start reads what the first has folded.
    for _ in 0..2 {
        let served = Served::start(dir.path()).await;
        let container = served.container().await;
        let numbers = [("replaced", Some(2)), ("deleted", None), ("upserted", Some(3)), ("kept", Some(5)), ("batch-created", Some(4))];
        for (id, expected) in numbers.into_iter().chain([("batch-deleted", None), ("never", None)]) {
            let found = read(&container, "a b/é", id).await;
            assert_eq!(found.map(|d| d["n"].as_u64().unwrap()), expected, "{id}");
        }
        let stale = before["_etag"].as_str().unwrap().to_owned();
        let options = ItemWriteOptions::default().with_precondition(Precondition::if_match(stale));
        let refused = container.replace_item(pk(), "kept", doc("kept", 9), Some(options)).await.unwrap_err();
        assert!(refused.status().is_precondition_failed(), "ETags are new after a restart: {refused}");
        let query = container.query_items::<Value>("SELECT * FROM c WHERE c.n >= 4", FeedScope::full_container(), None);
        let found: Vec<Value> = query.await.unwrap().try_collect().await.unwrap();
        assert_eq!(found.len(), 2);
        assert!(served.client.database_client("db").container_client("dropped", None).await.is_err());
        served.stop().await;
    }
}

#[tokio::test]
async fn concurrent_writers_of_one_document_leave_its_last_state_in_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(dir.path()).await;
    served.client.create_database("db", None).await.unwrap();
    served.client.database_client("db").create_container(ContainerProperties::new("docs", "/pk".into()), None).await.unwrap();
    let container = served.container().await;
    let writes = (0..64).map(|n| container.upsert_item("p".to_owned(), "one", json!({"id": "one", "pk": "p", "n": n}), None));
    futures::future::try_join_all(writes).await.unwrap();
    let last = read(&container, "p", "one").await.unwrap()["n"].clone();
    served.stop().await;
    let served = Served::start(dir.path()).await;
    assert_eq!(read(&served.container().await, "p", "one").await.unwrap()["n"], last);
}

fn at(n: u64) -> String {
    format!("2026-01-01T00:{:02}:00Z", n * 7 % 60)
}

/// Numbers of the documents of an ordered query over all partitions, page by page.
async fn ordered(container: &ContainerClient, direction: &str) -> Vec<u64> {
    let sql = format!("SELECT * FROM c WHERE c.kind = @k AND c.at >= @from ORDER BY c.at {direction}");
    let sql = azure_data_cosmos::Query::from(sql).with_parameter("@k", "case").unwrap().with_parameter("@from", at(0)).unwrap();
    let options = QueryOptions::default().with_max_item_count(MaxItemCountHint::Limit(7.try_into().unwrap()));
    let items = container.query_items::<Value>(sql, FeedScope::full_container(), Some(options)).await.unwrap();
    let mut pages = items.into_pages();
    let mut found = Vec::new();
    while let Some(page) = pages.try_next().await.unwrap() {
        found.extend(page.into_items().into_iter().map(|document| document["n"].as_u64().unwrap()));
    }
    found
}

fn in_order(found: &[u64], is_descending: bool) -> bool {
    let times: Vec<String> = found.iter().map(|n| at(*n)).collect();
    if is_descending { times.is_sorted_by(|a, b| a >= b) } else { times.is_sorted() }
}

#[tokio::test]
async fn an_ordered_query_over_all_partitions_tells_the_last_state_of_every_document() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(dir.path()).await;
    let container = served.create_container().await;
    for n in 0..120_u64 {
        let (pk, kind) = (format!("p{}", n % 11), if n % 4 == 0 { "other" } else { "case" });
        let document = json!({"id": n.to_string(), "pk": pk, "kind": kind, "at": at(n), "n": n});
        container.create_item(pk, &n.to_string(), document, None).await.unwrap();
    }
    container.delete_item("p1".to_owned(), "1", None).await.unwrap();
    container.upsert_item("p2".to_owned(), "2", json!({"id": "2", "pk": "p2", "kind": "other", "at": at(2), "n": 2}), None).await.unwrap();
    let expected: Vec<u64> = (0..120).filter(|n| n % 4 != 0 && ![1, 2].contains(n)).collect();
    for direction in ["ASC", "DESC"] {
        let mut found = ordered(&container, direction).await;
        assert!(in_order(&found, direction == "DESC"), "{direction}: {found:?}");
        found.sort_unstable();
        assert_eq!(found, expected, "{direction}");
    }

    // The emulator is not asked: it may lose one of them, and the answer stays the same.
    let url = served.cosmos.emulator.url(&["dbs", "db", "colls", "docs", "docs", "3"]);
    let headers = vec![(PARTITION_KEY.to_owned(), "[\"p3\"]".to_owned())];
    let lost = Query { method: azure_core::http::Method::Delete, url, headers, body: bytes::Bytes::new() };
    assert_eq!(served.cosmos.emulator.execute(&lost).await.unwrap().status, 204);
    assert_eq!(ordered(&container, "ASC").await.len(), expected.len());
    served.stop().await;

    let served = Served::start(dir.path()).await;
    let mut found = ordered(&served.container().await, "ASC").await;
    assert!(in_order(&found, false));
    found.sort_unstable();
    assert_eq!(found, expected, "after a restart");
    served.client.database_client("db").container_client("docs", None).await.unwrap().delete(None).await.unwrap();
    served.client.database_client("db").create_container(ContainerProperties::new("docs", "/pk".into()), None).await.unwrap();
    assert_eq!(ordered(&served.container().await, "ASC").await, [0; 0], "a new container is empty");
    served.stop().await;
}
