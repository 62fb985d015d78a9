//! All adapters of one deployment.

use std::sync::Arc;

use azure_core::credentials::TokenCredential;
use azure_data_cosmos::{AccountEndpoint, AccountReference};
use sluice_flow::{Catalog, Error, Lake, Result, SecretStore, grant::UploadSigner};

use crate::{
    AzureLake, BlobSigner, CosmosCatalog, KeyVaultSecrets, Patience, Settings, SettingsSecrets,
    blob_service::service,
    identity,
    settings::{Access, Endpoint},
};

/// The outside world behind the flow's traits.
#[derive(Clone)]
pub struct Backends {
    /// Blob Storage.
    pub lake: Arc<dyn Lake>,
    /// Cosmos DB.
    pub catalog: Arc<dyn Catalog>,
    /// Key Vault, or settings.
    pub secrets: Arc<dyn SecretStore>,
    /// Signatures for partners.
    pub signer: Arc<dyn UploadSigner>,
}

/// Makes the adapters. Nothing is asked of Azure yet: a service that is away fails its first use, not the start.
///
/// # Errors
/// [`sluice_flow::Kind::Bug`]: the platform has no identity source, or the settings were not checked.
pub fn connect(settings: &Settings) -> Result<Backends> {
    connect_with(settings, Patience::default())
}

/// [`connect`] with other time limits.
///
/// # Errors
/// See [`connect`].
pub fn connect_with(settings: &Settings, patience: Patience) -> Result<Backends> {
    let needs_identity = settings.vault.is_some() || !settings.blob.is_loopback() || !settings.cosmos.is_loopback();
    let credential = if needs_identity { Some(identity::credential(&settings.credential)?) } else { None };
    let blobs = service(&settings.blob, credential.clone(), patience, None)?;
    let secrets: Arc<dyn SecretStore> = match (&settings.vault, &credential) {
        (Some(vault), Some(credential)) => Arc::new(KeyVaultSecrets::new(vault, Arc::clone(credential), patience, None)?),
        _ => Arc::new(SettingsSecrets::new(settings.secrets.clone())),
    };
    Ok(Backends {
        lake: Arc::new(AzureLake::new(Arc::clone(&blobs), patience)),
        catalog: Arc::new(catalog(settings, credential, patience)?),
        secrets,
        signer: Arc::new(BlobSigner::new(blobs, settings.blob.clone(), patience)),
    })
}

/// The catalog alone.
pub(crate) fn catalog(settings: &Settings, credential: Option<Arc<dyn TokenCredential>>, patience: Patience) -> Result<CosmosCatalog> {
    let account = account(&settings.cosmos, credential)?;
    Ok(CosmosCatalog::new(account, settings.region.clone(), settings.database.clone(), patience))
}

fn account(endpoint: &Endpoint, credential: Option<Arc<dyn TokenCredential>>) -> Result<AccountReference> {
    let url = AccountEndpoint::from(endpoint.url.clone());
    match (&endpoint.access, credential) {
        (Access::Key(key), _) => Ok(AccountReference::with_authentication_key(url, key.clone())),
        (Access::Identity, Some(credential)) => Ok(AccountReference::with_credential(url, credential)),
        (Access::Identity, None) => Err(Error::bug("I0500", "Cosmos DB needs an identity")),
    }
}
