//! Reference tables (content-addressed CSV) and secrets, as a plan needs them.

use bytes::Bytes;
use sluice_contract::{Draft, Mistakes, Plan, Sources};
use sluice_engine::{Compiled, ReferenceTables, Secrets};

use super::{PinnedTables, PutError, ReferenceTable, all, check_name, find::complete, get, list, parameters};
use crate::{BlobPath, Context, Error, Kind, Query, Result, Write, catalog::body, cpu, lake::REFERENCE, writer};

/// Partition of the `table:<name>` documents.
const TABLES: &str = "tables";

/// Largest reference table: it is held in memory by every instance that runs a pipeline with it.
const MOST_BYTES: usize = 64 << 20;

/// All reference tables, by name.
///
/// # Errors
/// Those of the catalog.
pub async fn tables(context: &Context) -> Result<Vec<ReferenceTable>> {
    all(context, Query { kind: "table", partition: Some(TABLES.to_owned()), ..Query::default() }).await
}

/// Stores a new content of a reference table (CSV, RFC 4180, UTF-8, header first). New runs use it; runs under way keep theirs. Refused if a
/// live pipeline that looks it up could not be used with it.
///
/// # Errors
/// Mistakes of the pipelines that need it; [`Kind::Refused`] if the name, the size (`A0014`) or the text (`F0040`) is wrong.
pub async fn put_table(context: &Context, actor_id: &str, name: &str, csv: Bytes) -> Result<ReferenceTable, PutError> {
    check_name("the name of a reference table", name)?;
    if csv.len() > MOST_BYTES {
        let message = format!("a reference table has at most {MOST_BYTES} bytes, found {}: publish it as a table of its own", csv.len());
        return Err(Error::refused("A0014", message).into());
    }
    let batch = read_csv(name, csv.clone()).await?;
    let columns = batch.schema().fields().iter().map(|f| f.name().clone()).collect();
    let hash = blake3::hash(&csv).to_hex();
    let blob = BlobPath::new(REFERENCE, format!("{name}/{hash}.csv"));
    try_pipelines(context, name, &batch).await?;
    writer::write(context, blob.clone(), &csv).await?;
    let rows = batch.num_rows() as u64;
    let table = ReferenceTable { name: name.to_owned(), blob, columns, rows, updated_at: context.now(), updated_by: actor_id.to_owned() };
    let write = Write::Put { id: format!("table:{name}"), kind: "table", body: body(&table)? };
    context.catalog.commit(TABLES, vec![write]).await?;
    context.plans.forget_live();
    Ok(table)
}

/// Compiles every live pipeline that needs the table with its new content.
async fn try_pipelines(context: &Context, name: &str, batch: &arrow::array::RecordBatch) -> Result<(), PutError> {
    let stored = tables(context).await?;
    let mut mistakes = Vec::new();
    for pointer in list(context).await? {
        let version = get(context, &pointer.name, pointer.version).await?;
        // What is wrong with a stored pipeline already is not the table's fault.
        let Ok(plan) = Plan::parse(&version.sources()) else { continue };
        let required = Compiled::required_tables(&plan);
        if !required.iter().any(|t| t == name) {
            continue;
        }
        let others =
            stored.iter().filter(|t| t.name != name && required.contains(&t.name)).map(|t| (t.name.clone(), t.blob.clone())).collect();
        let mut tables = load_tables(context, &others).await?;
        tables.0.insert(name.to_owned(), batch.clone());
        let secrets = load_secrets(context, &plan, Missing::IsLeftOut).await?;
        let values = complete(&plan, parameters(context, &pointer.name).await?.as_ref());
        if let Err(Mistakes(found)) = Compiled::new(plan, values, tables, secrets) {
            // Only what names this table's rows or columns: a table that is still missing does not keep this one out.
            mistakes.extend(
                version
                    .sources()
                    .place(Mistakes(found))
                    .0
                    .into_iter()
                    .filter(|m| ["E0011", "E0012"].contains(&m.code.as_str()) && m.message.contains(name)),
            );
        }
    }
    if mistakes.is_empty() { Ok(()) } else { Err(Mistakes(mistakes).into()) }
}

async fn read_csv(name: &str, csv: Bytes) -> Result<arrow::array::RecordBatch> {
    let name = name.to_owned();
    Ok(cpu::run(csv.len(), move || ReferenceTables::read_csv(&name, &csv)).await??)
}

/// Reads pinned reference tables.
///
/// # Errors
/// Those of the lake; [`Kind::Permanent`] `I0003` if a table's bytes are not those of its name.
pub(crate) async fn load_tables(context: &Context, pinned: &PinnedTables) -> Result<ReferenceTables> {
    let mut tables = ReferenceTables::default();
    for (name, blob) in pinned {
        let csv = context.lake.read(blob, 0..u64::MAX, None).await?;
        if !blob.path.ends_with(&format!("/{}.csv", blake3::hash(&csv).to_hex())) {
            return Err(Error::permanent(
                "I0003",
                format!("{blob} does not hold the bytes it is named after: upload reference table {name} again"),
            ));
        }
        tables.0.insert(name.clone(), read_csv(name, csv).await?);
    }
    Ok(tables)
}

/// What a missing secret means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// `V0404`.
    IsAnError,
    /// The engine says where it is needed.
    IsLeftOut,
}

/// The secrets that a plan needs.
///
/// # Errors
/// Those of the secret store.
pub(crate) async fn load_secrets(context: &Context, plan: &Plan, missing: Missing) -> Result<Secrets> {
    let mut secrets = Secrets::default();
    for name in Compiled::required_secrets(plan) {
        match context.secrets.secret(&name).await {
            Ok(value) => drop(secrets.0.insert(name, value)),
            Err(error) if missing == Missing::IsLeftOut && error.kind() == Kind::Permanent => {}
            Err(error) => return Err(error),
        }
    }
    Ok(secrets)
}

/// Parses and compiles texts against what is stored now.
pub(super) async fn compile(context: &Context, sources: &Sources<'_>) -> Result<std::sync::Arc<Compiled>, PutError> {
    let draft = Draft::read(sources);
    let Some(plan) = &draft.plan else { return Err(Mistakes(draft.mistakes).into()) };
    let required = Compiled::required_tables(plan);
    let pinned = tables(context).await?.into_iter().filter(|t| required.contains(&t.name)).map(|t| (t.name, t.blob)).collect();
    let tables = load_tables(context, &pinned).await?;
    let secrets = load_secrets(context, plan, Missing::IsLeftOut).await?;
    let values = complete(plan, parameters(context, &plan.pipeline.name).await?.as_ref());
    Ok(Compiled::of_draft(draft, sources, values, tables, secrets)?)
}
