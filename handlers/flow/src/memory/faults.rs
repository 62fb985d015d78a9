//! Faults on demand: the n-th call to a double fails before or after its effect, as a crash or a lost answer would.

use std::sync::Mutex;

use crate::{Error, Result};

/// Whether a call fails before it has changed anything, or after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum When {
    /// Nothing was changed.
    Before,
    /// Everything was changed, but the caller is not told.
    After,
}

/// Which call fails, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fault {
    /// 0-based number of the call, counted over all doubles that share the [`Faults`].
    pub call: u64,
    /// Before or after its effect.
    pub when: When,
}

/// Counts the calls of the doubles that share it and fails the planned ones with a transient error `T0001`.
#[derive(Debug, Default)]
pub struct Faults(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    calls: Vec<&'static str>,
    planned: Vec<Fault>,
}

impl Faults {
    /// Plans one more fault.
    pub fn plan(&self, fault: Fault) {
        self.state().planned.push(fault);
    }

    /// Name of every call so far, in order.
    pub fn calls(&self) -> Vec<&'static str> {
        self.state().calls.clone()
    }

    /// Whether all planned faults have happened.
    pub fn all_happened(&self) -> bool {
        let state = self.state();
        state.planned.iter().all(|f| f.call < state.calls.len() as u64)
    }

    /// One call: counts it, and does its effect unless it is planned to fail before.
    pub(super) async fn around<T>(&self, name: &'static str, effect: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        // Other invocations run here, so that a test with many of them has them meet between any two calls.
        tokio::task::yield_now().await;
        let fault = {
            let mut state = self.state();
            let call = state.calls.len() as u64;
            state.calls.push(name);
            state.planned.iter().find(|f| f.call == call).copied()
        };
        let injected = || Error::transient("T0001", format!("injected fault at {name}"));
        match fault.map(|f| f.when) {
            None => effect(),
            Some(When::Before) => Err(injected()),
            Some(When::After) => effect().and_then(|_| Err(injected())),
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().expect("no holder of the faults panics")
    }
}
