//! An OIDC issuer whose tokens look like Entra ID's (version 2.0), for the principals of the configuration.
//!
//! Programs use the client credentials grant, people the authorization code grant with PKCE and a page that asks
//! who they are, without a password: the issuer listens on this machine alone, and its tokens open nothing else.

mod grants;
mod key;
mod pages;
mod tokens;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};

use crate::config::{Principal, PrincipalKind};
use crate::error::StartError;
use grants::Grants;
use key::SigningKey;

pub(super) const AUTHORIZE: &str = "/oauth2/v2.0/authorize";
pub(super) const TOKEN: &str = "/oauth2/v2.0/token";
pub(super) const LOGOUT: &str = "/oauth2/v2.0/logout";
pub(super) const KEYS: &str = "/discovery/v2.0/keys";

/// The issuer.
pub(crate) struct Issuer {
    url: String,
    audience: String,
    tenant: String,
    lifetime: Duration,
    principals: Vec<Principal>,
    key: SigningKey,
    grants: Grants,
}

impl Issuer {
    /// Reads the signing key, or makes it.
    pub(crate) fn open(
        state_dir: &Path,
        url: String,
        audience: String,
        tenant: String,
        lifetime: Duration,
        principals: Vec<Principal>,
    ) -> Result<Arc<Self>, StartError> {
        let key = SigningKey::open(&state_dir.join("issuer-key.pem"))?;
        Ok(Arc::new(Self { url, audience, tenant, lifetime, principals, key, grants: Grants::default() }))
    }

    pub(crate) fn router(self: Arc<Self>) -> Router {
        Router::new()
            .route("/.well-known/openid-configuration", get(configuration))
            .route(KEYS, get(keys))
            .route(AUTHORIZE, get(pages::ask).post(pages::choose))
            .route(TOKEN, post(tokens::token))
            .route(LOGOUT, get(pages::logout))
            .layer(middleware::from_fn(any_origin))
            .with_state(self)
    }

    fn persons(&self) -> impl Iterator<Item = (usize, &Principal)> {
        self.principals.iter().enumerate().filter(|(_, principal)| principal.kind == PrincipalKind::Person)
    }
}

/// Single-page apps fetch keys and tokens from their own origin, as Entra ID lets them.
async fn any_origin(request: Request, next: Next) -> Response {
    let is_preflight = request.method() == Method::OPTIONS;
    let mut response = if is_preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    if is_preflight {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("*"));
    }
    response
}

async fn configuration(State(issuer): State<Arc<Issuer>>) -> Json<Value> {
    let at = |path: &str| format!("{}{path}", issuer.url);
    Json(json!({
        "issuer": issuer.url,
        "authorization_endpoint": at(AUTHORIZE),
        "token_endpoint": at(TOKEN),
        "end_session_endpoint": at(LOGOUT),
        "jwks_uri": at(KEYS),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment"],
        "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic", "none"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["openid", "profile", "offline_access"],
        "claims_supported": ["iss", "aud", "sub", "oid", "tid", "azp", "name", "preferred_username", "roles", "ver"],
    }))
}

async fn keys(State(issuer): State<Arc<Issuer>>) -> Json<Value> {
    Json(json!({"keys": [issuer.key.public()]}))
}

#[cfg(test)]
mod tests;
