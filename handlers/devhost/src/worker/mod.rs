//! The handler's process: started, watched, killed and restarted as the Functions host does.

mod output;
mod rules;

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use azure_core::Uuid;
use rustix::process::Signal;
use serde::Serialize;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

pub(crate) use output::HandlerOutput;
pub use output::{HandlerLevel, HandlerLine};
use rules::{Next, RestartRules};

use crate::error::NotReady;
use crate::functions::HostJson;
use crate::leftover::ChildNote;

/// Pause between readiness pings (`DefaultHttpWorkerService`).
const PING_EVERY: Duration = Duration::from_millis(25);

/// How the handler is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "state")]
pub enum HandlerState {
    /// Started, not answering yet.
    Starting,
    /// Takes requests.
    Ready {
        /// Its process.
        pid: u32,
        /// Its port.
        port: u16,
        /// How often it has been started, this time included.
        starts: u64,
    },
    /// Ended with exit code 0: the host does nothing, and nothing works any more.
    Ended,
    /// Three errors: the host has stopped the app.
    GaveUp {
        /// The last error.
        reason: String,
    },
    /// devhost is shutting down.
    Stopped,
}

/// What to run.
#[derive(Debug, Clone)]
pub(crate) struct WorkerSpec {
    pub(crate) executable: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) working_directory: PathBuf,
    pub(crate) app_root: PathBuf,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) fixed_port: Option<u16>,
    pub(crate) initialization_timeout: Duration,
    pub(crate) note: ChildNote,
}

impl WorkerSpec {
    pub(crate) fn new(
        host: &HostJson,
        executable: PathBuf,
        app_root: PathBuf,
        environment: BTreeMap<String, String>,
        note: ChildNote,
    ) -> Self {
        Self {
            executable,
            arguments: host.arguments.clone(),
            working_directory: app_root.join(&host.working_directory),
            app_root,
            environment,
            fixed_port: host.port,
            initialization_timeout: host.initialization_timeout,
            note,
        }
    }
}

/// One life of the handler that answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) port: u16,
    /// Tells this life from the ones before and after.
    pub(crate) starts: u64,
}

/// Why the handler is killed by devhost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kill {
    /// A fault injected for a test: restarted at once, not counted.
    Fault,
    /// A function ran into `functionTimeout`: restarted at once, not counted.
    FunctionTimeout,
    /// The end: not restarted.
    Shutdown,
}

/// The supervisor's handle.
#[derive(Debug)]
pub(crate) struct Worker {
    state: watch::Receiver<HandlerState>,
    kills: mpsc::UnboundedSender<Kill>,
    supervisor: std::sync::Mutex<Option<JoinHandle<()>>>,
}

impl Worker {
    /// Starts the handler and its supervisor.
    pub(crate) fn start(spec: WorkerSpec, output: HandlerOutput, client: reqwest::Client) -> Arc<Self> {
        let (state, watched) = watch::channel(HandlerState::Starting);
        let (kills, inbox) = mpsc::unbounded_channel();
        let supervisor = Supervisor { spec, output, client, state, kills: inbox, rules: RestartRules::default(), starts: 0 };
        let task = tokio::spawn(supervisor.run());
        Arc::new(Self { state: watched, kills, supervisor: std::sync::Mutex::new(Some(task)) })
    }

    /// Waits until the handler answers.
    pub(crate) async fn ready(&self) -> Result<Endpoint, NotReady> {
        self.settled(|state| *state != HandlerState::Starting).await
    }

    /// Waits until the handler answers again after it was found not to listen at `dead`.
    pub(crate) async fn ready_after(&self, dead: Endpoint) -> Result<Endpoint, NotReady> {
        self.settled(|state| match state {
            HandlerState::Starting => false,
            HandlerState::Ready { starts, .. } => *starts > dead.starts,
            _ => true,
        })
        .await
    }

    /// Waits until this life of the handler is over.
    pub(crate) async fn left(&self, endpoint: Endpoint) {
        let mut state = self.state.clone();
        let is_over = |state: &HandlerState| !matches!(state, HandlerState::Ready { starts, .. } if *starts == endpoint.starts);
        // An error means that the supervisor is gone, and the handler with it.
        let _ = state.wait_for(is_over).await;
    }

    async fn settled(&self, condition: impl FnMut(&HandlerState) -> bool) -> Result<Endpoint, NotReady> {
        let mut state = self.state.clone();
        let settled = state.wait_for(condition).await;
        match settled.as_deref() {
            Ok(HandlerState::Ready { port, starts, .. }) => Ok(Endpoint { port: *port, starts: *starts }),
            Ok(HandlerState::Ended) => Err(NotReady::HandlerEnded),
            Ok(HandlerState::GaveUp { reason }) => Err(NotReady::HandlerGaveUp(reason.clone())),
            Ok(HandlerState::Stopped | HandlerState::Starting) | Err(_) => Err(NotReady::ShuttingDown),
        }
    }

    /// The state, to look at or to wait for.
    pub(crate) fn state(&self) -> watch::Receiver<HandlerState> {
        self.state.clone()
    }

    /// SIGKILL as an injected fault.
    pub(crate) fn inject_fault(&self) {
        self.send(Kill::Fault);
    }

    /// SIGKILL because a function ran too long; every other invocation under way fails with it.
    pub(crate) fn kill_for_timeout(&self) {
        self.send(Kill::FunctionTimeout);
    }

    /// SIGKILL, and no restart.
    pub(crate) async fn shutdown(&self) {
        self.send(Kill::Shutdown);
        let task = self.supervisor.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(task) = task
            && let Err(error) = task.await
        {
            tracing::error!(%error, "the handler's supervisor panicked");
        }
    }

    fn send(&self, kill: Kill) {
        // A supervisor that has ended has no handler to kill.
        let _ = self.kills.send(kill);
    }
}

struct Supervisor {
    spec: WorkerSpec,
    output: HandlerOutput,
    client: reqwest::Client,
    state: watch::Sender<HandlerState>,
    kills: mpsc::UnboundedReceiver<Kill>,
    rules: RestartRules,
    starts: u64,
}

/// How one life of the handler ended.
enum End {
    Exited(ExitStatus),
    Killed(Kill),
    NeverReady,
}

impl Supervisor {
    async fn run(mut self) {
        if let Err(error) = self.spec.note.stop_leftover(Signal::KILL, Duration::ZERO).await {
            tracing::warn!(%error, "cannot look for a handler left over from an earlier run");
        }
        loop {
            self.state.send_replace(HandlerState::Starting);
            let next = match self.spawn() {
                Ok((mut child, port)) => match self.live(&mut child, port).await {
                    End::Exited(status) => {
                        tracing::warn!(%status, "handler ended");
                        self.rules.ended(status, Instant::now())
                    }
                    End::NeverReady => {
                        kill(&mut child).await;
                        let limit = self.spec.initialization_timeout;
                        self.rules.failed(&format!("did not answer on 127.0.0.1:{port} within {limit:?}"), Instant::now())
                    }
                    End::Killed(Kill::Shutdown) => {
                        kill(&mut child).await;
                        self.forget_child();
                        self.state.send_replace(HandlerState::Stopped);
                        return;
                    }
                    End::Killed(why) => {
                        tracing::warn!(?why, "handler killed");
                        kill(&mut child).await;
                        Next::Restart
                    }
                },
                Err(error) => Next::GiveUp(format!("cannot start {}: {error}", self.spec.executable.display())),
            };
            let last = match next {
                Next::Restart => continue,
                Next::StayDead => HandlerState::Ended,
                Next::GiveUp(reason) => HandlerState::GaveUp { reason },
            };
            tracing::error!(state = ?last, "the handler is down and stays down; see handler.log");
            self.forget_child();
            self.state.send_replace(last);
            while self.kills.recv().await.is_some_and(|kill| kill != Kill::Shutdown) {}
            self.state.send_replace(HandlerState::Stopped);
            return;
        }
    }

    fn spawn(&mut self) -> std::io::Result<(Child, u16)> {
        let port = match self.spec.fixed_port {
            Some(port) => port,
            None => free_port()?,
        };
        let worker_id = Uuid::new_v4().to_string();
        let mut child = Command::new(&self.spec.executable)
            .args(&self.spec.arguments)
            .current_dir(&self.spec.working_directory)
            .envs(&self.spec.environment)
            .env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string())
            .env("FUNCTIONS_HTTPWORKER_PORT", port.to_string())
            .env("FUNCTIONS_CUSTOMHANDLER_WORKER_ID", &worker_id)
            .env("FUNCTIONS_HTTPWORKER_ID", &worker_id)
            .env("FUNCTIONS_APP_ROOT_PATH", &self.spec.app_root)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C in a terminal goes to the whole group: only devhost shall hear it.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        self.starts += 1;
        if let Some(pid) = child.id() {
            self.spec.note.write(pid)?;
        }
        if let Some(pipe) = child.stdout.take() {
            self.output.drain(pipe, false);
        }
        if let Some(pipe) = child.stderr.take() {
            self.output.drain(pipe, true);
        }
        Ok((child, port))
    }

    /// From start to end of one process.
    async fn live(&mut self, child: &mut Child, port: u16) -> End {
        let pid = child.id().unwrap_or_default();
        let mut ready = false;
        let client = self.client.clone();
        let answers = timeout(self.spec.initialization_timeout, answers(&client, port));
        tokio::pin!(answers);
        loop {
            tokio::select! {
                status = child.wait() => return match status {
                    Ok(status) => End::Exited(status),
                    Err(_) => End::Killed(Kill::Fault),
                },
                kill = self.kills.recv() => return End::Killed(kill.unwrap_or(Kill::Shutdown)),
                answer = &mut answers, if !ready => {
                    if answer.is_err() {
                        return End::NeverReady;
                    }
                    ready = true;
                    tracing::info!(pid, port, starts = self.starts, "handler is ready");
                    self.state.send_replace(HandlerState::Ready { pid, port, starts: self.starts });
                }
            }
        }
    }

    fn forget_child(&self) {
        if let Err(error) = self.spec.note.clear() {
            tracing::warn!(%error, "cannot remove the note of the handler's process");
        }
    }
}

async fn kill(child: &mut Child) {
    if let Err(error) = child.kill().await {
        tracing::warn!(%error, "handler could not be killed");
    }
}

/// Resolves when anything at all answers on the port.
async fn answers(client: &reqwest::Client, port: u16) {
    let url = format!("http://127.0.0.1:{port}/");
    while client.get(&url).timeout(Duration::from_secs(1)).send().await.is_err() {
        sleep(PING_EVERY).await;
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

#[cfg(test)]
mod tests;
