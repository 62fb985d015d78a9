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

impl Mistakes {
    /// `next`, unless something was found before it: then all of it together.
    ///
    /// # Errors
    /// What was found before, followed by what `next` found.
    pub fn join<T>(mut before: Vec<Mistake>, next: Result<T, Self>) -> Result<T, Self> {
        match next {
            Ok(value) if before.is_empty() => Ok(value),
            Ok(_) => Err(Self(before)),
            Err(Self(more)) => {
                before.extend(more);
                Err(Self(before))
            }
        }
    }
}

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
