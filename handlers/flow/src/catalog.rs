//! The catalog: small JSON documents in partitions, with optimistic concurrency and atomic batches within a partition.
//! The contracts here are held by [`crate::conformance`] on every implementation.

use async_trait::async_trait;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{ETag, Error, Result};

/// A stored document.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Partition, such as `run:<id>`.
    pub partition: String,
    /// Id, unique in the partition, such as `segment:00000003`. No `/ \ ? #`.
    pub id: String,
    /// What it is, such as `run`, `case`, `audit`.
    pub kind: String,
    /// Version of this state.
    pub etag: ETag,
    /// Its content, a JSON object; the keys `id`, `pk`, `kind` and names that start with `_` are the store's.
    pub body: Value,
}

impl Document {
    /// The body as a typed value.
    ///
    /// # Errors
    /// [`crate::Kind::Bug`] `K0500` if the stored shape is not `T`'s.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        T::deserialize(&self.body).map_err(|e| {
            Error::bug("K0500", format!("document {}/{} does not have the expected shape", self.partition, self.id)).because(e)
        })
    }
}

/// One operation of a batch.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// The id must be free.
    Create {
        /// Document id.
        id: String,
        /// Document kind.
        kind: &'static str,
        /// Content.
        body: Value,
    },
    /// The document must have this version.
    Replace {
        /// Document id.
        id: String,
        /// Document kind.
        kind: &'static str,
        /// Content.
        body: Value,
        /// Version that was read.
        etag: ETag,
    },
    /// Whether it is there or not.
    Put {
        /// Document id.
        id: String,
        /// Document kind.
        kind: &'static str,
        /// Content.
        body: Value,
    },
    /// The document must have this version.
    Delete {
        /// Document id.
        id: String,
        /// Version that was read.
        etag: ETag,
    },
}

/// Outcome of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Committed {
    /// All writes were made.
    Done,
    /// None was made: the write at this index met an existing id, another version or a missing document.
    Conflict {
        /// Index in the batch.
        index: usize,
    },
}

/// A query over one kind of documents.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Kind of the documents.
    pub kind: &'static str,
    /// Only this partition; `None` asks all.
    pub partition: Option<String>,
    /// Only ids that start with this.
    pub id_prefix: Option<String>,
    /// Top-level body field equals value.
    pub equals: Vec<(&'static str, Value)>,
    /// Top-level body field is one of these values.
    pub any_of: Option<(&'static str, Vec<Value>)>,
    /// Top-level body fields (text) are less than these values.
    pub less_than: Vec<(&'static str, String)>,
    /// Top-level body field (text) is this value or greater.
    pub at_least: Option<(&'static str, String)>,
    /// One of these top-level body fields contains this text, whatever the case of its letters.
    pub contains: Option<(&'static [&'static str], String)>,
    /// Whether this top-level body field is there, or is not.
    pub present: Option<(&'static str, bool)>,
    /// Order by this top-level text field, descending if true; otherwise by id.
    pub order: Option<(&'static str, bool)>,
    /// At most this many in a page (1..=1000).
    pub limit: usize,
    /// A page's `next`.
    pub after: Option<String>,
}

/// One page of a query.
#[derive(Debug, Clone, Default)]
pub struct DocumentPage {
    /// Documents in the order asked for.
    pub documents: Vec<Document>,
    /// Opaque; continue here; `None` at the end.
    pub next: Option<String>,
}

/// Documents. A batch is atomic and within one partition, of at most 100 writes and 1 MB.
#[async_trait]
pub trait Catalog: Send + Sync {
    /// One document, `None` if it does not exist.
    async fn get(&self, partition: &str, id: &str) -> Result<Option<Document>>;

    /// All writes or none. A `Conflict` is an answer, not an error.
    async fn commit(&self, partition: &str, writes: Vec<Write>) -> Result<Committed>;

    /// Documents of one kind.
    async fn query(&self, query: &Query) -> Result<DocumentPage>;
}

/// Serializes a typed body.
///
/// # Errors
/// [`crate::Kind::Bug`] `K0501` if `T` cannot be JSON.
pub fn body<T: Serialize>(value: &T) -> Result<Value> {
    serde_json::to_value(value).map_err(|e| Error::bug("K0501", "a document could not be serialized").because(e))
}
