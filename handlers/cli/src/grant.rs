//! `sluice grant`: a URL that a partner's own tools upload to.

use clap::Args;
use serde_json::{Value, json};
use url::Url;

use crate::api::Client;
use crate::api::connection::Connection;
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

/// Runs the command.
pub(crate) async fn run(arguments: GrantArguments) -> Result<()> {
    let client = arguments.connection.client("skyline")?;
    let scope = match &arguments.path {
        Some(path) => json!({ "kind": "file", "path": path }),
        None => json!({ "kind": "container", "readBack": arguments.read_back }),
    };
    let mut request = json!({ "grant": scope, "validSeconds": arguments.hours * 3600 });
    if let Some(partner) = &arguments.partner {
        request["partner"] = partner.as_str().into();
    }
    let answer = client.post(&["submissions"], &request).await?;
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
    let mut request = json!({ "grant": { "kind": "file", "path": path } });
    if let Some(partner) = partner {
        request["partner"] = partner.into();
    }
    if let Some(size) = size {
        request["declared"] = json!({ "size": size });
    }
    Granted::of(&client.post(&["submissions"], &request).await?)
}
