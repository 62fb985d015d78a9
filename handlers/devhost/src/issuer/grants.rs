//! Authorization codes and refresh tokens: random, in memory, gone after a restart.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use azure_core::Uuid;
use tokio::time::Instant;

/// How long a code can be redeemed.
const CODE_LIFETIME: Duration = Duration::from_mins(5);

/// What a person's choice on the page allows.
#[derive(Debug, Clone)]
pub(super) struct Grant {
    /// Index of the principal.
    pub(super) person: usize,
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) code_challenge: String,
    pub(super) nonce: Option<String>,
    pub(super) scope: String,
}

#[derive(Debug, Default)]
struct State {
    codes: HashMap<String, (Grant, Instant)>,
    refresh_tokens: HashMap<String, Grant>,
}

#[derive(Debug, Default)]
pub(super) struct Grants(Mutex<State>);

impl Grants {
    pub(super) fn code(&self, grant: Grant) -> String {
        let code = secret();
        let mut state = self.lock();
        let now = Instant::now();
        state.codes.retain(|_, (_, until)| *until > now);
        state.codes.insert(code.clone(), (grant, now + CODE_LIFETIME));
        code
    }

    /// A code's grant; a code works once.
    pub(super) fn redeem(&self, code: &str) -> Option<Grant> {
        let (grant, until) = self.lock().codes.remove(code)?;
        (until > Instant::now()).then_some(grant)
    }

    pub(super) fn refresh_token(&self, grant: Grant) -> String {
        let token = secret();
        self.lock().refresh_tokens.insert(token.clone(), grant);
        token
    }

    /// A refresh token's grant; the token works once, its successor comes with the answer.
    pub(super) fn refresh(&self, token: &str) -> Option<Grant> {
        self.lock().refresh_tokens.remove(token)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn secret() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}
