//! An app on disk, a devhost that runs it, and waiting for things to come true.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use devhost::{AzuriteConfig, Config, DevHost, EventSubscription};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

const HOST: &str = r#"{"version":"2.0","functionTimeout":"00:00:30",
    "extensionBundle":{"id":"Microsoft.Azure.Functions.ExtensionBundle","version":"[4.*, 5.0.0)"},
    "customHandler":{"description":{"defaultExecutablePath":"handler","arguments":["--ignored","--exact","handler::play_the_handler","--nocapture"]},
      "enableProxyingHttpRequest":true},
    "extensions":{"serviceBus":{"maxConcurrentCalls":4},"http":{"routePrefix":"api"}}}"#;

/// The functions, and what binds them.
const FUNCTIONS: [(&str, &str); 6] = [
    (
        "Work",
        r#"{"type":"serviceBusTrigger","direction":"in","name":"message","queueName":"%WORK_QUEUE%","connection":"Bus"},
           {"type":"serviceBus","direction":"out","name":"done","queueName":"done","connection":"Bus"}"#,
    ),
    ("Done", r#"{"type":"serviceBusTrigger","direction":"in","name":"message","queueName":"done","connection":"Bus"}"#),
    ("OnBlob", r#"{"type":"eventGridTrigger","direction":"in","name":"event"}"#),
    ("Tick", r#"{"type":"timerTrigger","direction":"in","name":"timer","schedule":"0 0 0 1 1 *","runOnStartup":true}"#),
    (
        "Echo",
        r#"{"type":"httpTrigger","direction":"in","name":"req","route":"echo/{*rest}","authLevel":"anonymous"},
           {"type":"http","direction":"out","name":"res"}"#,
    ),
    (
        "Submit",
        r#"{"type":"httpTrigger","direction":"in","name":"req","route":"submit/{id}","methods":["post"],"authLevel":"anonymous"},
           {"type":"http","direction":"out","name":"res"},
           {"type":"serviceBus","direction":"out","name":"done","queueName":"done","connection":"Bus"}"#,
    ),
];

/// Folders of one test.
pub(crate) struct App {
    pub(crate) dir: PathBuf,
    _temporary: Option<tempfile::TempDir>,
}

impl App {
    /// The app that another process made.
    pub(crate) fn at(dir: PathBuf) -> Self {
        Self { dir, _temporary: None }
    }

    pub(crate) fn new() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let dir = temporary.path().to_owned();
        let app = dir.join("app");
        for (name, bindings) in FUNCTIONS {
            let folder = app.join("functions").join(name);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("function.json"), format!("{{\"bindings\":[{bindings}]}}")).unwrap();
        }
        fs::write(app.join("host.json"), HOST).unwrap();
        fs::create_dir_all(dir.join("notes")).unwrap();
        Self { dir, _temporary: Some(temporary) }
    }

    pub(crate) fn config(&self) -> Config {
        let path = |name: &str| self.dir.join(name);
        let mut config = Config::new(path("app"), std::env::current_exe().unwrap(), path("state"));
        config.settings.insert("TEST_NOTES".into(), path("notes").display().to_string());
        config.settings.insert("WORK_QUEUE".into(), "work".into());
        config.cors_origins = vec!["http://app.example".into()];
        config
    }

    pub(crate) async fn start(&self) -> DevHost {
        let host = DevHost::start(self.config()).await.unwrap();
        host.wait_ready().await.unwrap();
        host
    }

    pub(crate) fn with_azurite(&self) -> Config {
        let mut config = self.config();
        config.azurite = Some(AzuriteConfig::new(azurite_script()));
        config.event_subscriptions = vec![EventSubscription::new("OnBlob", "/blobServices/default/containers/landing-")];
        config.event_retry_scale = 0.001;
        config
    }

    pub(crate) fn state(&self, name: &str) -> PathBuf {
        self.dir.join("state").join(name)
    }

    /// Lines that the handler has noted.
    pub(crate) fn done(&self) -> Vec<String> {
        let text = fs::read_to_string(self.dir.join("notes/done")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

fn azurite_script() -> PathBuf {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools/azurite");
    let script = tools.join("blob.js");
    assert!(
        tools.join("node_modules/azurite").is_dir(),
        "Azurite is missing: run `npm ci --prefix tools/azurite` at the root of the repository"
    );
    script
}

/// Waits until the condition holds; the message is what was awaited.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
