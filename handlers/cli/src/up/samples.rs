//! The sample pipelines of the repository: what they need, and how they get into a running Sluice.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sluice_contract::Plan;
use sluice_engine::Compiled;

use crate::api::Client;
use crate::check::prepare::{Texts, mistaken};
use crate::fault::FileContext as _;
use crate::{Fault, Result, pipelines, tables, terminal};

/// One pipeline file with its plan.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) file: PathBuf,
    pub(crate) plan: Plan,
}

/// Every `*.pipeline.yaml` in the subfolders of `folder`; none if there is no such folder.
pub(crate) fn find(folder: &Path) -> Result<Vec<Sample>> {
    let mut samples = Vec::new();
    if !folder.is_dir() {
        return Ok(samples);
    }
    for entry in std::fs::read_dir(folder).file("read", folder)? {
        let path = entry.file("read", folder)?.path();
        if !path.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(&path).file("read", &path)? {
            let file = file.file("read", &path)?.path();
            if file.to_string_lossy().ends_with(".pipeline.yaml") {
                let plan = Texts::read(&file)?.plan().map_err(|mistakes| mistaken(&mistakes))?;
                samples.push(Sample { file, plan });
            }
        }
    }
    samples.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(samples)
}

/// Names of the secrets that the samples need.
pub(crate) fn secret_names(samples: &[Sample]) -> BTreeSet<String> {
    samples.iter().flat_map(|sample| Compiled::required_secrets(&sample.plan)).collect()
}

/// Stores reference tables and pipelines that are not there yet. A pipeline that somebody has changed since stays as it is.
pub(crate) async fn store(client: &Client, samples: &[Sample]) -> Result<()> {
    let listed = client.get(&["tables"], &[]).await?;
    let mut there: BTreeSet<String> =
        listed.as_array().into_iter().flatten().filter_map(|table| table["name"].as_str().map(str::to_owned)).collect();
    for sample in samples {
        for name in Compiled::required_tables(&sample.plan) {
            if there.insert(name.clone()) {
                let folder = sample.file.parent().unwrap_or(Path::new(""));
                tables::put(client, &name, &folder.join("reference").join(format!("{name}.csv"))).await?;
                terminal::note(format!("stored reference table {name}"));
            }
        }
        let name = &sample.plan.pipeline.name;
        if client.find(&["pipelines", name]).await?.is_none() {
            pipelines::put(client, &sample.file)
                .await
                .map_err(|fault| Fault { message: format!("{}: {}", sample.file.display(), fault.message), ..fault })?;
            terminal::note(format!("stored pipeline {name}"));
        }
    }
    Ok(())
}
