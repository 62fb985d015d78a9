//! The audit log of a run: a hash chain whose every event is written in one transaction with the state change it tells of (invariant 6).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Committed, Context, Document, ETag, Error, Result, RunId, Write,
    catalog::body,
    run::{AuditHead, RUN_DOCUMENT, Run},
};

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Actor {
    /// A step of Sluice.
    Step {
        /// Its name.
        name: String,
    },
    /// A person or program with an access token.
    Person {
        /// Object id (`oid`) of the token.
        id: String,
        /// Display name of the token.
        name: String,
    },
}

impl Actor {
    /// A step.
    pub fn step(name: &str) -> Self {
        Self::Step { name: name.to_owned() }
    }

    /// What tells it from all others: the object id of a person, the name of a step.
    pub fn id(&self) -> &str {
        match self {
            Self::Person { id, .. } => id,
            Self::Step { name } => name,
        }
    }

    /// What people call it.
    pub fn name(&self) -> &str {
        match self {
            Self::Person { name, .. } | Self::Step { name } => name,
        }
    }

    /// Whether both are the same, whatever a person is called by now.
    pub fn is(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other) && self.id() == other.id()
    }
}

/// One event of the chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditEvent {
    /// 0-based, without gaps.
    pub seq: u64,
    /// RFC 3339 UTC with milliseconds.
    pub at: String,
    /// Who.
    pub actor: Actor,
    /// What, such as `run.admitted`, `case.decided`.
    pub action: String,
    /// Ids, counts and hashes; never a value of a row.
    pub detail: Value,
    /// Hash of the event before; 64 zeros for the first.
    pub previous: String,
    /// BLAKE3 of the canonical JSON of all other fields and the run id, hex.
    pub hash: String,
}

/// Hash before the first event.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

impl AuditEvent {
    /// The event that follows `head`.
    pub fn next(run: &RunId, head: Option<&AuditHead>, at: String, actor: Actor, action: &str, detail: Value) -> Self {
        let (seq, previous) = head.map_or((0, GENESIS.to_owned()), |h| (h.seq + 1, h.hash.clone()));
        let mut event = Self { seq, at, actor, action: action.to_owned(), detail, previous, hash: String::new() };
        event.hash = event.expected_hash(run);
        event
    }

    /// What [`AuditEvent::hash`] must be.
    pub fn expected_hash(&self, run: &RunId) -> String {
        let mut fields = serde_json::json!([run, self.seq, self.at, self.actor, self.action, self.detail, self.previous]);
        fields.sort_all_objects();
        blake3::hash(fields.to_string().as_bytes()).to_hex().to_string()
    }

    /// Id of its document.
    pub fn document_id(seq: u64) -> String {
        format!("audit:{seq:08}")
    }
}

/// Checks a chain: numbers without gaps, each hash right and equal to the next event's `previous`, the last equal to `head`.
///
/// # Errors
/// What is wrong and where, as text for the auditor.
pub fn verify(run: &RunId, head: &AuditHead, events: &[AuditEvent]) -> std::result::Result<(), String> {
    let mut previous = GENESIS;
    for (expected, event) in (0u64..).zip(events) {
        if event.seq != expected {
            return Err(format!("expected event {expected}, found {}", event.seq));
        }
        if event.previous != previous {
            return Err(format!("event {expected} does not follow the event before it"));
        }
        if event.hash != event.expected_hash(run) {
            return Err(format!("event {expected} was changed after it was written"));
        }
        previous = &event.hash;
    }
    if previous != head.hash || events.len() as u64 != head.seq + 1 {
        return Err(format!("the chain ends at event {} of {}", events.len(), head.seq + 1));
    }
    Ok(())
}

/// A run as read, with the version it was read at.
#[derive(Debug, Clone)]
pub struct Versioned {
    /// The run.
    pub run: Run,
    /// Its version.
    pub etag: ETag,
}

impl Versioned {
    /// From a document.
    ///
    /// # Errors
    /// See [`Document::parse`].
    pub fn from_document(document: &Document) -> Result<Self> {
        Ok(Self { run: document.parse()?, etag: document.etag.clone() })
    }
}

/// Creates a run with its first audit event. `false` if it was there before (the same event came again).
///
/// # Errors
/// Those of the catalog.
pub async fn create(context: &Context, mut run: Run, actor: Actor, action: &str, detail: Value) -> Result<bool> {
    let event = AuditEvent::next(&run.run_id, None, context.now(), actor, action, detail);
    run.audit = AuditHead { seq: event.seq, hash: event.hash.clone() };
    let writes = vec![
        Write::Create { id: RUN_DOCUMENT.to_owned(), kind: "run", body: body(&run)? },
        Write::Create { id: AuditEvent::document_id(0), kind: "audit", body: body(&event)? },
    ];
    Ok(context.catalog.commit(&run.run_id.partition(), writes).await? == Committed::Done)
}

/// A change of a run that is to be audited.
#[derive(Debug)]
pub struct Change {
    /// Who.
    pub actor: Actor,
    /// What.
    pub action: &'static str,
    /// Ids, counts and hashes.
    pub detail: Value,
    /// Other documents of the run's partition that change in the same transaction.
    pub writes: Vec<Write>,
}

/// Reads the run, lets `change` alter it and writes run, audit event and further documents in one transaction; repeats all of it
/// when somebody else was faster. `change` returns `None` if there is nothing to do (any more): then nothing is written.
///
/// # Errors
/// Those of the catalog and of `change`; [`crate::Kind::Transient`] `K0409` if others were faster ten times;
/// [`crate::Kind::Bug`] `K0404` if the run does not exist.
pub async fn update<F>(context: &Context, id: &RunId, mut change: F) -> Result<Run>
where
    F: FnMut(&mut Run) -> Result<Option<Change>> + Send,
{
    for _ in 0..10 {
        let Versioned { mut run, etag } = load(context, id).await?;
        let Some(change) = change(&mut run)? else {
            return Ok(run);
        };
        if let Some(run) = attempt(context, run, etag, change).await? {
            return Ok(run);
        }
    }
    Err(Error::transient("K0409", format!("run {id} was changed by others ten times in a row")))
}

/// [`update`] for a run that was read a moment ago: reads it again only if somebody else was faster.
///
/// # Errors
/// As [`update`].
pub async fn update_read<F>(context: &Context, read: &Versioned, mut change: F) -> Result<Run>
where
    F: FnMut(&mut Run) -> Result<Option<Change>> + Send,
{
    let mut run = read.run.clone();
    if let Some(change) = change(&mut run)?
        && let Some(run) = attempt(context, run, read.etag.clone(), change).await?
    {
        return Ok(run);
    }
    update(context, &read.run.run_id, change).await
}

/// Writes a changed run that was read at `etag`, its audit event and the change's further documents in one transaction. `None` if
/// somebody else was faster with any of them: nothing is written then.
///
/// # Errors
/// Those of the catalog.
pub async fn attempt(context: &Context, mut run: Run, etag: ETag, change: Change) -> Result<Option<Run>> {
    let Change { actor, action, detail, writes } = change;
    let event = AuditEvent::next(&run.run_id, Some(&run.audit), context.now(), actor, action, detail);
    run.audit = AuditHead { seq: event.seq, hash: event.hash.clone() };
    run.updated_at.clone_from(&event.at);
    let mut batch = vec![
        Write::Replace { id: RUN_DOCUMENT.to_owned(), kind: "run", body: body(&run)?, etag },
        Write::Create { id: AuditEvent::document_id(event.seq), kind: "audit", body: body(&event)? },
    ];
    batch.extend(writes);
    let committed = context.catalog.commit(&run.run_id.partition(), batch).await?;
    Ok((committed == Committed::Done).then_some(run))
}

/// The run with its version.
///
/// # Errors
/// Those of the catalog; [`crate::Kind::Bug`] `K0404` if it does not exist.
pub async fn load(context: &Context, id: &RunId) -> Result<Versioned> {
    let document = context.catalog.get(&id.partition(), RUN_DOCUMENT).await?;
    Versioned::from_document(&document.ok_or_else(|| Error::bug("K0404", format!("run {id} does not exist")))?)
}

/// All events of a run, in order.
///
/// # Errors
/// Those of the catalog.
pub async fn events(context: &Context, id: &RunId) -> Result<Vec<AuditEvent>> {
    let mut query = crate::Query { kind: "audit", partition: Some(id.partition()), limit: 1000, ..Default::default() };
    let mut events = Vec::new();
    loop {
        let page = context.catalog.query(&query).await?;
        for document in &page.documents {
            events.push(document.parse()?);
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(events),
        }
    }
}
