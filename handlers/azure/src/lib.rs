//! Azure behind the flow's traits: Blob Storage as [`Lake`](sluice_flow::Lake), Cosmos DB as [`Catalog`](sluice_flow::Catalog),
//! Key Vault as [`SecretStore`](sluice_flow::SecretStore), shared access signatures as [`UploadSigner`](sluice_flow::grant::UploadSigner).
//!
//! In Azure everything is asked for with an Entra ID identity; an account key is accepted only for an emulator on this machine.
//! The code is the same for both: an emulator differs by its endpoint and by how requests are signed, see [`Settings`].

mod backends;
mod blob_error;
mod blob_service;
mod catalog;
mod content_md5;
mod cosmos_error;
mod cursor;
mod grant;
mod identity;
mod lake;
#[cfg(test)]
mod mock;
mod patience;
mod provision;
mod query;
mod sas;
mod secrets;
mod settings;
mod shared_key;

pub use backends::{Backends, connect, connect_with};
pub use catalog::{CONTAINER, CosmosCatalog};
pub use grant::BlobSigner;
pub use lake::AzureLake;
pub use patience::Patience;
pub use provision::{allow_origins, provision};
pub use secrets::{KeyVaultSecrets, SettingsSecrets};
pub use settings::{Settings, SettingsError};
