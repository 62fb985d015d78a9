//! Shared access signatures made with the account key of an emulator. In Azure the SDK signs with a user delegation key instead.

use azure_core::credentials::Secret;
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, SecondsFormat, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use sluice_flow::{Error, Result};
use url::Url;

/// Service version whose string to sign is made here.
const VERSION: &str = "2022-11-02";

/// What a signature allows, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Terms {
    /// Permission letters in the service's order, such as `cw`.
    pub(crate) permissions: &'static str,
    /// From.
    pub(crate) start: DateTime<Utc>,
    /// Until.
    pub(crate) expiry: DateTime<Utc>,
    /// Whether plain http is refused.
    pub(crate) https_only: bool,
}

/// Base64 of the HMAC-SHA256 of `text` under a base64 key.
///
/// # Errors
/// Code `I0501` (bug): the key is not base64, which the settings would have refused.
pub(crate) fn hmac(key: &Secret, text: &str) -> Result<String> {
    let key = STANDARD.decode(key.secret()).map_err(|_| Error::bug("I0501", "the account key is not base64"))?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| Error::bug("I0501", "the account key cannot be used"))?;
    mac.update(text.as_bytes());
    Ok(STANDARD.encode(mac.finalize().into_bytes()))
}

/// Adds a service SAS for one blob, or for its container if `path` is `None`, to `url`.
///
/// Fields and their order: REST "Create a service SAS", string-to-sign of version 2020-12-06 and later.
///
/// # Errors
/// See [`hmac`].
pub(crate) fn sign(url: &mut Url, account: &str, key: &Secret, container: &str, path: Option<&str>, terms: &Terms) -> Result<()> {
    let start = terms.start.to_rfc3339_opts(SecondsFormat::Secs, true);
    let expiry = terms.expiry.to_rfc3339_opts(SecondsFormat::Secs, true);
    let resource = path.map_or_else(|| format!("/blob/{account}/{container}"), |path| format!("/blob/{account}/{container}/{path}"));
    let kind = if path.is_some() { "b" } else { "c" };
    let protocol = if terms.https_only { "https" } else { "" };
    // Identifier, address range, snapshot, encryption scope and the five response headers are not used.
    let text = [terms.permissions, &start, &expiry, &resource, "", "", protocol, VERSION, kind, "", "", "", "", "", "", ""].join("\n");
    let signature = hmac(key, &text)?;
    let mut query = url.query_pairs_mut();
    query.append_pair("sv", VERSION).append_pair("sr", kind).append_pair("sp", terms.permissions);
    query.append_pair("st", &start).append_pair("se", &expiry);
    if terms.https_only {
        query.append_pair("spr", protocol);
    }
    query.append_pair("sig", &signature);
    Ok(())
}
