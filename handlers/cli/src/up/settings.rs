//! App settings of a local Sluice: those of local.settings.json, and secrets for masks, random for each state folder.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use devhost::Urls;
use serde::Deserialize;

use super::principals::secret;
use crate::check::prepare::secret_variable;
use crate::fault::FileContext as _;
use crate::{Fault, Result};

/// `local.settings.json`, as the Functions Core Tools read it.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct LocalSettings {
    /// App settings.
    #[serde(rename = "Values", default)]
    pub(crate) values: BTreeMap<String, String>,
    #[serde(rename = "Host", default)]
    host: HostSettings,
}

#[derive(Debug, Default, Deserialize)]
struct HostSettings {
    #[serde(rename = "CORS", default)]
    cors: String,
}

impl LocalSettings {
    pub(crate) fn read(app_root: &Path) -> Result<Self> {
        let path = app_root.join("local.settings.json");
        let text = std::fs::read(&path).file("read", &path)?;
        serde_json::from_slice(&text).map_err(|error| Fault::usage(format!("{} cannot be read: {error}", path.display())))
    }

    /// Origins that browsers may call from.
    pub(crate) fn cors_origins(&self) -> Vec<String> {
        self.host.cors.split(',').map(str::trim).filter(|origin| !origin.is_empty()).map(str::to_owned).collect()
    }

    /// Audience of access tokens.
    pub(crate) fn audience(&self) -> String {
        let audiences = self.values.get("SLUICE_AUDIENCE").map(String::as_str).unwrap_or_default();
        audiences.split(',').map(str::trim).find(|a| !a.is_empty()).unwrap_or("api://sluice").to_owned()
    }
}

/// Settings for the secrets that pipelines name. A new name gets a new secret; those that are there stay, so that masked values stay equal.
pub(crate) fn secrets(state_dir: &Path, names: &BTreeSet<String>) -> Result<BTreeMap<String, String>> {
    let mut known = crate::secrets::read(state_dir)?;
    let before = known.len();
    for name in names {
        if !known.contains_key(name) {
            known.insert(name.clone(), secret()?);
        }
    }
    if known.len() > before {
        crate::secrets::write(state_dir, &known)?;
    }
    Ok(known.into_iter().map(|(name, value)| (secret_variable(&name), value)).collect())
}

/// The settings with the addresses filled in, as the handler sees them.
pub(crate) fn expanded(values: &BTreeMap<String, String>, urls: &Urls) -> BTreeMap<String, String> {
    let fill = |value: &String| {
        value
            .replace("{http_url}", &urls.http)
            .replace("{cosmos_url}", &urls.cosmos)
            .replace("{issuer_url}", &urls.issuer)
            .replace("{blob_url}", urls.blob.as_deref().unwrap_or_default())
    };
    values.iter().map(|(name, value)| (name.clone(), fill(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_stays_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let one = secrets(folder.path(), &BTreeSet::from(["tailnum-key".to_owned()])).unwrap();
        let two = secrets(folder.path(), &BTreeSet::from(["tailnum-key".to_owned(), "mail-key".to_owned()])).unwrap();
        assert_eq!(one["SLUICE_SECRET_TAILNUM_KEY"], two["SLUICE_SECRET_TAILNUM_KEY"]);
        assert_ne!(two["SLUICE_SECRET_TAILNUM_KEY"], two["SLUICE_SECRET_MAIL_KEY"]);
    }

    #[test]
    fn local_settings_are_read() {
        let settings: LocalSettings = serde_json::from_str(
            r#"{"IsEncrypted":false,"Values":{"SLUICE_AUDIENCE":"api://a, api://b"},"Host":{"CORS":"http://localhost:4280, http://x"}}"#,
        )
        .unwrap();
        assert_eq!(settings.audience(), "api://a");
        assert_eq!(settings.cors_origins(), ["http://localhost:4280", "http://x"]);
    }
}
