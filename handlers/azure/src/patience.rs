//! How long a call to Azure may take. It must end well before the lock of the message that it works for.

use std::{future::Future, time::Duration};

use azure_core::http::{ExponentialRetryOptions, RetryOptions};
use sluice_flow::{Error, Result};

/// Time limits of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// After this time no further try is begun. The SDK's default goes on for over a minute.
    pub retries: Duration,
    /// After this time the call is given up, answered or not: a silent peer must not hold an invocation.
    pub call: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { retries: Duration::from_secs(20), call: Duration::from_secs(45) }
    }
}

impl Patience {
    /// Short limits, so that tests of failure are fast.
    pub fn for_testing() -> Self {
        Self { retries: Duration::from_millis(200), call: Duration::from_secs(20) }
    }

    /// Exponential back-off within these limits.
    pub(crate) fn retry_options(self) -> RetryOptions {
        RetryOptions::exponential(ExponentialRetryOptions {
            max_total_elapsed: self.retries.try_into().unwrap_or(azure_core::time::Duration::MAX),
            max_delay: azure_core::time::Duration::seconds(5),
            ..ExponentialRetryOptions::default()
        })
    }

    /// Awaits `call`, for at most [`Patience::call`].
    ///
    /// # Errors
    /// Those of the call, and a transient error with `code` when the time is over.
    pub(crate) async fn within<T>(self, code: &'static str, doing: &str, call: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::time::timeout(self.call, call)
            .await
            .unwrap_or_else(|_| Err(Error::transient(code, format!("no answer within {} s to {doing}", self.call.as_secs()))))
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use sluice_flow::Kind;

    use super::*;

    #[tokio::test]
    async fn a_silent_peer_is_given_up() {
        let patience = Patience { retries: Duration::ZERO, call: Duration::from_millis(1) };
        let error = patience.within("L0503", "read raw/x", pending::<Result<()>>()).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (Kind::Transient, "L0503"));
        assert!(error.message().ends_with("to read raw/x"), "{error}");
    }

    #[test]
    fn a_call_ends_before_the_shortest_lock() {
        // Service Bus locks a message for 60 s by default.
        assert!(Patience::default().call < Duration::from_mins(1));
        assert!(Patience::default().retries < Patience::default().call);
    }
}
