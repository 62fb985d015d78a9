//! [`SecretStore`] on Key Vault, and on settings where there is none.
//!
//! | code | kind | meaning |
//! |---|---|---|
//! | `V0404` | permanent | no such secret |
//! | `V0403` | transient | the identity may not read it (a new role assignment takes minutes to work) |
//! | `V0503` | transient | throttled, unavailable, unreachable |
//! | `V0500` | bug | an answer that should not happen |

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use azure_core::{
    credentials::{Secret, SecretBytes, TokenCredential},
    http::{ClientOptions, Transport},
};
use azure_security_keyvault_secrets::{SecretClient, SecretClientOptions};
use sluice_flow::{Error, Kind, Result, SecretStore};
use url::Url;

use crate::{
    Patience,
    blob_error::{answer, refused, unanswered},
};

/// How long a secret that was read is used. Key Vault allows few calls, and every chunk that masks a column asks.
const CACHED: Duration = Duration::from_mins(5);

/// Secrets of a Key Vault, in their newest version.
pub struct KeyVaultSecrets {
    client: SecretClient,
    patience: Patience,
    cache: Mutex<HashMap<String, (Instant, SecretBytes)>>,
}

impl KeyVaultSecrets {
    pub(crate) fn new(vault: &Url, credential: Arc<dyn TokenCredential>, patience: Patience, transport: Option<Transport>) -> Result<Self> {
        let client_options = ClientOptions { retry: patience.retry_options(), transport, ..ClientOptions::default() };
        let client =
            SecretClient::new(vault.as_str(), credential, Some(SecretClientOptions { client_options, ..SecretClientOptions::default() }))
                .map_err(|error| Error::bug("V0500", "the Key Vault client cannot be made").because(error))?;
        Ok(Self { client, patience, cache: Mutex::default() })
    }

    fn cached(&self, name: &str) -> Option<Vec<u8>> {
        let cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.get(name).filter(|(read, _)| read.elapsed() < CACHED).map(|(_, value)| value.bytes().to_vec())
    }
}

#[async_trait]
impl SecretStore for KeyVaultSecrets {
    async fn secret(&self, name: &str) -> Result<Vec<u8>> {
        check_name(name)?;
        if let Some(value) = self.cached(name) {
            return Ok(value);
        }
        let doing = format!("read secret {name}");
        let value = self
            .patience
            .within("V0503", &doing, async {
                let found = match self.client.get_secret(name, None).await {
                    Ok(found) => found,
                    Err(error) => return Err(vault_error(&doing, name, &error)),
                };
                let secret = found.into_model().map_err(|error| vault_error(&doing, name, &error))?;
                secret.value.ok_or_else(|| Error::bug("V0500", format!("could not {doing}: Key Vault gave no value")))
            })
            .await?
            .into_bytes();
        self.cache
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.to_owned(), (Instant::now(), SecretBytes::new(value.clone())));
        Ok(value)
    }
}

fn vault_error(doing: &str, name: &str, error: &azure_core::Error) -> Error {
    let Some(answer) = answer(error) else { return unanswered("V", doing, error) };
    let (kind, code) = match answer.status {
        404 => return Error::permanent("V0404", format!("there is no secret {name} in the Key Vault; store it under this name")),
        401 | 403 => (Kind::Transient, "V0403"),
        408 | 429 | 500..=599 => (Kind::Transient, "V0503"),
        _ => (Kind::Bug, "V0500"),
    };
    refused(kind, code, &format!("could not {doing}: Key Vault answered"), &answer)
}

/// Secrets in settings: `tailnum-key` is the setting `SLUICE_SECRET_TAILNUM_KEY`, which in Azure can be a Key Vault reference.
pub struct SettingsSecrets {
    secrets: BTreeMap<String, Secret>,
}

impl SettingsSecrets {
    pub(crate) fn new(secrets: BTreeMap<String, Secret>) -> Self {
        Self { secrets }
    }
}

#[async_trait]
impl SecretStore for SettingsSecrets {
    async fn secret(&self, name: &str) -> Result<Vec<u8>> {
        check_name(name)?;
        let setting = name.to_uppercase().replace('-', "_");
        let secret = self.secrets.get(&setting);
        secret.map(|secret| secret.secret().as_bytes().to_vec()).ok_or_else(|| {
            Error::permanent("V0404", format!("there is no secret {name}; set SLUICE_SECRET_{setting}, or SLUICE_KEYVAULT_ENDPOINT"))
        })
    }
}

/// Key Vault's own rule: 1 to 127 letters, digits and hyphens. The SDK puts the name into a path as it is.
fn check_name(name: &str) -> Result<()> {
    let valid = (1..=127).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if valid {
        Ok(())
    } else {
        Err(Error::permanent("V0404", format!("there is no secret {name:?}: a name has 1 to 127 letters, digits and hyphens")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mock::{self, Mock};

    fn vault(mock: &Arc<Mock>) -> KeyVaultSecrets {
        let url = Url::parse("https://vault.vault.azure.net/").unwrap();
        KeyVaultSecrets::new(&url, mock::credential(), Patience::for_testing(), Some(mock.transport())).unwrap()
    }

    fn challenge() -> mock::Reply {
        let header = r#"Bearer authorization="https://login.microsoftonline.com/tenant", resource="https://vault.azure.net""#;
        mock::Reply::new(401, "").header("www-authenticate", header)
    }

    #[tokio::test]
    async fn a_secret_is_asked_for_once() {
        let mock = Mock::new([challenge(), mock::Reply::new(200, r#"{"value":"hush","id":"x"}"#)]);
        let vault = vault(&mock);
        assert_eq!(vault.secret("tailnum-key").await.unwrap(), b"hush");
        assert_eq!(vault.secret("tailnum-key").await.unwrap(), b"hush");
        assert_eq!(mock.requests().len(), 2);
        assert!(mock.requests()[1].url.path().starts_with("/secrets/tailnum-key"));
    }

    #[tokio::test]
    async fn a_missing_secret_is_permanent_and_a_forbidden_one_may_heal() {
        for (status, expected) in [(404, (Kind::Permanent, "V0404")), (403, (Kind::Transient, "V0403")), (400, (Kind::Bug, "V0500"))] {
            let mock = Mock::new([challenge(), mock::Reply::new(status, "{}")]);
            let error = vault(&mock).secret("k").await.unwrap_err();
            assert_eq!((error.kind(), error.code()), expected);
        }
    }

    #[tokio::test]
    async fn a_name_cannot_leave_its_path() {
        let mock = Mock::new([]);
        for name in ["", "../keys", "a/b", "a?b"] {
            assert_eq!(vault(&mock).secret(name).await.unwrap_err().code(), "V0404");
        }
        assert!(mock.requests().is_empty());
    }

    #[tokio::test]
    async fn a_setting_holds_a_secret_where_there_is_no_vault() {
        let secrets = SettingsSecrets::new(BTreeMap::from([("TAILNUM_KEY".to_owned(), Secret::new("hush"))]));
        assert_eq!(secrets.secret("tailnum-key").await.unwrap(), b"hush");
        let error = secrets.secret("other").await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (Kind::Permanent, "V0404"));
        assert!(error.message().contains("SLUICE_SECRET_OTHER"), "{error}");
    }
}
