use sluice_azure::{Settings, provision};
use sluice_flow::Kind;

use crate::support::{Azurite, Cosmos, backends, settings};

#[tokio::test]
async fn provisioning_twice_is_fine() {
    let (azurite, cosmos) = (Azurite::start(), Cosmos::start().await);
    let settings = settings(&azurite.endpoint, &cosmos.endpoint);
    for _ in 0..2 {
        provision(&settings).await.unwrap();
    }
    let backends = backends(Some(&azurite), Some(&cosmos));
    assert_eq!(backends.lake.containers("").await.unwrap(), ["archive", "curated", "raw", "reference", "review"]);
    assert_eq!(backends.catalog.get("run:none", "run").await.unwrap(), None);
}

#[tokio::test]
async fn nothing_is_provisioned_in_azure() {
    let variables =
        [("SLUICE_BLOB_ENDPOINT", "https://acct.blob.core.windows.net"), ("SLUICE_COSMOS_ENDPOINT", "https://acct.documents.azure.com")];
    let settings = Settings::from_env(variables.map(|(name, value)| (name.to_owned(), value.to_owned()))).unwrap();
    let error = provision(&settings).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Permanent, "I0403"));
}
