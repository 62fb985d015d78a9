//! `sluice upload`: a file to the landing zone, as a partner would.

mod blocks;
pub(crate) mod send;

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use serde_json::json;
use url::Url;

use crate::api::connection::Connection;
use crate::grant::{self, Granted};
use crate::runs::follow::follow_submission;
use crate::text::{bytes, duration};
use crate::{Fault, Result, terminal};

/// Uploads a file and follows its run.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice upload flights-2013-01.csv --to flights/2013-01.csv --wait
  sluice upload data.csv --to in/data.csv --api https://<app>.azurewebsites.net/api     (SLUICE_TOKEN is set)
  sluice upload data.csv --url 'https://<account>.blob.core.windows.net/landing-x/in/data.csv?sv=...'

Blocks travel in parallel; the same command again goes on where an interrupted upload stopped. BLAKE3 and SHA-256 are
declared with the file, so that Sluice refuses it if one bit changed on the way.")]
pub(crate) struct UploadArguments {
    /// The file
    file: PathBuf,
    /// Path in the landing zone; the pipeline is found by it
    #[arg(long, value_name = "PATH", required_unless_present = "url")]
    to: Option<String>,
    /// Partner to upload for, if you are none yourself (operators)
    #[arg(long, value_name = "PARTNER")]
    partner: Option<String>,
    /// Upload to this URL with its signature instead of asking for one
    #[arg(long, value_name = "SAS", conflicts_with_all = ["to", "partner", "wait"])]
    url: Option<Url>,
    /// Wait until the run has ended, and print the receipt
    #[arg(long)]
    wait: bool,
    /// Blocks under way at once (8 MiB each for files below 390 GiB)
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    parallel: u16,
    /// Prints the result as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

/// Runs the command.
pub(crate) async fn run(arguments: UploadArguments) -> Result<()> {
    let metadata =
        std::fs::metadata(&arguments.file).map_err(|error| Fault::usage(format!("cannot read {}: {error}", arguments.file.display())))?;
    if !metadata.is_file() {
        return Err(Fault::usage(format!("{} is no file", arguments.file.display())));
    }
    let mut granted = None;
    let url = match (&arguments.url, &arguments.to) {
        (Some(url), _) => url.clone(),
        (None, Some(path)) => {
            let client = arguments.connection.client("skyline")?;
            let Granted { id, url } = grant::for_file(&client, path, arguments.partner.as_deref(), Some(metadata.len())).await?;
            granted = Some((client, id));
            url
        }
        // clap asks for one of them.
        (None, None) => return Err(Fault::usage("--to or --url is needed")),
    };
    let bar = terminal::byte_bar(metadata.len(), "uploading");
    let begun = Instant::now();
    let sent = send::send(&arguments.file, &url, usize::from(arguments.parallel), &bar).await;
    bar.finish_and_clear();
    let sent = sent?;
    let elapsed = begun.elapsed();
    let grant_id = granted.as_ref().map(|(_, grant)| grant.clone());
    if arguments.json && !arguments.wait {
        return terminal::json(
            &json!({ "grantId": grant_id, "bytes": sent.bytes, "resumedBytes": sent.resumed, "blake3": sent.blake3, "sha256": sent.sha256 }),
        );
    }
    let speed = bytes(((sent.bytes - sent.resumed) as f64 / elapsed.as_secs_f64().max(1e-6)) as u64);
    let resumed = if sent.resumed > 0 { format!(", {} of them in an earlier try", bytes(sent.resumed)) } else { String::new() };
    terminal::note(format!(
        "uploaded {}{resumed} in {} ({speed}/s)\nblake3 {}\nsha256 {}",
        bytes(sent.bytes),
        duration(elapsed),
        sent.blake3,
        sent.sha256
    ));
    let Some((client, grant)) = granted else { return Ok(()) };
    terminal::note(format!("grant  {grant}"));
    if !arguments.wait {
        return terminal::line(format!("It is on its way: sluice runs watch {grant}"));
    }
    let run = follow_submission(&client, &grant).await?;
    crate::runs::conclude(&client, &run, arguments.json).await
}
