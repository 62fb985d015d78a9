use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use sluice_azure::{Patience, connect_with, provision};
use sluice_contract::Tier;
use sluice_flow::{BlobPath, Created, Kind, conformance, lake::RAW};
use tokio::net::TcpListener;

use crate::support::{ACCOUNT, Azurite, Cosmos, backends, settings};

async fn provisioned() -> (Azurite, Cosmos) {
    let (azurite, cosmos) = (Azurite::start(), Cosmos::start().await);
    provision(&settings(&azurite.endpoint, &cosmos.endpoint)).await.unwrap();
    (azurite, cosmos)
}

#[tokio::test]
async fn the_lake_conforms() {
    let (azurite, _cosmos) = provisioned().await;
    let lake = backends(Some(&azurite), None).lake;
    conformance::lake(lake.as_ref(), "one").await;
    conformance::lake(lake.as_ref(), "two").await;
}

#[tokio::test]
async fn long_listings_come_in_pages() {
    let (azurite, _cosmos) = provisioned().await;
    conformance::lake_pages(backends(Some(&azurite), None).lake.as_ref(), "pages").await;
}

/// The emulator's store would compare such names as numbers (see tools/azurite/blob.js).
#[tokio::test]
async fn names_like_numbers_are_told_apart() {
    let (azurite, _cosmos) = provisioned().await;
    let lake = backends(Some(&azurite), None).lake;
    let names = ["1", "1.0", "10", "1a", "1e1", "9", "90", "9b", "a(b)/1", "a(b)/2", "a(bc)/3"];
    for name in names.iter().rev() {
        lake.create(&BlobPath::new(RAW, *name), Bytes::from_static(name.as_bytes()), &BTreeMap::new()).await.unwrap();
    }
    for name in names {
        assert_eq!(lake.read(&BlobPath::new(RAW, name), 0..u64::MAX, None).await.unwrap(), name);
    }
    let listed = async |prefix: &str| {
        let page = lake.list(RAW, prefix, None).await.unwrap();
        page.blobs.into_iter().map(|(path, _)| path.path).collect::<Vec<_>>()
    };
    assert_eq!(listed("").await, names);
    assert_eq!(listed("1").await, ["1", "1.0", "10", "1a", "1e1"]);
    assert_eq!(listed("a(b)/").await, ["a(b)/1", "a(b)/2"]);
}

#[tokio::test]
async fn large_pieces_are_one_request_each() {
    let (azurite, _cosmos) = provisioned().await;
    let lake = backends(Some(&azurite), None).lake;
    let path = BlobPath::new(RAW, "run/large.bin");
    let piece = |n: u32| Bytes::from((0..6u32 << 20).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8 ^ n as u8).collect::<Vec<u8>>());
    for n in (0..3).rev() {
        lake.stage_block(&path, n, piece(n)).await.unwrap();
    }
    assert!(matches!(lake.commit_blocks(&path, 3, &BTreeMap::new()).await.unwrap(), Created::New(_)));
    let read = lake.read(&path, (6 << 20)..(12 << 20), None).await.unwrap();
    assert_eq!(read, piece(1));
    let single = BlobPath::new(RAW, "run/single.bin");
    assert!(matches!(lake.create(&single, piece(7), &BTreeMap::new()).await.unwrap(), Created::New(_)));
    assert_eq!(lake.read(&single, 0..u64::MAX, None).await.unwrap(), piece(7));
    // Put Blob makes the service keep the content's MD5; a managed upload by blocks would not.
    assert!(lake.head(&single).await.unwrap().unwrap().md5.is_some());
}

#[tokio::test]
async fn an_archived_blob_says_so() {
    let (azurite, _cosmos) = provisioned().await;
    let lake = backends(Some(&azurite), None).lake;
    let path = BlobPath::new(RAW, "run/cold.csv");
    lake.create(&path, Bytes::from_static(b"a,b"), &BTreeMap::new()).await.unwrap();
    lake.set_tier(&path, Tier::Archive).await.unwrap();
    let error = lake.read(&path, 0..3, None).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Permanent, "L0409"), "{error}");
    assert!(error.message().contains("BlobArchived"), "{error}");
}

#[tokio::test]
async fn a_write_to_a_missing_container_is_permanent() {
    let azurite = Azurite::start();
    let lake = backends(Some(&azurite), None).lake;
    let error = lake.create(&BlobPath::new(RAW, "a"), Bytes::new(), &BTreeMap::new()).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Permanent, "L0404"), "{error}");
}

#[tokio::test]
async fn a_wrong_key_may_heal_and_is_told() {
    let azurite = Azurite::start();
    let variables = [
        ("SLUICE_BLOB_ENDPOINT", azurite.endpoint.as_str()),
        ("SLUICE_BLOB_ACCOUNT_KEY", "d3Jvbmc="),
        ("SLUICE_COSMOS_ENDPOINT", "http://127.0.0.1:1"),
        ("SLUICE_COSMOS_KEY", "d3Jvbmc="),
    ];
    let settings = sluice_azure::Settings::from_env(variables.map(|(name, value)| (name.to_owned(), value.to_owned()))).unwrap();
    let lake = connect_with(&settings, Patience::for_testing()).unwrap().lake;
    let error = lake.list(RAW, "", None).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Transient, "L0403"), "{error}");
}

#[tokio::test]
async fn an_absent_service_is_given_up() {
    let lake = backends(None, None).lake;
    let error = lake.read(&BlobPath::new(RAW, "a"), 0..1, None).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Transient, "L0503"), "{error}");
    assert!(error.message().starts_with("could not read raw/a: no answer (") && !error.chain().contains(ACCOUNT), "{error}");
}

#[tokio::test]
async fn a_silent_service_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/{ACCOUNT}", listener.local_addr().unwrap());
    let patience = Patience { retries: Duration::ZERO, call: Duration::from_millis(50) };
    let lake = connect_with(&settings(&endpoint, "http://127.0.0.1:1"), patience).unwrap().lake;
    let error = lake.head(&BlobPath::new(RAW, "a")).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Transient, "L0503"), "{error}");
}
