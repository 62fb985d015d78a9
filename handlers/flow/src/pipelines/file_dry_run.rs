//! Trying the beginning of a partner's file, before it is sent, on the pipeline that would take it.

use bytes::Bytes;

use super::{
    dry_run::{DryRun, try_out},
    find, nearest_paths,
    sample::SampleBytes,
};
use crate::{Context, Error, Result, cpu};

/// What would become of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct FileDryRun {
    /// Name of the pipeline that would take it.
    pub pipeline: String,
    /// Version of the pipeline.
    pub version: u32,
    /// What was found.
    pub found: DryRun,
}

/// Tries the first bytes of a file of `size` bytes that a partner would send to this path. Nothing is stored.
///
/// # Errors
/// [`crate::Kind::Refused`]: `A0001` or `A0002` if no pipeline takes the path, `A0016` if it is a part of a Parquet file; as [`find`] if the
/// pipeline cannot be used.
pub async fn dry_run_file(context: &Context, partner: &str, path: &str, bytes: Bytes, size: u64) -> Result<FileDryRun> {
    let Some((pinned, compiled)) = find(context, partner, path).await? else { return Err(untaken(context, partner, path).await?) };
    let sample = SampleBytes::beginning(path, bytes, size);
    let kind = sample.kind(&compiled)?;
    let found = cpu::run(sample.len(), move || try_out(&compiled, kind, &sample)).await??;
    Ok(FileDryRun { pipeline: pinned.pipeline, version: pinned.pipeline_version, found })
}

/// Why a file at this path would not be taken.
async fn untaken(context: &Context, partner: &str, path: &str) -> Result<Error> {
    let paths = nearest_paths(context, partner, path).await?;
    Ok(if paths.is_empty() {
        Error::refused("A0001", format!("no pipeline takes files of partner {partner}"))
    } else {
        Error::refused("A0002", format!("no pipeline of partner {partner} takes {path}; there are pipelines for: {}", paths.join(", ")))
    })
}
