//! Which pipeline takes a file, and what its run is pinned to.

use std::{cmp::Reverse, collections::BTreeMap, sync::Arc};

use globset::GlobBuilder;
use sluice_contract::{Parameters, Plan};
use sluice_engine::Compiled;

use super::{ParametersVersion, PinnedTables, PipelinePointer, get, parameters, tables};
use crate::{Context, Error, Result, run::Pinned};

/// The pipeline that takes a partner's file, compiled, with what its run is to be pinned to; `None` if there is none. If several do, the one
/// with the longest path wins (the most specific, as a rule), and of those the first by name. A change becomes visible within 5 seconds.
///
/// # Errors
/// Those of the catalog; [`crate::Kind::Permanent`] if the pipeline cannot be used: `A0005` (it has mistakes now), `V0404` (a secret is
/// missing), `A0013` (a reference table is missing).
pub async fn find(context: &Context, partner: &str, path: &str) -> Result<Option<(Pinned, Arc<Compiled>)>> {
    let live = context.plans.live(context).await?;
    let Some(pointer) = taking(&live.pointers, partner, path) else { return Ok(None) };
    let pinned = live.pinned(context, pointer).await?;
    let compiled = context.plans.get(context, &pinned).await?;
    Ok(Some((pinned, compiled)))
}

/// The name of the pipeline that would take a partner's file now, whether or not it can be used; `None` if there is none.
///
/// # Errors
/// Those of the catalog.
pub async fn taker(context: &Context, partner: &str, path: &str) -> Result<Option<String>> {
    let live = context.plans.live(context).await?;
    Ok(taking(&live.pointers, partner, path).map(|pointer| pointer.name.clone()))
}

/// The pipeline with the longest path among those that take a file, and of those the first by name.
fn taking<'a>(pointers: &'a [PipelinePointer], partner: &str, path: &str) -> Option<&'a PipelinePointer> {
    let taking = pointers.iter().filter(|p| p.partner == partner && takes(&p.path, path));
    taking.min_by_key(|p| (Reverse(p.path.len()), &p.name))
}

/// The paths that the pipelines of a partner take, those first that begin as `path` does.
///
/// # Errors
/// Those of the catalog.
pub async fn nearest_paths(context: &Context, partner: &str, path: &str) -> Result<Vec<String>> {
    let mut paths = paths_of(context, partner).await?;
    paths.sort_by_key(|taken| Reverse(taken.chars().zip(path.chars()).take_while(|(a, b)| a == b).count()));
    Ok(paths)
}

/// The paths that the pipelines of a partner take, sorted; empty if the partner has no pipeline.
///
/// # Errors
/// Those of the catalog.
pub async fn paths_of(context: &Context, partner: &str) -> Result<Vec<String>> {
    let live = context.plans.live(context).await?;
    let mut paths: Vec<_> = live.pointers.iter().filter(|p| p.partner == partner).map(|p| p.path.clone()).collect();
    paths.sort_unstable();
    Ok(paths)
}

/// Whether a glob takes a path. The contract checks globs when a pipeline is stored: one that cannot be read takes nothing.
fn takes(glob: &str, path: &str) -> bool {
    GlobBuilder::new(glob).literal_separator(true).build().is_ok_and(|g| g.compile_matcher().is_match(path))
}

/// What a run of the live version is pinned to now.
pub(crate) async fn pin(context: &Context, pointer: &PipelinePointer) -> Result<Pinned> {
    let version = get(context, &pointer.name, pointer.version).await?;
    let broken = |mistakes| {
        let (name, version) = (&pointer.name, pointer.version);
        Error::permanent("A0005", format!("version {version} of pipeline {name} cannot be used: put it right and reprocess"))
            .because(mistakes)
    };
    let plan = Plan::parse(&version.sources()).map_err(broken)?;
    let set = parameters(context, &pointer.name).await?;
    let stored = tables(context).await?;
    let mut pinned_tables = PinnedTables::new();
    for name in Compiled::required_tables(&plan) {
        let table = stored.iter().find(|t| t.name == name);
        let table = table.ok_or_else(|| {
            Error::permanent(
                "A0013",
                format!("pipeline {} needs reference table {name}, which is not there: upload it and reprocess", pointer.name),
            )
        })?;
        pinned_tables.insert(name, table.blob.clone());
    }
    Ok(Pinned {
        pipeline: pointer.name.clone(),
        pipeline_version: pointer.version,
        plan_hash: version.hash,
        parameters: complete(&plan, set.as_ref()),
        parameters_version: set.map_or(0, |s| s.version),
        tables: pinned_tables,
        engine: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

/// A value for each declared parameter: the one that was set, or the default.
pub(super) fn complete(plan: &Plan, set: Option<&ParametersVersion>) -> Parameters {
    let value = |name: &String| set.and_then(|s| s.values.get(name)).cloned();
    plan.pipeline
        .parameters
        .iter()
        .map(|(name, spec)| (name.clone(), value(name).unwrap_or_else(|| spec.default.clone())))
        .collect::<BTreeMap<_, _>>()
}

#[cfg(test)]
mod tests {
    use super::takes;

    #[test]
    fn one_star_stops_at_a_slash_and_two_do_not() {
        for (glob, path, taken) in [
            ("flights/*.csv", "flights/2013-01.csv", true),
            ("flights/*.csv", "flights/old/2013-01.csv", false),
            ("flights/**/*.csv", "flights/old/2013-01.csv", true),
            ("flights/**", "flights/a/b/c", true),
            ("*.csv", "flights/a.csv", false),
            ("orders-[0-9]*.ndjson", "orders-7.ndjson", true),
            ("orders-[0-9]*.ndjson", "orders-x.ndjson", false),
        ] {
            assert_eq!(takes(glob, path), taken, "{glob} {path}");
        }
    }
}
