use std::time::{Duration, Instant};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Method, StatusCode};
use sha2::Sha256;
use sluice_azure::{Backends, provision};
use sluice_flow::{BlobPath, grant::Scope, lake::RAW};
use url::Url;

use crate::support::{ACCOUNT, Azurite, Cosmos, KEY, backends, settings};

const HOUR: Duration = Duration::from_hours(1);

struct Account {
    backends: Backends,
    azurite: Azurite,
    _cosmos: Cosmos,
}

/// An account with two partners, a file of each, and a raw file.
async fn account() -> Account {
    let (azurite, cosmos) = (Azurite::start(), Cosmos::start().await);
    provision(&settings(&azurite.endpoint, &cosmos.endpoint)).await.unwrap();
    let backends = backends(Some(&azurite), None);
    for partner in ["skyline", "other"] {
        backends.signer.ensure_container(partner).await.unwrap();
        backends.signer.ensure_container(partner).await.unwrap();
    }
    for (container, path) in [("landing-skyline", "earlier.csv"), ("landing-other", "theirs.csv"), (RAW, "run/secret.csv")] {
        backends.lake.overwrite(&BlobPath::new(container, path), Bytes::from_static(b"before")).await.unwrap();
    }
    Account { backends, azurite, _cosmos: cosmos }
}

impl Account {
    async fn grant(&self, scope: Scope) -> Url {
        self.backends.signer.sign("skyline", &scope, HOUR).await.unwrap()
    }

    async fn content(&self, container: &str, path: &str) -> Option<Bytes> {
        self.backends.lake.read(&BlobPath::new(container, path), 0..100, None).await.ok()
    }

    /// The granted signature on another address of the account.
    fn elsewhere(&self, grant: &Url, path_and_query: &str) -> Url {
        let joint = if path_and_query.contains('?') { '&' } else { '?' };
        format!("{}/{path_and_query}{joint}{}", self.azurite.endpoint, grant.query().unwrap()).parse().unwrap()
    }
}

async fn send(method: Method, url: Url, headers: &[(&str, &str)], body: &'static str) -> StatusCode {
    let mut request = reqwest::Client::new().request(method, url).header("x-ms-version", "2021-08-06").body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap().status()
}

async fn put(url: Url, body: &'static str) -> StatusCode {
    send(Method::PUT, url, &[("x-ms-blob-type", "BlockBlob")], body).await
}

fn with(url: &Url, query: &str) -> Url {
    let mut url = url.clone();
    url.set_query(Some(&format!("{query}&{}", url.query().unwrap())));
    url
}

/// Put Block twice and Put Block List.
async fn put_blocks(url: &Url) -> [StatusCode; 3] {
    [
        send(Method::PUT, with(url, "comp=block&blockid=MDAwMQ%3D%3D"), &[], "first ").await,
        send(Method::PUT, with(url, "comp=block&blockid=MDAwMg%3D%3D"), &[], "second").await,
        send(Method::PUT, with(url, "comp=blocklist"), &[], "<BlockList><Latest>MDAwMQ==</Latest><Latest>MDAwMg==</Latest></BlockList>")
            .await,
    ]
}

/// Something that a grant may not do: what, and the request.
type Attempt = (&'static str, Method, Url);

/// Reading back what was sent.
fn reads(account: &Account, grant: &Url) -> Vec<Attempt> {
    let own = |path: &str| account.elsewhere(grant, path);
    vec![
        ("read its own file", Method::GET, own("landing-skyline/new.csv")),
        ("look at its own file", Method::HEAD, own("landing-skyline/new.csv")),
        ("see its own blocks", Method::GET, own("landing-skyline/new.csv?comp=blocklist&blocklisttype=all")),
        ("read an earlier file", Method::GET, own("landing-skyline/earlier.csv")),
        ("list its container", Method::GET, own("landing-skyline?restype=container&comp=list")),
    ]
}

/// Taking away from the partner's own container, or changing it.
fn deletions(account: &Account, grant: &Url) -> Vec<Attempt> {
    let own = |path: &str| account.elsewhere(grant, path);
    vec![
        ("delete its own file", Method::DELETE, own("landing-skyline/new.csv")),
        ("delete an earlier file", Method::DELETE, own("landing-skyline/earlier.csv")),
        ("look at its container", Method::GET, own("landing-skyline?restype=container")),
        ("delete its container", Method::DELETE, own("landing-skyline?restype=container")),
        ("open its container", Method::PUT, own("landing-skyline?restype=container&comp=acl")),
    ]
}

/// Reaching anything but the partner's own container.
fn elsewhere(account: &Account, grant: &Url) -> Vec<Attempt> {
    let own = |path: &str| account.elsewhere(grant, path);
    vec![
        ("list containers", Method::GET, own("?comp=list")),
        ("make a container", Method::PUT, own("landing-mine?restype=container")),
        ("read another partner's file", Method::GET, own("landing-other/theirs.csv")),
        ("list another partner's container", Method::GET, own("landing-other?restype=container&comp=list")),
        ("delete another partner's file", Method::DELETE, own("landing-other/theirs.csv")),
        ("read a raw file", Method::GET, own("raw/run/secret.csv")),
    ]
}

/// Tries what a grant may not do, and what no grant may: write elsewhere, or change what was there before.
async fn refuses(account: &Account, grant: &Url, attempts: Vec<Attempt>) {
    let own = |path: &str| account.elsewhere(grant, path);
    for (what, method, url) in attempts {
        assert_eq!(send(method, url, &[], "").await, StatusCode::FORBIDDEN, "a grant must not {what}");
    }
    for path in ["landing-other/new.csv", "landing-other/theirs.csv", "raw/run/new.csv", "raw/run/secret.csv"] {
        assert_eq!(put(own(path), "x").await, StatusCode::FORBIDDEN, "a grant must not write {path}");
        assert_eq!(put_blocks(&own(path)).await, [StatusCode::FORBIDDEN; 3], "a grant must not write {path} by blocks");
    }
    for (container, path) in [("landing-other", "theirs.csv"), (RAW, "run/secret.csv"), ("landing-skyline", "earlier.csv")] {
        assert_eq!(account.content(container, path).await.unwrap(), "before", "{container}/{path}");
    }
}

/// Tries everything that an upload alone does not need.
async fn refuses_the_rest(account: &Account, grant: &Url) {
    for attempts in [reads(account, grant), deletions(account, grant), elsewhere(account, grant)] {
        refuses(account, grant, attempts).await;
    }
}

#[tokio::test]
async fn a_file_grant_uploads_its_file_and_nothing_else() {
    let account = account().await;
    let grant = account.grant(Scope::File { path: "new.csv".to_owned() }).await;
    assert_eq!(put(grant.clone(), "at once").await, StatusCode::CREATED);
    assert_eq!(account.content("landing-skyline", "new.csv").await.unwrap(), "at once");
    refuses_the_rest(&account, &grant).await;
    for path in ["landing-skyline/newer.csv", "landing-skyline/earlier.csv", "landing-skyline/new.csv/below.csv"] {
        assert_eq!(put(account.elsewhere(&grant, path), "x").await, StatusCode::FORBIDDEN, "a grant for one file must not write {path}");
    }
}

#[tokio::test]
async fn a_file_grant_uploads_by_blocks() {
    let account = account().await;
    let grant = account.grant(Scope::File { path: "month=1/part 1 & ü.csv".to_owned() }).await;
    assert_eq!(put_blocks(&grant).await, [StatusCode::CREATED; 3]);
    assert_eq!(account.content("landing-skyline", "month=1/part 1 & ü.csv").await.unwrap(), "first second");
}

#[tokio::test]
async fn a_container_grant_uploads_and_overwrites_by_name_and_nothing_else() {
    let account = account().await;
    let grant = account.grant(Scope::Container { read_back: false }).await;
    for body in ["tonight", "tomorrow"] {
        assert_eq!(put(account.elsewhere(&grant, "landing-skyline/new.csv"), body).await, StatusCode::CREATED);
        assert_eq!(account.content("landing-skyline", "new.csv").await.unwrap(), body);
    }
    assert_eq!(put_blocks(&account.elsewhere(&grant, "landing-skyline/deep/er.csv")).await, [StatusCode::CREATED; 3]);
    refuses_the_rest(&account, &grant).await;
}

#[tokio::test]
async fn a_container_grant_that_reads_back_reads_its_own_container_only() {
    let account = account().await;
    let grant = account.grant(Scope::Container { read_back: true }).await;
    let own = |path: &str| account.elsewhere(&grant, path);
    assert_eq!(put(own("landing-skyline/new.csv"), "sent").await, StatusCode::CREATED);
    for (what, method, url) in [
        ("read what it sent", Method::GET, own("landing-skyline/new.csv")),
        ("look at what it sent", Method::HEAD, own("landing-skyline/new.csv")),
        ("list its container", Method::GET, own("landing-skyline?restype=container&comp=list")),
    ] {
        assert_eq!(send(method, url, &[], "").await, StatusCode::OK, "a grant that reads back must {what}");
    }
    refuses(&account, &grant, deletions(&account, &grant)).await;
    refuses(&account, &grant, elsewhere(&account, &grant)).await;
}

#[tokio::test]
async fn a_grant_ends() {
    let account = account().await;
    let scope = Scope::File { path: "late.csv".to_owned() };
    let grant = account.backends.signer.sign("skyline", &scope, Duration::from_secs(1)).await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while put(grant.clone(), "x").await != StatusCode::FORBIDDEN {
        assert!(Instant::now() < deadline, "a grant for 1 s still works after 20 s");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_changed_grant_is_worth_nothing() {
    let account = account().await;
    let grant = account.grant(Scope::File { path: "new.csv".to_owned() }).await;
    for (from, to) in [("sp=cw", "sp=rcwd"), ("sr=b", "sr=c"), ("se=2", "se=3")] {
        let changed = grant.query().unwrap().replace(from, to);
        assert_ne!(changed, grant.query().unwrap(), "{from}");
        let mut url = grant.clone();
        url.set_query(Some(&changed));
        assert_eq!(put(url, "x").await, StatusCode::FORBIDDEN, "{from} to {to}");
    }
}

/// What the emulator does with the letter that Azure's file grants have. When blocks come to be accepted, file grants can be create-only
/// on a laptop too: change `grant.rs` then.
#[tokio::test]
async fn create_alone_is_create_only_but_takes_no_blocks_on_the_emulator() {
    let account = account().await;
    let create = |path: &str| {
        let text = format!("c\n\n2099-01-01T00:00:00Z\n/blob/{ACCOUNT}/landing-skyline/{path}\n\n\n\n2022-11-02\nb\n\n\n\n\n\n\n");
        let mut mac = Hmac::<Sha256>::new_from_slice(&STANDARD.decode(KEY).unwrap()).unwrap();
        mac.update(text.as_bytes());
        let mut url: Url = format!("{}/landing-skyline/{path}", account.azurite.endpoint).parse().unwrap();
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        let terms = [("sv", "2022-11-02"), ("sr", "b"), ("sp", "c"), ("se", "2099-01-01T00:00:00Z"), ("sig", signature.as_str())];
        url.query_pairs_mut().extend_pairs(terms);
        url
    };
    let single = create("single.csv");
    assert_eq!(put(single.clone(), "first").await, StatusCode::CREATED);
    assert_eq!(put(single, "second").await, StatusCode::FORBIDDEN);
    assert_eq!(account.content("landing-skyline", "single.csv").await.unwrap(), "first");
    assert_eq!(put_blocks(&create("blocks.csv")).await, [StatusCode::FORBIDDEN; 3]);
}

#[tokio::test]
async fn a_damaged_body_is_refused() {
    let account = account().await;
    let grant = account.grant(Scope::File { path: "new.csv".to_owned() }).await;
    let wrong = STANDARD.encode([0; 16]);
    let status = send(Method::PUT, grant, &[("x-ms-blob-type", "BlockBlob"), ("content-md5", &wrong)], "damaged").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(account.content("landing-skyline", "new.csv").await, None);
}
