//! `sluice local`: looks inside the stand-in for Azure that `sluice up` runs.

use std::io::Read as _;
use std::path::Path;

use clap::{Args, Subcommand};
use futures::TryStreamExt as _;
use serde_json::Value;
use url::Url;

use crate::api::connection::Connection;
use crate::api::unreachable;
use crate::text::{Align, Table, tame};
use crate::{Fault, Result, secrets, terminal};

/// Queues, dead letters, invocations and secrets of a local Sluice.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice local queues
  sluice local invocations             what the functions did, as it happens
  sluice local dead-letters transform
  sluice local resend transform        once the cause is gone
  sluice local secret set tailnum-key < key.txt
  sluice local secret list

A mask names its key, and a local Sluice has its secrets in the state folder: sluice up makes a random one for each that the samples
name; others are set here. The value comes from standard input or from an environment variable, never from the command line, which other
users of the machine can see. A Sluice that is running takes it at its next start.

In Azure the portal, Service Bus Explorer and the Functions monitor show the same.")]
pub(crate) struct LocalArguments {
    #[command(subcommand)]
    command: LocalCommand,
    #[command(flatten)]
    connection: Connection,
}

/// What to look at.
#[derive(Debug, Subcommand)]
enum LocalCommand {
    /// Lists queues with their numbers of messages, as JSON
    Queues,
    /// Lists functions with their numbers of invocations
    Functions,
    /// Follows invocations, one JSON object a line
    Invocations,
    /// Shows the dead letters of a queue, as JSON
    DeadLetters {
        /// Queue name
        queue: String,
    },
    /// Sends the dead letters of a queue again
    Resend {
        /// Queue name
        queue: String,
    },
    /// Sets and lists the secrets that masks name
    Secret {
        #[command(subcommand)]
        command: SecretCommand,
    },
}

/// What to do with secrets.
#[derive(Debug, Subcommand)]
enum SecretCommand {
    /// Sets a secret; the value is standard input to its end, without the last line end
    Set {
        /// Name, as the pipeline's `mask.key` says it
        name: String,
        /// Takes the value from this environment variable instead
        #[arg(long, value_name = "VARIABLE")]
        from_env: Option<String>,
    },
    /// Lists names, never values
    List,
}

/// Runs the command.
pub(crate) async fn run(arguments: LocalArguments) -> Result<()> {
    let LocalArguments { command, connection } = arguments;
    // Secrets are set before a local Sluice starts.
    let host = || connection.local_connection().map(|local| local.host);
    let http = reqwest::Client::new();
    match command {
        LocalCommand::Queues => terminal::json(&get(&http, &host()?, &["queues"]).await?),
        LocalCommand::Functions => functions(&get(&http, &host()?, &["functions"]).await?),
        LocalCommand::Invocations => invocations(&http, &host()?).await,
        LocalCommand::DeadLetters { queue } => terminal::json(&get(&http, &host()?, &["queues", &queue, "deadletter"]).await?),
        LocalCommand::Resend { queue } => {
            let url = url(&host()?, &["queues", &queue, "deadletter", "resend"]);
            terminal::json(&answer(http.post(url.clone()), &url).await?)
        }
        LocalCommand::Secret { command } => secret(connection.state_dir(), command),
    }
}

fn secret(state_dir: &Path, command: SecretCommand) -> Result<()> {
    match command {
        SecretCommand::Set { name, from_env } => {
            let value = match from_env {
                Some(variable) => std::env::var(&variable)
                    .map_err(|_| Fault::usage(format!("the environment variable {variable} is not set, or is no text")))?,
                None => from_input()?,
            };
            let was_there = secrets::set(state_dir, &name, &value)?;
            let done = if was_there { "has a new value: what it masks from now on differs from what it masked before" } else { "is set" };
            terminal::note(format!("the secret {name} {done}; a Sluice that is running takes it at its next start"));
            Ok(())
        }
        SecretCommand::List => secrets::read(state_dir)?.keys().try_for_each(terminal::line),
    }
}

/// A value from standard input: the key of a file, or what was piped in, ends with a line end that is not meant.
fn from_input() -> Result<String> {
    let mut value = String::new();
    std::io::stdin()
        .read_to_string(&mut value)
        .map_err(|error| Fault::usage(format!("cannot read the value from standard input: {error}")))?;
    let end = value.strip_suffix('\n').map_or(value.len(), |v| v.strip_suffix('\r').unwrap_or(v).len());
    value.truncate(end);
    Ok(value)
}

fn url(host: &Url, path: &[&str]) -> Url {
    let mut url = host.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().push("devhost").extend(path);
    }
    url
}

async fn get(http: &reqwest::Client, host: &Url, path: &[&str]) -> Result<Value> {
    let url = url(host, path);
    answer(http.get(url.clone()), &url).await
}

async fn answer(request: reqwest::RequestBuilder, url: &Url) -> Result<Value> {
    let response = request.send().await.map_err(|error| unreachable(url, &error))?;
    let status = response.status();
    if !status.is_success() {
        let text = response.text().await.unwrap_or_default();
        return Err(Fault::usage(format!("the local host answered {status}: {}", tame(text.trim()))));
    }
    response.json().await.map_err(|error| unreachable(url, &error))
}

fn functions(value: &Value) -> Result<()> {
    let mut table =
        Table::new(&[("function", Align::Left), ("trigger", Align::Left), ("succeeded", Align::Right), ("failed", Align::Right)]);
    for function in value.as_array().into_iter().flatten() {
        let text = |key: &str| function[key].as_str().unwrap_or_default().to_owned();
        table.row([text("name"), text("trigger"), function["succeeded"].to_string(), function["failed"].to_string()]);
    }
    terminal::print(&table.to_string())
}

/// Server-sent events (WHATWG HTML, section 9.2): `data:` lines are the invocations.
async fn invocations(http: &reqwest::Client, host: &Url) -> Result<()> {
    let url = url(host, &["invocations", "stream"]);
    let response =
        http.get(url.clone()).send().await.and_then(reqwest::Response::error_for_status).map_err(|error| unreachable(&url, &error))?;
    let mut stream = response.bytes_stream();
    let mut buffer = Vec::new();
    while let Some(piece) = stream.try_next().await.map_err(|error| unreachable(&url, &error))? {
        buffer.extend_from_slice(&piece);
        while let Some(end) = buffer.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = buffer.drain(..=end).collect();
            if let Some(data) = line.strip_prefix(b"data:") {
                terminal::line(String::from_utf8_lossy(data).trim())?;
            }
        }
    }
    Ok(())
}
