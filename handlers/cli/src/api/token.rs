//! Access tokens: one that is given, or one got with client credentials (RFC 6749, section 4.4).

use std::time::{Duration, Instant};

use reqwest::Response;
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

use super::unreachable;
use crate::{Fault, Result};

/// A token is renewed this long before it expires.
const EARLY: Duration = Duration::from_mins(2);

/// Where tokens come from. `Debug` shows no secret.
pub(crate) struct TokenSource(Kind);

enum Kind {
    Given(String),
    Client(Box<ClientSource>),
}

struct ClientSource {
    credentials: Credentials,
    current: Mutex<Option<(String, Instant)>>,
}

/// Client credentials.
pub(crate) struct Credentials {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) scope: String,
    pub(crate) endpoint: Endpoint,
}

/// Where tokens are asked for.
#[derive(Debug, Clone)]
pub(crate) enum Endpoint {
    /// The token endpoint itself.
    Token(Url),
    /// An issuer, whose configuration names it (`OpenID` Connect Discovery 1.0, section 4).
    Issuer(Url),
}

impl std::fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Kind::Given(_) => f.write_str("TokenSource(given)"),
            Kind::Client(source) => write!(f, "TokenSource(client {})", source.credentials.client_id),
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    #[serde(default)]
    expires_in: u64,
}

#[derive(Deserialize)]
struct Configuration {
    token_endpoint: Url,
}

impl TokenSource {
    pub(crate) fn given(token: impl Into<String>) -> Self {
        Self(Kind::Given(token.into()))
    }

    pub(crate) fn client(credentials: Credentials) -> Self {
        Self(Kind::Client(Box::new(ClientSource { credentials, current: Mutex::new(None) })))
    }

    /// A token that is valid now.
    pub(crate) async fn token(&self, http: &reqwest::Client) -> Result<String> {
        match &self.0 {
            Kind::Given(token) => Ok(token.clone()),
            Kind::Client(source) => {
                let mut current = source.current.lock().await;
                if let Some((token, until)) = current.as_ref()
                    && *until > Instant::now()
                {
                    return Ok(token.clone());
                }
                let answer = source.credentials.ask(http).await?;
                let valid = Duration::from_secs(answer.expires_in).saturating_sub(EARLY);
                *current = Some((answer.access_token.clone(), Instant::now() + valid));
                Ok(answer.access_token)
            }
        }
    }
}

impl Credentials {
    async fn ask(&self, http: &reqwest::Client) -> Result<Answer> {
        let endpoint = match &self.endpoint {
            Endpoint::Token(url) => url.clone(),
            Endpoint::Issuer(issuer) => discover(http, issuer).await?,
        };
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &self.client_id),
            ("client_secret", &self.client_secret),
            ("scope", &self.scope),
        ];
        let response = http.post(endpoint.clone()).form(&form).send().await.map_err(|error| unreachable(&endpoint, &error))?;
        let status = response.status();
        if !status.is_success() {
            return Err(Fault::unreachable(format!(
                "{} gives {} no token: it answered {status}",
                endpoint.origin().ascii_serialization(),
                self.client_id
            )));
        }
        response.json().await.map_err(|error| unreachable(&endpoint, &error))
    }
}

async fn discover(http: &reqwest::Client, issuer: &Url) -> Result<Url> {
    let url = Url::parse(&format!("{}/.well-known/openid-configuration", issuer.as_str().trim_end_matches('/')))
        .map_err(|error| Fault::usage(format!("{issuer} is no issuer: {error}")))?;
    let response = http.get(url.clone()).send().await.and_then(Response::error_for_status).map_err(|error| unreachable(issuer, &error))?;
    let configuration: Configuration = response.json().await.map_err(|error| unreachable(issuer, &error))?;
    Ok(configuration.token_endpoint)
}
