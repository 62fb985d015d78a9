//! What every request and invocation works with.

use std::{sync::Arc, time::Duration};

use sluice_flow::{Context, grant::UploadSigner};

use crate::{api::health::Health, auth::Authenticator, feed::Feed, limits::Limits, settings::Settings, summaries::Summaries};

/// The wired handler. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The flow's world.
    pub context: Context,
    /// Signs upload grants.
    pub signer: Arc<dyn UploadSigner>,
    /// Checks access tokens.
    pub authenticator: Arc<Authenticator>,
    /// The last answer of the readiness check.
    pub health: Arc<Health>,
    /// What requests that wait for a change share.
    pub feed: Arc<Feed>,
    /// Summaries that were asked for lately.
    pub summaries: Arc<Summaries>,
    /// How many requests callers may make.
    pub limits: Arc<Limits>,
    /// Time after which an invocation gives up by itself.
    pub invocation_limit: Duration,
}

impl App {
    /// Wires an app.
    ///
    /// # Errors
    /// A text, if no HTTP client for the issuer can be made.
    pub fn new(settings: &Settings, context: Context, signer: Arc<dyn UploadSigner>) -> Result<Self, String> {
        let authenticator = Arc::new(Authenticator::new(settings, context.clock.clone())?);
        let (health, feed, summaries) = (Arc::default(), Arc::default(), Arc::default());
        let limits = Arc::new(Limits::new(settings.caller_rate, settings.stranger_rate));
        Ok(Self { context, signer, authenticator, health, feed, summaries, limits, invocation_limit: settings.invocation_limit })
    }
}
