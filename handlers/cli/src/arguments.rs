//! The command line.

use clap::{Args, Parser, Subcommand};

/// Takes large data files from partners into a data lake, on Azure Functions.
#[derive(Debug, Parser)]
#[command(
    name = "sluice",
    version,
    disable_help_subcommand = true,
    max_term_width = 110,
    after_help = "First steps:
  sluice up --demo                                 everything on this machine, with a sample file from upload to table
  sluice infer data.csv --name orders              a contract and a pipeline drafted from a file
  sluice check data.csv --pipeline orders.pipeline.yaml    what a run would say to a file, without a cloud

`sluice help <command>` explains a command with examples; `sluice help exit-codes` lists the exit codes."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Check(crate::check::CheckArguments),
    Infer(crate::infer::InferArguments),
    Up(crate::up::UpArguments),
    Upload(crate::upload::UploadArguments),
    Grant(crate::grant::GrantArguments),
    Runs(crate::runs::RunsArguments),
    Review(crate::review::ReviewArguments),
    Pipelines(crate::pipelines::PipelinesArguments),
    Tables(crate::tables::TablesArguments),
    Parameters(crate::parameters::ParametersArguments),
    Package(crate::package::PackageArguments),
    Local(crate::local::LocalArguments),
    Token(crate::token::TokenArguments),
    Help(HelpArguments),
}

/// Explains a command, or the exit codes.
#[derive(Debug, Args)]
pub(crate) struct HelpArguments {
    /// A command such as `check` or `runs list`, or `exit-codes`
    pub(crate) topic: Vec<String>,
}

/// `name=value`.
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

/// `name=value`, or `name` alone.
pub(crate) fn secret(text: &str) -> Result<(String, Option<String>), String> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (text, None),
    };
    if name.is_empty() { Err("expected NAME or NAME=VALUE".to_owned()) } else { Ok((name.to_owned(), value)) }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_explains_itself_with_an_example() {
        for command in Arguments::command().get_subcommands().filter(|c| c.get_name() != "help") {
            assert!(command.get_about().is_some(), "{} has no description", command.get_name());
            let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(examples.contains("sluice "), "{} shows no example", command.get_name());
        }
    }

    #[test]
    fn pairs_are_split_at_the_first_mark() {
        assert_eq!(pair("a=b=c").unwrap(), ("a".to_owned(), "b=c".to_owned()));
        assert!(pair("=x").is_err() && pair("x").is_err());
        assert_eq!(secret("k").unwrap(), ("k".to_owned(), None));
    }
}
