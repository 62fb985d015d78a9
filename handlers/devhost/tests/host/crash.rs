//! kill -9 of devhost itself: what it had acknowledged is still there, and what it left running does not stand in the way.

use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;

use devhost::{Config, DevHost};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::support::{App, until};

/// Names the app's folder to the process that is to be killed.
const APP: &str = "TEST_DEVHOST_APP";

const BLOB_PORT: &str = "TEST_DEVHOST_BLOB_PORT";

fn config(app: &App, blob_port: u16) -> Config {
    let mut config = app.with_azurite();
    if let Some(azurite) = &mut config.azurite {
        azurite.blob_port = blob_port;
    }
    config
}

/// Not a test: a devhost that sends messages until it is killed, and says which ones were acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "started by another test as the process to be killed"]
async fn play_devhost() {
    let Some(dir) = std::env::var_os(APP) else { return };
    let app = App::at(PathBuf::from(dir));
    let host = DevHost::start(config(&app, std::env::var(BLOB_PORT).unwrap().parse().unwrap())).await.unwrap();
    host.wait_ready().await.unwrap();
    for n in 0.. {
        host.send("work", json!({"n": n, "do": "pass"}).to_string()).await.unwrap();
        // One write, so that the kill leaves a whole line or none; println would be the test runner's.
        std::io::stderr().write_all(format!("acknowledged {n}\n").as_bytes()).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_messages_survive_and_the_next_start_works() {
    let app = App::new();
    let blob_port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "crash::play_devhost", "--nocapture"])
        .env(APP, &app.dir)
        .env(BLOB_PORT, blob_port.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut acknowledged = 0;
    while let Some(line) = lines.next_line().await.unwrap() {
        if let Some(n) = line.strip_prefix("acknowledged ") {
            acknowledged = n.parse::<u64>().unwrap() + 1;
            if acknowledged == 500 {
                child.start_kill().unwrap();
            }
        }
    }
    child.wait().await.unwrap();
    assert!(acknowledged >= 500, "{acknowledged}");

    // Azurite of the killed devhost still holds the port and the folder; the handler still runs.
    let host = DevHost::start(config(&app, blob_port)).await.unwrap();
    host.wait_ready().await.unwrap();
    let is_done = |n: u64, done: &[String]| done.contains(&format!("done {{\"n\":{n}}}"));
    until("every acknowledged message is done", || {
        let done = app.done();
        (0..acknowledged).all(|n| is_done(n, &done))
    })
    .await;
    assert!(host.queues().iter().all(|queue| queue.dead_letters == 0), "{:?}", host.queues());
    host.shutdown().await;
}
