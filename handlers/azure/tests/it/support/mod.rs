//! What the tests run against.

mod azurite;
mod cosmos;

pub(crate) use azurite::{ACCOUNT, Azurite, KEY};
pub(crate) use cosmos::Cosmos;
use sluice_azure::{Backends, Patience, Settings, connect_with};

/// Settings for emulators at these endpoints.
pub(crate) fn settings(blob: &str, cosmos: &str) -> Settings {
    let variables =
        [("SLUICE_BLOB_ENDPOINT", blob), ("SLUICE_BLOB_ACCOUNT_KEY", KEY), ("SLUICE_COSMOS_ENDPOINT", cosmos), ("SLUICE_COSMOS_KEY", KEY)];
    Settings::from_env(variables.map(|(name, value)| (name.to_owned(), value.to_owned()))).expect("settings of emulators are valid")
}

/// Backends with short time limits. A service that a test does not need stands at an address where nobody listens.
pub(crate) fn backends(blob: Option<&Azurite>, cosmos: Option<&Cosmos>) -> Backends {
    let blob = blob.map_or_else(|| format!("http://127.0.0.1:1/{ACCOUNT}"), |azurite| azurite.endpoint.clone());
    let cosmos = cosmos.map_or_else(|| "http://127.0.0.1:1".to_owned(), |cosmos| cosmos.endpoint.clone());
    connect_with(&settings(&blob, &cosmos), Patience::for_testing()).expect("connect asks nothing of a service")
}
