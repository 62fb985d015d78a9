//! Commands that talk to the API, where there is none.

use tempfile::tempdir;

use super::{run, sluice};

#[test]
fn without_a_sluice_there_is_a_hint() {
    let folder = tempdir().unwrap();
    for arguments in [&["runs"][..], &["review", "list"], &["pipelines"], &["tables"], &["local", "queues"], &["token"]] {
        let (code, _, err) = run(sluice().args(arguments).arg("--state-dir").arg(folder.path()));
        assert!(code == 2 && err.contains("sluice up"), "{arguments:?}: {err}");
    }
}

#[test]
fn a_service_that_is_away_is_unreachable() {
    // Bound and let go again: nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let folder = tempdir().unwrap();
    let (code, _, err) = run(sluice()
        .args(["parameters", "show", "flights"])
        .env("SLUICE_API", format!("http://127.0.0.1:{port}/api"))
        .env("SLUICE_TOKEN", "secret-token")
        .arg("--state-dir")
        .arg(folder.path()));
    assert_eq!(code, 3, "{err}");
    assert!(!err.contains("secret-token"), "{err}");
}

#[test]
fn tokens_do_not_travel_unencrypted() {
    let folder = tempdir().unwrap();
    let (code, _, err) = run(sluice()
        .args(["runs"])
        .env("SLUICE_API", "http://example.com/api")
        .env("SLUICE_TOKEN", "t")
        .arg("--state-dir")
        .arg(folder.path()));
    assert!(code == 2 && err.contains("https"), "{err}");
}
