//! Checks of a lake.

use std::{collections::BTreeMap, ops::Range};

use bytes::Bytes;
use futures::StreamExt as _;
use sluice_contract::Tier;

use crate::{
    BlobPath, Created, ETag, Error, Kind, Lake, Result,
    lake::{ARCHIVE, RAW, REVIEW},
};

/// Runs all checks of a lake but the slow [`lake_pages`]. The containers `raw`, `review` and `archive` must exist; blobs are made below
/// `unique`, which no earlier call on the same store may have used.
pub async fn lake(lake: &dyn Lake, unique: &str) {
    let at = |name: &str| BlobPath::new(RAW, format!("{unique}/{name}"));
    missing(lake, &at("missing")).await;
    create_only(lake, &at("created.bin")).await;
    ranges(lake, &at("ranges.bin")).await;
    versions(lake, &at("versions.bin")).await;
    blocks(lake, &at("blocks.bin"), &at("unstaged.bin"), &at("taken.bin")).await;
    empty(lake, &at("empty.bin")).await;
    listing(lake, unique).await;
    names(lake, unique).await;
    tiers(lake, &at("tier.bin")).await;
    races(lake, &at("race.bin")).await;
}

/// Checks that a listing of more than 5,000 blobs comes in pages, in order, each blob once.
pub async fn lake_pages(lake: &dyn Lake, unique: &str) {
    const COUNT: usize = 5_003;
    let path = |n: usize| BlobPath::new(REVIEW, format!("{unique}/{n:05}"));
    futures::stream::iter(0..COUNT)
        .for_each_concurrent(16, |n| async move {
            let body = Bytes::from(n.to_string());
            lake.create(&path(n), body, &BTreeMap::new()).await.expect("create");
        })
        .await;
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = lake.list(REVIEW, &format!("{unique}/"), after.as_deref()).await.expect("list");
        assert!(page.blobs.len() <= 5_000, "a page holds at most 5,000 blobs, found {}", page.blobs.len());
        found.extend(page.blobs.into_iter().map(|(path, _)| path));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert!(found.iter().eq((0..COUNT).map(path).collect::<Vec<_>>().iter()), "all blobs once and in order");
}

fn fails<T: std::fmt::Debug>(result: Result<T>, code: &str) {
    let error = result.expect_err("an error is expected");
    assert_eq!((error.code(), error.kind()), (code, Kind::Permanent), "{error}");
}

async fn read(lake: &dyn Lake, path: &BlobPath, range: Range<u64>) -> Result<Bytes, Error> {
    lake.read(path, range, None).await
}

async fn created(lake: &dyn Lake, path: &BlobPath, body: &'static [u8]) -> ETag {
    match lake.create(path, Bytes::from_static(body), &BTreeMap::new()).await.expect("create") {
        Created::New(etag) => etag,
        Created::Exists => panic!("{path} is there already: `unique` must be new"),
    }
}

async fn missing(lake: &dyn Lake, path: &BlobPath) {
    assert_eq!(lake.head(path).await.expect("head of a missing blob is no error"), None);
    fails(read(lake, path, 0..10).await, "L0404");
    fails(lake.read(path, 0..10, Some(&ETag("\"0x1\"".to_owned()))).await, "L0404");
    lake.delete(path, None).await.expect("deleting a missing blob is fine");
    lake.delete(path, Some(&ETag("\"0x1\"".to_owned()))).await.expect("deleting a missing version is fine");
    let nowhere = BlobPath::new("landing-nobody-here", "a.csv");
    assert_eq!(lake.head(&nowhere).await.expect("head in a missing container is no error"), None);
    fails(read(lake, &nowhere, 0..10).await, "L0404");
}

async fn create_only(lake: &dyn Lake, path: &BlobPath) {
    let metadata = BTreeMap::from([("run".to_owned(), "s-1".to_owned()), ("blake3".to_owned(), "abc".to_owned())]);
    let first = lake.create(path, Bytes::from_static(b"first"), &metadata).await.expect("create");
    let Created::New(etag) = first else { panic!("{path} is there already: `unique` must be new") };
    assert_eq!(lake.create(path, Bytes::from_static(b"second"), &BTreeMap::new()).await.expect("create again"), Created::Exists);
    assert_eq!(read(lake, path, 0..100).await.expect("read"), "first", "the second creation must change nothing");
    let info = lake.head(path).await.expect("head").expect("the blob is there");
    assert_eq!((info.size, &info.etag), (5, &etag), "HEAD tells the version that the creation told");
    assert!(etag.0.starts_with('"') && etag.0.ends_with('"'), "an ETag has its quotes, found {}", etag.0);
    for (name, value) in &metadata {
        assert_eq!(info.metadata.get(name), Some(value), "metadata {name}");
    }
}

async fn ranges(lake: &dyn Lake, path: &BlobPath) {
    created(lake, path, b"0123456789").await;
    for (range, expected) in [(0..10, "0123456789"), (3..7, "3456"), (9..10, "9"), (5..100, "56789"), (0..u64::MAX, "0123456789")] {
        assert_eq!(read(lake, path, range.clone()).await.expect("read"), expected, "{range:?}");
    }
    for range in [4..4, 10..10, 10..20, 50..60] {
        assert_eq!(read(lake, path, range.clone()).await.expect("a range without bytes is no error"), "", "{range:?}");
    }
}

async fn versions(lake: &dyn Lake, path: &BlobPath) {
    let first = lake.overwrite(path, Bytes::from_static(b"first")).await.expect("overwrite");
    assert_eq!(lake.read(path, 0..5, Some(&first)).await.expect("read the version"), "first");
    let second = lake.overwrite(path, Bytes::from_static(b"second")).await.expect("overwrite again");
    assert_ne!(first, second, "another content is another version");
    fails(lake.read(path, 0..5, Some(&first)).await, "L0412");
    assert_eq!(lake.read(path, 0..6, Some(&second)).await.expect("read the new version"), "second");
    fails(lake.delete(path, Some(&first)).await, "L0412");
    assert!(lake.head(path).await.expect("head").is_some(), "a delete of another version must change nothing");
    lake.delete(path, Some(&second)).await.expect("delete the version");
    assert_eq!(lake.head(path).await.expect("head"), None);
    let third = created(lake, path, b"third").await;
    assert!(third != first && third != second, "a version never returns");
    lake.delete(path, None).await.expect("delete whatever version");
    assert_eq!(lake.head(path).await.expect("head"), None);
}

async fn blocks(lake: &dyn Lake, path: &BlobPath, unstaged: &BlobPath, taken: &BlobPath) {
    // Any order, an index twice, and one that is not committed.
    for (index, body) in [(2, "cc"), (0, "x"), (1, "bbb"), (0, "a"), (3, "left out")] {
        lake.stage_block(path, index, Bytes::from_static(body.as_bytes())).await.expect("stage");
    }
    assert_eq!(lake.head(path).await.expect("head"), None, "staged blocks are no blob");
    let metadata = BTreeMap::from([("run".to_owned(), "s-2".to_owned())]);
    let Created::New(etag) = lake.commit_blocks(path, 3, &metadata).await.expect("commit") else { panic!("the blob was not there") };
    assert_eq!(read(lake, path, 0..100).await.expect("read"), "abbbcc");
    let info = lake.head(path).await.expect("head").expect("the blob is there");
    assert_eq!((info.etag, info.size, info.metadata.get("run").map(String::as_str)), (etag.clone(), 6, Some("s-2")));
    assert_eq!(lake.commit_blocks(path, 3, &metadata).await.expect("commit again"), Created::Exists);
    assert_eq!(lake.commit_blocks(path, 7, &metadata).await.expect("commit what is not staged, again"), Created::Exists);
    assert_eq!(lake.create(path, Bytes::from_static(b"other"), &BTreeMap::new()).await.expect("create over it"), Created::Exists);
    lake.stage_block(path, 0, Bytes::from_static(b"late")).await.expect("a late block of a redelivered message");
    assert_eq!(lake.commit_blocks(path, 1, &metadata).await.expect("commit the late block"), Created::Exists);
    let info = lake.head(path).await.expect("head").expect("the blob is there");
    assert_eq!((info.etag, info.size), (etag, 6), "a late block must change nothing");

    lake.stage_block(unstaged, 0, Bytes::from_static(b"a")).await.expect("stage");
    lake.stage_block(unstaged, 2, Bytes::from_static(b"c")).await.expect("stage");
    fails(lake.commit_blocks(unstaged, 3, &BTreeMap::new()).await, "L0400");
    assert_eq!(lake.head(unstaged).await.expect("head"), None, "a failed commit makes no blob");
    lake.stage_block(unstaged, 1, Bytes::from_static(b"b")).await.expect("stage");
    assert!(matches!(lake.commit_blocks(unstaged, 3, &BTreeMap::new()).await.expect("commit"), Created::New(_)));
    assert_eq!(read(lake, unstaged, 0..9).await.expect("read"), "abc", "blocks survive a failed commit");

    created(lake, taken, b"taken").await;
    lake.stage_block(taken, 0, Bytes::from_static(b"block")).await.expect("stage");
    assert_eq!(lake.commit_blocks(taken, 1, &BTreeMap::new()).await.expect("commit over a blob"), Created::Exists);
    assert_eq!(read(lake, taken, 0..9).await.expect("read"), "taken");
}

async fn empty(lake: &dyn Lake, path: &BlobPath) {
    created(lake, path, b"").await;
    assert_eq!(lake.head(path).await.expect("head").expect("the blob is there").size, 0);
    assert_eq!(read(lake, path, 0..10).await.expect("an empty blob can be read"), "");
}

async fn listing(lake: &dyn Lake, unique: &str) {
    let paths = ["b/2.csv", "a.csv", "b/1.csv", "b.csv", "bb.csv", "c/d/e.csv", "Z.csv"];
    for path in paths {
        created(lake, &BlobPath::new(ARCHIVE, format!("{unique}/list/{path}")), b"12345").await;
    }
    lake.stage_block(&BlobPath::new(ARCHIVE, format!("{unique}/list/staged")), 0, Bytes::from_static(b"x")).await.expect("stage");
    let all = |prefix: String| async move {
        let page = lake.list(ARCHIVE, &prefix, None).await.expect("list");
        assert_eq!(page.next, None, "a short listing is one page");
        page.blobs
    };
    let root = format!("{unique}/list/");
    let names = |blobs: &[(BlobPath, crate::BlobInfo)]| -> Vec<String> {
        blobs.iter().map(|(path, _)| path.path.strip_prefix(&root).unwrap_or(&path.path).to_owned()).collect()
    };
    let found = all(root.clone()).await;
    // Ordinal order of whole paths, through all folders; staged blocks are no blobs.
    assert_eq!(names(&found), ["Z.csv", "a.csv", "b.csv", "b/1.csv", "b/2.csv", "bb.csv", "c/d/e.csv"]);
    for (path, info) in &found {
        let head = lake.head(path).await.expect("head").expect("a listed blob is there");
        assert_eq!((info.size, &info.etag), (5, &head.etag), "a listing tells size and version of {path} as HEAD does");
        assert_eq!(info.modified.timestamp(), head.modified.timestamp(), "a listing tells the time of {path} as HEAD does");
        assert_eq!(path.container, ARCHIVE);
    }
    assert_eq!(names(&all(format!("{root}b")).await), ["b.csv", "b/1.csv", "b/2.csv", "bb.csv"], "a prefix may end within a name");
    assert_eq!(names(&all(format!("{root}b/")).await), ["b/1.csv", "b/2.csv"]);
    assert!(all(format!("{root}none")).await.is_empty());
    let unknown = lake.list("landing-nobody-here", "", None).await.expect("an unknown container is empty");
    assert!(unknown.blobs.is_empty() && unknown.next.is_none());
    let containers = lake.containers("r").await.expect("containers");
    assert!([RAW, REVIEW].iter().all(|c| containers.iter().any(|f| f == c) || *c == REVIEW), "containers with r, found {containers:?}");
    assert!(!containers.iter().any(|c| c == ARCHIVE), "only names with the prefix, found {containers:?}");
}

async fn names(lake: &dyn Lake, unique: &str) {
    // What partners call their files.
    let odd = ["with space.csv", "plus+and&and=.csv", "ümlaut-日本.csv", "per%20cent.csv", "month=1/part #1?.csv", "quote'(1)[2];,@!$.csv"];
    for name in odd {
        let path = BlobPath::new(RAW, format!("{unique}/odd/{name}"));
        created(lake, &path, b"odd").await;
        assert_eq!(read(lake, &path, 0..3).await.expect("read"), "odd", "{path}");
        let listed = lake.list(RAW, &path.path, None).await.expect("list");
        assert_eq!(listed.blobs.iter().map(|(p, _)| p).collect::<Vec<_>>(), [&path], "a listing gives the name back as it is");
    }
}

async fn tiers(lake: &dyn Lake, path: &BlobPath) {
    created(lake, path, b"tier").await;
    for tier in [Tier::Cool, Tier::Cool, Tier::Hot] {
        lake.set_tier(path, tier).await.expect("set tier");
        assert_eq!(read(lake, path, 0..9).await.expect("read"), "tier");
    }
}

async fn races(lake: &dyn Lake, path: &BlobPath) {
    let attempts = (0..8u8).map(|n| async move {
        let body = Bytes::from(vec![n; 1000]);
        matches!(lake.create(path, body, &BTreeMap::new()).await.expect("create"), Created::New(_)).then_some(n)
    });
    let winners: Vec<u8> = futures::future::join_all(attempts).await.into_iter().flatten().collect();
    assert_eq!(winners.len(), 1, "of many creations at once one makes the blob, found {winners:?}");
    assert_eq!(read(lake, path, 0..1000).await.expect("read"), vec![winners[0]; 1000]);
}
