//! What no emulator does: throttling, broken bodies, hierarchical namespaces.

use base64::{Engine, engine::general_purpose::STANDARD};
use md5::{Digest, Md5};
use sluice_flow::Kind;
use url::Url;

use super::*;
use crate::{
    blob_service::service,
    mock::{self, Mock, Reply},
    settings::{Access, Endpoint},
};

fn lake(mock: &Arc<Mock>) -> AzureLake {
    let endpoint = Endpoint { url: Url::parse("https://acct.blob.core.windows.net/").unwrap(), access: Access::Identity };
    let patience = Patience { retries: std::time::Duration::ZERO, ..Patience::for_testing() };
    AzureLake::new(service(&endpoint, Some(mock::credential()), patience, Some(mock.transport())).unwrap(), patience)
}

fn path() -> BlobPath {
    BlobPath::new("raw", "run/a.csv")
}

fn fails(status: u16, code: &'static str) -> Reply {
    Reply::new(status, "").header("x-ms-error-code", code).header("x-ms-request-id", "r-1")
}

fn part(body: &str) -> Reply {
    Reply::new(206, body).header("content-range", "bytes 0-8/9").header("etag", "\"1\"")
}

fn stored() -> Reply {
    Reply::new(201, "").header("etag", "\"1\"")
}

#[tokio::test]
async fn a_body_that_breaks_off_is_read_again() {
    let mock = Mock::new([part("123").broken(), part("123456789").header("content-length", "9")]);
    assert_eq!(lake(&mock).read(&path(), 0..9, None).await.unwrap(), "123456789");
    assert_eq!(mock.requests().len(), 2);
}

#[tokio::test]
async fn a_body_that_always_breaks_off_may_heal_later() {
    let mock = Mock::new([part("123").broken(), part("").broken(), part("1").broken()]);
    let error = lake(&mock).read(&path(), 0..9, None).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Transient, "L0503"));
    assert!(error.message().contains("broke off 3 times (connection reset)"), "{error}");
}

#[tokio::test]
async fn every_answer_has_its_kind_and_no_url_is_told() {
    let cases = [
        (403, "AuthorizationPermissionMismatch", Kind::Transient, "L0403"),
        (404, "BlobNotFound", Kind::Permanent, "L0404"),
        (409, "BlobArchived", Kind::Permanent, "L0409"),
        (409, "BlobBeingRehydrated", Kind::Transient, "L0503"),
        (412, "LeaseIdMissing", Kind::Transient, "L0423"),
        (400, "Md5Mismatch", Kind::Transient, "L0503"),
        (400, "InvalidHeaderValue", Kind::Bug, "L0500"),
        (503, "ServerBusy", Kind::Transient, "L0503"),
        (500, "InternalError", Kind::Transient, "L0503"),
    ];
    for (status, said, kind, code) in cases {
        let mock = Mock::new([fails(status, said), fails(status, said)]);
        let error = lake(&mock).read(&path(), 0..9, None).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (kind, code), "{said}");
        for part in ["raw/run/a.csv", said, "r-1"] {
            assert!(error.message().contains(part), "{error}");
        }
        assert!(!error.chain().contains("https:"), "{error}");
    }
}

#[tokio::test]
async fn another_version_is_told_from_a_missing_blob() {
    let there = || {
        let facts = [("etag", "\"2\""), ("content-length", "9"), ("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT")];
        facts.into_iter().fold(Reply::new(200, ""), |reply, (name, value)| reply.header(name, value))
    };
    let old = ETag("\"1\"".to_owned());
    let read =
        async |after: Reply| lake(&Mock::new([fails(412, "ConditionNotMet"), after])).read(&path(), 0..9, Some(&old)).await.unwrap_err();
    let delete = async |after: Reply| lake(&Mock::new([fails(412, "ConditionNotMet"), after])).delete(&path(), Some(&old)).await;
    let error = read(there()).await;
    assert_eq!((error.kind(), error.code()), (Kind::Permanent, "L0412"), "{error}");
    assert_eq!(read(fails(404, "BlobNotFound")).await.code(), "L0404");
    assert_eq!(delete(there()).await.unwrap_err().code(), "L0412");
    delete(fails(404, "BlobNotFound")).await.unwrap();
}

#[tokio::test]
async fn the_time_to_wait_is_passed_on() {
    let mock = Mock::new([fails(503, "ServerBusy").header("retry-after", "1"), fails(503, "ServerBusy").header("retry-after", "1")]);
    let error = lake(&mock).set_tier(&path(), Tier::Cool).await.unwrap_err();
    assert_eq!(error.code(), "L0503");
    assert!(format!("{error:?}").contains("1s"), "{error:?}");
}

#[tokio::test]
async fn everything_that_is_written_carries_its_checksum() {
    let mock = Mock::new([stored(), stored(), stored(), stored()]);
    let lake = lake(&mock);
    let body = Bytes::from_static(b"123456789");
    lake.create(&path(), body.clone(), &BTreeMap::new()).await.unwrap();
    lake.stage_block(&path(), 3, body.clone()).await.unwrap();
    lake.commit_blocks(&path(), 4, &BTreeMap::new()).await.unwrap();
    lake.overwrite(&path(), body).await.unwrap();
    for sent in mock.requests() {
        let digest = sent.headers.get_optional_str(&"content-md5".into());
        assert_eq!(digest, Some(STANDARD.encode(Md5::digest(&sent.body)).as_str()), "{}", sent.url);
    }
}

#[tokio::test]
async fn create_only_writes_say_so_to_the_service() {
    for (status, code) in [(409, "BlobAlreadyExists"), (412, "ConditionNotMet")] {
        let mock = Mock::new([fails(status, code), fails(status, code)]);
        let lake = lake(&mock);
        assert_eq!(lake.create(&path(), Bytes::new(), &BTreeMap::new()).await.unwrap(), Created::Exists);
        assert_eq!(lake.commit_blocks(&path(), 1, &BTreeMap::new()).await.unwrap(), Created::Exists);
        assert!(mock.requests().iter().all(|sent| sent.headers.get_optional_str(&"if-none-match".into()) == Some("*")));
    }
}

#[tokio::test]
async fn a_listing_has_no_directories_and_its_tags_have_quotes() {
    let blob = |name: &str, metadata: &str| {
        format!(
            "<Blob><Name>{name}</Name><Properties><Last-Modified>Thu, 01 Jan 2026 00:00:00 GMT</Last-Modified><Etag>0x8D</Etag>\
             <Content-Length>5</Content-Length><Content-MD5 /><BlobType>BlockBlob</BlobType></Properties>{metadata}</Blob>"
        )
    };
    let folder = blob("flights", "<Metadata><hdi_isfolder>true</hdi_isfolder></Metadata>");
    let file = blob("flights/a.csv", "<Metadata><Source>x</Source></Metadata>");
    let body =
        format!("<?xml version=\"1.0\"?><EnumerationResults><Blobs>{folder}{file}</Blobs><NextMarker>m</NextMarker></EnumerationResults>");
    let page = lake(&Mock::new([Reply::new(200, &body)])).list("landing-sky", "", None).await.unwrap();
    assert_eq!(page.next.as_deref(), Some("m"));
    let [(path, info)] = page.blobs.as_slice() else { panic!("expected one blob, found {:?}", page.blobs) };
    assert_eq!(*path, BlobPath::new("landing-sky", "flights/a.csv"));
    assert_eq!((info.size, info.etag.0.as_str(), info.md5.as_ref()), (5, "\"0x8D\"", None));
    assert_eq!(info.metadata, BTreeMap::from([("source".to_owned(), "x".to_owned())]));
}

#[tokio::test]
async fn a_directory_is_no_blob() {
    let mock =
        Mock::new([Reply::new(200, "").header("x-ms-meta-hdi_isfolder", "true").header("content-length", "0").header("etag", "\"1\"")]);
    assert_eq!(lake(&mock).head(&BlobPath::new("landing-sky", "flights")).await.unwrap(), None);
}

#[tokio::test]
async fn a_block_index_is_bounded() {
    let mock = Mock::new([]);
    assert_eq!(lake(&mock).stage_block(&path(), MOST_BLOCKS, Bytes::new()).await.unwrap_err().kind(), Kind::Bug);
    assert!(mock.requests().is_empty());
}
