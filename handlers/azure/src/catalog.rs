//! [`Catalog`] on Cosmos DB.
//!
//! One container, `catalog`, with the partition key `/pk`. A document is `{id, pk, kind, ...fields of the body}`; the service adds names
//! that start with `_`.
//!
//! **Index.** Every query filters by `kind` and orders by one field, so the default policy (range index on all paths) serves it. Writes
//! become cheaper if the policy excludes `/*` and includes `/kind/?`, `/id/?` and the fields that `sluice_flow` filters and orders by;
//! no composite index is needed, since pages continue at a value of the one field they are ordered by (see `cursor`).
//!
//! **Consistency.** A message can reach another instance before a session's replicas have caught up, so reads ask for the latest
//! committed version (a quorum of the region). An account with `Session` consistency and one write region is enough.

use std::{num::NonZeroU32, time::Duration};

use async_trait::async_trait;
use azure_core::http::Etag;
use azure_data_cosmos::{
    AccountReference, ContainerClient, CosmosClient, CosmosError, FeedScope, RoutingStrategy, TransactionalBatch,
    models::ContainerProperties,
    options::{
        BatchDeleteOptions, BatchReplaceOptions, EndToEndOperationLatencyPolicy, MaxItemCountHint, OperationOptionsBuilder, Precondition,
        QueryOptions, ReadConsistencyStrategy, Region, ThrottlingRetryOptionsBuilder,
    },
};
use futures::TryStreamExt;
use serde_json::{Map, Value};
use sluice_flow::{Catalog, Committed, Document, DocumentPage, ETag, Error, Query, Result, Write};
use tokio::sync::OnceCell;

use crate::{
    Patience,
    cosmos_error::{cosmos_error, kind_of},
    cursor::Cursor,
    query::Statement,
};

/// Name of the container.
pub const CONTAINER: &str = "catalog";
/// Partition key path.
const PARTITION_KEY: &str = "/pk";
/// Most writes of a batch.
const MOST_WRITES: usize = 100;
/// Names of a body that are the store's.
const RESERVED: [&str; 3] = ["id", "pk", "kind"];
/// What the service answers for the writes of a batch that another write made fail.
const FAILED_DEPENDENCY: u16 = 424;

/// Documents of one Cosmos DB account.
///
/// The SDK's futures are up to 145 KB large, so each is boxed: a task that holds several of them by value overflows its stack.
///
/// A write whose first answer was lost conflicts with itself at the SDK's second try. The caller of a conflict reads again in any case,
/// and finds its own document.
pub struct CosmosCatalog {
    account: AccountReference,
    region: Option<String>,
    database: String,
    patience: Patience,
    client: OnceCell<CosmosClient>,
    container: OnceCell<ContainerClient>,
}

impl CosmosCatalog {
    /// Nothing is asked for before the first use, so that the handler starts while the service is away.
    pub(crate) fn new(account: AccountReference, region: Option<String>, database: String, patience: Patience) -> Self {
        Self { account, region, database, patience, client: OnceCell::const_new(), container: OnceCell::const_new() }
    }

    async fn client(&self) -> Result<&CosmosClient> {
        let connect = async {
            let throttling = ThrottlingRetryOptionsBuilder::new().with_max_retry_wait_time(self.patience.retries).build();
            let options = OperationOptionsBuilder::new()
                .with_read_consistency_strategy(ReadConsistencyStrategy::LatestCommitted)
                .with_throttling_retry_options(throttling)
                .with_end_to_end_latency_policy(EndToEndOperationLatencyPolicy::new(self.patience.call))
                .build();
            let routing = match &self.region {
                Some(region) => RoutingStrategy::ProximityTo(Region::new(region.clone())),
                None => RoutingStrategy::PreferredRegions(Vec::new()),
            };
            let client = CosmosClient::builder().with_default_operation_options(options).build(self.account.clone(), routing);
            Box::pin(client).await.map_err(|error| cosmos_error("connect to Cosmos DB", &error))
        };
        self.client.get_or_try_init(|| connect).await
    }

    async fn container(&self) -> Result<&ContainerClient> {
        let find = async {
            let database = self.client().await?.database_client(self.database.clone());
            Box::pin(database.container_client(CONTAINER, None))
                .await
                .map_err(|error| cosmos_error(&format!("find container {}/{CONTAINER}", self.database), &error))
        };
        self.container.get_or_try_init(|| find).await
    }

    /// Makes database and container unless they are there.
    pub(crate) async fn provision(&self) -> Result<()> {
        let doing = format!("create container {}/{CONTAINER}", self.database);
        self.within(&doing, async {
            let client = self.client().await?;
            match Box::pin(client.create_database(&self.database, None)).await {
                Ok(_) => {}
                Err(error) if error.status().is_conflict() => {}
                Err(error) => return Err(cosmos_error(&doing, &error)),
            }
            let properties = ContainerProperties::new(CONTAINER, PARTITION_KEY.into());
            let database = client.database_client(self.database.clone());
            match Box::pin(database.create_container(properties, None)).await {
                Ok(_) => Ok(()),
                Err(error) if error.status().is_conflict() => Ok(()),
                Err(error) => Err(cosmos_error(&doing, &error)),
            }
        })
        .await
    }

    async fn within<T>(&self, doing: &str, call: impl Future<Output = Result<T>>) -> Result<T> {
        self.patience.within("K0503", doing, call).await
    }
}

#[async_trait]
impl Catalog for CosmosCatalog {
    async fn get(&self, partition: &str, id: &str) -> Result<Option<Document>> {
        check_id(id)?;
        let doing = format!("get document {partition}/{id}");
        self.within(&doing, async {
            let container = self.container().await?;
            let found = match Box::pin(container.read_item(partition.to_owned(), id, None)).await {
                Ok(found) => found,
                Err(error) if error.status().is_not_found() => return Ok(None),
                Err(error) => return Err(cosmos_error(&doing, &error)),
            };
            document(found.into_model::<Map<String, Value>>().map_err(|error| cosmos_error(&doing, &error))?).map(Some)
        })
        .await
    }

    async fn commit(&self, partition: &str, writes: Vec<Write>) -> Result<Committed> {
        if writes.is_empty() || writes.len() > MOST_WRITES {
            return Err(Error::bug("K0400", format!("a batch has 1 to {MOST_WRITES} writes, found {}", writes.len())));
        }
        let doing = format!("commit {} writes to {partition}", writes.len());
        let batch = batch(partition, writes)?;
        self.within(&doing, async {
            let container = self.container().await?;
            let answer =
                Box::pin(container.execute_transactional_batch(batch, None)).await.map_err(|error| cosmos_error(&doing, &error))?;
            let results = answer.into_model().map_err(|error| cosmos_error(&doing, &error))?;
            let results: Vec<_> = results.results().iter().map(|result| (result.status_code(), result.retry_after())).collect();
            outcome(&doing, &results)
        })
        .await
    }

    async fn query(&self, query: &Query) -> Result<DocumentPage> {
        let cursor = Cursor::of(query)?;
        let Some(statement) = Statement::of(query, cursor.as_ref())? else { return Ok(DocumentPage::default()) };
        let doing = format!("query documents of kind {}", query.kind);
        // A partition gives no more at once than is asked for in all. (An ordered query goes to each of them, without its TOP.)
        let most = u32::try_from(Cursor::most(query, cursor.as_ref())).ok().and_then(NonZeroU32::new);
        let options = most.map(|most| QueryOptions::default().with_max_item_count(MaxItemCountHint::Limit(most)));
        let sql = statement.into_sql()?;
        let scope = query.partition.as_ref().map_or_else(FeedScope::full_container, |partition| FeedScope::partition(partition.clone()));
        self.within(&doing, async {
            let container = self.container().await?;
            let items = Box::pin(container.query_items::<Map<String, Value>>(sql, scope, options)).await;
            let mut pages = items.map_err(|error| cosmos_error(&doing, &error))?.into_pages();
            let mut found = Vec::new();
            while let Some(page) = pages.try_next().await.map_err(|error| cosmos_error(&doing, &error))? {
                found.extend(page.into_items());
            }
            let (page, next) = Cursor::page(query, cursor.as_ref(), found)?;
            Ok(DocumentPage { documents: page.into_iter().map(document).collect::<Result<_>>()?, next })
        })
        .await
    }
}

fn batch(partition: &str, writes: Vec<Write>) -> Result<TransactionalBatch> {
    let mut batch = TransactionalBatch::new(partition.to_owned());
    let unmakeable = |error: CosmosError| Error::bug("K0400", "a document is not JSON").because(error);
    for write in writes {
        batch = match write {
            Write::Create { id, kind, body } => batch.create_item(item(partition, &id, kind, body)?).map_err(unmakeable)?,
            Write::Put { id, kind, body } => batch.upsert_item(item(partition, &id, kind, body)?, None).map_err(unmakeable)?,
            Write::Replace { id, kind, body, etag } => {
                let options = BatchReplaceOptions::default().with_precondition(Precondition::if_match(Etag::from(etag.0)));
                let item = item(partition, &id, kind, body)?;
                batch.replace_item(id, item, Some(options)).map_err(unmakeable)?
            }
            Write::Delete { id, etag } => {
                check_id(&id)?;
                batch.delete_item(id, Some(BatchDeleteOptions::default().with_precondition(Precondition::if_match(Etag::from(etag.0)))))
            }
        };
    }
    Ok(batch)
}

/// What the statuses of a batch's writes, with the time to wait, say.
fn outcome(doing: &str, results: &[(u16, Option<Duration>)]) -> Result<Committed> {
    let failed = results.iter().enumerate().find(|(_, (status, _))| !(200..300).contains(status) && *status != FAILED_DEPENDENCY);
    match failed {
        None if results.iter().all(|(status, _)| *status != FAILED_DEPENDENCY) => Ok(Committed::Done),
        None => Err(Error::bug("K0400", format!("could not {doing}: Cosmos DB told no cause"))),
        // An existing id, a missing document, another version.
        Some((index, (404 | 409 | 412, _))) => Ok(Committed::Conflict { index }),
        Some((index, (status, retry_after))) => {
            let (kind, code) = kind_of(*status, false);
            let error = Error::new(kind, code, format!("could not {doing}: Cosmos DB answered {status} to write {index}"));
            Err(match retry_after {
                Some(after) => error.retry_after(*after),
                None => error,
            })
        }
    }
}

/// A document as it is stored.
fn item(partition: &str, id: &str, kind: &str, body: Value) -> Result<Map<String, Value>> {
    check_id(id)?;
    let Value::Object(body) = body else {
        return Err(Error::bug("K0400", format!("the body of {id} is no object")));
    };
    if let Some(name) = body.keys().find(|name| name.starts_with('_') || RESERVED.contains(&name.as_str())) {
        return Err(Error::bug("K0400", format!("the body of {id} has a field {name}, which is the store's")));
    }
    let mut item = Map::with_capacity(body.len() + RESERVED.len());
    item.insert("id".to_owned(), id.into());
    item.insert("pk".to_owned(), partition.into());
    item.insert("kind".to_owned(), kind.into());
    item.extend(body);
    Ok(item)
}

/// A document as it was found.
fn document(mut item: Map<String, Value>) -> Result<Document> {
    let mut text = |name: &str| match item.shift_remove(name) {
        Some(Value::String(text)) => Ok(text),
        _ => Err(Error::bug("K0500", format!("a stored document has no {name}"))),
    };
    let (id, partition, kind, etag) = (text("id")?, text("pk")?, text("kind")?, text("_etag")?);
    item.retain(|name, _| !name.starts_with('_'));
    Ok(Document { partition, id, kind, etag: ETag(etag), body: Value::Object(item) })
}

fn check_id(id: &str) -> Result<()> {
    let valid = !id.is_empty() && id.len() <= 255 && !id.contains(['/', '\\', '?', '#']);
    if valid { Ok(()) } else { Err(Error::bug("K0400", format!("{id:?} is no document id: expected 1 to 255 bytes without / \\ ? and #"))) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sluice_flow::Kind;

    use super::*;

    #[test]
    fn a_document_keeps_its_body_and_hides_the_stores_fields() {
        let mut stored = item("run:1", "audit:1", "audit", json!({"at": "now", "nested": {"_x": 1, "id": 2}})).unwrap();
        assert_eq!(
            Value::Object(stored.clone()),
            json!({"id": "audit:1", "pk": "run:1", "kind": "audit", "at": "now", "nested": {"_x": 1, "id": 2}})
        );
        stored.insert("_etag".to_owned(), "\"e\"".into());
        stored.insert("_ts".to_owned(), 1.into());
        let found = document(stored).unwrap();
        assert_eq!(found.body, json!({"at": "now", "nested": {"_x": 1, "id": 2}}));
        assert_eq!(
            (found.partition.as_str(), found.id.as_str(), found.kind.as_str(), found.etag.0.as_str()),
            ("run:1", "audit:1", "audit", "\"e\"")
        );
    }

    #[test]
    fn fields_of_the_store_and_bad_ids_are_bugs() {
        for body in [json!({"id": 1}), json!({"pk": 1}), json!({"kind": 1}), json!({"_ts": 1}), json!([])] {
            assert_eq!(item("p", "a", "k", body).unwrap_err().code(), "K0400");
        }
        for id in ["", "a/b", "a\\b", "a?b", "a#b", &"x".repeat(256)] {
            assert_eq!(item("p", id, "k", json!({})).unwrap_err().code(), "K0400", "{id}");
        }
    }

    #[test]
    fn a_batch_tells_its_first_cause() {
        let of = |statuses: &[u16]| outcome("commit", &statuses.iter().map(|s| (*s, None)).collect::<Vec<_>>());
        assert_eq!(of(&[201, 200, 204]).unwrap(), Committed::Done);
        assert_eq!(of(&[424, 409, 424]).unwrap(), Committed::Conflict { index: 1 });
        assert_eq!(of(&[424, 424, 412]).unwrap(), Committed::Conflict { index: 2 });
        assert_eq!(of(&[404]).unwrap(), Committed::Conflict { index: 0 });
        assert_eq!(of(&[424, 429]).unwrap_err().code(), "K0429");
        assert_eq!(of(&[424, 449]).unwrap_err().kind(), Kind::Transient);
        assert_eq!(of(&[424, 413]).unwrap_err().code(), "K0413");
        assert_eq!(of(&[424, 424]).unwrap_err().kind(), Kind::Bug);
    }
}
