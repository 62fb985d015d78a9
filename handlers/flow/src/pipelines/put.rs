//! Storing a pipeline.

use sluice_contract::Sources;

use super::{PIPELINES, PipelinePointer, PipelineVersion, PutError, check_name, get, partition, pointer_id, tables::compile, version_id};
use crate::{Committed, Context, Document, Error, Write, audit::Actor, catalog::body};

/// Stores a pipeline with its contract as the next version and makes it live. The same texts again are the same version.
///
/// # Errors
/// Every mistake in the texts, with its place; [`crate::Kind::Refused`] `A0010` if another pipeline takes exactly the same partner and path.
pub async fn put<'a>(context: &Context, author: impl Into<Author<'a>>, sources: &Sources<'_>) -> Result<PipelineVersion, PutError> {
    put_by(context, By { author: author.into(), approver: None }, sources).await
}

/// Somebody whose work a version is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Author<'a> {
    /// Object id.
    pub id: &'a str,
    /// Name, if one is known.
    pub name: Option<&'a str>,
}

impl<'a> From<&'a str> for Author<'a> {
    fn from(id: &'a str) -> Self {
        Self { id, name: None }
    }
}

impl<'a> From<&'a Actor> for Author<'a> {
    /// The id stands in the place of a name that a token does not give.
    fn from(actor: &'a Actor) -> Self {
        Self { id: actor.id(), name: Some(actor.name()).filter(|name| *name != actor.id()) }
    }
}

/// Whose work a version is.
#[derive(Debug, Clone, Copy)]
pub(super) struct By<'a> {
    /// Who wrote it.
    pub(super) author: Author<'a>,
    /// Who approved it, if it was a draft.
    pub(super) approver: Option<Author<'a>>,
}

/// [`put`], of texts that may have been a draft.
///
/// # Errors
/// As [`put`].
pub(super) async fn put_by(context: &Context, by: By<'_>, sources: &Sources<'_>) -> Result<PipelineVersion, PutError> {
    let compiled = compile(context, sources).await?;
    let pipeline = &compiled.plan().pipeline;
    let name = &pipeline.name;
    check_name("the name of a pipeline", name)?;
    let hash = hash(sources);
    let intake = &pipeline.intake;
    let claim = claim_id(&intake.partner, &intake.path);
    for _ in 0..10 {
        let pointer = context.catalog.get(PIPELINES, &pointer_id(name)).await?;
        let live: Option<PipelinePointer> = pointer.as_ref().map(Document::parse).transpose()?;
        if let Some(live) = &live {
            let version = get(context, name, live.version).await?;
            if version.hash == hash {
                return Ok(version);
            }
        }
        let stored_claim = context.catalog.get(PIPELINES, &claim).await?;
        let owner = stored_claim.as_ref().and_then(|c| c.body["pipeline"].as_str());
        if let Some(other) = owner.filter(|o| o != name) {
            let message =
                format!("pipeline {other} takes the files of {} at {} already: change that one, or the path", intake.partner, intake.path);
            return Err(Error::refused("A0010", message).into());
        }
        let version = create_version(context, by, name, live.as_ref().map_or(0, |l| l.version), sources, &hash).await?;
        let next = PipelinePointer {
            name: name.clone(),
            partner: intake.partner.clone(),
            path: intake.path.clone(),
            version: version.version,
            updated_at: context.now(),
        };
        // Pointer and claims change together: two pipelines never take the same files.
        let (id, kind, live_now) = (pointer_id(name), "pipeline", body(&next)?);
        let mut writes = vec![match pointer {
            Some(document) => Write::Replace { id, kind, body: live_now, etag: document.etag },
            None => Write::Create { id, kind, body: live_now },
        }];
        if stored_claim.is_none() {
            writes.push(Write::Create { id: claim.clone(), kind: "claim", body: serde_json::json!({ "pipeline": name }) });
        }
        if let Some(old) = live.map(|l| claim_id(&l.partner, &l.path)).filter(|old| *old != claim)
            && let Some(document) = context.catalog.get(PIPELINES, &old).await?
        {
            writes.push(Write::Delete { id: old, etag: document.etag });
        }
        if context.catalog.commit(PIPELINES, writes).await? == Committed::Done {
            context.plans.forget_live();
            return Ok(version);
        }
    }
    Err(Error::transient("K0409", format!("pipeline {name} was changed by others ten times in a row")).into())
}

/// Stores the texts under the first number after `live` that is free, or holds the same texts (of an attempt that did not get to the end).
async fn create_version(
    context: &Context,
    by: By<'_>,
    name: &str,
    live: u32,
    sources: &Sources<'_>,
    hash: &str,
) -> Result<PipelineVersion, Error> {
    let mut version = PipelineVersion {
        name: name.to_owned(),
        version: live,
        pipeline: sources.pipeline.to_owned(),
        contract: sources.contract.to_owned(),
        hash: hash.to_owned(),
        created_at: context.now(),
        created_by: by.author.id.to_owned(),
        created_by_name: by.author.name.map(str::to_owned),
        approved_by: by.approver.map(|approver| approver.id.to_owned()),
        approved_by_name: by.approver.and_then(|approver| approver.name).map(str::to_owned),
    };
    loop {
        version.version += 1;
        let write = Write::Create { id: version_id(version.version), kind: "pipelineVersion", body: body(&version)? };
        if context.catalog.commit(&partition(name), vec![write]).await? == Committed::Done {
            return Ok(version);
        }
        let found = get(context, name, version.version).await?;
        if found.hash == hash {
            return Ok(found);
        }
    }
}

pub(super) fn hash(sources: &Sources<'_>) -> String {
    let mut hasher = blake3::Hasher::new();
    for text in [sources.pipeline, sources.contract] {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

fn claim_id(partner: &str, path: &str) -> String {
    format!("claim:{}", blake3::hash(format!("{partner}\0{path}").as_bytes()).to_hex())
}
