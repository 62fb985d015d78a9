//! Values of a pipeline's parameters: immutable numbered versions, the highest being in force.

use sluice_contract::{Parameters, Plan};
use sluice_engine::Compiled;

use super::{
    ParametersVersion, PutError, all,
    find::complete,
    get, live, partition,
    tables::{Missing, load_secrets, load_tables, tables},
};
use crate::{Committed, Context, Query, Result, Write, catalog::body};

/// The values in force; `None` if none were ever set (the defaults).
///
/// # Errors
/// Those of the catalog.
pub async fn parameters(context: &Context, name: &str) -> Result<Option<ParametersVersion>> {
    Ok(parameter_history(context, name).await?.pop())
}

/// All versions, oldest first.
///
/// # Errors
/// Those of the catalog.
pub async fn parameter_history(context: &Context, name: &str) -> Result<Vec<ParametersVersion>> {
    all(context, Query { kind: "parameters", partition: Some(partition(name)), ..Query::default() }).await
}

/// Stores new values: those that are not named keep the pipeline's default. Setting what is in force gives the version in force.
///
/// # Errors
/// Mistakes with each name that the pipeline does not declare and each value that does not fit; [`crate::Kind::Refused`] `A0404` if there is
/// no such pipeline.
pub async fn set_parameters(
    context: &Context,
    actor_id: &str,
    name: &str,
    values: Parameters,
    comment: &str,
) -> Result<ParametersVersion, PutError> {
    let pointer = live(context, name).await?;
    let version = get(context, name, pointer.version).await?;
    let plan = Plan::parse(&version.sources())?;
    plan.pipeline.check_parameters(&values)?;
    let mut next = ParametersVersion {
        name: name.to_owned(),
        version: 1,
        values,
        comment: comment.to_owned(),
        created_at: context.now(),
        created_by: actor_id.to_owned(),
    };
    let required = Compiled::required_tables(&plan);
    let pinned = tables(context).await?.into_iter().filter(|t| required.contains(&t.name)).map(|t| (t.name, t.blob)).collect();
    let (tables, secrets) = (load_tables(context, &pinned).await?, load_secrets(context, &plan, Missing::IsLeftOut).await?);
    Compiled::new(plan.clone(), complete(&plan, Some(&next)), tables, secrets)?;
    loop {
        if let Some(last) = parameters(context, name).await? {
            if last.values == next.values {
                return Ok(last);
            }
            next.version = last.version + 1;
        }
        let write = Write::Create { id: format!("parameters:{:08}", next.version), kind: "parameters", body: body(&next)? };
        if context.catalog.commit(&partition(name), vec![write]).await? == Committed::Done {
            context.plans.forget_live();
            return Ok(next);
        }
    }
}
