//! Azurite's blob service as a child process.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::Signal;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::access_log::{BlobWritten, blob_written};
use crate::config::AzuriteConfig;
use crate::error::StartError;
use crate::leftover::{ChildNote, signal_child};

const START_LIMIT: Duration = Duration::from_mins(1);
const STOP_LIMIT: Duration = Duration::from_secs(30);
const RESTART_AFTER: Duration = Duration::from_secs(1);

/// How long the port of a process that has ended may stay taken: until the last of its threads is gone.
const PORT_LINGERS: Duration = Duration::from_secs(10);

/// What Azurite prints once it takes requests.
const READY: &str = "successfully listens on";

/// The running service.
#[derive(Debug)]
pub(crate) struct Azurite {
    stop: Option<oneshot::Sender<()>>,
    supervisor: JoinHandle<()>,
}

#[derive(Clone)]
struct Runner {
    config: AzuriteConfig,
    location: PathBuf,
    port: u16,
    note: ChildNote,
    written: mpsc::UnboundedSender<BlobWritten>,
}

impl Azurite {
    /// Starts the service on `port` and waits until it listens. Committed blobs are reported to `written`.
    pub(crate) async fn start(
        config: AzuriteConfig,
        state_dir: &Path,
        port: u16,
        written: mpsc::UnboundedSender<BlobWritten>,
    ) -> Result<Self, StartError> {
        let location = state_dir.join("azurite");
        std::fs::create_dir_all(&location).map_err(StartError::state(&location))?;
        if !config.script.is_file() {
            return Err(StartError::Azurite(format!("{} does not exist; install its npm packages first", config.script.display())));
        }
        let note = ChildNote::new(state_dir, "azurite", location.display().to_string());
        let was_left = note.stop_leftover(Signal::TERM, STOP_LIMIT).await.map_err(StartError::state(state_dir))?;
        let patience = if was_left { PORT_LINGERS } else { Duration::ZERO };
        port_is_free(port, patience).await.map_err(|source| StartError::Bind { role: "blob storage", port, source })?;
        let runner = Runner { config, location, port, note, written };
        let child = runner.launch().await.map_err(StartError::Azurite)?;
        let (stop, stopped) = oneshot::channel();
        let supervisor = tokio::spawn(supervise(runner, child, stopped));
        Ok(Self { stop: Some(stop), supervisor })
    }

    /// SIGTERM, and waits: Azurite then saves what it holds in memory.
    pub(crate) async fn stop(mut self) {
        if let Some(stop) = self.stop.take() {
            // The supervisor is gone only if it panicked, which the join reports.
            let _ = stop.send(());
        }
        if let Err(error) = self.supervisor.await {
            tracing::error!(%error, "azurite's supervisor panicked");
        }
    }
}

impl Runner {
    async fn launch(&self) -> Result<Child, String> {
        let mut child = Command::new(&self.config.node)
            .arg(&self.config.script)
            .arg("--location")
            .arg(&self.location)
            .args(["--skipApiVersionCheck", "--loose", "--disableTelemetry", "--blobHost", "127.0.0.1", "--blobPort"])
            .arg(self.port.to_string())
            .env("AZURITE_ACCOUNTS", format!("{}:{}", self.config.account, self.config.key))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C in a terminal goes to the whole group: Azurite is stopped after the handler, not with it.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("cannot run {}: {error}", self.config.node.display()))?;
        if let Some(pid) = child.id() {
            self.note.write(pid).map_err(|error| format!("cannot write down its process id: {error}"))?;
        }
        let complaints = Arc::new(Mutex::new(String::new()));
        if let Some(pipe) = child.stderr.take() {
            let complaints = Arc::clone(&complaints);
            tokio::spawn(each_line(pipe, move |line| {
                tracing::warn!(line, "azurite");
                let mut complaints = complaints.lock().unwrap_or_else(PoisonError::into_inner);
                if complaints.len() < 2000 {
                    complaints.push_str(line);
                    complaints.push(' ');
                }
            }));
        }
        let (listens, listening) = oneshot::channel();
        let mut listens = Some(listens);
        if let Some(pipe) = child.stdout.take() {
            let written = self.written.clone();
            let account = self.config.account.clone();
            tokio::spawn(each_line(pipe, move |line| {
                if let Some(blob) = blob_written(line, &account) {
                    // Nobody listens any more: devhost is shutting down.
                    let _ = written.send(blob);
                } else if line.contains(READY)
                    && let Some(listens) = listens.take()
                {
                    let _ = listens.send(());
                }
            }));
        }
        tokio::select! {
            ready = tokio::time::timeout(START_LIMIT, listening) => match ready {
                Ok(Ok(())) => Ok(child),
                Ok(Err(_)) => {
                    let status = child.wait().await.map_or_else(|error| error.to_string(), |status| status.to_string());
                    Err(format!("it ended with {status}: {}", complaints.lock().unwrap_or_else(PoisonError::into_inner)))
                }
                Err(_) => Err(format!("it does not listen after {START_LIMIT:?}")),
            },
        }
    }
}

async fn port_is_free(port: u16, patience: Duration) -> std::io::Result<()> {
    let deadline = Instant::now() + patience;
    loop {
        match TcpListener::bind(("127.0.0.1", port)) {
            Ok(_) => return Ok(()),
            Err(error) if Instant::now() >= deadline => return Err(error),
            Err(_) => tokio::time::sleep(Duration::from_millis(25)).await,
        }
    }
}

async fn supervise(runner: Runner, mut child: Child, mut stop: oneshot::Receiver<()>) {
    loop {
        tokio::select! {
            status = child.wait() => {
                tracing::error!(?status, "azurite ended by itself and is started again; what it had not saved (up to 5 s) is lost");
            }
            _ = &mut stop => return terminate(&runner, child).await,
        }
        loop {
            tokio::time::sleep(RESTART_AFTER).await;
            match runner.launch().await {
                Ok(again) => {
                    child = again;
                    break;
                }
                Err(error) => tracing::error!(error, "azurite does not start"),
            }
            if stop.try_recv().is_ok() {
                return;
            }
        }
    }
}

async fn terminate(runner: &Runner, mut child: Child) {
    if let Some(pid) = child.id()
        && let Err(error) = signal_child(pid, Signal::TERM)
    {
        tracing::warn!(%error, "azurite cannot be asked to stop");
    }
    if tokio::time::timeout(STOP_LIMIT, child.wait()).await.is_err() {
        tracing::error!("azurite did not stop within {STOP_LIMIT:?} and is killed; what it had not saved is lost");
        if let Err(error) = child.kill().await {
            tracing::error!(%error, "azurite could not be killed");
        }
    }
    if let Err(error) = runner.note.clear() {
        tracing::warn!(%error, "cannot remove the note of azurite's process");
    }
}

async fn each_line(pipe: impl AsyncRead + Unpin, mut take: impl FnMut(&str)) {
    let mut reader = BufReader::new(pipe);
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        match reader.read_until(b'\n', &mut bytes).await {
            Ok(0) | Err(_) => return,
            Ok(_) => take(String::from_utf8_lossy(&bytes).trim_end()),
        }
    }
}
