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

#[test]
fn secrets_of_a_local_sluice_are_set_without_being_shown() {
    let folder = tempdir().unwrap();
    let state = folder.path().join("state");
    let local = |arguments: &[&str]| {
        let mut command = sluice();
        command.args(["local", "secret"]).args(arguments).arg("--state-dir").arg(&state);
        command
    };
    let key = folder.path().join("key.txt");
    std::fs::write(&key, "open sesame\n").unwrap();
    let (code, out, err) = run(local(&["set", "tailnum-key"]).stdin(std::fs::File::open(&key).unwrap()));
    assert!(code == 0 && !format!("{out}{err}").contains("sesame"), "{out}{err}");
    let (code, _, err) = run(local(&["set", "mail-key", "--from-env", "MAIL_KEY"]).env("MAIL_KEY", "hush"));
    assert_eq!(code, 0, "{err}");
    let stored: serde_json::Value = serde_json::from_slice(&std::fs::read(state.join("secrets.json")).unwrap()).unwrap();
    assert_eq!(stored, serde_json::json!({ "mail-key": "hush", "tailnum-key": "open sesame" }));
    assert_eq!(run(&mut local(&["list"])).1, "mail-key\ntailnum-key\n");
    let (code, _, err) = run(&mut local(&["set", "mail-key", "--from-env", "NO_SUCH_VARIABLE"]));
    assert!(code == 2 && err.contains("NO_SUCH_VARIABLE"), "{err}");
    assert_eq!(run(local(&["set", "mail-key"]).stdin(std::process::Stdio::null())).0, 2, "nothing is no secret");
}
