//! Access tokens of Entra ID: signature, issuer, audience, times, roles.
//! Source: Microsoft identity platform, "Access tokens" and "Access token claims reference"; RFC 7519 and RFC 8725.

use std::{collections::BTreeMap, sync::Arc};

use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::{Map, Value};
use sluice_flow::Clock;

use super::{Caller, KeyError, Keys, Role};
use crate::settings::Settings;

/// Clocks of issuer and handler may differ by this many seconds.
const LEEWAY: i64 = 60;
/// Entra ID's tokens stay below a few kilobytes; a header may be larger on some hosts.
const MOST_BYTES: usize = 16 << 10;

/// Why a token is not accepted. Its text is for the log: the client only learns that the token is invalid.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// No `Authorization: Bearer`.
    #[error("no bearer token")]
    Missing,
    /// Not acceptable.
    #[error("{0}")]
    Invalid(String),
    /// The keys to check it could not be read: not the caller's fault.
    #[error(transparent)]
    Keys(KeyError),
}

fn invalid(why: impl Into<String>) -> TokenError {
    TokenError::Invalid(why.into())
}

#[derive(Deserialize)]
struct Claims {
    oid: Option<String>,
    sub: Option<String>,
    /// Client id in v2.0 tokens.
    azp: Option<String>,
    /// Client id in v1.0 tokens.
    appid: Option<String>,
    name: Option<String>,
    preferred_username: Option<String>,
    exp: i64,
    nbf: Option<i64>,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// Checks tokens.
pub struct Authenticator {
    keys: Keys,
    audiences: Vec<String>,
    partner_claim: String,
    partners: BTreeMap<String, String>,
    clock: Arc<dyn Clock>,
}

impl Authenticator {
    /// An authenticator for the issuer and audience of the settings.
    ///
    /// # Errors
    /// Those of [`Keys::new`].
    pub fn new(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, String> {
        Ok(Self {
            keys: Keys::new(settings.issuer.clone())?,
            audiences: settings.audiences.clone(),
            partner_claim: settings.partner_claim.clone(),
            partners: settings.partners.clone(),
            clock,
        })
    }

    /// The caller that an `Authorization` header proves.
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn caller(&self, authorization: Option<&str>) -> Result<Caller, TokenError> {
        let (scheme, token) = authorization.and_then(|value| value.split_once(' ')).ok_or(TokenError::Missing)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(TokenError::Missing);
        }
        let token = token.trim();
        if token.len() > MOST_BYTES {
            return Err(invalid("the token is too long"));
        }
        let header = decode_header(token).map_err(|_| invalid("not a JSON web token"))?;
        // The algorithm is ours to choose, never the token's: no `none`, no HMAC with the public key as its secret.
        if header.alg != Algorithm::RS256 {
            return Err(invalid("expected an RS256 signature"));
        }
        let key_id = header.kid.ok_or_else(|| invalid("the token names no key"))?;
        let key = self.keys.get(&key_id, self.clock.now()).await.map_err(|error| match error {
            KeyError::Unknown => invalid(error.to_string()),
            KeyError::Unavailable => TokenError::Keys(error),
        })?;
        let claims = decode::<Claims>(token, &key, &self.validation()).map_err(|e| invalid(reason(e.kind())))?.claims;
        let now = self.clock.now().timestamp();
        if now >= claims.exp.saturating_add(LEEWAY) {
            return Err(invalid("the token has expired"));
        }
        if claims.nbf.is_some_and(|nbf| now.saturating_add(LEEWAY) < nbf) {
            return Err(invalid("the token is not valid yet"));
        }
        self.of(claims)
    }

    /// Times are checked against our own clock, in [`Authenticator::caller`].
    fn validation(&self) -> Validation {
        let mut validation = Validation::new(Algorithm::RS256);
        let issuer = self.keys.issuer();
        validation.set_issuer(&[issuer.to_owned(), format!("{issuer}/")]);
        validation.set_audience(&self.audiences);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation
    }

    fn of(&self, claims: Claims) -> Result<Caller, TokenError> {
        let client = claims.azp.or(claims.appid);
        let id = claims.oid.clone().or(claims.sub).ok_or_else(|| invalid("the token names neither oid nor sub"))?;
        let name = claims.name.or(claims.preferred_username).unwrap_or_else(|| id.clone());
        let claimed = claims.others.get(&self.partner_claim).and_then(Value::as_str).filter(|partner| !partner.is_empty());
        let mapped = || claims.oid.iter().chain(&client).find_map(|id| self.partners.get(id));
        let partner = claimed.map(str::to_owned).or_else(|| mapped().cloned());
        let roles = claims.roles.iter().filter_map(|role| Role::named(role)).collect();
        Ok(Caller { id, name, roles, partner })
    }
}

fn reason(kind: &jsonwebtoken::errors::ErrorKind) -> &'static str {
    use jsonwebtoken::errors::ErrorKind;
    match kind {
        ErrorKind::InvalidSignature => "the signature is wrong",
        ErrorKind::InvalidIssuer => "the token is of another issuer",
        ErrorKind::InvalidAudience => "the token is for another audience",
        ErrorKind::MissingRequiredClaim(_) => "the token lacks exp, iss or aud",
        _ => "the token cannot be read",
    }
}
