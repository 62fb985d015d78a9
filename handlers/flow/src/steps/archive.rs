//! The end of a run, good or bad: the audit chain is exported, the receipt and the manifest are written, the raw copy moves to its tier and
//! the landing blob is removed if the pipeline says so.

use bytes::Bytes;
use futures::TryStreamExt as _;
use serde_json::json;
use sluice_contract::{Plan, Tier};
use sluice_engine::Compiled;

use crate::{
    BlobPath, Context, Created, Error, Kind, Message, Outputs, Result,
    audit::{self, Actor, Change},
    layout,
    manifest::{self, Manifest, PinnedPlan},
    pipelines, publication, receipt,
    revision::{self, Revision},
    run::{Run, State},
    runs::optional,
    steps::{decisions, void_cases},
    writer::Output,
};

/// Form of the manifest.
const FORMAT: u32 = 1;

/// Archives a run that is published, or that has ended without being published.
///
/// # Errors
/// Those of catalog and lake. An error that will not heal is a [`Kind::Bug`] here: the run has its end, which archiving must not change.
pub async fn run(context: &Context, message: Message) -> Result<Outputs> {
    archive(context, message).await.map_err(|error| match error.kind() {
        Kind::Transient | Kind::Bug => error,
        Kind::Permanent | Kind::Refused => Error::bug(error.code(), "the run could not be archived").because(error),
    })
}

async fn archive(context: &Context, message: Message) -> Result<Outputs> {
    let run = audit::load(context, &message.run).await?.run;
    let ended = run.state == State::Archiving || run.state.is_terminal();
    if !ended || run.receipt {
        return Ok(Outputs::none());
    }
    let published = run.state == State::Archiving;
    if !published {
        void_cases(context, &run.run_id).await?;
    }
    let compiled = compiled(context, &run).await?;
    let plan = compiled.as_deref().map(Compiled::plan);
    let revision = if run.cases > 0 { revision::load(context, &run).await? } else { None };
    let mut outputs = run_outputs(context, &run, compiled.as_deref(), revision.as_ref()).await?;
    let report = existing(context, &layout::report(&run)).await?;
    let stored = report.as_ref().map(|(output, bytes)| parse(output, bytes)).transpose()?;
    outputs.extend(report.map(|(output, _)| output));
    // What is written first counts: a repeated attempt goes on with it, whatever has happened to the run in between.
    outputs.push(once(context, manifest::audit(&run), chain(context, &run).await?).await?);
    let made = to_json(&receipt::make(&run, plan, stored, revision.as_ref()))?;
    let receipt = once(context, receipt::blob(&run), made).await?;
    outputs.push(receipt.clone());
    outputs.sort_by(|a, b| a.blob.cmp(&b.blob));
    let made = to_json(&manifest(context, &run, plan, outputs).await?)?;
    let manifest = once(context, manifest::blob(&run), made).await?;
    let removed = settle(context, &run, plan, published).await?;
    audit::update(context, &message.run, |run| {
        if run.receipt {
            return Ok(None);
        }
        if run.state == State::Archiving {
            run.state = State::Completed;
        }
        run.receipt = true;
        run.dead_letter = None;
        let detail =
            json!({ "outcome": run.state.name(), "manifest": manifest.sha256, "receipt": receipt.sha256, "landingRemoved": removed });
        Ok(Some(Change { actor: Actor::step("archive"), action: "run.archived", detail, writes: Vec::new() }))
    })
    .await?;
    Ok(Outputs::none())
}

/// The plan, if there is one that can be used: a run may have failed because its plan cannot.
async fn compiled(context: &Context, run: &Run) -> Result<Option<std::sync::Arc<Compiled>>> {
    if run.pinned.is_none() {
        return Ok(None);
    }
    match context.plans.of_run(context, run).await {
        Ok(compiled) => Ok(Some(compiled)),
        Err(error) if error.kind() == Kind::Permanent && run.state != State::Archiving => Ok(None),
        Err(error) => Err(error),
    }
}

/// The audit chain, one event a line.
async fn chain(context: &Context, run: &Run) -> Result<Bytes> {
    let mut text = Vec::new();
    for event in audit::events(context, &run.run_id).await?.iter().take(run.audit.seq as usize + 1) {
        text.extend(to_json(event)?);
        text.push(b'\n');
    }
    Ok(text.into())
}

fn to_json<T: serde::Serialize>(value: &T) -> Result<Bytes> {
    serde_json::to_vec(value)
        .map(Bytes::from)
        .map_err(|e| Error::bug("K0501", "a document of the archive could not be serialized").because(e))
}

/// Creates a small blob, or takes the one that is there.
async fn once(context: &Context, blob: BlobPath, bytes: Bytes) -> Result<Output> {
    match context.lake.create(&blob, bytes.clone(), &std::collections::BTreeMap::new()).await? {
        Created::New(_) => Ok(publication::hashed(blob, &bytes)),
        Created::Exists => {
            let found = existing(context, &blob).await?;
            found.map(|(output, _)| output).ok_or_else(|| Error::transient("D0206", format!("{blob} exists and cannot be read")))
        }
    }
}

async fn existing(context: &Context, blob: &BlobPath) -> Result<Option<(Output, Bytes)>> {
    let read = optional(context.lake.read(blob, 0..u64::MAX, None).await)?;
    Ok(read.map(|bytes| (publication::hashed(blob.clone(), &bytes), bytes)))
}

fn parse<T: serde::de::DeserializeOwned>(output: &Output, bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|e| Error::bug("K0500", format!("{} does not have the expected shape", output.blob)).because(e))
}

/// Every blob that the steps wrote and that counts.
async fn run_outputs(context: &Context, run: &Run, compiled: Option<&Compiled>, revision: Option<&Revision>) -> Result<Vec<Output>> {
    let mut outputs = Vec::new();
    if let Some(content) = &run.content {
        outputs.push(Output { blob: run.raw(), bytes: run.source.size, sha256: content.sha256.clone() });
    }
    if compiled.is_some() && run.counts.is_some() {
        let generations = layout::effective_chunks(context, run).await?;
        let mut ledgers = std::pin::pin!(publication::ledgers(context, run, &generations));
        while let Some((_, _, own, ledger)) = ledgers.try_next().await? {
            outputs.extend(ledger.outputs);
            outputs.push(own);
        }
    }
    if let Some(revision) = revision {
        outputs.extend(existing(context, &revision::ledger(run)).await?.map(|(output, _)| output));
        outputs.extend(revision.files.iter().map(|f| f.output.clone()).chain(revision.outputs.iter().cloned()));
    }
    if compiled.is_some_and(Compiled::aggregates)
        && let Some((output, bytes)) = existing(context, &publication::aggregate(run)).await?
    {
        let aggregate: publication::Aggregate = parse(&output, &bytes)?;
        outputs.push(output);
        outputs.extend(aggregate.files.into_iter().map(|f| f.output));
    }
    Ok(outputs)
}

async fn manifest(context: &Context, run: &Run, plan: Option<&Plan>, outputs: Vec<Output>) -> Result<Manifest> {
    let pinned = match &run.pinned {
        None => None,
        Some(pinned) => {
            let texts = pipelines::get(context, &pinned.pipeline, pinned.pipeline_version).await?;
            Some(PinnedPlan {
                name: pinned.pipeline.clone(),
                version: pinned.pipeline_version,
                hash: pinned.plan_hash.clone(),
                pipeline: texts.pipeline,
                contract: texts.contract,
                parameters: pinned.parameters.clone(),
                tables: pinned.tables.clone(),
                engine: pinned.engine.clone(),
            })
        }
    };
    Ok(Manifest {
        format: FORMAT,
        run: run.run_id.clone(),
        submission: run.submission.clone(),
        outcome: if run.state == State::Archiving { State::Completed } else { run.state },
        failure: run.failure.clone(),
        source: run.source.clone(),
        content: run.content.clone(),
        raw: run.content.as_ref().map(|_| run.raw()),
        plan: pinned,
        counts: run.counts,
        chunks: if run.counts.is_some() { layout::effective_chunks(context, run).await? } else { Vec::new() },
        cases: if run.cases > 0 { decisions::cases(context, run).await? } else { Vec::new() },
        outputs,
        published: plan.zip(run.table_version).map(|(plan, version)| (plan.pipeline.publish.table.clone(), version)),
        keep_until: receipt::keep_until(run, plan),
        audit: run.audit.clone(),
    })
}

/// Tier of the raw copy, and the landing blob. Gives whether the landing blob was removed.
async fn settle(context: &Context, run: &Run, plan: Option<&Plan>, published: bool) -> Result<bool> {
    let Some(archive) = plan.map(|p| &p.pipeline.archive) else { return Ok(false) };
    if run.content.is_some() && archive.tier != Tier::Hot {
        context.lake.set_tier(&run.raw(), archive.tier).await?;
    }
    let landing = run.source.blob.container.starts_with(crate::lake::LANDING_PREFIX);
    if !(published && archive.remove_landing && landing) {
        return Ok(false);
    }
    match context.lake.delete(&run.source.blob, Some(&run.source.etag)).await {
        Ok(()) => Ok(true),
        // The partner has written another version: that one is another submission's.
        Err(error) if error.code() == "L0412" => Ok(false),
        Err(error) => Err(error),
    }
}
