//! Which API to talk to, and as whom.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::{Deserialize, Serialize};
use url::Url;

use super::Client;
use super::token::{Credentials, Endpoint, TokenSource};
use crate::{Fault, Result};

/// Folder that `sluice up` keeps its state in.
pub(crate) const STATE_DIR: &str = ".sluice";

/// How to reach Sluice.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Connection {
    /// Address of the API, such as https://<app>.azurewebsites.net/api [default: the local Sluice of --state-dir]
    #[arg(long, global = true, env = "SLUICE_API", value_name = "URL")]
    api: Option<Url>,
    /// Principal of a local Sluice: skyline, northwind, rita, ravi, olga, emil, ada
    #[arg(long = "as", global = true, env = "SLUICE_AS", value_name = "NAME")]
    principal: Option<String>,
    /// State folder of a local Sluice
    #[arg(long, global = true, value_name = "FOLDER", default_value = STATE_DIR)]
    state_dir: PathBuf,
}

/// What a running local Sluice tells other commands (`connection.json` in its state folder). No secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LocalConnection {
    /// Address of the API.
    pub(crate) api: Url,
    /// Address of the Functions host, where the local tools are.
    pub(crate) host: Url,
    /// Blob account, for other tools.
    pub(crate) blob: Url,
    /// Token issuer.
    pub(crate) issuer: Url,
    /// Audience of tokens.
    pub(crate) audience: String,
}

impl LocalConnection {
    fn path(state_dir: &Path) -> PathBuf {
        state_dir.join("connection.json")
    }

    pub(crate) fn write(&self, state_dir: &Path) -> Result<()> {
        let text = serde_json::to_vec_pretty(self).map_err(|e| Fault::internal(e.to_string()))?;
        let path = Self::path(state_dir);
        std::fs::write(&path, text).map_err(|error| Fault::usage(format!("cannot write {}: {error}", path.display())))
    }

    pub(crate) fn read(state_dir: &Path) -> Result<Option<Self>> {
        let path = Self::path(state_dir);
        match std::fs::read(&path) {
            Ok(text) => {
                serde_json::from_slice(&text).map(Some).map_err(|error| Fault::usage(format!("{} cannot be read: {error}", path.display())))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Fault::usage(format!("cannot read {}: {error}", path.display()))),
        }
    }
}

/// A demo principal with its secret (`principals.json`, mode 0600).
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Principal {
    /// Short name, such as `rita`.
    pub(crate) name: String,
    /// For people to read.
    pub(crate) display_name: String,
    /// Object id.
    pub(crate) oid: String,
    /// Client id for client credentials.
    pub(crate) client_id: String,
    /// Its secret.
    pub(crate) client_secret: String,
    /// App roles.
    pub(crate) roles: Vec<String>,
    /// Partner id of a partner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) partner: Option<String>,
}

/// The principals of a local Sluice.
pub(crate) fn principals_file(state_dir: &Path) -> PathBuf {
    state_dir.join("principals.json")
}

impl Connection {
    /// A connection to the local Sluice of a state folder.
    pub(crate) fn local(state_dir: &Path, principal: &str) -> Self {
        Self { api: None, principal: Some(principal.to_owned()), state_dir: state_dir.to_owned() }
    }

    /// What the local Sluice says about itself, which must be there.
    pub(crate) fn local_connection(&self) -> Result<LocalConnection> {
        LocalConnection::read(&self.state_dir)?.ok_or_else(|| {
            Fault::usage(format!(
                "no local Sluice was started in {}: start one with sluice up, or name an API with --api",
                self.state_dir.display()
            ))
        })
    }

    /// State folder of a local Sluice.
    pub(crate) fn state_dir(&self) -> &Path {
        &self.state_dir
    }

    /// A client; `usual` is the local principal for this command unless another is named.
    pub(crate) fn client(&self, usual: &str) -> Result<Client> {
        let http = reqwest::Client::builder().build().map_err(|error| Fault::internal(format!("cannot make an HTTP client: {error}")))?;
        let local = LocalConnection::read(&self.state_dir)?;
        let api = match (&self.api, &local) {
            (Some(api), _) => api.clone(),
            (None, Some(local)) => local.api.clone(),
            (None, None) => self.local_connection()?.api,
        };
        if !is_secure(&api) {
            return Err(Fault::usage(format!("{api} is not encrypted: tokens travel over https only, or to this machine")));
        }
        let token = self.token(usual, local.as_ref())?;
        Ok(Client::new(http, api, token))
    }

    fn token(&self, usual: &str, local: Option<&LocalConnection>) -> Result<TokenSource> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        if self.principal.is_none() {
            if let Some(token) = variable("SLUICE_TOKEN") {
                return Ok(TokenSource::given(token));
            }
            if let Some(client_id) = variable("SLUICE_CLIENT_ID") {
                let need =
                    |name: &str| variable(name).ok_or_else(|| Fault::usage(format!("SLUICE_CLIENT_ID is set, so {name} must be set too")));
                let endpoint = need("SLUICE_TOKEN_URL")?;
                let endpoint = Url::parse(&endpoint).map_err(|error| Fault::usage(format!("SLUICE_TOKEN_URL is no URL: {error}")))?;
                if !is_secure(&endpoint) {
                    return Err(Fault::usage("SLUICE_TOKEN_URL is not encrypted: secrets travel over https only, or to this machine"));
                }
                return Ok(TokenSource::client(Credentials {
                    client_id,
                    client_secret: need("SLUICE_CLIENT_SECRET")?,
                    scope: need("SLUICE_SCOPE")?,
                    endpoint: Endpoint::Token(endpoint),
                }));
            }
        }
        let Some(local) = local else {
            return Err(Fault::unreachable(
                "not signed in: set SLUICE_TOKEN, or SLUICE_CLIENT_ID, SLUICE_CLIENT_SECRET, SLUICE_TOKEN_URL and SLUICE_SCOPE",
            ));
        };
        if self.api.as_ref().is_some_and(|api| api.origin() != local.api.origin()) {
            return Err(Fault::unreachable(format!(
                "not signed in: {} belongs to another Sluice; set SLUICE_TOKEN, or SLUICE_CLIENT_ID and its companions",
                self.state_dir.display()
            )));
        }
        let name = self.principal.as_deref().unwrap_or(usual);
        let principal = self.principal(name)?;
        Ok(TokenSource::client(Credentials {
            client_id: principal.client_id,
            client_secret: principal.client_secret,
            scope: format!("{}/.default", local.audience),
            endpoint: Endpoint::Issuer(local.issuer.clone()),
        }))
    }

    /// A principal of the local Sluice.
    pub(crate) fn principal(&self, name: &str) -> Result<Principal> {
        let path = principals_file(&self.state_dir);
        let text = std::fs::read(&path)
            .map_err(|error| Fault::usage(format!("cannot read {}: {error}; start Sluice with sluice up", path.display())))?;
        let all: Vec<Principal> =
            serde_json::from_slice(&text).map_err(|error| Fault::usage(format!("{} cannot be read: {error}", path.display())))?;
        let names: Vec<String> = all.iter().map(|p| p.name.clone()).collect();
        all.into_iter()
            .find(|p| p.name == name)
            .ok_or_else(|| Fault::usage(format!("there is no principal `{name}` here; expected one of {}", names.join(", "))))
    }
}

fn is_secure(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_travel_safely() {
        for (url, safe) in [
            ("https://x.azurewebsites.net/api", true),
            ("http://127.0.0.1:7071/api", true),
            ("http://localhost/api", true),
            ("http://x.azurewebsites.net/api", false),
        ] {
            assert_eq!(is_secure(&Url::parse(url).unwrap()), safe, "{url}");
        }
    }

    #[test]
    fn without_a_local_sluice_there_is_a_hint() {
        let folder = tempfile::tempdir().unwrap();
        let fault = Connection::local(folder.path(), "rita").client("olga").unwrap_err();
        assert_eq!(fault.exit, crate::Exit::Usage);
        assert!(fault.message.contains("sluice up"), "{}", fault.message);
    }
}
