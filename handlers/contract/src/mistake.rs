//! A mistake in a contract or pipeline file: a stable code and the place, so that its author can fix all of them at once.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One mistake in a configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{file}:{line}:{column}: {code} {path}: {message}")]
pub struct Mistake {
    /// Stable code such as `P0203`, listed in docs/ERRORS.md.
    pub code: String,
    /// The file as the caller named it.
    pub file: String,
    /// Path in the document, such as `tasks[2].mask.column`; empty for the document itself.
    pub path: String,
    /// 1-based line; 0 where no line is known.
    pub line: usize,
    /// 1-based column in characters; 0 where unknown.
    pub column: usize,
    /// What was expected, what was found and what to do.
    pub message: String,
}

/// All mistakes found, in file order; never empty when returned as an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, mistake) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}
