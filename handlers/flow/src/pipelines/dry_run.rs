//! Trying a pipeline on a sample: the same engine, nothing stored.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sluice_contract::Sources;
use sluice_engine::{Code, Compiled, EngineError, HeldRow, Refusal, RunReport, Splitting, Stream, Tally, Verdict, rejected_header};

use super::{
    PutError,
    sample::{Sample, SampleBytes, Work},
    tables::compile,
};
use crate::{Context, Error, Result, cpu};

/// What a dry run found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DryRun {
    /// Whether only the beginning of the file was tried.
    pub truncated: bool,
    /// Column names of the file's header.
    pub header: Option<Vec<String>>,
    /// Where the rows went and why.
    pub tally: Tally,
    /// Whether each quality rule holds for the sample.
    pub verdicts: Vec<Verdict>,
    /// Why the file as a whole would be refused.
    pub refusals: Vec<Refusal>,
    /// The first rejected rows with reasons, in the file's own format.
    pub rejected: String,
    /// The first held rows.
    pub held: Vec<HeldRow>,
}

/// Most bytes of rejected rows that a dry run shows.
const REJECTED_BYTES: usize = 64 << 10;
/// Most held rows that a dry run shows.
const HELD_ROWS: usize = 50;

/// Tries the texts on a sample of at most `limit` bytes. A longer one is cut after its last whole record.
///
/// # Errors
/// Every mistake in the texts; [`crate::Kind::Refused`] `A0016` if the sample is a part of a Parquet file.
pub async fn dry_run(context: &Context, sources: &Sources<'_>, sample: Sample, limit: u64) -> Result<DryRun, PutError> {
    let compiled = compile(context, sources).await?;
    let sample = SampleBytes::read(context, sample, limit).await?;
    let kind = sample.kind(&compiled)?;
    let done = cpu::run(sample.len(), move || try_out(&compiled, kind, &sample)).await?;
    Ok(done.map_err(Error::from)?)
}

/// Works through a sample. Why it would be refused as a whole is a finding, not an error.
pub(super) fn try_out(compiled: &Arc<Compiled>, kind: Splitting, sample: &SampleBytes) -> Result<DryRun, EngineError> {
    let mut found = DryRun {
        truncated: sample.is_truncated(),
        header: None,
        tally: Tally::default(),
        verdicts: Vec::new(),
        refusals: Vec::new(),
        rejected: String::new(),
        held: Vec::new(),
    };
    match run_sample(compiled, kind, sample, &mut found) {
        Err(EngineError::Refused(refusal)) => found.refusals.push(refusal),
        other => other?,
    }
    Ok(found)
}

fn run_sample(compiled: &Arc<Compiled>, kind: Splitting, sample: &SampleBytes, found: &mut DryRun) -> Result<(), EngineError> {
    let mut work = Work::new(compiled, kind, sample);
    let worked = work.run();
    found.header.clone_from(&work.header);
    let worked = worked?;
    found.truncated = worked.is_truncated;
    let mut report = RunReport::default();
    let mut rejected = rejected_header(compiled, found.header.as_deref());
    let mut held = Vec::new();
    for (outputs, chunk) in &worked.done {
        report.merge(chunk);
        for (stream, piece) in outputs {
            match stream {
                Stream::Rejected => rejected.extend_from_slice(piece),
                Stream::Held => held.extend_from_slice(piece),
                Stream::Accepted { .. } | Stream::Keys => {}
            }
        }
    }
    if rejected.len() > REJECTED_BYTES {
        // After the last line that is whole.
        let end = rejected[..REJECTED_BYTES].iter().rposition(|b| *b == b'\n').map_or(REJECTED_BYTES, |at| at + 1);
        rejected.truncate(end);
    }
    found.rejected = String::from_utf8_lossy(&rejected).into_owned();
    let lines = held.split(|b| *b == b'\n').filter(|l| !l.is_empty()).take(HELD_ROWS);
    for line in lines {
        found.held.push(serde_json::from_slice(line).map_err(|e| EngineError::Bug(format!("a held row is not what was written: {e}")))?);
    }
    found.verdicts = report.verdicts(compiled.plan(), &worked.repeats);
    found.refusals = report.refusals(compiled.plan(), &worked.repeats);
    if found.truncated {
        // How many rows there are, and what is measured over all of them, the beginning of a file cannot tell.
        found.refusals.retain(|refusal| !matches!(refusal.code, Code::NoRows | Code::QualityBroken));
    }
    found.tally = report.tally;
    Ok(())
}
