//! The `sluice` command: check and infer on local files, a whole Sluice on this machine, and a client of the HTTP API.

mod api;
mod arguments;
mod check;
mod fault;
mod grant;
mod infer;
mod local;
mod package;
mod parameters;
mod pipelines;
mod review;
mod runs;
mod secrets;
mod tables;
mod terminal;
mod text;
mod token;
mod up;
mod upload;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{CommandFactory as _, Parser as _};

use arguments::{Arguments, Command};
pub use fault::{Exit, Fault, Result};

/// Reads the command line of this process, does what it says, and answers with an exit code.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Nobody can be told that the output is closed.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { ExitCode::SUCCESS };
        }
    };
    // Silent but for errors, unless RUST_LOG asks for more: RUST_LOG=devhost=debug sluice up
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_ansi(terminal::wants_colours())
        .with_writer(std::io::stderr)
        .init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            terminal::note(format!("sluice: cannot start: {error}"));
            return Exit::Internal.into();
        }
    };
    match runtime.block_on(run(arguments.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            if !fault.message.is_empty() {
                terminal::note(format!("sluice: {}", fault.message));
            }
            fault.exit.into()
        }
    }
}

async fn run(command: Command) -> Result<()> {
    match command {
        Command::Check(arguments) => blocking(move |stop| check::run(&arguments, stop)).await,
        Command::Infer(arguments) => blocking(move |stop| infer::run(&arguments, stop)).await,
        Command::Package(arguments) => blocking(move |_| package::run(&arguments)).await,
        Command::Help(arguments) => help(&arguments.topic),
        Command::Up(arguments) => Box::pin(up::run(arguments)).await,
        Command::Upload(arguments) => interruptible(upload::run(arguments)).await,
        Command::Grant(arguments) => interruptible(grant::run(arguments)).await,
        Command::Runs(arguments) => interruptible(runs::run(arguments)).await,
        Command::Review(arguments) => interruptible(review::run(arguments)).await,
        Command::Pipelines(arguments) => interruptible(pipelines::run(arguments)).await,
        Command::Tables(arguments) => interruptible(tables::run(arguments)).await,
        Command::Parameters(arguments) => interruptible(parameters::run(arguments)).await,
        Command::Token(arguments) => interruptible(token::run(arguments)).await,
        Command::Local(arguments) => interruptible(local::run(arguments)).await,
    }
}

/// Work that waits for others, until Ctrl-C.
async fn interruptible(work: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::select! {
        result = work => result,
        _ = tokio::signal::ctrl_c() => Err(Fault::interrupted()),
    }
}

/// Work on local files; Ctrl-C asks it to stop and to tidy up.
async fn blocking(work: impl FnOnce(&AtomicBool) -> Result<()> + Send + 'static) -> Result<()> {
    let stop = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&stop);
    let mut work = tokio::task::spawn_blocking(move || work(&seen));
    let done = tokio::select! {
        done = &mut work => done,
        _ = tokio::signal::ctrl_c() => {
            stop.store(true, Ordering::Relaxed);
            work.await
        }
    };
    done.map_err(|error| Fault::internal(error.to_string()))?
}

fn help(topic: &[String]) -> Result<()> {
    if topic == ["exit-codes"] {
        return terminal::print(fault::EXIT_CODES);
    }
    let mut command = Arguments::command();
    command.build();
    let mut found = &mut command;
    for word in topic {
        found = match found.find_subcommand_mut(word) {
            Some(found) => found,
            None => {
                return Err(Fault::usage(format!("there is no command or topic `{}`; sluice --help lists the commands", topic.join(" "))));
            }
        };
    }
    terminal::print(&found.render_long_help().to_string())
}
