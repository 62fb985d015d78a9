//! Files that are written completely or not at all.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::fault::FileContext as _;

/// A file under another name until it is complete; dropped before, it is removed.
#[derive(Debug)]
pub(super) struct Partial {
    path: PathBuf,
    partial: Option<PathBuf>,
}

impl Partial {
    /// Makes the file.
    pub(super) fn create(path: &Path) -> Result<(Self, File)> {
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push(".partial");
        let partial = path.with_file_name(name);
        let file = File::create(&partial).file("write", &partial)?;
        Ok((Self { path: path.to_owned(), partial: Some(partial) }, file))
    }

    /// Gives the file, which is closed, its name.
    pub(super) fn complete(mut self) -> Result<()> {
        if let Some(partial) = &self.partial {
            std::fs::rename(partial, &self.path).file("write", &self.path)?;
            self.partial = None;
        }
        Ok(())
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if let Some(partial) = &self.partial {
            // The fault that led here is worth more than the removal's.
            let _ = std::fs::remove_file(partial);
        }
    }
}
