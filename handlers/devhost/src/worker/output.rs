//! What the handler prints: into `handler.log`, and to whoever listens.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::sync::broadcast;

use crate::error::StartError;
use crate::rotating_file::RotatingFile;

/// Lines that a slow listener may fall behind before it misses some.
const BACKLOG_LINES: usize = 4096;

/// How the host files a line: stdout is information, stderr an error unless it says "warn".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HandlerLevel {
    /// From stdout.
    Information,
    /// From stderr, with "warn" in it.
    Warning,
    /// From stderr.
    Error,
}

/// One line that the handler printed.
#[derive(Debug, Clone, Serialize)]
pub struct HandlerLine {
    /// When it was read.
    pub time: DateTime<Utc>,
    /// Level that the host would give it.
    pub level: HandlerLevel,
    /// The text, without line end.
    pub text: String,
}

/// Takes the handler's lines.
#[derive(Debug, Clone)]
pub(crate) struct HandlerOutput {
    file: Arc<Mutex<RotatingFile>>,
    lines: broadcast::Sender<HandlerLine>,
}

impl HandlerOutput {
    pub(crate) fn open(state_dir: &Path) -> Result<Self, StartError> {
        let path = state_dir.join("handler.log");
        let file = RotatingFile::open(&path).map_err(StartError::state(&path))?;
        Ok(Self { file: Arc::new(Mutex::new(file)), lines: broadcast::channel(BACKLOG_LINES).0 })
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<HandlerLine> {
        self.lines.subscribe()
    }

    /// Reads a pipe to its end in the background.
    pub(crate) fn drain(&self, pipe: impl AsyncRead + Unpin + Send + 'static, is_stderr: bool) {
        let output = self.clone();
        tokio::spawn(async move {
            let mut reader = BufReader::new(pipe);
            let mut bytes = Vec::new();
            loop {
                bytes.clear();
                match reader.read_until(b'\n', &mut bytes).await {
                    Ok(0) | Err(_) => return,
                    Ok(_) => output.line(String::from_utf8_lossy(&bytes).trim_end(), is_stderr),
                }
            }
        });
    }

    fn line(&self, text: &str, is_stderr: bool) {
        let level = match is_stderr {
            false => HandlerLevel::Information,
            true if text.to_ascii_lowercase().contains("warn") => HandlerLevel::Warning,
            true => HandlerLevel::Error,
        };
        let line = HandlerLine { time: Utc::now(), level, text: text.to_owned() };
        let word = match level {
            HandlerLevel::Information => "info",
            HandlerLevel::Warning => "warn",
            HandlerLevel::Error => "error",
        };
        let text = format!("{} {word} {}", line.time.to_rfc3339_opts(SecondsFormat::Millis, true), line.text);
        let written = self.file.lock().unwrap_or_else(PoisonError::into_inner).line(&text);
        if let Err(error) = written {
            tracing::error!(%error, "handler.log cannot be written");
        }
        // Nobody listening is no error.
        let _ = self.lines.send(line);
    }
}
