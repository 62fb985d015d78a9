//! What a partner gets for a submission: what was received, what became of every row and why, and how to prove it.

use std::collections::BTreeMap;

use chrono::{DateTime, Days};
use serde::{Deserialize, Serialize};
use sluice_contract::Plan;
use sluice_engine::{ProblemCount, Totals, Verdict};

use crate::{
    BlobPath, Context, Result, RunId, SubmissionId,
    ledger::StoredReport,
    revision::Revision,
    run::{AuditHead, Counts, Declared, Failure, Run, State},
};

/// A receipt; `archive/<run>/receipt.json`. The same shape whatever became of the run. Raw values in it are the partner's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// The submission: this version of this file.
    pub submission: SubmissionId,
    /// The run.
    pub run: RunId,
    /// 1-based: how often this submission was worked through.
    pub attempt: u32,
    /// Partner id.
    pub partner: String,
    /// How it ended: `completed`, `rejected`, `failed` or `cancelled`.
    pub outcome: State,
    /// What was received.
    pub file: ReceivedFile,
    /// What it was checked against; `None` if no pipeline takes the file.
    pub checked_against: Option<CheckedAgainst>,
    /// Rows by outcome; `None` if the run ended before its rows had one, as it does when the file as a whole is refused.
    pub counts: Option<Counts>,
    /// What was found of all rows of a file that was refused as a whole after that, such as for too many rejected rows; nothing of it was
    /// published. `None` if there are `counts`, or if not all rows were looked at.
    #[serde(default)]
    pub checked: Option<Totals>,
    /// Why the file as a whole was not taken, with its place in the file.
    pub failure: Option<Failure>,
    /// Problems of rejected and held rows by code and column, each with samples.
    pub problems: Vec<ProblemCount>,
    /// Rows that a rule warned of, by rule.
    pub warnings: BTreeMap<String, u64>,
    /// Repairs by kind.
    pub repairs: BTreeMap<String, u64>,
    /// Whether each quality rule of the contract holds.
    pub quality: Vec<Verdict>,
    /// What people decided about held rows.
    pub review: Option<Reviewed>,
    /// Where the rejected rows are, with reasons, in the format of the file; `None` if there are none.
    pub rejected_rows: Option<RejectedRows>,
    /// Where the rows were published; `None` if none were.
    pub published: Option<Published>,
    /// RFC 3339: when the upload was noticed.
    pub received_at: String,
    /// RFC 3339: when the run came to this outcome.
    pub ended_at: String,
    /// ISO 8601 date up to which `archive.retain` of the pipeline asks to keep the raw copy and the records of the run; `None` for ever.
    #[serde(default)]
    pub keep_until: Option<String>,
    /// Head of the run's audit chain when the receipt was written.
    pub audit: AuditHead,
}

/// The file that was received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceivedFile {
    /// Path as the partner chose it.
    pub path: String,
    /// `ETag` of the version that was read.
    pub version: String,
    /// Bytes.
    pub bytes: u64,
    /// What the partner declared.
    pub declared: Declared,
    /// BLAKE3, hex: equals `b3sum` of the file; `None` if it was not read to its end.
    pub blake3: Option<String>,
    /// SHA-256, hex.
    pub sha256: Option<String>,
    /// The first submission with the same bytes, if this is a repeat.
    pub repeats: Option<SubmissionId>,
}

/// The contract and the pipeline of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckedAgainst {
    /// Contract id.
    pub contract: String,
    /// Contract version.
    pub contract_version: String,
    /// Pipeline name.
    pub pipeline: String,
    /// Pipeline version.
    pub pipeline_version: u32,
    /// Version of the parameters (0 = the defaults).
    pub parameters_version: u32,
    /// Version of the engine.
    pub engine: String,
}

/// What people decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reviewed {
    /// Rows published after a decision.
    pub corrected: u64,
    /// Rows rejected by a person.
    pub rejected: u64,
    /// Those of the rejected that were sent back to the partner.
    #[serde(default)]
    pub returned: u64,
}

/// Where the rejected rows are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RejectedRows {
    /// How many.
    pub rows: u64,
    /// Path of the API that gives them.
    pub path: String,
}

/// Where the rows were published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Published {
    /// Table.
    pub table: String,
    /// Version of the table.
    pub version: u64,
}

/// Where a run's receipt lies.
pub fn blob(run: &Run) -> BlobPath {
    run.archive("receipt.json")
}

/// The receipt of a run; `None` if it is not written yet.
///
/// # Errors
/// Those of the lake; [`crate::Kind::Bug`] `K0500` if it has another shape.
pub async fn read(context: &Context, run: &Run) -> Result<Option<Receipt>> {
    if !run.receipt {
        return Ok(None);
    }
    crate::writer::read_json(context, &blob(run)).await.map(Some)
}

/// The date up to which a run is to be kept, counted from the day it was received. `None` for ever.
pub(crate) fn keep_until(run: &Run, plan: Option<&Plan>) -> Option<String> {
    let days = plan?.pipeline.archive.retain_days?;
    let received = DateTime::parse_from_rfc3339(&run.created_at).ok()?;
    Some(received.to_utc().date_naive().checked_add_days(Days::new(u64::from(days)))?.to_string())
}

/// Makes the receipt of a run that has ended, or is about to complete.
pub fn make(run: &Run, plan: Option<&Plan>, report: Option<StoredReport>, revision: Option<&Revision>) -> Receipt {
    // Gather writes it once it has added up every chunk.
    let checked = report.as_ref().map(|stored| stored.report.tally.totals).filter(|_| run.counts.is_none());
    let StoredReport { report, verdicts } = report.unwrap_or_default();
    let rejected = run.counts.map_or(report.tally.totals.rejected, |c| c.rejected);
    Receipt {
        submission: run.submission.clone(),
        run: run.run_id.clone(),
        attempt: run.attempt,
        partner: run.partner.clone(),
        outcome: if run.state == State::Archiving { State::Completed } else { run.state },
        file: ReceivedFile {
            path: run.path.clone(),
            version: run.source.etag.0.clone(),
            bytes: run.source.size,
            declared: run.source.declared.clone(),
            blake3: run.content.as_ref().map(|c| c.blake3.clone()),
            sha256: run.content.as_ref().map(|c| c.sha256.clone()),
            repeats: run.content.as_ref().and_then(|c| c.repeats.clone()),
        },
        checked_against: plan.zip(run.pinned.as_ref()).map(|(plan, pinned)| CheckedAgainst {
            contract: plan.contract.id.clone(),
            contract_version: plan.contract.version.clone(),
            pipeline: pinned.pipeline.clone(),
            pipeline_version: pinned.pipeline_version,
            parameters_version: pinned.parameters_version,
            engine: pinned.engine.clone(),
        }),
        counts: run.counts,
        checked,
        failure: run.failure.clone(),
        problems: report.tally.problems,
        warnings: report.tally.warnings,
        repairs: report.tally.repairs,
        quality: verdicts,
        review: revision.map(|r| Reviewed { corrected: r.corrected.len(), rejected: r.rejected.len(), returned: r.returned.len() }),
        rejected_rows: (rejected > 0).then(|| RejectedRows { rows: rejected, path: format!("/api/submissions/{}/rejected", run.run_id) }),
        published: plan.zip(run.table_version).map(|(plan, version)| Published { table: plan.pipeline.publish.table.clone(), version }),
        received_at: run.created_at.clone(),
        ended_at: run.updated_at.clone(),
        keep_until: keep_until(run, plan),
        audit: run.audit.clone(),
    }
}
