//! A text file that is set aside as `<name>.1` when it grows too large.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Size in bytes at which a log is set aside.
const LIMIT_BYTES: u64 = 64 << 20;

/// The open file and its size.
#[derive(Debug)]
pub(crate) struct RotatingFile {
    path: PathBuf,
    file: File,
    size: u64,
    limit: u64,
}

impl RotatingFile {
    /// Opens for appending.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Self::with_limit(path, LIMIT_BYTES)
    }

    fn with_limit(path: &Path, limit: u64) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let size = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, size, limit })
    }

    /// Appends a line. The one file set aside before is lost on rotation.
    pub(crate) fn line(&mut self, line: &str) -> io::Result<()> {
        if self.size >= self.limit {
            let mut aside = self.path.clone().into_os_string();
            aside.push(".1");
            fs::rename(&self.path, aside)?;
            *self = Self::with_limit(&self.path.clone(), self.limit)?;
        }
        let mut bytes = Vec::with_capacity(line.len() + 1);
        bytes.extend_from_slice(line.as_bytes());
        bytes.push(b'\n');
        self.file.write_all(&bytes)?;
        self.size += bytes.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_a_full_file_aside() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut file = RotatingFile::with_limit(&path, 10).unwrap();
        for line in ["first line", "second line", "third"] {
            file.line(line).unwrap();
        }
        assert_eq!(fs::read_to_string(dir.path().join("log.1")).unwrap(), "second line\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "third\n");
    }
}
