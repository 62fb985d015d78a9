//! Settings of the adapters, read once at the start. All mistakes are reported together.

use std::{collections::BTreeMap, error::Error, fmt};

use azure_core::credentials::Secret;
use base64::{Engine, engine::general_purpose::STANDARD};
use url::{Host, Url};

const BLOB_ENDPOINT: &str = "SLUICE_BLOB_ENDPOINT";
const BLOB_KEY: &str = "SLUICE_BLOB_ACCOUNT_KEY";
const COSMOS_ENDPOINT: &str = "SLUICE_COSMOS_ENDPOINT";
const COSMOS_KEY: &str = "SLUICE_COSMOS_KEY";
const COSMOS_DATABASE: &str = "SLUICE_COSMOS_DATABASE";
const VAULT_ENDPOINT: &str = "SLUICE_KEYVAULT_ENDPOINT";
const CREDENTIAL: &str = "SLUICE_CREDENTIAL";
const CLIENT_ID: &str = "SLUICE_IDENTITY_CLIENT_ID";
const SECRET_PREFIX: &str = "SLUICE_SECRET_";
/// Set by App Service and Functions to the region's display name, such as `West Europe`.
const REGION: &str = "REGION_NAME";
/// What an unresolved Key Vault reference looks like: the platform leaves its text in the variable.
const UNRESOLVED: &str = "@Microsoft.KeyVault";
const DEFAULT_DATABASE: &str = "sluice";

/// Where and as whom the adapters work.
///
/// | setting | meaning |
/// |---|---|
/// | `SLUICE_BLOB_ENDPOINT` | `https://<account>.blob.core.windows.net`, or an emulator's `http://127.0.0.1:<port>/<account>` |
/// | `SLUICE_BLOB_ACCOUNT_KEY` | base64; needed by an emulator on this machine, refused for any other endpoint |
/// | `SLUICE_COSMOS_ENDPOINT` | `https://<account>.documents.azure.com`, or an emulator's `http://127.0.0.1:<port>` |
/// | `SLUICE_COSMOS_KEY` | base64; as the blob key |
/// | `SLUICE_COSMOS_DATABASE` | default `sluice` |
/// | `SLUICE_KEYVAULT_ENDPOINT` | `https://<vault>.vault.azure.net`; without it secrets are settings named `SLUICE_SECRET_<NAME>` |
/// | `SLUICE_CREDENTIAL` | `managed` (default) or `developer`: who signs in to Azure |
/// | `SLUICE_IDENTITY_CLIENT_ID` | client id of a user-assigned managed identity |
///
/// An empty value counts as absent.
#[derive(Debug, Clone)]
pub struct Settings {
    pub(crate) blob: Endpoint,
    pub(crate) cosmos: Endpoint,
    pub(crate) database: String,
    pub(crate) vault: Option<Url>,
    pub(crate) credential: Credential,
    pub(crate) region: Option<String>,
    pub(crate) secrets: BTreeMap<String, Secret>,
}

/// A service's address and how to sign in to it.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    /// Without a slash at the end of a path.
    pub(crate) url: Url,
    pub(crate) access: Access,
}

/// How requests are authorised.
#[derive(Debug, Clone)]
pub(crate) enum Access {
    /// Entra ID.
    Identity,
    /// The key of an emulator on this machine.
    Key(Secret),
}

/// Who signs in to Entra ID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Credential {
    /// The app's managed identity: the user-assigned one with this client id, else the system-assigned one.
    Managed(Option<String>),
    /// An engineer, by the Azure CLI or the Azure Developer CLI.
    Developer,
}

impl Endpoint {
    /// Whether the service is an emulator on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        matches!(self.access, Access::Key(_))
    }
}

/// Everything that is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsError {
    /// One line each: the setting's name, what is wrong, what to do.
    pub mistakes: Vec<String>,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.mistakes.join("\n"))
    }
}

impl Error for SettingsError {}

impl Settings {
    /// Reads environment variables such as `std::env::vars()`.
    ///
    /// # Errors
    /// All mistakes at once. A message never quotes the value of a key or a secret.
    pub fn from_env(variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, SettingsError> {
        let mut reader = Reader {
            values: variables
                .into_iter()
                .filter(|(name, value)| (name.starts_with("SLUICE_") || name == REGION) && !value.is_empty())
                .collect(),
            mistakes: Vec::new(),
        };
        reader.refuse_unresolved_references();
        let blob = reader.endpoint(BLOB_ENDPOINT, BLOB_KEY, Path::AccountOnLoopback);
        let cosmos = reader.endpoint(COSMOS_ENDPOINT, COSMOS_KEY, Path::None);
        let database = reader.take(COSMOS_DATABASE).unwrap_or_else(|| DEFAULT_DATABASE.to_owned());
        if database.contains(['/', '\\', '?', '#']) {
            reader.mistake(COSMOS_DATABASE, "a database name has no / \\ ? or #");
        }
        let vault = reader.take(VAULT_ENDPOINT).and_then(|text| reader.vault(&text));
        let credential = reader.credential();
        let region = reader.take(REGION);
        let secrets = reader.secrets();
        match (blob, cosmos) {
            (Some(blob), Some(cosmos)) if reader.mistakes.is_empty() => {
                Ok(Self { blob, cosmos, database, vault, credential, region, secrets })
            }
            _ => Err(SettingsError { mistakes: reader.mistakes }),
        }
    }
}

/// What the path of an endpoint must be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Path {
    None,
    /// An emulator has one host for all accounts, so that the account is the path.
    AccountOnLoopback,
}

struct Reader {
    values: BTreeMap<String, String>,
    mistakes: Vec<String>,
}

impl Reader {
    fn mistake(&mut self, name: &str, what: impl fmt::Display) {
        self.mistakes.push(format!("{name}: {what}"));
    }

    fn take(&mut self, name: &str) -> Option<String> {
        self.values.remove(name)
    }

    /// Names every unresolved reference and takes it away, so that it is reported once.
    fn refuse_unresolved_references(&mut self) {
        let names: Vec<String> =
            self.values.iter().filter(|(_, value)| value.trim_start().starts_with(UNRESOLVED)).map(|(name, _)| name.clone()).collect();
        for name in names {
            self.mistake(
                &name,
                "is a Key Vault reference that the platform could not resolve; check that the secret exists and that the app's identity may read it",
            );
            self.values.insert(name, String::new());
        }
    }

    fn endpoint(&mut self, name: &str, key_name: &str, path: Path) -> Option<Endpoint> {
        let key = self.take(key_name);
        let Some(text) = self.take(name) else {
            self.mistake(name, "is missing; expected the service's URL");
            return None;
        };
        if text.is_empty() {
            return None;
        }
        let mut url = self.url(name, &text)?;
        let trimmed = url.path().trim_end_matches('/').to_owned();
        // The SDK appends path segments, and a slash at the end would make an empty one: "400 Bad Request".
        url.set_path(&trimmed);
        let segments = trimmed.split('/').filter(|s| !s.is_empty()).count();
        if !is_loopback(&url) {
            if key.is_some() {
                self.mistake(
                    key_name,
                    format_args!(
                        "a key is accepted only for an emulator on this machine; remove it, {name} is used with an Entra ID identity"
                    ),
                );
                return None;
            }
            if url.scheme() != "https" {
                self.mistake(name, "must use https, except for an emulator on 127.0.0.1 or localhost");
                return None;
            }
            if segments != 0 {
                self.mistake(name, "must have no path");
                return None;
            }
            return Some(Endpoint { url, access: Access::Identity });
        }
        if path == Path::AccountOnLoopback && segments != 1 {
            self.mistake(name, "an emulator's URL ends with the account, such as http://127.0.0.1:10000/devstoreaccount1");
            return None;
        }
        if path == Path::None && segments != 0 {
            self.mistake(name, "must have no path");
            return None;
        }
        let Some(key) = key else {
            self.mistake(key_name, format_args!("is missing; {name} is an emulator on this machine, which needs its key"));
            return None;
        };
        if key.is_empty() {
            return None;
        }
        if STANDARD.decode(&key).is_err() {
            self.mistake(key_name, "is not base64");
            return None;
        }
        Some(Endpoint { url, access: Access::Key(Secret::new(key)) })
    }

    fn url(&mut self, name: &str, text: &str) -> Option<Url> {
        let url = match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => url,
            Ok(_) => {
                self.mistake(name, "is not an http or https URL");
                return None;
            }
            Err(error) => {
                self.mistake(name, format_args!("is not a URL ({error})"));
                return None;
            }
        };
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
            self.mistake(name, "must have no user, query or fragment; a shared access signature is not accepted");
            return None;
        }
        Some(url)
    }

    fn vault(&mut self, text: &str) -> Option<Url> {
        if text.is_empty() {
            return None;
        }
        let url = self.url(VAULT_ENDPOINT, text)?;
        if url.scheme() != "https" || url.path() != "/" {
            self.mistake(VAULT_ENDPOINT, "expected https://<vault>.vault.azure.net");
            return None;
        }
        Some(url)
    }

    fn credential(&mut self) -> Credential {
        let client_id = self.take(CLIENT_ID).filter(|id| !id.is_empty());
        match self.take(CREDENTIAL).as_deref() {
            None | Some("" | "managed") => Credential::Managed(client_id),
            Some("developer") => {
                if client_id.is_some() {
                    self.mistake(CLIENT_ID, format_args!("names a managed identity, but {CREDENTIAL} is developer"));
                }
                Credential::Developer
            }
            Some(other) => {
                let message = format!("expected managed or developer, found {other:?}");
                self.mistake(CREDENTIAL, message);
                Credential::Managed(client_id)
            }
        }
    }

    fn secrets(&mut self) -> BTreeMap<String, Secret> {
        let values = std::mem::take(&mut self.values);
        values.into_iter().filter_map(|(name, value)| Some((name.strip_prefix(SECRET_PREFIX)?.to_owned(), Secret::new(value)))).collect()
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AZURE: [(&str, &str); 2] =
        [(BLOB_ENDPOINT, "https://acct.blob.core.windows.net/"), (COSMOS_ENDPOINT, "https://acct.documents.azure.com:443/")];
    const LOCAL: [(&str, &str); 4] = [
        (BLOB_ENDPOINT, "http://127.0.0.1:10000/devstoreaccount1"),
        (BLOB_KEY, "c2VjcmV0"),
        (COSMOS_ENDPOINT, "http://localhost:8081"),
        (COSMOS_KEY, "c2VjcmV0"),
    ];

    fn read(base: &[(&str, &str)], more: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let mut map = BTreeMap::new();
        for (name, value) in base.iter().chain(more) {
            map.insert((*name).to_owned(), (*value).to_owned());
        }
        Settings::from_env(map)
    }

    fn mistakes(base: &[(&str, &str)], more: &[(&str, &str)]) -> Vec<String> {
        read(base, more).expect_err("expected mistakes").mistakes
    }

    #[test]
    fn azure_needs_two_endpoints_and_no_key() {
        let settings = read(&AZURE, &[("PATH", "/bin"), (REGION, "West Europe")]).unwrap();
        assert!(!settings.blob.is_loopback() && !settings.cosmos.is_loopback());
        assert_eq!(settings.blob.url.as_str(), "https://acct.blob.core.windows.net/");
        assert_eq!(settings.database, "sluice");
        assert_eq!(settings.credential, Credential::Managed(None));
        assert_eq!(settings.region.as_deref(), Some("West Europe"));
    }

    #[test]
    fn a_user_assigned_identity_is_named_by_its_client_id() {
        assert_eq!(read(&AZURE, &[(CLIENT_ID, "id")]).unwrap().credential, Credential::Managed(Some("id".to_owned())));
        assert_eq!(read(&AZURE, &[(CREDENTIAL, "developer")]).unwrap().credential, Credential::Developer);
    }

    #[test]
    fn an_emulator_needs_its_key_and_its_account() {
        let settings = read(&LOCAL, &[(BLOB_ENDPOINT, "http://127.0.0.1:10000/devstoreaccount1/")]).unwrap();
        assert!(settings.blob.is_loopback());
        assert_eq!(settings.blob.url.as_str(), "http://127.0.0.1:10000/devstoreaccount1");
        assert_eq!(mistakes(&LOCAL, &[(BLOB_ENDPOINT, "http://127.0.0.1:10000")]).len(), 1);
        assert!(mistakes(&LOCAL, &[(COSMOS_KEY, "")])[0].starts_with("SLUICE_COSMOS_KEY: is missing"));
        assert_eq!(mistakes(&LOCAL, &[(BLOB_KEY, "no base64!")]), ["SLUICE_BLOB_ACCOUNT_KEY: is not base64"]);
    }

    #[test]
    fn a_key_is_refused_outside_this_machine() {
        for endpoint in
            ["https://acct.blob.core.windows.net", "http://10.0.0.7:10000/devstoreaccount1", "http://127.0.0.1.evil.example/acct"]
        {
            let found = mistakes(&LOCAL, &[(BLOB_ENDPOINT, endpoint)]);
            assert!(found[0].starts_with("SLUICE_BLOB_ACCOUNT_KEY: a key is accepted only"), "{found:?}");
        }
        assert_eq!(mistakes(&AZURE, &[(COSMOS_KEY, "c2VjcmV0")]).len(), 1);
    }

    #[test]
    fn plain_http_is_refused_outside_this_machine() {
        assert!(mistakes(&AZURE, &[(COSMOS_ENDPOINT, "http://acct.documents.azure.com")])[0].contains("must use https"));
    }

    #[test]
    fn an_unresolved_reference_is_named_wherever_it_stands() {
        let reference = "@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/n/)";
        for name in [BLOB_ENDPOINT, COSMOS_DATABASE, VAULT_ENDPOINT, CREDENTIAL, CLIENT_ID, "SLUICE_SECRET_TAILNUM_KEY"] {
            let found = mistakes(&AZURE, &[(name, reference)]);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].starts_with(name) && found[0].contains("Key Vault reference"), "{found:?}");
        }
        assert_eq!(mistakes(&LOCAL, &[(BLOB_KEY, reference)]).len(), 1);
    }

    #[test]
    fn all_mistakes_come_at_once() {
        let found = mistakes(&[], &[(BLOB_ENDPOINT, "acct"), (CREDENTIAL, "me"), (VAULT_ENDPOINT, "http://v"), (COSMOS_DATABASE, "a/b")]);
        let names: Vec<_> = found.iter().map(|m| m.split(':').next().unwrap()).collect();
        assert_eq!(names, [BLOB_ENDPOINT, COSMOS_ENDPOINT, COSMOS_DATABASE, VAULT_ENDPOINT, CREDENTIAL]);
    }

    #[test]
    fn a_shared_access_signature_in_an_endpoint_is_refused_and_not_quoted() {
        let found = mistakes(&AZURE, &[(BLOB_ENDPOINT, "https://acct.blob.core.windows.net/?sv=1&sig=abcd")]);
        assert_eq!(found.len(), 1);
        assert!(!found[0].contains("abcd"));
    }

    #[test]
    fn neither_a_key_nor_a_secret_is_printed() {
        let settings = read(&LOCAL, &[("SLUICE_SECRET_TAILNUM_KEY", "hush-hush")]).unwrap();
        let text = format!("{settings:?}");
        assert!(!text.contains("hush-hush") && !text.contains("c2VjcmV0"), "{text}");
        assert!(settings.secrets.contains_key("TAILNUM_KEY"));
    }
}
