//! Signing keys of the issuer: found through OIDC discovery, cached, and asked for again when a token names a key that is unknown.

use std::{collections::HashMap, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{
    DecodingKey,
    jwk::{AlgorithmParameters, JwkSet, PublicKeyUse},
};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

use crate::settings::is_secure;

/// The keys are asked for again after this time, so that a withdrawn key stops being accepted.
const LIFETIME: TimeDelta = TimeDelta::hours(24);
/// Least time between two requests for keys: a stream of tokens with made-up key ids must not become a stream of requests.
const LEAST_INTERVAL: TimeDelta = TimeDelta::seconds(30);
/// After a failure, sooner: callers wait for the issuer to come back.
const RETRY_INTERVAL: TimeDelta = TimeDelta::seconds(2);
/// Discovery and key documents are a few kilobytes.
const MOST_BYTES: usize = 1 << 20;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The issuer has no key of this id.
    #[error("the issuer has no signing key of this id")]
    Unknown,
    /// The issuer could not be asked yet.
    #[error("the issuer's keys could not be read")]
    Unavailable,
}

struct Cached {
    keys: HashMap<String, DecodingKey>,
    read_at: Option<DateTime<Utc>>,
    ask_again_at: Option<DateTime<Utc>>,
}

/// The issuer's keys.
pub struct Keys {
    issuer: Url,
    http: reqwest::Client,
    // One lock over request and cache: a hundred requests that arrive together ask the issuer once.
    cached: Mutex<Cached>,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: Url,
}

impl Keys {
    /// Keys of this issuer; asked for when the first token comes.
    ///
    /// # Errors
    /// A text, if no HTTP client can be made.
    pub fn new(issuer: Url) -> Result<Self, String> {
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(10))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|e| e.to_string())?;
        Ok(Self { issuer, http, cached: Mutex::new(Cached { keys: HashMap::new(), read_at: None, ask_again_at: None }) })
    }

    /// The issuer's name as tokens must carry it.
    pub fn issuer(&self) -> &str {
        self.issuer.as_str().trim_end_matches('/')
    }

    /// The key of this id, `now` being the time.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn get(&self, id: &str, now: DateTime<Utc>) -> Result<DecodingKey, KeyError> {
        let mut cached = self.cached.lock().await;
        let fresh = cached.read_at.is_some_and(|at| now - at < LIFETIME);
        if fresh && let Some(key) = cached.keys.get(id) {
            return Ok(key.clone());
        }
        if cached.ask_again_at.is_none_or(|at| now >= at) {
            match self.read().await {
                Ok(keys) => {
                    tracing::info!(keys = keys.len(), "the issuer's signing keys were read");
                    *cached = Cached { keys, read_at: Some(now), ask_again_at: Some(now + LEAST_INTERVAL) };
                }
                Err(error) => {
                    tracing::warn!(error, "the issuer's signing keys could not be read");
                    cached.ask_again_at = Some(now + RETRY_INTERVAL);
                }
            }
        }
        // Old keys go on serving while the issuer is away.
        match cached.keys.get(id) {
            Some(key) => Ok(key.clone()),
            None if cached.read_at.is_some() => Err(KeyError::Unknown),
            None => Err(KeyError::Unavailable),
        }
    }

    async fn read(&self) -> Result<HashMap<String, DecodingKey>, String> {
        let discovery = format!("{}/.well-known/openid-configuration", self.issuer());
        let discovery: Discovery = self.document(&discovery).await?;
        if discovery.issuer.trim_end_matches('/') != self.issuer() {
            return Err(format!("expected the discovery document of {}, found that of {}", self.issuer(), discovery.issuer));
        }
        if !is_secure(&discovery.jwks_uri) {
            return Err("expected an https jwks_uri".to_owned());
        }
        let set: JwkSet = self.document(discovery.jwks_uri.as_str()).await?;
        let mut keys = HashMap::new();
        for key in &set.keys {
            let signs = !matches!(key.common.public_key_use, Some(PublicKeyUse::Encryption | PublicKeyUse::Other(_)));
            let rsa = matches!(key.algorithm, AlgorithmParameters::RSA(_));
            if let (true, true, Some(id)) = (signs, rsa, &key.common.key_id)
                && let Ok(decoding) = DecodingKey::from_jwk(key)
            {
                keys.insert(id.clone(), decoding);
            }
        }
        if keys.is_empty() { Err("the issuer publishes no RSA signing key".to_owned()) } else { Ok(keys) }
    }

    async fn document<T: serde::de::DeserializeOwned>(&self, url: &str) -> Result<T, String> {
        let mut response = self.http.get(url).send().await.map_err(|e| e.without_url().to_string())?;
        if !response.status().is_success() {
            return Err(format!("{url} answered {}", response.status()));
        }
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|e| e.without_url().to_string())? {
            if body.len() + piece.len() > MOST_BYTES {
                return Err(format!("{url} sent more than {MOST_BYTES} bytes"));
            }
            body.extend_from_slice(&piece);
        }
        serde_json::from_slice(&body).map_err(|e| format!("{url} sent something else: {e}"))
    }
}
