//! What the Functions host does when the handler's process ends.

use std::process::ExitStatus;
use std::time::Duration;

use tokio::time::Instant;

/// Errors are forgotten after a quiet time this long (`HttpFunctionInvocationDispatcher`).
const QUIET: Duration = Duration::from_mins(30);

/// The error that stops the app.
const LAST_ERROR: usize = 3;

/// Exit code with which a handler asks for a restart that does not count (`WorkerProcess`).
const INTENTIONAL_RESTART: i32 = 200;

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Next {
    Restart,
    /// Exit code 0: no error, no restart, and no handler.
    StayDead,
    /// The third error: the host stops the app.
    GiveUp(String),
}

/// Errors since the last quiet time.
#[derive(Debug, Default)]
pub(crate) struct RestartRules {
    errors: usize,
    last: Option<Instant>,
}

impl RestartRules {
    /// The process ended by itself (or by somebody else's signal).
    pub(crate) fn ended(&mut self, status: ExitStatus, now: Instant) -> Next {
        match status.code() {
            Some(0) => Next::StayDead,
            Some(INTENTIONAL_RESTART) => Next::Restart,
            _ => self.failed(&format!("ended with {status}"), now),
        }
    }

    /// The process failed in a way that counts.
    pub(crate) fn failed(&mut self, what: &str, now: Instant) -> Next {
        if self.last.is_some_and(|last| now.duration_since(last) > QUIET) {
            self.errors = 0;
        }
        self.errors += 1;
        self.last = Some(now);
        if self.errors >= LAST_ERROR {
            Next::GiveUp(format!("{} errors in a row, the last: it {what}", self.errors))
        } else {
            Next::Restart
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    fn exit(code: i32) -> ExitStatus {
        ExitStatus::from_raw(code << 8)
    }

    #[test]
    fn the_third_error_is_the_last() {
        let mut rules = RestartRules::default();
        let now = Instant::now();
        assert_eq!(rules.ended(exit(1), now), Next::Restart);
        assert_eq!(rules.ended(exit(200), now), Next::Restart);
        assert_eq!(rules.ended(ExitStatus::from_raw(9), now), Next::Restart);
        assert!(matches!(rules.ended(exit(101), now), Next::GiveUp(why) if why.contains("101")));
    }

    #[test]
    fn a_quiet_half_hour_forgives() {
        let mut rules = RestartRules::default();
        let now = Instant::now();
        rules.ended(exit(1), now);
        rules.ended(exit(1), now + QUIET);
        assert_eq!(rules.ended(exit(1), now + QUIET * 2 + Duration::from_secs(1)), Next::Restart);
    }

    #[test]
    fn exit_code_zero_is_the_end() {
        assert_eq!(RestartRules::default().ended(exit(0), Instant::now()), Next::StayDead);
    }
}
