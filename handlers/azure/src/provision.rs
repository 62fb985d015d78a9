//! Makes what the adapters work in, on emulators. In Azure the infrastructure templates make it, with their own rights.

use azure_storage_blob::models::{BlobServiceProperties, CorsRule};
use sluice_flow::{
    Error, Result,
    lake::{ARCHIVE, CURATED, RAW, REFERENCE, REVIEW},
};

use crate::{Patience, Settings, backends, blob_error::blob_error, blob_service::service, grant::ensure_container};

/// Makes the database, its container and the lake's containers, unless they are there.
///
/// # Errors
/// Code `I0403` (permanent) if a service is not an emulator on this machine; those of the services.
pub async fn provision(settings: &Settings) -> Result<()> {
    if !settings.blob.is_loopback() || !settings.cosmos.is_loopback() {
        return Err(not_an_emulator());
    }
    let patience = Patience::default();
    let blobs = service(&settings.blob, None, patience, None)?;
    for container in [RAW, CURATED, REVIEW, ARCHIVE, REFERENCE] {
        ensure_container(&blobs, container, patience).await?;
    }
    backends::catalog(settings, None, patience)?.provision().await
}

/// Lets pages of these origins upload to and read from the blob account of an emulator, with a grant that they have.
///
/// # Errors
/// Code `I0403` (permanent) if it is not an emulator on this machine; those of the service.
pub async fn allow_origins(settings: &Settings, origins: &[String]) -> Result<()> {
    if !settings.blob.is_loopback() {
        return Err(not_an_emulator());
    }
    let doing = "allow the origins of the web app";
    let patience = Patience::default();
    let blobs = service(&settings.blob, None, patience, None)?;
    // infra/modules/storage.bicep has the same rule.
    let rule = CorsRule {
        allowed_headers: Some("*".to_owned()),
        allowed_methods: Some("GET,HEAD,PUT,OPTIONS".to_owned()),
        allowed_origins: Some(origins.join(",")),
        exposed_headers: Some("*".to_owned()),
        max_age_in_seconds: Some(600),
    };
    let properties = BlobServiceProperties { cors: Some(vec![rule]), ..BlobServiceProperties::default() };
    let content = properties.try_into().map_err(|error| Error::bug("L0500", "a rule of the blob service is no XML").because(error))?;
    patience
        .within("L0503", doing, async { blobs.set_properties(content, None).await.map(drop).map_err(|error| blob_error(doing, &error)) })
        .await
}

fn not_an_emulator() -> Error {
    Error::permanent("I0403", "only emulators on this machine are set up by the program; in Azure deploy the infrastructure templates")
}
