//! `sluice upload --url` against a storage account that breaks off and comes back.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::put;
use tempfile::tempdir;

use super::{run, sluice};

/// What the account holds, and for how many blocks it still works.
#[derive(Default)]
struct Account {
    staged: BTreeMap<String, Bytes>,
    taken: usize,
    breaks_after: Option<usize>,
    blob: Option<(Vec<u8>, HeaderMap)>,
}

type Shared = Arc<Mutex<Account>>;

async fn put_blob(
    State(account): State<Shared>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut account = account.lock().unwrap_or_else(PoisonError::into_inner);
    match query["comp"].as_str() {
        "block" if account.breaks_after == Some(account.taken) => {
            (StatusCode::FORBIDDEN, [("x-ms-error-code", "AuthenticationFailed")]).into_response()
        }
        "block" => {
            account.taken += 1;
            account.staged.insert(query["blockid"].clone(), body);
            StatusCode::CREATED.into_response()
        }
        "blocklist" => {
            let list = String::from_utf8(body.to_vec()).unwrap();
            let ids: Vec<&str> = list.split("<Latest>").skip(1).map(|part| part.split("</Latest>").next().unwrap()).collect();
            if ids.iter().any(|id| !account.staged.contains_key(*id)) {
                return (StatusCode::BAD_REQUEST, [("x-ms-error-code", "InvalidBlockList")]).into_response();
            }
            let content = ids.iter().flat_map(|id| account.staged[*id].to_vec()).collect();
            account.blob = Some((content, headers));
            (StatusCode::CREATED, [("etag", "\"1\""), ("last-modified", "Fri, 01 Mar 2013 00:00:00 GMT")]).into_response()
        }
        other => panic!("unexpected comp={other}"),
    }
}

async fn serve(account: Shared) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router =
        axum::Router::new().route("/{*path}", put(put_blob)).layer(axum::extract::DefaultBodyLimit::max(16 << 20)).with_state(account);
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_upload_goes_on_where_it_stopped() {
    let account = Shared::default();
    account.lock().unwrap().breaks_after = Some(2);
    let address = serve(Arc::clone(&account)).await;
    let folder = tempdir().unwrap();
    let file = folder.path().join("data.csv");
    // Three blocks of 8 MiB and a bit.
    let content: Vec<u8> = (0..(24 << 20) + 1000_u32).map(|n| (n % 251) as u8).collect();
    std::fs::write(&file, &content).unwrap();
    let state = folder.path().to_owned();
    let upload = move || {
        run(sluice()
            .arg("upload")
            .arg(&file)
            .args(["--parallel", "1", "--json", "--url", &format!("http://{address}/landing-x/data.csv?sig=secret-signature")])
            .env("XDG_STATE_HOME", &state))
    };

    let (code, _, err) = tokio::task::spawn_blocking(upload.clone()).await.unwrap();
    assert_eq!(code, 3, "{err}");
    assert!(!err.contains("secret-signature"), "{err}");
    let notes = std::fs::read_dir(folder.path().join("sluice/uploads"))
        .unwrap()
        .map(|e| std::fs::read_to_string(e.unwrap().path()).unwrap())
        .collect::<Vec<_>>();
    assert!(notes.len() == 1 && !notes[0].contains("secret-signature"), "{notes:?}");

    account.lock().unwrap().breaks_after = None;
    let (code, out, err) = tokio::task::spawn_blocking(upload).await.unwrap();
    assert_eq!(code, 0, "{err}");
    let result: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(result["resumedBytes"], 2 * (8 << 20));
    assert_eq!(result["blake3"], blake3::hash(&content).to_hex().as_str());
    let account = account.lock().unwrap();
    assert_eq!(account.taken, 4, "every block travelled once");
    let (stored, headers) = account.blob.as_ref().unwrap();
    assert_eq!(stored, &content);
    assert_eq!(headers["x-ms-meta-blake3"], blake3::hash(&content).to_hex().as_str());
    assert_eq!(headers["if-none-match"], "*");
    assert_eq!(std::fs::read_dir(folder.path().join("sluice/uploads")).unwrap().count(), 0, "the note is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_that_the_account_forgot_are_sent_again() {
    let account = Shared::default();
    account.lock().unwrap().breaks_after = Some(1);
    let address = serve(Arc::clone(&account)).await;
    let folder = tempdir().unwrap();
    let file = folder.path().join("data.csv");
    std::fs::write(&file, vec![7; (16 << 20) + 1]).unwrap();
    let state = folder.path().to_owned();
    let upload = move || {
        run(sluice()
            .arg("upload")
            .arg(&file)
            .args(["--parallel", "1", "--json", "--url", &format!("http://{address}/c/data.csv?sig=x")])
            .env("XDG_STATE_HOME", &state))
    };
    assert_eq!(tokio::task::spawn_blocking(upload.clone()).await.unwrap().0, 3);
    {
        let mut account = account.lock().unwrap();
        account.breaks_after = None;
        account.staged.clear();
    }
    let (code, _, err) = tokio::task::spawn_blocking(upload).await.unwrap();
    assert_eq!(code, 0, "{err}");
    assert_eq!(account.lock().unwrap().blob.as_ref().unwrap().0.len(), (16 << 20) + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn log_lines_that_no_terminal_shows_have_no_colours() {
    let address = serve(Shared::default()).await;
    let folder = tempdir().unwrap();
    let file = folder.path().join("data.csv");
    std::fs::write(&file, "a\n1\n").unwrap();
    let state = folder.path().to_owned();
    let upload = move || {
        run(sluice()
            .arg("upload")
            .arg(&file)
            .args(["--url", &format!("http://{address}/c/data.csv?sig=x")])
            .env("XDG_STATE_HOME", &state)
            .env("RUST_LOG", "trace"))
    };
    let (code, _, err) = tokio::task::spawn_blocking(upload).await.unwrap();
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("DEBUG") || err.contains("TRACE"), "there are log lines: {err}");
    assert!(!err.contains('\u{1b}'), "{err}");
}
