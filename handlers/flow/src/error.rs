//! One error type for the whole flow. Its kind decides what happens next: retry, fail the run, tell the partner, or alert.

use std::{error::Error as StdError, fmt, time::Duration};

use sluice_engine::{EngineError, Refusal};

/// Result of the flow.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What an error means for the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// May heal by itself: the invocation fails and its message returns.
    Transient,
    /// Will not heal, and the data is not at fault: the run fails with this reason, the message completes.
    Permanent,
    /// The data is at fault: the run is rejected and the partner is told why; the message completes.
    Refused,
    /// Should not happen: the invocation fails until its message is dead-lettered, and somebody is alerted.
    Bug,
}

/// An error with its context, said once.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    code: &'static str,
    message: String,
    retry_after: Option<Duration>,
    line: Option<u64>,
    offset: Option<u64>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind` with a stable code (docs/ERRORS.md) and a message: lower case, no period, what was expected and found.
    pub fn new(kind: Kind, code: &'static str, message: impl Into<String>) -> Self {
        Self { kind, code, message: message.into(), retry_after: None, line: None, offset: None, source: None }
    }
    /// Shorthand for [`Kind::Transient`].
    pub fn transient(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Kind::Transient, code, message)
    }
    /// Shorthand for [`Kind::Permanent`].
    pub fn permanent(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Kind::Permanent, code, message)
    }
    /// Shorthand for [`Kind::Refused`].
    pub fn refused(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Kind::Refused, code, message)
    }
    /// Shorthand for [`Kind::Bug`].
    pub fn bug(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Kind::Bug, code, message)
    }
    /// Adds the cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
    /// Adds the time after which a retry makes sense.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }
    /// Adds the place of a fault in the partner's file.
    #[must_use]
    pub fn at(mut self, line: Option<u64>, offset: Option<u64>) -> Self {
        self.line = line;
        self.offset = offset;
        self
    }
    /// 1-based line of the fault in the partner's file.
    pub fn line(&self) -> Option<u64> {
        self.line
    }
    /// Byte offset of the fault in the (decompressed) file.
    pub fn offset(&self) -> Option<u64> {
        self.offset
    }
    /// Time after which a retry makes sense, if known.
    pub fn retry_delay(&self) -> Option<Duration> {
        self.retry_after
    }
    /// What it means for the run.
    pub fn kind(&self) -> Kind {
        self.kind
    }
    /// Stable code.
    pub fn code(&self) -> &'static str {
        self.code
    }
    /// The message without its cause.
    pub fn message(&self) -> &str {
        &self.message
    }
    /// The message and all its causes, joined by `: `.
    pub fn chain(&self) -> String {
        let mut text = self.message.clone();
        let mut source = self.source();
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        text
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::refused(refusal.code.as_str(), refusal.message).at(refusal.line, refusal.offset)
    }
}

impl From<EngineError> for Error {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Refused(refusal) => refusal.into(),
            EngineError::Bug(message) => Self::bug("J0500", format!("internal fault of the engine: {message}")),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|s| s as &(dyn StdError + 'static))
    }
}
