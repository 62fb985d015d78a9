//! Trying corrections while they are typed: the engine that decides later, and nothing is stored.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sluice_engine::{Problem, RevisedOutcome, revise};

use super::{belongs, changed, check_columns, read, revision, row_number, waiting};
use crate::{Context, Error, Result, audit, cpu, held::HeldReader, layout, review::Verdict, rows::find_chunk};

/// Most rows that are tried at once.
const MOST_ROWS: usize = 100;

/// What would become of a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TriedRow {
    /// 0-based number of the row in the file.
    pub row: u64,
    /// What would be published, by column after the tasks; `None` if it would not be.
    pub proposed: Option<Map<String, Value>>,
    /// Whether a filter of the pipeline would leave it out.
    pub filtered: bool,
    /// Everything that would still be wrong with it.
    pub problems: Vec<Problem>,
}

/// Puts rows of a case through the engine as if they were corrected so; row number (as text) to column and value as one types it.
///
/// # Errors
/// Refused: `W0404` no such case; `W0409` the rows are not those that were seen; `W0410` decided or void; `W0413` too many rows; `W0424` a
/// column cannot be corrected, or a row is not in the case; `W0425` not open yet. Those of catalog and lake.
pub async fn try_corrections(
    context: &Context,
    case_id: &str,
    digest: &str,
    rows: BTreeMap<String, BTreeMap<String, Option<String>>>,
) -> Result<Vec<TriedRow>> {
    if rows.len() > MOST_ROWS {
        return Err(Error::refused("W0413", format!("at most {MOST_ROWS} rows are tried at once, found {}", rows.len())));
    }
    let case = read(context, case_id).await?.case;
    waiting(&case)?;
    if case.digest != digest {
        return Err(changed());
    }
    let mut wanted = rows.keys().map(|row| row_number(row)).collect::<Result<BTreeSet<u64>>>()?;
    let run = audit::load(context, &case.run).await?.run;
    let compiled = context.plans.of_run(context, &run).await?;
    let corrections: BTreeMap<String, Verdict> = rows.into_iter().map(|(row, values)| (row, Verdict::Correct { values })).collect();
    for verdict in corrections.values() {
        check_columns(&compiled, verdict)?;
    }
    let Some(first) = wanted.first() else { return Ok(Vec::new()) };
    // The chunks before the first row are of no interest.
    let start = find_chunk(context, &run, *first).await?.map_or(0, |(chunk, _)| chunk);
    let mut found = Vec::new();
    'chunks: for (chunk, generation) in (0u32..).zip(layout::effective_chunks(context, &run).await?).skip(start as usize) {
        let mut reader = HeldReader::new(context, layout::held(&run, generation, chunk), 0);
        while let Some((held, _)) = reader.next().await? {
            if belongs(&case, &held.cause)
                && let Some(verdict) = corrections.get(&held.row.to_string())
            {
                wanted.remove(&held.row);
                found.push(revision(held, verdict));
            }
            if wanted.is_empty() {
                break 'chunks;
            }
        }
    }
    if let Some(row) = wanted.first() {
        return Err(Error::refused("W0424", format!("row {row} is not in the case")));
    }
    let id = run.run_id.to_string();
    let (found, revised) = cpu::run(usize::MAX, move || {
        let revised = revise(&compiled, &id, &found);
        (found, revised)
    })
    .await?;
    Ok(found.iter().zip(revised?.outcomes).map(|(row, outcome)| tried(row.held.row, outcome)).collect())
}

fn tried(row: u64, outcome: RevisedOutcome) -> TriedRow {
    match outcome {
        RevisedOutcome::Accepted { proposed } => TriedRow { row, proposed: Some(proposed), filtered: false, problems: Vec::new() },
        RevisedOutcome::Filtered => TriedRow { row, proposed: None, filtered: true, problems: Vec::new() },
        RevisedOutcome::Problems(problems) => TriedRow { row, proposed: None, filtered: false, problems },
    }
}
