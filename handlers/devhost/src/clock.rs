//! Time that a test can turn forward.

use tokio::time::Instant;

/// Where the broker gets its time from.
#[derive(Debug, Clone)]
pub(crate) enum Clock {
    /// The system's.
    System,
    /// A test's: it stands still until it is advanced.
    #[cfg(test)]
    Manual(tokio::sync::watch::Sender<Instant>),
}

impl Clock {
    pub(crate) fn now(&self) -> Instant {
        match self {
            Self::System => Instant::now(),
            #[cfg(test)]
            Self::Manual(time) => *time.borrow(),
        }
    }

    /// Resolves at the time, or after it.
    pub(crate) async fn sleep_until(&self, deadline: Instant) {
        match self {
            Self::System => tokio::time::sleep_until(deadline).await,
            #[cfg(test)]
            Self::Manual(time) => {
                let reached = time.subscribe().wait_for(|now| *now >= deadline).await.is_ok();
                assert!(reached, "this clock holds the sender");
            }
        }
    }
}

#[cfg(test)]
impl Clock {
    pub(crate) fn manual() -> Self {
        Self::Manual(tokio::sync::watch::channel(Instant::now()).0)
    }

    pub(crate) fn advance(&self, duration: std::time::Duration) {
        match self {
            Self::System => panic!("the system's time cannot be turned forward"),
            Self::Manual(time) => time.send_modify(|now| *now += duration),
        }
    }
}
