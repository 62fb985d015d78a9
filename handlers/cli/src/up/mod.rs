//! `sluice up`: a whole Sluice on this machine.

mod demo;
mod guide;
pub(crate) mod principals;
mod samples;
mod settings;
mod table;
mod web;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use devhost::{AzuriteConfig, Config, DevHost, EventSubscription, NotReady, StartError, Urls};
use tokio::signal::unix::{Signal, SignalKind, signal};
use url::Url;

use crate::api::connection::{Connection, LocalConnection, STATE_DIR, principals_file};
use crate::fault::FileContext as _;
use crate::text::duration;
use crate::{Fault, Result, terminal};
use settings::LocalSettings;

/// Port of the Functions host, as the Functions Core Tools choose it.
const PORT: u16 = 7071;
/// Longest wait for the handler and its subscriptions.
const READY: Duration = Duration::from_mins(2);
/// Azurite's main script below the application's root.
const AZURITE: &str = "tools/azurite/blob.js";
/// What it starts.
const AZURITE_PACKAGE: &str = "tools/azurite/node_modules/azurite";
/// The function that takes blob events.
const EVENTS_TO: &str = "Admit";
/// Subjects of landing containers (Event Grid event schema for Blob Storage).
const SUBJECTS: &str = "/blobServices/default/containers/landing-";
/// The audience's tenant of a local issuer; it stands for no real one.
const TENANT: &str = "5102ce00-0000-4000-8000-00000000de40";

/// Starts everything on this machine: Functions host, Blob Storage, Service Bus, Event Grid, Cosmos DB, token issuer, and Sluice itself.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice up --demo         from upload to table with the sample files, explained step by step; then it stops
  sluice up                runs until Ctrl-C; the state stays in .sluice
  sluice up --fresh        forgets the state first

The same handler runs in Azure; here it talks to Azurite and to stand-ins for the other services.")]
pub(crate) struct UpArguments {
    /// Uploads the sample files, decides their review cases, and shows what becomes of them
    #[arg(long)]
    demo: bool,
    /// Keeps running after the demo
    #[arg(long, requires = "demo")]
    keep: bool,
    /// Forgets all state of earlier starts
    #[arg(long)]
    fresh: bool,
    /// Port of the Functions host; the three after it are for issuer, Cosmos DB and blobs; 0 picks free ones
    #[arg(long, value_name = "PORT", default_value_t = PORT)]
    port: u16,
    /// Port of the web app [default: 4280, or the fifth from --port if that is given; 0 picks a free one]
    #[arg(long, value_name = "PORT")]
    web_port: Option<u16>,
    /// Folder for state and logs
    #[arg(long, value_name = "FOLDER", default_value = STATE_DIR)]
    state_dir: PathBuf,
    /// The handler's executable [default: `handler` beside this program]
    #[arg(long, value_name = "FILE")]
    handler: Option<PathBuf>,
    /// Folder with host.json, functions/, samples/ and tools/
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    app_root: PathBuf,
}

/// Ctrl-C, or the polite end that a process manager asks for.
pub(crate) struct Ending {
    terminate: Signal,
}

impl Ending {
    fn new() -> Result<Self> {
        signal(SignalKind::terminate())
            .map(|terminate| Self { terminate })
            .map_err(|error| Fault::internal(format!("cannot listen for signals: {error}")))
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Runs the command.
pub(crate) async fn run(arguments: UpArguments) -> Result<()> {
    let mut ending = Ending::new()?;
    let begun = Instant::now();
    if arguments.fresh {
        forget(&arguments.state_dir).await?;
    }
    std::fs::create_dir_all(&arguments.state_dir).file("make the folder", &arguments.state_dir)?;
    let samples = samples::find(&arguments.app_root.join("samples"))?;
    let prepared = prepare(&arguments, &samples)?;
    terminal::note("starting Blob Storage (Azurite), the Functions host and the handler");
    let host = DevHost::start(prepared.config).await.map_err(|error| start_fault(&error))?;
    let worked = tokio::select! {
        worked = work(&arguments, &host, &prepared.settings, &prepared.audience, &samples, begun) => worked,
        () = ending.asked() => Err(Fault::interrupted()),
    };
    let waiting = worked.is_ok() && (!arguments.demo || arguments.keep);
    if waiting {
        ending.asked().await;
    }
    terminal::note("stopping (Ctrl-C again: at once)");
    tokio::select! {
        () = host.shutdown() => worked,
        () = ending.asked() => Err(Fault::interrupted()),
    }
}

struct Prepared {
    config: Config,
    settings: std::collections::BTreeMap<String, String>,
    audience: String,
}

fn prepare(arguments: &UpArguments, samples: &[samples::Sample]) -> Result<Prepared> {
    let azurite = arguments.app_root.join(AZURITE);
    let package = arguments.app_root.join(AZURITE_PACKAGE);
    if !azurite.is_file() || !package.is_dir() {
        return Err(Fault::usage(format!("{} is not there: install it with npm ci --prefix tools/azurite", package.display())));
    }
    let handler = if let Some(handler) = &arguments.handler {
        handler.clone()
    } else {
        let this = std::env::current_exe().map_err(|error| Fault::internal(format!("cannot find this program: {error}")))?;
        this.with_file_name("handler")
    };
    let local = LocalSettings::read(&arguments.app_root)?;
    let mut settings = local.values.clone();
    settings.extend(settings::secrets(&arguments.state_dir, &samples::secret_names(samples))?);
    let principals = principals::load_or_make(&arguments.state_dir)?;
    let port = |offset: u16| {
        if arguments.port == 0 { Ok(0) } else { arguments.port.checked_add(offset).ok_or_else(|| Fault::usage("--port is too high")) }
    };
    let audience = local.audience();
    let web_port = match arguments.web_port {
        Some(port) => port,
        None if arguments.port == PORT => web::PORT,
        None => port(4)?,
    };
    let mut config = Config::new(&arguments.app_root, handler, &arguments.state_dir);
    config.settings.clone_from(&settings);
    config.http_port = port(0)?;
    config.issuer_port = port(1)?;
    config.cosmos_port = port(2)?;
    config.azurite = Some(AzuriteConfig { blob_port: port(3)?, ..AzuriteConfig::new(azurite) });
    config.event_subscriptions = vec![EventSubscription::new(EVENTS_TO, SUBJECTS)];
    config.principals = principals::for_issuer(&principals);
    config.issuer_audience.clone_from(&audience);
    TENANT.clone_into(&mut config.issuer_tenant);
    // A list is asked for in each of them, one after the other: enough that results are merged, as in Azure.
    config.cosmos_partitions = 2;
    config.cors_origins = local.cors_origins();
    config.site = web::site(&arguments.app_root, web_port, &audience);
    Ok(Prepared { config, settings, audience })
}

/// Everything between the start and the end.
async fn work(
    arguments: &UpArguments,
    host: &DevHost,
    values: &std::collections::BTreeMap<String, String>,
    audience: &str,
    samples: &[samples::Sample],
    begun: Instant,
) -> Result<()> {
    let urls = host.urls();
    connection(urls, audience)?.write(&arguments.state_dir)?;
    let azure = sluice_azure::Settings::from_env(settings::expanded(values, urls))
        .map_err(|error| Fault::usage(format!("local.settings.json: {error}")))?;
    Box::pin(sluice_azure::provision(&azure)).await.map_err(|error| Fault::unreachable(format!("cannot set up the emulators: {error}")))?;
    if let Some(site) = &urls.site {
        let allowed = Box::pin(sluice_azure::allow_origins(&azure, std::slice::from_ref(site))).await;
        allowed.map_err(|error| Fault::unreachable(format!("cannot let the web app upload to the blob emulator: {error}")))?;
    }
    match tokio::time::timeout(READY, host.wait_ready()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return Err(not_ready(&error, &arguments.state_dir)),
        Err(_) => {
            return Err(Fault::unreachable(format!(
                "not ready after {} s; {} says why",
                READY.as_secs(),
                arguments.state_dir.join("handler.log").display()
            )));
        }
    }
    let engineer = Connection::local(&arguments.state_dir, "emil").client("emil")?;
    samples::store(&engineer, samples).await?;
    terminal::note(format!("ready after {}\n", duration(begun.elapsed())));
    if arguments.demo {
        let lake = sluice_azure::connect(&azure).map_err(|error| Fault::internal(error.to_string()))?.lake;
        demo::run(&arguments.state_dir, &arguments.app_root.join("samples"), lake.as_ref()).await?;
        if !arguments.keep {
            return terminal::line(
                "That was the demo. Everything is kept: ./sluice up starts it again, and says how to upload files of your own.",
            );
        }
    }
    terminal::print(&guide::guide(urls, &arguments.state_dir, arguments.state_dir == Path::new(STATE_DIR)))
}

fn connection(urls: &Urls, audience: &str) -> Result<LocalConnection> {
    let parse = |text: &str| Url::parse(text).map_err(|error| Fault::internal(format!("{text}: {error}")));
    Ok(LocalConnection {
        api: parse(&format!("{}/api", urls.http))?,
        host: parse(&urls.http)?,
        blob: parse(urls.blob.as_deref().unwrap_or_default())?,
        issuer: parse(&urls.issuer)?,
        audience: audience.to_owned(),
    })
}

/// Removes a state folder, if it is one and nobody uses it.
async fn forget(state_dir: &Path) -> Result<()> {
    if !state_dir.exists() {
        return Ok(());
    }
    let is_state = principals_file(state_dir).is_file() || crate::secrets::file(state_dir).is_file();
    let is_empty = std::fs::read_dir(state_dir).file("read", state_dir)?.next().is_none();
    if !is_state && !is_empty {
        return Err(Fault::usage(format!("{} holds no state of a local Sluice, so --fresh does not remove it", state_dir.display())));
    }
    if let Some(connection) = LocalConnection::read(state_dir)?
        && let Ok(url) = connection.host.join("admin/host/status")
        && reqwest::Client::new().get(url).timeout(Duration::from_secs(2)).send().await.is_ok()
    {
        return Err(Fault::usage(format!("a Sluice is running on {}: stop it before --fresh removes its state", connection.host)));
    }
    std::fs::remove_dir_all(state_dir).file("remove", state_dir)
}

fn start_fault(error: &StartError) -> Fault {
    match error {
        StartError::Azurite(_) | StartError::Cosmos(_) => Fault::unreachable(error.to_string()),
        _ => Fault::usage(error.to_string()),
    }
}

fn not_ready(error: &NotReady, state_dir: &Path) -> Fault {
    Fault::unreachable(format!("{error}; {} has the handler's own words", state_dir.join("handler.log").display()))
}
