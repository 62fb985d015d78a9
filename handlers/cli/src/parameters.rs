//! `sluice parameters`: values that a pipeline names and an operator may change.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sluice_contract::{ParameterSpec, Plan, Sources};

use crate::api::connection::Connection;
use crate::api::{Body, Client, view};
use crate::arguments::pair;
use crate::check::prepare::{mistaken, value};
use crate::text::{Align, Table};
use crate::{Fault, Result, terminal};

/// Shows the parameters of a pipeline, sets them.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice parameters show flights
  sluice parameters set flights long_delay_minutes=240 --comment 'summer schedule'

Values that are not named keep what they are. Runs that start from now on use them; runs under way keep theirs.")]
pub(crate) struct ParametersArguments {
    #[command(subcommand)]
    command: ParametersCommand,
    /// Prints JSON, for programs
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

/// What to do with parameters.
#[derive(Debug, Subcommand)]
enum ParametersCommand {
    /// Shows values and their history
    Show {
        /// Pipeline name
        pipeline: String,
    },
    /// Sets values
    Set {
        /// Pipeline name
        pipeline: String,
        /// Values
        #[arg(required = true, value_name = "NAME=VALUE", value_parser = pair)]
        values: Vec<(String, String)>,
        /// Why, for the audit log
        #[arg(long, default_value = "")]
        comment: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct History {
    version: u32,
    versions: Vec<Version>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names of the API")]
struct Version {
    version: u32,
    values: Map<String, Value>,
    comment: String,
    created_at: String,
}

/// Runs the command.
pub(crate) async fn run(arguments: ParametersArguments) -> Result<()> {
    let client = arguments.connection.client("olga")?;
    let json = arguments.json;
    match arguments.command {
        ParametersCommand::Show { pipeline } => {
            let history = client.get(&["parameters", &pipeline], &[]).await?;
            if json { terminal::json(&history) } else { show(&client, &pipeline, &history).await }
        }
        ParametersCommand::Set { pipeline, values, comment } => {
            let history = set(&client, &pipeline, &values, &comment).await?;
            if json { terminal::json(&history) } else { show(&client, &pipeline, &history).await }
        }
    }
}

fn current(history: &History) -> Map<String, Value> {
    history.versions.iter().find(|v| v.version == history.version).map(|v| v.values.clone()).unwrap_or_default()
}

/// The values as their declarations say; all that is wrong with them at once.
fn typed(pipeline: &str, declared: &BTreeMap<String, ParameterSpec>, values: &[(String, String)]) -> Result<Map<String, Value>> {
    let mut typed = Map::new();
    let mut faults = Vec::new();
    for (name, text) in values {
        match declared.get(name).map(|spec| value(name, spec.kind, text)) {
            Some(Ok(value)) => {
                typed.insert(name.clone(), serde_json::to_value(value).map_err(|error| Fault::internal(error.to_string()))?);
            }
            Some(Err(fault)) => faults.push(fault.message),
            None => {
                let known: Vec<&str> = declared.keys().map(String::as_str).collect();
                faults.push(format!("{pipeline} declares no parameter {name}; it has: {}", known.join(", ")));
            }
        }
    }
    if faults.is_empty() { Ok(typed) } else { Err(Fault::usage(faults.join("\n"))) }
}

/// What the live pipeline declares.
async fn declared(client: &Client, pipeline: &str) -> Result<BTreeMap<String, ParameterSpec>> {
    let live = client.get(&["pipelines", pipeline], &[]).await?;
    let text = |key: &str| live.get(key).and_then(Value::as_str).unwrap_or_default();
    let plan = Plan::parse(&Sources {
        pipeline_file: "pipeline",
        pipeline: text("pipeline"),
        contract_file: "contract",
        contract: text("contract"),
    });
    Ok(plan.map_err(|mistakes| mistaken(&mistakes))?.pipeline.parameters)
}

async fn show(client: &Client, pipeline: &str, history: &Value) -> Result<()> {
    let history: History = view(history)?;
    let set = current(&history);
    let mut table = Table::new(&[("parameter", Align::Left), ("value", Align::Right), ("default", Align::Right), ("meaning", Align::Left)]);
    for (name, spec) in declared(client, pipeline).await? {
        let default = serde_json::to_value(&spec.default).unwrap_or_default();
        let now = set.get(&name).unwrap_or(&default);
        table.row([name, now.to_string(), default.to_string(), spec.description.unwrap_or_default()]);
    }
    terminal::print(&table.to_string())?;
    for version in &history.versions {
        terminal::line(format!("version {} of {}: {}", version.version, version.created_at, crate::text::tame(&version.comment)))?;
    }
    Ok(())
}

async fn set(client: &Client, pipeline: &str, values: &[(String, String)], comment: &str) -> Result<Value> {
    let declared = declared(client, pipeline).await?;
    let history: History = view(&client.get(&["parameters", pipeline], &[]).await?)?;
    let mut all = current(&history);
    all.extend(typed(pipeline, &declared, values)?);
    client.put(&["parameters", pipeline], Body::Json(&json!({ "values": all, "comment": comment }))).await
}

#[cfg(test)]
mod tests {
    use sluice_contract::{ParameterType, ParameterValue};

    use super::*;

    #[test]
    fn every_value_that_does_not_fit_is_told_at_once() {
        let spec = |kind, default| ParameterSpec { kind, default, description: None };
        let declared = BTreeMap::from([
            ("days".to_owned(), spec(ParameterType::Integer, ParameterValue::Integer(1))),
            ("strict".to_owned(), spec(ParameterType::Boolean, ParameterValue::Boolean(true))),
        ]);
        let given = |pairs: &[(&str, &str)]| pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect::<Vec<_>>();
        let set = typed("p", &declared, &given(&[("days", "7"), ("strict", "false")])).unwrap();
        assert_eq!(Value::Object(set), json!({ "days": 7, "strict": false }));
        let fault = typed("p", &declared, &given(&[("days", "soon"), ("dais", "7"), ("strict", "maybe")])).unwrap_err();
        let lines: Vec<_> = fault.message.lines().collect();
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(lines[0].contains("soon") && lines[1].contains("dais") && lines[2].contains("maybe"), "{lines:?}");
    }
}
