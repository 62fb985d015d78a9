//! `sluice token`: an access token for other tools.

use clap::Args;

use crate::api::connection::Connection;
use crate::{Result, terminal};

/// Prints an access token, for curl and other tools.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice token --as skyline
  curl -H \"Authorization: Bearer $(sluice token --as olga)\" http://127.0.0.1:7071/api/runs

The token is valid for about an hour. Without --as it is got with SLUICE_CLIENT_ID and its companions.")]
pub(crate) struct TokenArguments {
    #[command(flatten)]
    connection: Connection,
}

/// Runs the command.
pub(crate) async fn run(arguments: TokenArguments) -> Result<()> {
    let client = arguments.connection.client("skyline")?;
    terminal::line(client.token().await?)
}
