//! The token endpoint.

use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::{constant_time, digest};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use chrono::Utc;
use serde_json::{Map, Value, json};

use super::Issuer;
use super::grants::Grant;
use crate::config::{Principal, PrincipalKind};
use crate::percent;

/// An OAuth error (RFC 6749, 5.2).
pub(super) struct Refusal {
    status: StatusCode,
    error: &'static str,
    description: String,
}

impl Refusal {
    fn bad(error: &'static str, description: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error, description: description.into() }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(json!({"error": self.error, "error_description": self.description}))).into_response()
    }
}

pub(super) async fn token(State(issuer): State<Arc<Issuer>>, headers: HeaderMap, body: String) -> Result<Response, Refusal> {
    let form: HashMap<String, String> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let body = match field("grant_type") {
        "client_credentials" => {
            let (id, secret) = basic(&headers).unwrap_or_else(|| (field("client_id").to_owned(), field("client_secret").to_owned()));
            issuer.for_service(&id, &secret)?
        }
        "authorization_code" => {
            let expired = || Refusal::bad("invalid_grant", "the code is unknown, expired or used");
            let grant = issuer.grants.redeem(field("code")).ok_or_else(expired)?;
            if grant.client_id != field("client_id") || grant.redirect_uri != field("redirect_uri") {
                return Err(Refusal::bad("invalid_grant", "client_id or redirect_uri differs from that of the authorization request"));
            }
            if challenge(field("code_verifier")) != grant.code_challenge {
                return Err(Refusal::bad("invalid_grant", "code_verifier does not fit code_challenge (S256)"));
            }
            issuer.for_person(grant)?
        }
        "refresh_token" => {
            let unknown = || Refusal::bad("invalid_grant", "the refresh token is unknown or used (they do not outlive devhost)");
            let grant = issuer.grants.refresh(field("refresh_token")).ok_or_else(unknown)?;
            if grant.client_id != field("client_id") {
                return Err(Refusal::bad("invalid_grant", "the refresh token is another client's"));
            }
            issuer.for_person(grant)?
        }
        other => {
            return Err(Refusal::bad(
                "unsupported_grant_type",
                format!("expected client_credentials, authorization_code or refresh_token, found \"{other}\""),
            ));
        }
    };
    let mut response = Json(body).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// The S256 challenge of a verifier (RFC 7636).
pub(super) fn challenge(verifier: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()))
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let text = String::from_utf8(BASE64_STANDARD.decode(text).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    // RFC 6749, 2.3.1: both are form-encoded first.
    Some((percent::decode(id), percent::decode(secret)))
}

impl Issuer {
    fn for_service(&self, id: &str, secret: &str) -> Result<Value, Refusal> {
        let known = self.principals.iter().find(|p| p.kind == PrincipalKind::Service && p.client_id == id);
        let principal = known
            .filter(|p| constant_time::verify_slices_are_equal(p.client_secret.as_bytes(), secret.as_bytes()).is_ok())
            .filter(|p| !p.client_secret.is_empty())
            .ok_or(Refusal {
                status: StatusCode::UNAUTHORIZED,
                error: "invalid_client",
                description: "client_id is unknown, or client_secret is wrong".into(),
            })?;
        let mut claims = self.claims(principal, &self.audience, id);
        claims.insert("idtyp".into(), "app".into());
        claims.insert("azpacr".into(), "1".into());
        Ok(json!({
            "token_type": "Bearer",
            "expires_in": self.lifetime.as_secs(),
            "access_token": self.signed(&claims)?,
        }))
    }

    fn for_person(&self, grant: Grant) -> Result<Value, Refusal> {
        let person = &self.principals[grant.person];
        let mut access = self.claims(person, &self.audience, &grant.client_id);
        access.insert("preferred_username".into(), person.client_id.as_str().into());
        let api_scopes: Vec<&str> = grant.scope.split(' ').filter_map(|scope| scope.rsplit_once('/').map(|(_, name)| name)).collect();
        access.insert("scp".into(), if api_scopes.is_empty() { ".default".into() } else { api_scopes.join(" ") }.into());
        let mut identity = self.claims(person, &grant.client_id, &grant.client_id);
        identity.remove("azp");
        identity.insert("preferred_username".into(), person.client_id.as_str().into());
        if let Some(nonce) = &grant.nonce {
            identity.insert("nonce".into(), nonce.as_str().into());
        }
        let client_info = json!({"uid": person.oid, "utid": self.tenant});
        let mut body = json!({
            "token_type": "Bearer",
            "scope": grant.scope,
            "expires_in": self.lifetime.as_secs(),
            "access_token": self.signed(&access)?,
            "id_token": self.signed(&identity)?,
            // MSAL names its accounts by this.
            "client_info": BASE64_URL_SAFE_NO_PAD.encode(client_info.to_string()),
        });
        if grant.scope.split(' ').any(|scope| scope == "offline_access") {
            body["refresh_token"] = self.grants.refresh_token(grant).into();
        }
        Ok(body)
    }

    fn claims(&self, principal: &Principal, audience: &str, client_id: &str) -> Map<String, Value> {
        let now = Utc::now().timestamp();
        let mut claims = principal.claims.clone();
        let standard = json!({
            "iss": self.url,
            "aud": audience,
            "sub": principal.oid,
            "oid": principal.oid,
            "tid": self.tenant,
            "azp": client_id,
            "name": principal.name,
            "roles": principal.roles,
            "ver": "2.0",
            "iat": now,
            "nbf": now,
            "exp": now + i64::try_from(self.lifetime.as_secs()).unwrap_or(i64::MAX / 2),
        });
        if let Value::Object(standard) = standard {
            claims.extend(standard);
        }
        claims
    }

    fn signed(&self, claims: &Map<String, Value>) -> Result<String, Refusal> {
        self.key.sign(claims).map_err(|error| Refusal {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            error: "server_error",
            description: format!("the token could not be signed: {error}"),
        })
    }
}
