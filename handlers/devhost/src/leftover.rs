//! Child processes that outlived a devhost which was killed.
//!
//! A child's process id is written down with its command. At the next start a process of that id is ended, but only
//! if it still runs that command: ids are reused.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

/// The note about one kind of child.
#[derive(Debug, Clone)]
pub(crate) struct ChildNote {
    path: PathBuf,
    /// Text that stands in the child's command line and hardly in another's.
    marker: String,
}

impl ChildNote {
    pub(crate) fn new(state_dir: &Path, name: &str, marker: String) -> Self {
        Self { path: state_dir.join(format!("{name}.pid")), marker }
    }

    /// Notes a child that was just started.
    pub(crate) fn write(&self, pid: u32) -> io::Result<()> {
        fs::write(&self.path, format!("{pid}\n{}\n", self.marker))
    }

    /// Forgets the child after its end.
    pub(crate) fn clear(&self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Ends the child of an earlier run, if it is still there: `signal`, then SIGKILL after `grace`. True if the earlier
    /// run did not end its child itself, so that the child has ended only now, or at a time unknown.
    pub(crate) async fn stop_leftover(&self, signal: Signal, grace: Duration) -> io::Result<bool> {
        let Ok(note) = fs::read_to_string(&self.path) else { return Ok(false) };
        let mut lines = note.lines();
        let pid = lines.next().and_then(|line| line.parse().ok()).and_then(Pid::from_raw);
        let leftover = pid.zip(lines.next()).filter(|(pid, marker)| command_line(*pid).is_some_and(|command| command.contains(marker)));
        if let Some((pid, _)) = leftover {
            tracing::warn!(pid = pid.as_raw_nonzero().get(), "ending a child process that outlived an earlier devhost");
            signal_process(pid, signal)?;
            let deadline = tokio::time::Instant::now() + grace;
            while is_alive(pid) {
                if tokio::time::Instant::now() >= deadline {
                    signal_process(pid, Signal::KILL)?;
                }
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
        }
        self.clear()?;
        Ok(true)
    }
}

/// Sends a signal to a child by its id.
pub(crate) fn signal_child(pid: u32, signal: Signal) -> io::Result<()> {
    match i32::try_from(pid).ok().and_then(Pid::from_raw) {
        Some(pid) => signal_process(pid, signal),
        None => Err(io::Error::other(format!("process id {pid} is out of range"))),
    }
}

fn signal_process(pid: Pid, signal: Signal) -> io::Result<()> {
    match kill_process(pid, signal) {
        Err(rustix::io::Errno::SRCH) => Ok(()),
        other => Ok(other?),
    }
}

/// Whether the process has not come to its end. It may hold its ports for a moment longer.
fn is_alive(pid: Pid) -> bool {
    // A zombie still takes signals; it has no command line any more.
    test_kill_process(pid).is_ok() && command_line(pid).is_some_and(|command| !command.is_empty())
}

fn command_line(pid: Pid) -> Option<String> {
    let pid = pid.as_raw_nonzero();
    if let Ok(bytes) = fs::read(format!("/proc/{pid}/cmdline")) {
        return Some(String::from_utf8_lossy(&bytes).replace('\0', " "));
    }
    if Path::new("/proc/self").exists() {
        return None;
    }
    let output = Command::new("ps").args(["-o", "command=", "-p", &pid.to_string()]).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn ends_the_child_it_noted_and_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let mut child = Command::new("sleep").arg("86399").spawn().unwrap();
        // Its command line is empty for the moment between its start and its arguments.
        let pid = Pid::from_child(&child);
        while command_line(pid).is_none_or(|command| !command.contains("sleep 86399")) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        ChildNote::new(dir.path(), "c", "another command".into()).write(child.id()).unwrap();
        let note = ChildNote::new(dir.path(), "c", "sleep 86399".into());
        assert!(note.stop_leftover(Signal::TERM, Duration::from_secs(5)).await.unwrap());
        assert!(child.try_wait().unwrap().is_none(), "the note names another command");
        note.write(child.id()).unwrap();
        assert!(note.stop_leftover(Signal::TERM, Duration::from_secs(5)).await.unwrap());
        assert!(!child.wait().unwrap().success());
        assert!(!note.stop_leftover(Signal::TERM, Duration::from_secs(5)).await.unwrap(), "the note is gone");
    }
}
