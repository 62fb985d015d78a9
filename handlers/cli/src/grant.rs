//! `sluice grant`: a URL that a partner's own tools upload to.

use clap::Args;
use serde_json::{Value, json};
use url::Url;

use crate::api::Client;
use crate::api::connection::Connection;
use crate::text::tame;
use crate::{Fault, Result, terminal};

/// Asks for an upload URL, for a partner's own tools.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  URL=$(sluice grant flights/2013-02.csv)
  az storage blob upload --blob-url \"$URL\" --file 2013-02.csv
  curl -T 2013-02.csv -H 'x-ms-blob-type: BlockBlob' \"$URL\"

  URL=$(sluice grant --container --read-back --hours 12)
  rclone copy outbox \":azureblob,sas_url='$URL':landing-skyline/flights\"

The URL is a secret: whoever has it can upload until it expires. It goes to standard output, what it allows to standard error.
For one file it can create that one path and nothing else. For the container it can write any path of the partner's own container; with
--read-back it can also read and list there, which rclone and AzCopy want so that they can verify what they sent.")]
pub(crate) struct GrantArguments {
    /// Path of the one file in the landing zone; the pipeline is found by it
    #[arg(value_name = "PATH", required_unless_present = "container")]
    path: Option<String>,
    /// Any path of the partner's container, for jobs that send many files
    #[arg(long, conflicts_with = "path")]
    container: bool,
    /// Also read and list the container, for clients that verify what they sent
    #[arg(long, requires = "container")]
    read_back: bool,
    /// Partner to upload for, if you are none yourself (operators)
    #[arg(long, value_name = "PARTNER")]
    partner: Option<String>,
    /// Validity in hours; a week at most
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=168))]
    hours: u64,
    /// Prints the API's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

/// Most paths that a warning names.
const NEAREST: usize = 5;

/// Runs the command.
pub(crate) async fn run(arguments: GrantArguments) -> Result<()> {
    let client = arguments.connection.client("skyline")?;
    let scope = match &arguments.path {
        Some(path) => json!({ "kind": "file", "path": path }),
        None => json!({ "kind": "container", "readBack": arguments.read_back }),
    };
    let mut request = request(&scope, arguments.partner.as_deref());
    request["validSeconds"] = (arguments.hours * 3600).into();
    let answer = ask(&client, &request).await?;
    if arguments.json {
        return terminal::json(&answer);
    }
    let granted = Granted::of(&answer)?;
    let expires = answer.get("expiresAt").and_then(Value::as_str).unwrap_or("its end");
    let allows = match (&arguments.path, arguments.read_back) {
        (Some(path), _) => format!("creates {path}"),
        (None, false) => "writes any path of the container".to_owned(),
        (None, true) => "writes, reads and lists the container".to_owned(),
    };
    terminal::note(format!("grant {}: {allows}, until {expires}", granted.id));
    terminal::line(granted.url)
}

/// A grant as the API answers it.
pub(crate) struct Granted {
    /// Its id.
    pub(crate) id: String,
    /// Where to upload to.
    pub(crate) url: Url,
}

impl Granted {
    fn of(answer: &Value) -> Result<Self> {
        let text = |key: &str| answer.get(key).and_then(Value::as_str);
        match (text("grantId"), text("url").and_then(|url| Url::parse(url).ok())) {
            (Some(id), Some(url)) => Ok(Self { id: id.to_owned(), url }),
            _ => Err(Fault::internal("the API answered with a grant that has no id or URL")),
        }
    }
}

/// Asks for a URL to upload one file to.
pub(crate) async fn for_file(client: &Client, path: &str, partner: Option<&str>, size: Option<u64>) -> Result<Granted> {
    let mut request = request(&json!({ "kind": "file", "path": path }), partner);
    if let Some(size) = size {
        request["declared"] = json!({ "size": size });
    }
    Granted::of(&ask(client, &request).await?)
}

fn request(scope: &Value, partner: Option<&str>) -> Value {
    let mut request = json!({ "grant": scope });
    if let Some(partner) = partner {
        request["partner"] = partner.into();
    }
    request
}

/// Asks for a grant, and warns of a path that no pipeline takes.
async fn ask(client: &Client, request: &Value) -> Result<Value> {
    let answer = client.post(&["submissions"], request).await?;
    if let Some(warning) = untaken(&answer) {
        terminal::note(warning);
    }
    Ok(answer)
}

/// What is to be said if no pipeline takes the path of a grant.
fn untaken(answer: &Value) -> Option<String> {
    let path = answer.get("grant")?.get("path")?.as_str()?;
    // An API that does not say what takes the path says nothing about it.
    answer.get("pipeline").filter(|pipeline| pipeline.is_null())?;
    let partner = answer.get("partner").and_then(Value::as_str).unwrap_or("this partner");
    let taken: Vec<String> =
        answer.get("takenPaths").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(tame).collect();
    let instead = match taken.as_slice() {
        [] => "it has no pipeline".to_owned(),
        [..] => {
            let more = if taken.len() > NEAREST { ", ..." } else { "" };
            format!("its pipelines take {}{more}", taken[..taken.len().min(NEAREST)].join(", "))
        }
    };
    Some(format!("warning: no pipeline of {} takes {}, so its run will be rejected; {instead}", tame(partner), tame(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_no_pipeline_takes_is_warned_of() {
        let answer = |pipeline: Value, paths: &[&str]| json!({ "partner": "skyline", "grant": { "kind": "file", "path": "flight/a.csv" }, "pipeline": pipeline, "takenPaths": paths });
        let warning = untaken(&answer(Value::Null, &["flights/*.csv", "b", "c", "d", "e", "f"])).unwrap();
        assert!(warning.contains("flight/a.csv") && warning.contains("take flights/*.csv, b, c, d, e, ..."), "{warning}");
        assert!(untaken(&answer(Value::Null, &[])).unwrap().contains("no pipeline"), "a partner without any");
        assert_eq!(untaken(&answer("flights".into(), &[])), None);
        assert_eq!(untaken(&json!({ "grant": { "kind": "container" }, "pipeline": null })), None);
        assert_eq!(untaken(&json!({ "grant": { "kind": "file", "path": "a" } })), None, "an older API");
    }
}
