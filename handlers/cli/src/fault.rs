//! Why a command ended, as an exit code and a message.

use std::process::ExitCode;

/// Exit codes; stable, listed in docs/CLI.md and by `sluice help exit-codes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// The data is at fault, or the run did not complete.
    Data = 1,
    /// The command line or a configuration file is mistaken.
    Usage = 2,
    /// A service could not be reached, or did not let us in.
    Unreachable = 3,
    /// This program is at fault.
    Internal = 4,
    /// Stopped by Ctrl-C.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// What `sluice help exit-codes` prints.
pub(crate) const EXIT_CODES: &str = "\
Exit codes of every sluice command:

    0    done; for data: it would be (or was) taken
    1    the data is at fault: a file is refused, a limit is passed, a run was rejected, failed or cancelled
    2    the command line or a configuration file is mistaken; nothing was done
    3    a service could not be reached, or did not let us in
    4    this program is at fault; please report it
    130  stopped by Ctrl-C

`sluice check` ends with 0 although some rows are rejected or held, as long as the limits of the pipeline allow it;
with --strict every rejected or held row makes it 1.
";

/// A command that did not do what was asked.
#[derive(Debug)]
pub struct Fault {
    /// The exit code.
    pub exit: Exit,
    /// What was expected, what was found and what to do.
    pub message: String,
}

/// What every command returns.
pub type Result<T, E = Fault> = std::result::Result<T, E>;

impl Fault {
    /// The data is at fault.
    pub fn data(message: impl Into<String>) -> Self {
        Self { exit: Exit::Data, message: message.into() }
    }

    /// The user is at fault.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into() }
    }

    /// The other side is away or says no.
    pub fn unreachable(message: impl Into<String>) -> Self {
        Self { exit: Exit::Unreachable, message: message.into() }
    }

    /// We are at fault.
    pub fn internal(message: impl Into<String>) -> Self {
        Self { exit: Exit::Internal, message: message.into() }
    }

    /// Ctrl-C.
    pub fn interrupted() -> Self {
        Self { exit: Exit::Interrupted, message: "stopped".into() }
    }
}

/// Reads or writes a file of the user's: what cannot be done is a mistake of the command line.
pub(crate) trait FileContext<T> {
    /// Says which file could not be `done` (as in "read").
    fn file(self, done: &str, path: &std::path::Path) -> Result<T>;
}

impl<T> FileContext<T> for std::io::Result<T> {
    fn file(self, done: &str, path: &std::path::Path) -> Result<T> {
        self.map_err(|error| Fault::usage(format!("cannot {done} {}: {error}", path.display())))
    }
}

/// Output that nobody reads any more (`sluice ... | head`) ends a command quietly.
impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self { exit: Exit::Interrupted, message: String::new() };
        }
        Self::internal(error.to_string())
    }
}
