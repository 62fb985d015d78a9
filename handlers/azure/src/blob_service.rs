//! The client of a storage account, the same for Azure and for an emulator.

use std::sync::Arc;

use azure_core::{
    credentials::TokenCredential,
    http::{ClientOptions, Transport, policies::Policy},
};
use azure_storage_blob::{BlobServiceClient, BlobServiceClientOptions};
use sluice_flow::{Error, Result};
use url::Url;

use crate::{
    Patience,
    content_md5::ContentMd5,
    settings::{Access, Endpoint},
    shared_key::SharedKey,
};

/// A client for `endpoint`; `credential` is used where there is no key. `transport` is the SDK's own unless a test brings one.
///
/// # Errors
/// Code `L0500` (bug): the endpoint or the credential was not checked by the settings.
pub(crate) fn service(
    endpoint: &Endpoint,
    credential: Option<Arc<dyn TokenCredential>>,
    patience: Patience,
    transport: Option<Transport>,
) -> Result<Arc<BlobServiceClient>> {
    let (credential, per_try_policies): (_, Vec<Arc<dyn Policy>>) = match &endpoint.access {
        Access::Identity => (credential, Vec::new()),
        Access::Key(key) => (None, vec![Arc::new(SharedKey { account: account(&endpoint.url), key: key.clone() })]),
    };
    let client_options = ClientOptions {
        per_call_policies: vec![Arc::new(ContentMd5)],
        per_try_policies,
        retry: patience.retry_options(),
        transport,
        ..ClientOptions::default()
    };
    BlobServiceClient::new(
        endpoint.url.clone(),
        credential,
        Some(BlobServiceClientOptions { client_options, ..BlobServiceClientOptions::default() }),
    )
    .map(Arc::new)
    .map_err(|error| Error::bug("L0500", "the storage client cannot be made").because(error))
}

/// The account of an endpoint: an emulator's path, else the first label of the host.
pub(crate) fn account(endpoint: &Url) -> String {
    let path = endpoint.path().trim_matches('/');
    if path.is_empty() {
        endpoint.host_str().and_then(|host| host.split('.').next()).unwrap_or_default().to_owned()
    } else {
        path.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_is_the_host_in_azure_and_the_path_of_an_emulator() {
        assert_eq!(account(&Url::parse("https://acct.blob.core.windows.net/").unwrap()), "acct");
        assert_eq!(account(&Url::parse("http://127.0.0.1:10000/devstoreaccount1").unwrap()), "devstoreaccount1");
    }
}
