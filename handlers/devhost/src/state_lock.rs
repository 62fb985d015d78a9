//! One devhost per state folder.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::error::StartError;

/// Held for as long as devhost runs; the system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct StateLock {
    file: File,
}

impl StateLock {
    /// Creates the folder if need be and takes its lock.
    pub(crate) fn take(state_dir: &Path) -> Result<Self, StartError> {
        fs::create_dir_all(state_dir).map_err(StartError::state(state_dir))?;
        let path = state_dir.join("devhost.lock");
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(StartError::state(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                file.read_to_string(&mut pid).map_err(StartError::state(&path))?;
                let pid = if pid.trim().is_empty() { "unknown".to_owned() } else { pid.trim().to_owned() };
                return Err(StartError::Locked { state_dir: state_dir.to_owned(), pid });
            }
            Err(TryLockError::Error(source)) => return Err(StartError::State { path, source }),
        }
        let write = |file: &mut File| -> std::io::Result<()> {
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
            writeln!(file, "{}", std::process::id())
        };
        write(&mut file).map_err(StartError::state(&path))?;
        Ok(Self { file })
    }
}

impl Drop for StateLock {
    fn drop(&mut self) {
        // Closing would do, were it not for a child being started at this very moment, which holds a copy until it runs.
        if let Err(error) = self.file.unlock() {
            tracing::warn!(%error, "the lock of the state folder cannot be released");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_taker_learns_who_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let held = StateLock::take(dir.path()).unwrap();
        let error = StateLock::take(dir.path()).unwrap_err();
        assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
        drop(held);
        StateLock::take(dir.path()).unwrap();
    }
}
