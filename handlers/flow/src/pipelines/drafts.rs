//! Drafts: texts that go live only when somebody else approves them.

use serde::{Deserialize, Serialize};
use sluice_contract::Sources;

use super::{
    PipelineVersion, PutError, check_name, partition,
    put::{By, hash, put_by},
    tables::compile,
};
use crate::{Committed, Context, Document, ETag, Error, Result, Write, audit::Actor, catalog::body};

/// Id of a draft in the partition of its pipeline, which has one at most.
const DRAFT: &str = "draft";

/// The next version of a pipeline, not live yet; document [`DRAFT`] in partition `pipeline:<name>`, kind `pipelineDraft`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PipelineDraft {
    /// Pipeline name.
    pub name: String,
    /// YAML text of the pipeline.
    pub pipeline: String,
    /// YAML text of the contract.
    pub contract: String,
    /// BLAKE3 of both texts, hex: an approval names it, so that it is bound to the texts that were read.
    pub hash: String,
    /// Who wrote it last.
    pub author: Actor,
    /// RFC 3339.
    pub created_at: String,
}

impl PipelineDraft {
    fn sources(&self) -> Sources<'_> {
        Sources { pipeline_file: "pipeline.yaml", pipeline: &self.pipeline, contract_file: "contract.odcs.yaml", contract: &self.contract }
    }
}

/// What a draft may take the place of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over<'a> {
    /// Whatever is there.
    Anything,
    /// Only if there is none.
    Nothing,
    /// The draft with this hash.
    Draft(&'a str),
}

impl Over<'_> {
    fn check(self, found: Option<&PipelineDraft>) -> Result<()> {
        match (self, found) {
            (Self::Anything, _) | (Self::Nothing, None) => Ok(()),
            (Self::Draft(hash), Some(draft)) if draft.hash == hash => Ok(()),
            (_, None) => Err(Error::refused("A0412", "there is no draft any more, it went live or was thrown away: nothing was stored")),
            (_, Some(draft)) => {
                let message = format!(
                    "there is another draft, which {} wrote at {}: read it; nothing was stored",
                    draft.author.name(),
                    draft.created_at
                );
                Err(Error::refused("A0412", message))
            }
        }
    }
}

/// Stores the draft of a pipeline in the place of the one before. The same texts again change nothing, nor whose they are.
///
/// # Errors
/// Every mistake in the texts, with its place; [`crate::Kind::Refused`] `A0412` if what is there is not what `over` says; those of the catalog.
pub async fn put_draft(context: &Context, actor: &Actor, sources: &Sources<'_>, over: Over<'_>) -> Result<PipelineDraft, PutError> {
    let compiled = compile(context, sources).await?;
    let name = &compiled.plan().pipeline.name;
    check_name("the name of a pipeline", name)?;
    let draft = PipelineDraft {
        name: name.clone(),
        pipeline: sources.pipeline.to_owned(),
        contract: sources.contract.to_owned(),
        hash: hash(sources),
        author: actor.clone(),
        created_at: context.now(),
    };
    let (id, kind) = (DRAFT.to_owned(), "pipelineDraft");
    for _ in 0..10 {
        let before = read(context, name).await?;
        over.check(before.as_ref().map(|(before, _)| before))?;
        let write = match before {
            Some((before, _)) if before.hash == draft.hash => return Ok(before),
            Some((_, etag)) => Write::Replace { id: id.clone(), kind, body: body(&draft)?, etag },
            None => Write::Create { id: id.clone(), kind, body: body(&draft)? },
        };
        // Only over what was looked at: somebody else may have been faster.
        if context.catalog.commit(&partition(name), vec![write]).await? == Committed::Done {
            return Ok(draft);
        }
    }
    Err(Error::transient("K0409", format!("the draft of pipeline {name} was changed by others ten times in a row")).into())
}

async fn read(context: &Context, name: &str) -> Result<Option<(PipelineDraft, ETag)>> {
    let found: Option<Document> = context.catalog.get(&partition(name), DRAFT).await?;
    found.map(|document| Ok((document.parse()?, document.etag))).transpose()
}

/// The draft of a pipeline.
///
/// # Errors
/// Refused `A0404` if there is none; those of the catalog.
pub async fn draft(context: &Context, name: &str) -> Result<PipelineDraft> {
    Ok(existing(context, name).await?.0)
}

async fn existing(context: &Context, name: &str) -> Result<(PipelineDraft, ETag)> {
    read(context, name).await?.ok_or_else(|| Error::refused("A0404", format!("pipeline {name} has no draft")))
}

/// A draft that was thrown away; document `withdrawn:<time>` in partition `pipeline:<name>`, kind `withdrawnDraft`. Never changed.
#[derive(Debug, Serialize)]
struct WithdrawnDraft<'a> {
    hash: &'a str,
    author: &'a Actor,
    withdrawn_by: &'a Actor,
    withdrawn_at: &'a str,
}

/// Throws the draft of a pipeline away; who did is kept.
///
/// # Errors
/// Refused `A0404` if there is none, `A0409` if it is changed at this moment; those of the catalog.
pub async fn delete_draft(context: &Context, actor: &Actor, name: &str) -> Result<()> {
    let (draft, etag) = existing(context, name).await?;
    let now = context.now();
    let trace = WithdrawnDraft { hash: &draft.hash, author: &draft.author, withdrawn_by: actor, withdrawn_at: &now };
    let trace = Write::Create { id: format!("withdrawn:{now}"), kind: "withdrawnDraft", body: body(&trace)? };
    remove(context, name, etag, Some(trace)).await
}

async fn remove(context: &Context, name: &str, etag: ETag, trace: Option<Write>) -> Result<()> {
    let writes = std::iter::once(Write::Delete { id: DRAFT.to_owned(), etag }).chain(trace).collect();
    match context.catalog.commit(&partition(name), writes).await? {
        Committed::Done => Ok(()),
        Committed::Conflict { .. } => Err(changed()),
    }
}

fn changed() -> Error {
    Error::refused("A0409", "the draft is not the one that you saw (changed since): read it again; nothing went live")
}

/// Makes a draft the live version: somebody else than its author has read it.
///
/// # Errors
/// Refused: `A0404` there is no draft; `A0409` it is not the one that was read; `A0403` its author cannot approve it; otherwise as
/// [`super::put`].
pub async fn approve_draft(context: &Context, actor: &Actor, name: &str, hash: &str) -> Result<PipelineVersion, PutError> {
    let (draft, etag) = existing(context, name).await?;
    if draft.hash != hash {
        return Err(changed().into());
    }
    if draft.author.is(actor) {
        return Err(Error::refused("A0403", "you wrote this draft: somebody else must approve it").into());
    }
    let by = By { author: (&draft.author).into(), approver: Some(actor.into()) };
    let version = put_by(context, by, &draft.sources()).await?;
    // A draft that was stored meanwhile is another one: it stays.
    match remove(context, name, etag, None).await {
        Err(error) if error.code() != "A0409" => Err(error.into()),
        _ => Ok(version),
    }
}
