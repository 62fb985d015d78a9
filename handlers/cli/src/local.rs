//! `sluice local`: looks inside the stand-in for Azure that `sluice up` runs.

use clap::{Args, Subcommand};
use futures::TryStreamExt as _;
use serde_json::Value;
use url::Url;

use crate::api::connection::Connection;
use crate::api::unreachable;
use crate::text::{Align, Table, tame};
use crate::{Fault, Result, terminal};

/// Queues, dead letters and invocations of a local Sluice.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice local queues
  sluice local invocations             what the functions did, as it happens
  sluice local dead-letters transform
  sluice local resend transform        once the cause is gone

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
}

/// Runs the command.
pub(crate) async fn run(arguments: LocalArguments) -> Result<()> {
    let host = arguments.connection.local_connection()?.host;
    let http = reqwest::Client::new();
    match arguments.command {
        LocalCommand::Queues => terminal::json(&get(&http, &host, &["queues"]).await?),
        LocalCommand::Functions => functions(&get(&http, &host, &["functions"]).await?),
        LocalCommand::Invocations => invocations(&http, &host).await,
        LocalCommand::DeadLetters { queue } => terminal::json(&get(&http, &host, &["queues", &queue, "deadletter"]).await?),
        LocalCommand::Resend { queue } => {
            let url = url(&host, &["queues", &queue, "deadletter", "resend"]);
            terminal::json(&answer(http.post(url.clone()), &url).await?)
        }
    }
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
