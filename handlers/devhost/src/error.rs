//! Why devhost cannot start, or did not become ready.

use std::io;
use std::path::PathBuf;

use crate::functions::AppMistakes;

/// Why [`DevHost::start`](crate::DevHost::start) failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// host.json or a function.json is wrong; every mistake is listed.
    #[error(transparent)]
    App(#[from] AppMistakes),
    /// Settings are wrong; every mistake is listed.
    #[error("settings cannot be used:\n  {}", .0.join("\n  "))]
    Settings(Vec<String>),
    /// Event subscriptions are wrong; every mistake is listed.
    #[error("event subscriptions cannot be used:\n  {}", .0.join("\n  "))]
    Subscriptions(Vec<String>),
    /// The handler's executable is not there.
    #[error("handler {} does not exist; build it first", .path.display())]
    NoHandler {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// Another devhost uses the state folder.
    #[error("{} is in use by another devhost (process {pid}): stop it, or choose another state folder", .state_dir.display())]
    Locked {
        /// The folder.
        state_dir: PathBuf,
        /// The other process, as it wrote itself down.
        pid: String,
    },
    /// A port is taken.
    #[error("cannot listen on 127.0.0.1:{port} for {role}: {source}; stop what uses the port, or choose another (0 picks a free one)")]
    Bind {
        /// What would have listened.
        role: &'static str,
        /// The port asked for.
        port: u16,
        /// The system's answer.
        source: io::Error,
    },
    /// A file of the state folder cannot be read or written.
    #[error("{}: {source}", .path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A journal holds a record that this version cannot read.
    #[error("{} line {line}: {reason}; move the file away to start with an empty state", .path.display())]
    Journal {
        /// The file.
        path: PathBuf,
        /// 1-based line.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// Azurite did not come up.
    #[error("azurite did not start: {0}")]
    Azurite(String),
    /// The Cosmos DB emulator did not come up.
    #[error("cosmos emulator did not start: {0}")]
    Cosmos(String),
    /// The rules of the static web app cannot be read.
    #[error("{}: {reason}; build the web app again", .path.display())]
    Site {
        /// Its `staticwebapp.config.json`.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The signing key of the issuer cannot be made or read.
    #[error("issuer key {}: {reason}", .path.display())]
    IssuerKey {
        /// The key file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl StartError {
    pub(crate) fn state(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::State { path, source }
    }
}

/// Why devhost is not ready to take work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotReady {
    /// The handler failed three times, or cannot be run at all: on Azure the app would be recycled.
    #[error("the handler gave up: {0}")]
    HandlerGaveUp(String),
    /// The handler ended with exit code 0, after which the Functions host neither restarts it nor says a word.
    #[error("the handler ended with exit code 0; the Functions host does not start it again (see handler.log)")]
    HandlerEnded,
    /// An Event Grid subscription was not confirmed by its function.
    #[error("event subscription of function {function} was not confirmed: {reason}")]
    Subscription {
        /// The subscribed function.
        function: String,
        /// What came instead of the validation code.
        reason: String,
    },
    /// devhost is shutting down.
    #[error("devhost is shutting down")]
    ShuttingDown,
}
