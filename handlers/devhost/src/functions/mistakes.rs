//! What is wrong with an app, all of it at once.

use std::fmt;
use std::path::{Path, PathBuf};

/// One mistake in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppMistake {
    /// The file (or folder) at fault.
    pub file: PathBuf,
    /// What was expected, what was found.
    pub message: String,
}

/// Every mistake of host.json and the function.json files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppMistakes(pub Vec<AppMistake>);

impl AppMistakes {
    pub(crate) fn add(&mut self, file: &Path, message: impl Into<String>) {
        self.0.push(AppMistake { file: file.to_owned(), message: message.into() });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for AppMistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the app cannot be started, {} mistake(s):", self.0.len())?;
        for mistake in &self.0 {
            write!(f, "\n  {}: {}", mistake.file.display(), mistake.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for AppMistakes {}
