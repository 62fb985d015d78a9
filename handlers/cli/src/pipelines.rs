//! `sluice pipelines`: stored pipelines and their versions.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::{Value, json};
use sluice_contract::{Draft, Mistakes};

use crate::api::connection::Connection;
use crate::api::{Body, Client, view};
use crate::check::prepare::{Texts, mistaken};
use crate::text::{Align, Table, shorten};
use crate::{Result, terminal};

/// Lists pipelines, stores a new version, shows versions.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice pipelines list
  sluice pipelines put samples/flights/flights.pipeline.yaml    (with the contract that it names)
  sluice pipelines versions flights
  sluice pipelines show flights > flights.pipeline.yaml

A pipeline is refused with all its mistakes at once, each with file and line. The same texts again are the same version.")]
pub(crate) struct PipelinesArguments {
    #[command(subcommand)]
    command: Option<PipelinesCommand>,
    /// Prints JSON, for programs
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

/// What to do with pipelines.
#[derive(Debug, Subcommand)]
enum PipelinesCommand {
    /// Lists pipelines with their live versions
    List,
    /// Stores a pipeline with the contract that it names, and makes it live
    Put {
        /// The pipeline file
        file: PathBuf,
    },
    /// Prints the live pipeline text
    Show {
        /// Pipeline name
        name: String,
        /// Prints the contract instead
        #[arg(long)]
        contract: bool,
    },
    /// Lists all versions of a pipeline
    Versions {
        /// Pipeline name
        name: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PipelineView {
    name: String,
    partner: String,
    path: String,
    version: u32,
    updated_at: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct VersionView {
    name: String,
    version: u32,
    hash: String,
    created_at: String,
    created_by: String,
}

#[derive(Debug, Deserialize)]
struct TextsView {
    pipeline: String,
    contract: String,
}

/// Runs the command.
pub(crate) async fn run(arguments: PipelinesArguments) -> Result<()> {
    let client = arguments.connection.client("emil")?;
    let json = arguments.json;
    match arguments.command.unwrap_or(PipelinesCommand::List) {
        PipelinesCommand::List => list(&client.get(&["pipelines"], &[]).await?, json),
        PipelinesCommand::Put { file } => {
            let stored = put(&client, &file).await?;
            if json {
                return terminal::json(&stored);
            }
            let version: VersionView = view(&stored)?;
            terminal::line(format!("{} version {} is live ({})", version.name, version.version, shorten(&version.hash, 16)))
        }
        PipelinesCommand::Show { name, contract } => {
            let value = client.get(&["pipelines", &name], &[]).await?;
            if json {
                return terminal::json(&value);
            }
            let texts: TextsView = view(&value)?;
            terminal::print(if contract { &texts.contract } else { &texts.pipeline })
        }
        PipelinesCommand::Versions { name } => versions(&client.get(&["pipelines", &name, "versions"], &[]).await?, json),
    }
}

fn list(value: &Value, json: bool) -> Result<()> {
    if json {
        return terminal::json(value);
    }
    let mut table = Table::new(&[
        ("pipeline", Align::Left),
        ("version", Align::Right),
        ("partner", Align::Left),
        ("path", Align::Left),
        ("updated", Align::Left),
    ]);
    for pipeline in view::<Vec<PipelineView>>(value)? {
        table.row([pipeline.name, pipeline.version.to_string(), pipeline.partner, pipeline.path, pipeline.updated_at]);
    }
    if table.is_empty() {
        terminal::note("no pipeline yet; sluice pipelines put stores one");
        return Ok(());
    }
    terminal::print(&table.to_string())
}

fn versions(value: &Value, json: bool) -> Result<()> {
    if json {
        return terminal::json(value);
    }
    let mut table = Table::new(&[("version", Align::Right), ("created", Align::Left), ("by", Align::Left), ("hash", Align::Left)]);
    for version in view::<Vec<VersionView>>(value)? {
        table.row([version.version.to_string(), version.created_at, version.created_by, version.hash]);
    }
    terminal::print(&table.to_string())
}

/// Stores a pipeline file with its contract. Mistakes are left to the service where it can find more of them than can be seen here.
pub(crate) async fn put(client: &Client, file: &Path) -> Result<Value> {
    let texts = Texts::read(file)?;
    let Draft { plan, mistakes, .. } = Draft::read(&texts.sources());
    let Some(name) = plan.map(|plan| plan.pipeline.name).filter(|name| !name.is_empty()) else { return Err(mistaken(&Mistakes(mistakes))) };
    let body = json!({
        "pipeline": texts.pipeline,
        "contract": texts.contract,
        "pipelineFile": texts.pipeline_file,
        "contractFile": texts.contract_file,
    });
    client.put(&["pipelines", &name], Body::Json(&body)).await
}
