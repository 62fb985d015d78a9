//! Makes what the adapters work in, on emulators. In Azure the infrastructure templates make it, with their own rights.

use sluice_flow::{
    Error, Result,
    lake::{ARCHIVE, CURATED, RAW, REFERENCE, REVIEW},
};

use crate::{Patience, Settings, backends, blob_service::service, grant::ensure_container};

/// Makes the database, its container and the lake's containers, unless they are there.
///
/// # Errors
/// Code `I0403` (permanent) if a service is not an emulator on this machine; those of the services.
pub async fn provision(settings: &Settings) -> Result<()> {
    if !settings.blob.is_loopback() || !settings.cosmos.is_loopback() {
        return Err(Error::permanent(
            "I0403",
            "only emulators on this machine are set up by the program; in Azure deploy the infrastructure templates",
        ));
    }
    let patience = Patience::default();
    let blobs = service(&settings.blob, None, patience, None)?;
    for container in [RAW, CURATED, REVIEW, ARCHIVE, REFERENCE] {
        ensure_container(&blobs, container, patience).await?;
    }
    backends::catalog(settings, None, patience)?.provision().await
}
