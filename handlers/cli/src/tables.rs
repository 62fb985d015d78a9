//! `sluice tables`: reference tables that pipelines look values up in.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::Value;

use crate::api::connection::Connection;
use crate::api::{Body, Client, view};
use crate::fault::FileContext as _;
use crate::text::{Align, Table, count, shorten};
use crate::{Result, terminal};

/// Lists reference tables, stores one.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice tables list
  sluice tables put airports samples/flights/reference/airports.csv

A table is CSV (UTF-8, header first). Runs that start from now on use it; runs that are under way keep theirs.")]
pub(crate) struct TablesArguments {
    #[command(subcommand)]
    command: Option<TablesCommand>,
    /// Prints JSON, for programs
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

/// What to do with tables.
#[derive(Debug, Subcommand)]
enum TablesCommand {
    /// Lists tables
    List,
    /// Stores a table
    Put {
        /// Its name, as pipelines call it
        name: String,
        /// A CSV file
        file: PathBuf,
    },
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TableView {
    name: String,
    columns: Vec<String>,
    rows: u64,
    updated_at: String,
}

/// Runs the command.
pub(crate) async fn run(arguments: TablesArguments) -> Result<()> {
    let client = arguments.connection.client("emil")?;
    let json = arguments.json;
    match arguments.command.unwrap_or(TablesCommand::List) {
        TablesCommand::List => list(&client.get(&["tables"], &[]).await?, json),
        TablesCommand::Put { name, file } => {
            let stored = put(&client, &name, &file).await?;
            if json {
                return terminal::json(&stored);
            }
            let table: TableView = view(&stored)?;
            terminal::line(format!("{}: {} rows, columns {}", table.name, count(table.rows), table.columns.join(", ")))
        }
    }
}

fn list(value: &Value, json: bool) -> Result<()> {
    if json {
        return terminal::json(value);
    }
    let mut table = Table::new(&[("table", Align::Left), ("rows", Align::Right), ("updated", Align::Left), ("columns", Align::Left)]);
    for row in view::<Vec<TableView>>(value)? {
        table.row([row.name, count(row.rows), row.updated_at, shorten(&row.columns.join(", "), 80)]);
    }
    if table.is_empty() {
        terminal::note("no table yet; sluice tables put stores one");
        return Ok(());
    }
    terminal::print(&table.to_string())
}

/// Stores a CSV file as a reference table.
pub(crate) async fn put(client: &Client, name: &str, file: &Path) -> Result<Value> {
    let bytes = std::fs::read(file).file("read", file)?;
    client.put(&["tables", name], Body::Csv(&bytes)).await
}
