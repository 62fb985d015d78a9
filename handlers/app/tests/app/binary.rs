//! The program itself, as the host starts it.

use std::{
    io::Read,
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::harness::json_file;

fn handler() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handler"));
    command.env_clear().stdin(Stdio::null());
    command
}

#[test]
fn tells_its_version() {
    let output = handler().arg("--version").output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("handler {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn bad_settings_end_it_with_an_error_and_every_mistake_on_a_line_of_stdout() {
    let output = handler()
        .env("FUNCTIONS_CUSTOMHANDLER_PORT", "no port")
        .env("SLUICE_AUDIENCE", "@Microsoft.KeyVault(VaultName=v;SecretName=audience)")
        .env("APPLICATIONINSIGHTS_CONNECTION_STRING", "@Microsoft.KeyVault(VaultName=v;SecretName=insights)")
        .output()
        .unwrap();
    assert!(!output.status.success());
    let stdout = String::from_utf8(output.stdout).unwrap();
    for setting in [
        "FUNCTIONS_CUSTOMHANDLER_PORT",
        "SLUICE_ISSUER",
        "SLUICE_AUDIENCE",
        "APPLICATIONINSIGHTS_CONNECTION_STRING",
        "SLUICE_BLOB_ENDPOINT",
        "SLUICE_COSMOS_ENDPOINT",
    ] {
        assert_eq!(stdout.lines().filter(|line| line.starts_with(&format!("{setting}: "))).count(), 1, "{setting} in\n{stdout}");
    }
    assert!(!stdout.contains("SecretName"), "{stdout}");
    assert!(output.stderr.is_empty(), "the host logs stderr as errors of its own");
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn answers_the_hosts_ping_with_the_local_settings() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = handler();
    for (name, value) in json_file("local.settings.json")["Values"].as_object().unwrap() {
        // What devhost fills in; nothing is asked of these services before they are needed.
        let value = value.as_str().unwrap();
        let value = value.replace("{blob_url}", "http://127.0.0.1:9/devstoreaccount1").replace("{cosmos_url}", "http://127.0.0.1:9");
        command.env(name, value.replace("{issuer_url}", "http://127.0.0.1:9"));
    }
    command.env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string()).stdout(Stdio::piped());
    let mut running = Running(command.spawn().unwrap());
    let deadline = Instant::now() + Duration::from_secs(30);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if running.0.try_wait().unwrap().is_some() || Instant::now() > deadline {
            let mut stdout = String::new();
            running.0.kill().ok();
            running.0.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
            panic!("the handler does not listen:\n{stdout}");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let ping = reqwest::get(format!("http://127.0.0.1:{port}/")).await.unwrap();
    assert_eq!(ping.status(), 200);
    let nowhere = reqwest::get(format!("http://127.0.0.1:{port}/Transform")).await.unwrap();
    assert_eq!(nowhere.status(), 404);
}
