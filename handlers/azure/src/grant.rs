//! [`UploadSigner`]: shared access signatures for partners.
//!
//! | scope | in Azure | on an emulator |
//! |---|---|---|
//! | one file | user delegation, `sr=b`, `sp=c` | account key, `sr=b`, `sp=cw` |
//! | container | user delegation, `sr=c`, `sp=cw` | account key, `sr=c`, `sp=cw` |
//! | container, read back | user delegation, `sr=c`, `sp=rcwl` | account key, `sr=c`, `sp=rcwl` |
//!
//! With `c` alone the service creates a blob, in one request or by blocks, and refuses to overwrite it (blocks: service version
//! 2026-04-06 and later, which the SDK signs). Azurite 3.35 takes only Put Blob with `c`; Put Block and Put Block List need `w`, which
//! also overwrites. So on a laptop, and only there, a file grant can overwrite its own file; a run reads under an `ETag` and is not
//! disturbed. No grant may delete, and none reaches another container; only one that reads back may read and list, and just the partner's
//! own container. (Azurite also lets whoever may create a blob copy any blob of the account into it, without a right to the source; Azure
//! asks for one.)

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use azure_core::time::OffsetDateTime;
use azure_storage_blob::{BlobServiceClient, models::KeyInfo};
use azure_storage_common::models::UserDelegationKey;
use azure_storage_sas::{SasBuilder, SasProtocol};
use chrono::{DateTime, TimeDelta, Utc};
use sluice_flow::{
    Error, Result,
    grant::{Scope, UploadSigner},
    lake::LANDING_PREFIX,
};
use tokio::sync::Mutex;
use url::Url;

use crate::{
    Patience,
    blob_error::{answer, blob_error},
    blob_service::account,
    sas::{self, Terms},
    settings::{Access, Endpoint},
};

/// Longest life of a user delegation key, and so of a signature (REST "Get User Delegation Key").
const LONGEST: TimeDelta = TimeDelta::days(7);
/// A signature begins this much in the past, since clocks differ.
const SKEW: TimeDelta = TimeDelta::minutes(5);
/// Longest name of a blob, in characters (REST "Naming containers, blobs, and metadata").
const LONGEST_PATH: usize = 1024;

/// Signs upload URLs for one storage account.
pub struct BlobSigner {
    service: Arc<BlobServiceClient>,
    endpoint: Endpoint,
    patience: Patience,
    delegation: Mutex<Option<Arc<UserDelegationKey>>>,
}

impl BlobSigner {
    pub(crate) fn new(service: Arc<BlobServiceClient>, endpoint: Endpoint, patience: Patience) -> Self {
        Self { service, endpoint, patience, delegation: Mutex::const_new(None) }
    }

    /// A delegation key that lives until `expiry`; the last one if it does.
    async fn delegation_key(&self, now: DateTime<Utc>, expiry: DateTime<Utc>) -> Result<Arc<UserDelegationKey>> {
        let doing = "get a user delegation key";
        let mut held = self.delegation.lock().await;
        if let Some(key) = held.as_ref().filter(|key| key.signed_expiry.is_some_and(|until| until.unix_timestamp() >= expiry.timestamp())) {
            return Ok(Arc::clone(key));
        }
        let fresh = self.patience.within("L0503", doing, async {
            let sdk = |error: azure_core::Error| blob_error(doing, &error);
            let period = KeyInfo { start: Some(sdk_time(now - SKEW)?), expiry: Some(sdk_time(now + LONGEST)?), ..KeyInfo::default() };
            let key = self.service.get_user_delegation_key(period.try_into().map_err(sdk)?, None).await.map_err(sdk)?;
            key.into_model().map_err(sdk)
        });
        let fresh = Arc::new(fresh.await?);
        *held = Some(Arc::clone(&fresh));
        Ok(fresh)
    }

    async fn delegated(&self, container: &str, scope: &Scope, terms: &Terms, now: DateTime<Utc>) -> Result<String> {
        let key = self.delegation_key(now, terms.expiry).await?;
        let builder = SasBuilder::new(account(&self.endpoint.url), &key, sdk_time(terms.expiry)?)
            .map_err(|error| blob_error("sign with a user delegation key", &error))?
            .start(sdk_time(terms.start)?)
            .protocol(SasProtocol::Https);
        Ok(match scope {
            Scope::File { path } => builder.blob(container, path).create().build(),
            Scope::Container { read_back: false } => builder.container(container).create().write().build(),
            Scope::Container { read_back: true } => builder.container(container).read().create().write().list().build(),
        })
    }
}

#[async_trait]
impl UploadSigner for BlobSigner {
    async fn sign(&self, partner: &str, scope: &Scope, valid: Duration) -> Result<Url> {
        let container = container_of(partner)?;
        let valid = TimeDelta::from_std(valid).ok().filter(|valid| *valid <= LONGEST && *valid > TimeDelta::zero());
        let valid = valid.ok_or_else(|| Error::refused("G0400", "an upload grant lasts for more than 0 seconds and at most 7 days"))?;
        let path = match scope {
            Scope::File { path } => Some(path.as_str()),
            Scope::Container { .. } => None,
        };
        let mut url = self.endpoint.url.clone();
        append(&mut url, &container, path)?;
        let now = Utc::now();
        let https_only = url.scheme() == "https";
        let permissions = if matches!(scope, Scope::Container { read_back: true }) { "rcwl" } else { "cw" };
        let terms = Terms { permissions, start: now - SKEW, expiry: now + valid, https_only };
        match &self.endpoint.access {
            Access::Identity => url.set_query(Some(&self.delegated(&container, scope, &terms, now).await?)),
            Access::Key(key) => sas::sign(&mut url, &account(&self.endpoint.url), key, &container, path, &terms)?,
        }
        Ok(url)
    }

    async fn ensure_container(&self, partner: &str) -> Result<()> {
        ensure_container(&self.service, &container_of(partner)?, self.patience).await
    }
}

/// Creates a container unless it is there.
pub(crate) async fn ensure_container(service: &BlobServiceClient, name: &str, patience: Patience) -> Result<()> {
    let doing = format!("create container {name}");
    let create = async {
        match service.blob_container_client(name).create(None).await {
            Ok(_) => Ok(()),
            Err(error) if answer(&error).is_some_and(|a| a.code == "ContainerAlreadyExists") => Ok(()),
            Err(error) => Err(blob_error(&doing, &error)),
        }
    };
    patience.within("L0503", &doing, create).await
}

/// The partner's landing container, checked against REST "Naming containers, blobs, and metadata".
fn container_of(partner: &str) -> Result<String> {
    let name = format!("{LANDING_PREFIX}{partner}");
    let letters = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if letters && (3..=63).contains(&name.len()) && !name.ends_with('-') && !name.contains("--") {
        Ok(name)
    } else {
        Err(Error::refused(
            "G0401",
            format!("{partner:?} cannot name a container: expected lower-case letters, digits and single hyphens, at most 55"),
        ))
    }
}

/// Adds container and path. What a URL would rewrite is refused, since the signature is for another name then.
fn append(url: &mut Url, container: &str, path: Option<&str>) -> Result<()> {
    let refused = |why: &str| Error::refused("G0402", format!("the path of an upload grant {why}"));
    let mut segments = url.path_segments_mut().map_err(|()| Error::bug("L0500", "the storage endpoint has no path"))?;
    segments.pop_if_empty().push(container);
    let Some(path) = path else { return Ok(()) };
    if path.chars().count() > LONGEST_PATH {
        return Err(refused("has at most 1,024 characters"));
    }
    if path.chars().any(|c| c.is_control() || c == '\\') {
        return Err(refused("has no backslash and no control character"));
    }
    for segment in path.split('/') {
        if segment.is_empty() || segment.ends_with('.') {
            return Err(refused("has no empty part and no part that ends with a dot"));
        }
        segments.push(segment);
    }
    Ok(())
}

fn sdk_time(time: DateTime<Utc>) -> Result<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(time.timestamp()).map_err(|error| Error::bug("L0500", "a time is out of range").because(error))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::{
        blob_service::service,
        mock::{self, Mock},
    };

    const DAY: Duration = Duration::from_hours(24);

    fn delegation(expiry: DateTime<Utc>) -> mock::Reply {
        let expiry = expiry.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        let xml = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><UserDelegationKey><SignedOid>oid</SignedOid><SignedTid>tid</SignedTid>\
             <SignedStart>2026-01-01T00:00:00Z</SignedStart><SignedExpiry>{expiry}</SignedExpiry><SignedService>b</SignedService>\
             <SignedVersion>2026-04-06</SignedVersion><Value>a2V5</Value></UserDelegationKey>"
        );
        mock::Reply::new(200, &xml)
    }

    fn signer(mock: &Arc<Mock>) -> BlobSigner {
        let endpoint = Endpoint { url: Url::parse("https://acct.blob.core.windows.net/").unwrap(), access: Access::Identity };
        let service = service(&endpoint, Some(mock::credential()), Patience::for_testing(), Some(mock.transport())).unwrap();
        BlobSigner::new(service, endpoint, Patience::for_testing())
    }

    fn query(url: &Url) -> HashMap<String, String> {
        url.query_pairs().into_owned().collect()
    }

    #[tokio::test]
    async fn in_azure_a_file_grant_can_only_create_and_one_key_signs_many() {
        let mock = Mock::new([delegation(Utc::now() + LONGEST)]);
        let signer = signer(&mock);
        let file = signer.sign("skyline", &Scope::File { path: "flights/a b.csv".to_owned() }, DAY).await.unwrap();
        assert_eq!(file.host_str(), Some("acct.blob.core.windows.net"));
        assert_eq!(file.path(), "/landing-skyline/flights/a%20b.csv");
        let terms = query(&file);
        for (name, value) in [("sr", "b"), ("sp", "c"), ("spr", "https"), ("skoid", "oid"), ("sks", "b")] {
            assert_eq!(terms[name], value, "{name}");
        }
        let (start, expiry): (DateTime<Utc>, DateTime<Utc>) = (terms["st"].parse().unwrap(), terms["se"].parse().unwrap());
        assert_eq!(expiry - start, TimeDelta::days(1) + SKEW);

        let container = query(&signer.sign("skyline", &Scope::Container { read_back: false }, DAY).await.unwrap());
        assert_eq!((container["sr"].as_str(), container["sp"].as_str()), ("c", "cw"));
        let read_back = query(&signer.sign("skyline", &Scope::Container { read_back: true }, DAY).await.unwrap());
        assert_eq!((read_back["sr"].as_str(), read_back["sp"].as_str()), ("c", "rcwl"));
        assert_eq!(mock.requests().len(), 1);
    }

    #[tokio::test]
    async fn a_key_that_ends_before_the_grant_is_replaced() {
        let mock = Mock::new([delegation(Utc::now() + TimeDelta::hours(2)), delegation(Utc::now() + LONGEST)]);
        let signer = signer(&mock);
        for _ in 0..3 {
            signer.sign("skyline", &Scope::Container { read_back: false }, DAY).await.unwrap();
        }
        assert_eq!(mock.requests().len(), 2);
    }

    #[tokio::test]
    async fn what_cannot_be_granted_is_refused_before_any_call() {
        let mock = Mock::new([]);
        let signer = signer(&mock);
        for partner in ["", "Sky", "sky_line", "sky--line", "sky-", "../raw", &"x".repeat(56)] {
            assert_eq!(signer.sign(partner, &Scope::Container { read_back: false }, DAY).await.unwrap_err().code(), "G0401", "{partner}");
        }
        for path in ["", "/a", "a/", "a//b", "../b", "a/./b", "a/../../raw/x", "a\\b", "a\nb", "end.", &"x".repeat(1025)] {
            let scope = Scope::File { path: path.to_owned() };
            assert_eq!(signer.sign("sky", &scope, DAY).await.unwrap_err().code(), "G0402", "{path}");
        }
        for valid in [Duration::ZERO, DAY * 7 + Duration::from_secs(1), Duration::MAX] {
            assert_eq!(signer.sign("sky", &Scope::Container { read_back: false }, valid).await.unwrap_err().code(), "G0400");
        }
        assert!(mock.requests().is_empty());
    }

    #[tokio::test]
    async fn a_refused_key_request_may_heal() {
        let mock = Mock::new([mock::Reply::new(403, "").header("x-ms-error-code", "AuthorizationPermissionMismatch")]);
        let error = signer(&mock).sign("sky", &Scope::Container { read_back: false }, DAY).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (sluice_flow::Kind::Transient, "L0403"));
        assert!(error.message().contains("AuthorizationPermissionMismatch"), "{error}");
    }
}
