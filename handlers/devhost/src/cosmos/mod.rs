//! The Cosmos DB emulator: Microsoft's in-memory one, served over HTTP, with a journal so that a restart keeps its
//! databases, containers and documents.

mod batch;
mod emulator;
mod journal;
mod ordered;
mod write;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::sync::RwLock;

use crate::body::read_body;
use crate::error::StartError;
use emulator::{Answer, Emulator, PARTITION_KEY, Query};
use journal::{CosmosJournal, Record};
use ordered::{Documents, Written};
use write::Write;

/// Requests of over 2 MB are refused by the emulator itself; this leaves room for its answer.
const REQUEST_LIMIT: usize = 8 << 20;

/// Writes to one logical partition are ordered by one of these locks; its readers never see half a batch.
const LOCKS: usize = 64;

/// The running emulator.
pub(crate) struct Cosmos {
    emulator: Emulator,
    journal: CosmosJournal,
    documents: Documents,
    locks: Vec<RwLock<()>>,
}

impl Cosmos {
    /// Makes the emulator for `url` and restores what the journal holds.
    pub(crate) async fn open(state_dir: &Path, url: &str, partitions: u32) -> Result<Arc<Self>, StartError> {
        let emulator = Emulator::new(url, partitions).map_err(StartError::Cosmos)?;
        let (journal, state) = CosmosJournal::open(state_dir)?;
        let documents = Documents::default();
        state.restore(&emulator, &documents).await.map_err(StartError::Cosmos)?;
        Ok(Arc::new(Self { emulator, journal, documents, locks: (0..LOCKS).map(|_| RwLock::new(())).collect() }))
    }

    pub(crate) fn router(self: Arc<Self>) -> Router {
        Router::new().fallback(serve).with_state(self)
    }

    /// Resolves when everything so far is written.
    pub(crate) async fn flush(&self) {
        // A refused write was logged by the journal itself, and its request was answered with an error.
        let _ = self.journal.flush().await;
    }

    async fn handle(&self, query: &Query) -> Result<Answer, String> {
        let Some(write) = Write::of(query) else {
            if let Some(answer) = self.documents.answer(query) {
                return Ok(answer);
            }
            let _turn = self.lock_of(query).read().await;
            return self.emulator.execute(query).await;
        };
        let _turn = self.lock_of(query).write().await;
        let answer = match &write {
            Write::CreateContainer { database } => self.emulator.create_container(database, query).await?,
            Write::Documents { database, container, partition_key, .. } if query.is_batch() => {
                match batch::run(&self.emulator, [database, container, partition_key], query).await? {
                    Some(answer) => answer,
                    None => self.emulator.execute(query).await?,
                }
            }
            _ => self.emulator.execute(query).await?,
        };
        if !(200..300).contains(&answer.status) || answer.status == 207 {
            return Ok(answer);
        }
        for record in self.records(&write, query).await? {
            self.journal.append(&record);
        }
        self.journal.flush().await.map_err(|_| "the journal cannot be written (disk full?)".to_owned())?;
        Ok(answer)
    }

    /// The state after a write. Documents are read back, so that the journal holds what the emulator holds.
    async fn records(&self, write: &Write, query: &Query) -> Result<Vec<Record<'static>>, String> {
        let body = || serde_json::from_slice::<Value>(&query.body).map_err(|error| error.to_string());
        Ok(match write {
            Write::CreateDatabase => vec![Record::database(&body()?)?],
            Write::DeleteDatabase { database } => {
                self.documents.forget(database, None);
                vec![Record::DropDatabase { d: database.clone().into() }]
            }
            Write::CreateContainer { database } | Write::ReplaceContainer { database } => {
                let throughput = query.header("x-ms-offer-throughput").and_then(|value| value.parse().ok());
                vec![Record::container(database, body()?, throughput)?]
            }
            Write::DeleteContainer { database, container } => {
                self.documents.forget(database, Some(container));
                vec![Record::DropContainer { d: database.clone().into(), c: container.clone().into() }]
            }
            Write::Documents { database, container, partition_key, ids } => {
                let mut written = Vec::with_capacity(ids.len());
                for id in ids {
                    written.push(self.emulator.written(database, container, partition_key, id).await?);
                }
                let record = |one: &Written| Record::document(database, container, partition_key, &one.id, one.document.clone());
                let records = written.iter().map(record).collect();
                self.documents.apply(database, container, written)?;
                records
            }
        })
    }

    /// Requests for one logical partition share a lock: those with its key, in one container.
    fn lock_of(&self, query: &Query) -> &RwLock<()> {
        let container = query.url.path().split("/docs").next().unwrap_or_default();
        let mut hasher = DefaultHasher::new();
        (container, query.header(PARTITION_KEY)).hash(&mut hasher);
        &self.locks[(hasher.finish() % LOCKS as u64) as usize]
    }
}

async fn serve(State(cosmos): State<Arc<Cosmos>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = match read_body(body, REQUEST_LIMIT).await {
        Ok(body) => body,
        Err(error) => return (StatusCode::PAYLOAD_TOO_LARGE, error.to_string()).into_response(),
    };
    let headers = parts.headers.iter().filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let Some(query) = cosmos.emulator.query(parts.method.as_str(), path, headers.collect(), body) else {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    };
    match cosmos.handle(&query).await {
        Ok(answer) => {
            let mut response = Response::new(Body::from(answer.body));
            *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            for (name, value) in answer.headers {
                if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value))
                    && name != "content-length"
                    && name != "transfer-encoding"
                {
                    response.headers_mut().append(name, value);
                }
            }
            response
        }
        Err(error) => {
            tracing::error!(error, "cosmos emulator");
            (StatusCode::INTERNAL_SERVER_ERROR, error).into_response()
        }
    }
}

#[cfg(test)]
mod batch_tests;
#[cfg(test)]
mod tests;
