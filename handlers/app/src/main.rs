//! The custom handler that the Functions host starts. Everything it writes goes to stdout; it never ends with exit code 0, which
//! the host would take as "done" and leave the app without a handler.

use std::{
    env,
    io::{self, Write},
    net::Ipv4Addr,
    process::ExitCode,
    sync::Arc,
};

use axum::serve::ListenerExt;
use sluice_app::{
    App, server,
    settings::{self, Settings},
    telemetry,
};
use sluice_flow::{Context, SystemClock};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `--version` and `--help` are for people; the host passes no arguments.
fn main() -> ExitCode {
    if let Some(argument) = env::args().nth(1) {
        return match argument.as_str() {
            "--version" => say(&format!("handler {}", env!("CARGO_PKG_VERSION")), ExitCode::SUCCESS),
            other => say(&format!("unknown argument {other:?}; the Functions host starts this program without any"), ExitCode::from(2)),
        };
    }
    telemetry::start();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return say(&format!("the runtime could not be started: {error}"), ExitCode::FAILURE),
    };
    let mistakes = match runtime.block_on(run()) {
        Ok(()) => vec!["the handler stopped serving".to_owned()],
        Err(mistakes) => mistakes,
    };
    for mistake in mistakes {
        say(&mistake, ExitCode::FAILURE);
    }
    ExitCode::FAILURE
}

fn say(line: &str, code: ExitCode) -> ExitCode {
    // A closed stdout leaves nobody to tell.
    let _ = writeln!(io::stdout(), "{line}");
    code
}

async fn run() -> Result<(), Vec<String>> {
    let (settings, azure) = read_settings()?;
    let one = |what: &str, error: &dyn std::fmt::Display| vec![format!("{what}: {error}")];
    // First: the host waits for the port, and any answer later than its patience would end in a restart.
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, settings.port))
        .await
        .map_err(|e| one(&format!("port {} cannot be listened on", settings.port), &e))?;
    let backends = sluice_azure::connect(&azure).map_err(|e| one("the services of the settings cannot be used", &e.chain()))?;
    let clock = Arc::new(SystemClock);
    let context = Context {
        lake: backends.lake,
        catalog: backends.catalog,
        secrets: backends.secrets,
        clock: clock.clone(),
        sizes: settings.sizes,
        plans: Arc::default(),
        places: Arc::default(),
        tables: Arc::default(),
    };
    let app = App::new(&settings, context, backends.signer).map_err(|e| one("tokens cannot be checked", &e))?;
    tracing::info!(port = settings.port, version = env!("CARGO_PKG_VERSION"), "handler started");
    // Small answers must not wait for the other side's delayed acknowledgement.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, server::router(app)).await.map_err(|e| one("serving failed", &e))
}

/// All settings, or all mistakes of all settings.
fn read_settings() -> Result<(Settings, sluice_azure::Settings), Vec<String>> {
    let variables = || env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    // The adapters name unresolved references in settings of Sluice; the rest are the host's.
    let mut mistakes = settings::unresolved_references(variables().filter(|(name, _)| !name.starts_with("SLUICE_")));
    let own = Settings::read(&|name| env::var(name).ok());
    let azure = sluice_azure::Settings::from_env(variables());
    match (own, azure) {
        (Ok(own), Ok(azure)) if mistakes.is_empty() => Ok((own, azure)),
        (own, azure) => {
            mistakes.extend(own.err().unwrap_or_default());
            mistakes.extend(azure.err().map(|error| error.mistakes).unwrap_or_default());
            Err(mistakes)
        }
    }
}
