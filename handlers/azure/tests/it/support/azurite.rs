//! An Azurite of this test's own.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

/// The well-known account of Azurite.
pub(crate) const ACCOUNT: &str = "devstoreaccount1";
/// Its well-known key, which opens nothing but an emulator.
pub(crate) const KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// Runs until it is dropped.
pub(crate) struct Azurite {
    process: Child,
    /// With the account, without a slash at the end.
    pub(crate) endpoint: String,
    _data: TempDir,
}

impl Azurite {
    /// Starts at a free port and waits until it listens.
    pub(crate) fn start() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let program = root.join("tools/azurite/blob.js");
        assert!(
            root.join("tools/azurite/node_modules/azurite").exists(),
            "Azurite is missing: run `npm ci --prefix tools/azurite` at the root of the repository"
        );
        let data = tempfile::tempdir().expect("a temporary folder can be made");
        let mut process = Command::new("node")
            .arg(program)
            .args(["--blobHost", "127.0.0.1", "--blobPort", "0", "--skipApiVersionCheck", "--disableTelemetry", "--location"])
            .arg(data.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("Azurite needs node: install Node 20");
        let mut lines = BufReader::new(process.stdout.take().expect("stdout is piped")).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.split_once("successfully listens on ").map(|(_, address)| address.trim().to_owned()))
            .expect("Azurite ended before it listened; its message stands above");
        // A pipe that nobody reads would block it in the end.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, endpoint: format!("{address}/{ACCOUNT}"), _data: data }
    }
}

impl Drop for Azurite {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
