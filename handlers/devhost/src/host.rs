//! Everything put together: start, look inside, stop.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinSet;
use url::Url;

use crate::broker::{Broker, Listener, PeekedMessage, QueueError, QueueStatus};
use crate::clock::Clock;
use crate::config::{Config, Urls};
use crate::cosmos::Cosmos;
use crate::error::{NotReady, StartError};
use crate::events::{Azurite, BlobAccount, BlobWritten, Delivered, Delivery, EventGrid};
use crate::functions::{App, Trigger};
use crate::http::{self, Front};
use crate::invocations::InvocationLog;
use crate::invoker::Invoker;
use crate::issuer::Issuer;
use crate::leftover::ChildNote;
use crate::site::Site;
use crate::state_lock::StateLock;
use crate::timers::{Timer, TimerStore};
use crate::worker::{HandlerLine, HandlerOutput, HandlerState, Worker, WorkerSpec, free_port};

/// A running devhost. Call [`DevHost::shutdown`]: a dropped one leaves Azurite no time to save.
pub struct DevHost {
    urls: Urls,
    invoker: Arc<Invoker>,
    output: HandlerOutput,
    cosmos: Arc<Cosmos>,
    events: Option<(Azurite, Arc<Delivered>)>,
    triggers: JoinSet<()>,
    servers: JoinSet<()>,
    subscribed: watch::Receiver<Option<Result<(), NotReady>>>,
    _lock: StateLock,
}

impl DevHost {
    /// Checks the app, binds the ports, starts Azurite and the handler. Work begins once the handler answers.
    ///
    /// # Errors
    /// [`StartError`] says what is wrong with the app, the settings, the ports or the state folder.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let absolute = |path: &Path| std::path::absolute(path).map_err(StartError::state(path));
        let state_dir = absolute(&config.state_dir)?;
        let app_root = absolute(&config.app_root)?;
        let lock = StateLock::take(&state_dir)?;
        let app = Arc::new(App::load(&app_root, &config.settings)?);
        check_subscriptions(&config, &app)?;
        let executable = executable(&config, &app)?;

        let http_listener = bind("the Functions host", config.http_port).await?;
        let cosmos_listener = bind("the Cosmos DB emulator", config.cosmos_port).await?;
        let issuer_listener = bind("the OIDC issuer", config.issuer_port).await?;
        let site_listener = match &config.site {
            Some(site) => Some(bind("the web app", site.port).await?),
            None => None,
        };
        let blob_port = match &config.azurite {
            Some(azurite) if azurite.blob_port == 0 => Some(free_port().map_err(StartError::state(&state_dir))?),
            Some(azurite) => Some(azurite.blob_port),
            None => None,
        };
        let url_of = |listener: &TcpListener| {
            listener.local_addr().map(|address| Urls::loopback(address.port())).map_err(StartError::state(&state_dir))
        };
        let urls = Urls {
            http: url_of(&http_listener)?,
            cosmos: url_of(&cosmos_listener)?,
            issuer: url_of(&issuer_listener)?,
            blob: config.azurite.as_ref().zip(blob_port).map(|(azurite, port)| format!("{}/{}", Urls::loopback(port), azurite.account)),
            // A browser treats localhost as a secure place, and an identity provider takes it as an address to come back to.
            site: site_listener.as_ref().map(&url_of).transpose()?.map(|url| url.replace("127.0.0.1", "localhost")),
        };
        let site = config.site.as_ref().map(|site| Site::open(site, &urls)).transpose()?;
        let mut environment = urls.expand(&config.settings)?;
        for (name, value) in [("FUNCTIONS_WORKER_RUNTIME", "custom"), ("AZURE_FUNCTIONS_ENVIRONMENT", "Development")] {
            environment.entry(name.into()).or_insert_with(|| value.into());
        }
        environment.entry("WEBSITE_HOSTNAME".into()).or_insert_with(|| urls.http.trim_start_matches("http://").to_owned());

        let (written, new_blobs) = mpsc::unbounded_channel();
        let azurite = match (&config.azurite, blob_port) {
            (Some(azurite), Some(port)) => Some(Azurite::start(azurite.clone(), &state_dir, port, written).await?),
            _ => None,
        };
        let cosmos = Cosmos::open(&state_dir, &format!("{}/", urls.cosmos), config.cosmos_partitions).await?;
        let issuer = Issuer::open(
            &state_dir,
            urls.issuer.clone(),
            config.issuer_audience.clone(),
            config.issuer_tenant.clone(),
            config.token_lifetime,
            config.principals.clone(),
        )?;
        let client = loopback_client().map_err(|error| StartError::Settings(vec![error.to_string()]))?;
        let output = HandlerOutput::open(&state_dir)?;
        let note = ChildNote::new(&state_dir, "handler", executable.display().to_string());
        let spec = WorkerSpec::new(&app.host, executable, app_root, environment, note);
        let invoker = Arc::new(Invoker {
            broker: Arc::new(Broker::open(&state_dir, config.queue.clone(), Clock::System, app.queues())?),
            log: Arc::new(InvocationLog::open(&state_dir)?),
            worker: Worker::start(spec, output.clone(), client.clone()),
            client: client.clone(),
            app,
        });

        let mut servers = JoinSet::new();
        let origins = config.cors_origins.iter().chain(&urls.site).cloned().collect();
        serve(&mut servers, http_listener, http::router(Arc::new(Front::new(Arc::clone(&invoker), origins))));
        serve(&mut servers, cosmos_listener, Arc::clone(&cosmos).router());
        serve(&mut servers, issuer_listener, issuer.router());
        if let (Some(listener), Some(site)) = (site_listener, site) {
            serve(&mut servers, listener, site.router());
        }

        let (events, event_grid) = match azurite {
            None => (None, None),
            Some(azurite) => {
                let delivered = Arc::new(Delivered::open(&state_dir)?);
                let grid = event_grid(&config, &urls, &state_dir, &client, Arc::clone(&delivered))?;
                (Some((azurite, delivered)), Some((grid, new_blobs)))
            }
        };
        let timers = Arc::new(TimerStore::open(&state_dir)?);
        let (confirm, subscribed) = watch::channel(None);
        let mut triggers = JoinSet::new();
        triggers.spawn(run_triggers(Arc::clone(&invoker), timers, event_grid, confirm));
        Ok(Self { urls, invoker, output, cosmos, events, triggers, servers, subscribed, _lock: lock })
    }

    /// Addresses that are served.
    pub fn urls(&self) -> &Urls {
        &self.urls
    }

    /// Waits until the handler answers and every event subscription is confirmed.
    ///
    /// # Errors
    /// [`NotReady`] says why that will not happen.
    pub async fn wait_ready(&self) -> Result<(), NotReady> {
        self.invoker.worker.ready().await?;
        let mut subscribed = self.subscribed.clone();
        let result = subscribed.wait_for(Option::is_some).await.map_err(|_| NotReady::ShuttingDown)?;
        result.clone().unwrap_or(Err(NotReady::ShuttingDown))
    }

    /// SIGKILL to the handler: a fault injected for a test. It is started again at once, and the fault does not
    /// count towards giving up, unlike a kill by anybody else.
    pub fn kill_handler(&self) {
        self.invoker.worker.inject_fault();
    }

    /// How the handler is doing, to look at or to wait for.
    pub fn handler_state(&self) -> watch::Receiver<HandlerState> {
        self.invoker.worker.state()
    }

    /// What the handler prints from now on; `handler.log` has all of it.
    pub fn handler_lines(&self) -> broadcast::Receiver<HandlerLine> {
        self.output.subscribe()
    }

    /// The invocation log.
    pub fn invocations(&self) -> &InvocationLog {
        &self.invoker.log
    }

    /// Counts of every queue.
    pub fn queues(&self) -> Vec<QueueStatus> {
        self.invoker.broker.status()
    }

    /// Sends a message, as a program with the queue's send right would; its message id.
    ///
    /// # Errors
    /// [`QueueError`]: no such queue, too large, or the disk refuses.
    pub async fn send(&self, queue: &str, body: impl Into<String>) -> Result<String, QueueError> {
        Ok(self.invoker.broker.send(queue, vec![body.into()]).await?.pop().unwrap_or_default())
    }

    /// The first waiting messages of a queue, or of `<queue>/$DeadLetterQueue`.
    ///
    /// # Errors
    /// [`QueueError::Unknown`].
    pub fn peek(&self, queue: &str, limit: usize) -> Result<Vec<PeekedMessage>, QueueError> {
        self.invoker.broker.peek(queue, limit)
    }

    /// Sends dead letters back to their queue; how many.
    ///
    /// # Errors
    /// [`QueueError`]: no such queue, or the disk refuses.
    pub async fn resend_dead_letters(&self, queue: &str) -> Result<usize, QueueError> {
        self.invoker.broker.resend_dead(queue, usize::MAX).await
    }

    /// Stops: no new work, SIGKILL to the handler as the real host does, SIGTERM to Azurite and a wait until it has
    /// saved, journals written out.
    pub async fn shutdown(mut self) {
        self.triggers.shutdown().await;
        self.invoker.worker.shutdown().await;
        if let Some((azurite, delivered)) = self.events.take() {
            azurite.stop().await;
            delivered.flush().await;
        }
        self.servers.shutdown().await;
        self.invoker.broker.flush().await;
        self.cosmos.flush().await;
    }
}

fn check_subscriptions(config: &Config, app: &App) -> Result<(), StartError> {
    let mut mistakes = Vec::new();
    for subscription in &config.event_subscriptions {
        let name = &subscription.function;
        match app.function(name) {
            None => mistakes.push(format!("there is no function {name}")),
            Some(function) if !matches!(function.trigger, Trigger::EventGrid) => {
                mistakes.push(format!("function {name} has no eventGridTrigger, but a trigger of kind {}", function.trigger_kind()));
            }
            Some(_) if config.azurite.is_none() => {
                mistakes.push(format!("function {name} is subscribed to blobs, but there is no Azurite"));
            }
            Some(_) => {}
        }
    }
    if mistakes.is_empty() { Ok(()) } else { Err(StartError::Subscriptions(mistakes)) }
}

/// The configured handler, else the one of host.json, which is looked for in the app's folder.
fn executable(config: &Config, app: &App) -> Result<PathBuf, StartError> {
    let path = if config.handler.as_os_str().is_empty() { app.root.join(&app.host.executable) } else { config.handler.clone() };
    let path = std::path::absolute(&path).map_err(StartError::state(&path))?;
    if path.is_file() { Ok(path) } else { Err(StartError::NoHandler { path }) }
}

async fn bind(role: &'static str, port: u16) -> Result<TcpListener, StartError> {
    TcpListener::bind(("127.0.0.1", port)).await.map_err(|source| StartError::Bind { role, port, source })
}

/// For calls to this machine only: no proxy, no redirects, no deadline of its own.
fn loopback_client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).connect_timeout(Duration::from_secs(5)).build()
}

fn serve(servers: &mut JoinSet<()>, listener: TcpListener, router: axum::Router) {
    // The end of an answer must not wait for the other side's delayed acknowledgement (40 ms).
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    servers.spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "a server of devhost ended");
        }
    });
}

fn event_grid(
    config: &Config,
    urls: &Urls,
    state_dir: &Path,
    client: &reqwest::Client,
    delivered: Arc<Delivered>,
) -> Result<EventGrid, StartError> {
    let (Some(azurite), Some(blob)) = (&config.azurite, &urls.blob) else {
        return Err(StartError::Azurite("blob storage has no address".into()));
    };
    let base = Url::parse(blob).map_err(|error| StartError::Azurite(error.to_string()))?;
    let account = BlobAccount::new(base, &azurite.account, &azurite.key, client.clone()).map_err(StartError::Azurite)?;
    let delivery = Delivery {
        http_url: &urls.http,
        client,
        retry_scale: config.event_retry_scale,
        reconcile_every: config.event_reconcile_every,
        state_dir,
    };
    Ok(EventGrid::new(azurite.account.clone(), account, delivered, config.event_subscriptions.clone(), &delivery))
}

/// Waits for the handler, then runs every trigger that is not HTTP.
async fn run_triggers(
    invoker: Arc<Invoker>,
    timers: Arc<TimerStore>,
    events: Option<(EventGrid, mpsc::UnboundedReceiver<BlobWritten>)>,
    confirm: watch::Sender<Option<Result<(), NotReady>>>,
) {
    if let Err(error) = invoker.worker.ready().await {
        confirm.send_replace(Some(Err(error)));
        return;
    }
    let mut running = JoinSet::new();
    for function in &invoker.app.functions {
        let (invoker, function) = (Arc::clone(&invoker), function.clone());
        match function.trigger.clone() {
            Trigger::ServiceBus { queue, binary } => {
                running.spawn(Listener { invoker, function, queue, binary }.run());
            }
            Trigger::Timer { schedule, run_on_startup, use_monitor } => {
                let store = Arc::clone(&timers);
                running.spawn(Timer { invoker, function, schedule, run_on_startup, use_monitor, store }.run());
            }
            Trigger::Http(_) | Trigger::EventGrid => {}
        }
    }
    if let Some((grid, new_blobs)) = events {
        let validated = grid.validate().await;
        if let Err(error) = &validated {
            tracing::error!(%error, "no blob events will be delivered");
        } else {
            running.spawn(Arc::new(grid).run(new_blobs));
        }
        confirm.send_replace(Some(validated));
    } else {
        confirm.send_replace(Some(Ok(())));
    }
    while running.join_next().await.is_some() {}
}
