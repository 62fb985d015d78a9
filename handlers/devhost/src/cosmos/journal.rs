//! What the emulator holds, written down: databases, containers, and the last state of every document.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::emulator::{Emulator, PARTITION_KEY};
use super::ordered::Documents;
use crate::error::StartError;
use crate::journal::{Journal, Written};

/// Properties that the service makes. They are made anew on a restore, `_etag` and `_ts` included.
const SYSTEM_PROPERTIES: [&str; 5] = ["_rid", "_self", "_etag", "_ts", "_attachments"];

/// One change.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "r", rename_all = "camelCase")]
pub(super) enum Record<'a> {
    Database {
        d: Cow<'a, str>,
    },
    DropDatabase {
        d: Cow<'a, str>,
    },
    Container {
        d: Cow<'a, str>,
        c: Cow<'a, str>,
        /// The container as it was created or replaced.
        body: Cow<'a, Value>,
        /// Provisioned RU/s.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ru: Option<u64>,
    },
    DropContainer {
        d: Cow<'a, str>,
        c: Cow<'a, str>,
    },
    /// `k` is the partition key header; without `body` the document is gone.
    Document {
        d: Cow<'a, str>,
        c: Cow<'a, str>,
        k: Cow<'a, str>,
        id: Cow<'a, str>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<Cow<'a, Value>>,
    },
}

impl Record<'static> {
    pub(super) fn database(body: &Value) -> Result<Self, String> {
        Ok(Self::Database { d: id_of(body)?.into() })
    }

    pub(super) fn container(database: &str, body: Value, throughput: Option<u64>) -> Result<Self, String> {
        let container = id_of(&body)?;
        Ok(Self::Container { d: database.to_owned().into(), c: container.into(), body: Cow::Owned(without_system(body)), ru: throughput })
    }

    pub(super) fn document(database: &str, container: &str, partition_key: &str, id: &str, body: Option<Value>) -> Self {
        Self::Document {
            d: database.to_owned().into(),
            c: container.to_owned().into(),
            k: partition_key.to_owned().into(),
            id: id.to_owned().into(),
            body: body.map(|body| Cow::Owned(without_system(body))),
        }
    }
}

fn id_of(body: &Value) -> Result<String, String> {
    body.get("id").and_then(Value::as_str).map(str::to_owned).ok_or_else(|| "an accepted resource has no id".to_owned())
}

fn without_system(mut body: Value) -> Value {
    if let Value::Object(properties) = &mut body {
        properties.retain(|name, _| !SYSTEM_PROPERTIES.contains(&name.as_str()));
    }
    body
}

#[derive(Debug)]
struct Container {
    body: Value,
    throughput: Option<u64>,
    /// By partition key and id.
    documents: BTreeMap<(String, String), Value>,
}

/// A folded journal.
#[derive(Debug, Default)]
pub(super) struct State {
    databases: BTreeMap<String, BTreeMap<String, Container>>,
}

impl State {
    fn apply(&mut self, record: Record<'_>) {
        match record {
            Record::Database { d } => {
                self.databases.entry(d.into_owned()).or_default();
            }
            Record::DropDatabase { d } => {
                self.databases.remove(&*d);
            }
            Record::Container { d, c, body, ru } => {
                let containers = self.databases.entry(d.into_owned()).or_default();
                let body = body.into_owned();
                containers.entry(c.into_owned()).and_modify(|container| container.body = body.clone()).or_insert_with(|| Container {
                    body: body.clone(),
                    throughput: ru,
                    documents: BTreeMap::new(),
                });
            }
            Record::DropContainer { d, c } => {
                if let Some(containers) = self.databases.get_mut(&*d) {
                    containers.remove(&*c);
                }
            }
            Record::Document { d, c, k, id, body } => {
                let Some(container) = self.databases.get_mut(&*d).and_then(|containers| containers.get_mut(&*c)) else { return };
                let key = (k.into_owned(), id.into_owned());
                match body {
                    Some(body) => container.documents.insert(key, body.into_owned()),
                    None => container.documents.remove(&key),
                };
            }
        }
    }

    fn records(&self) -> impl Iterator<Item = Record<'_>> {
        self.databases.iter().flat_map(|(d, containers)| {
            let containers = containers.iter().flat_map(move |(c, container)| {
                let documents = container.documents.iter().map(move |((k, id), body)| Record::Document {
                    d: d.into(),
                    c: c.into(),
                    k: k.into(),
                    id: id.into(),
                    body: Some(Cow::Borrowed(body)),
                });
                let created =
                    Record::Container { d: d.into(), c: c.into(), body: Cow::Borrowed(&container.body), ru: container.throughput };
                std::iter::once(created).chain(documents)
            });
            std::iter::once(Record::Database { d: d.into() }).chain(containers)
        })
    }

    /// Puts everything into an empty emulator.
    pub(super) async fn restore(&self, emulator: &Emulator, documents: &Documents) -> Result<(), String> {
        for (database, containers) in &self.databases {
            emulator.restore(&["dbs"], Vec::new(), &serde_json::json!({"id": database})).await?;
            for (name, container) in containers {
                let throughput = container.throughput.map(|ru| ("x-ms-offer-throughput".to_owned(), ru.to_string()));
                emulator.restore(&["dbs", database, "colls"], throughput.into_iter().collect(), &container.body).await?;
                let mut written = Vec::with_capacity(container.documents.len());
                for ((partition_key, id), body) in &container.documents {
                    let headers = vec![
                        (PARTITION_KEY.to_owned(), partition_key.clone()),
                        ("x-ms-documentdb-is-upsert".to_owned(), "true".to_owned()),
                        ("prefer".to_owned(), "return=minimal".to_owned()),
                    ];
                    emulator.restore(&["dbs", database, "colls", name, "docs"], headers, body).await?;
                    written.push(emulator.written(database, name, partition_key, id).await?);
                }
                documents.apply(database, name, written)?;
            }
        }
        Ok(())
    }
}

/// The journal file, `cosmos.journal`.
#[derive(Debug)]
pub(super) struct CosmosJournal(Journal);

impl CosmosJournal {
    pub(super) fn open(state_dir: &Path) -> Result<(Self, State), StartError> {
        let path = state_dir.join("cosmos.journal");
        let mut state = State::default();
        Journal::replay(&path, |record: Record<'static>| state.apply(record))?;
        let journal = Journal::rewrite(&path, state.records())?;
        Ok((Self(journal), state))
    }

    pub(super) fn append(&self, record: &Record<'_>) {
        self.0.append(record);
    }

    pub(super) fn flush(&self) -> Written {
        self.0.flush()
    }
}
