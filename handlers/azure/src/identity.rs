//! Who the adapters are in Azure.

use std::sync::Arc;

use azure_core::credentials::TokenCredential;
use azure_identity::{DeveloperToolsCredential, ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId};
use sluice_flow::{Error, Result};

use crate::settings::Credential;

/// A credential that asks for tokens when they are needed and keeps them until they expire.
///
/// # Errors
/// Code `I0500` (bug): the platform offers an identity source that the SDK does not know.
pub(crate) fn credential(who: &Credential) -> Result<Arc<dyn TokenCredential>> {
    let made = match who {
        Credential::Managed(client_id) => ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
            user_assigned_id: client_id.clone().map(UserAssignedId::ClientId),
            ..ManagedIdentityCredentialOptions::default()
        }))
        .map(|c| c as Arc<dyn TokenCredential>),
        Credential::Developer => DeveloperToolsCredential::new(None).map(|c| c as Arc<dyn TokenCredential>),
    };
    made.map_err(|error| Error::bug("I0500", "the identity cannot be used").because(error))
}
