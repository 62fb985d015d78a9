//! The local stack, started as a user starts it: `sluice up`. Everything here goes over HTTP.

use std::{
    collections::BTreeMap,
    future::Future,
    path::PathBuf,
    pin::Pin,
    process::Stdio,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use reqwest::{Client, Method, StatusCode, Url};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::lake::Lake;

/// A demo partner of `sluice up`.
pub const SKYLINE: &str = "skyline";
/// Another one.
pub const NORTHWIND: &str = "northwind";

/// The future of a test.
pub type Outcome = Pin<Box<dyn Future<Output = Result<()>>>>;

/// Turns a test into its future.
pub fn boxed(test: impl Future<Output = Result<()>> + 'static) -> Outcome {
    Box::pin(test)
}

/// How long anything may take before a test gives up: far beyond what is usual on a slow, busy machine.
const PATIENCE: Duration = Duration::from_mins(4);

pub struct Stack {
    child: tokio::sync::Mutex<Option<Child>>,
    state: TempDir,
    /// `http://.../api/`.
    pub api: Url,
    host: Url,
    blob: Url,
    issuer: Url,
    audience: String,
    /// Client id and secret by the principal's name.
    credentials: BTreeMap<String, (String, String)>,
    tokens: Mutex<BTreeMap<String, String>>,
    counter: AtomicU32,
    client: Client,
}

/// A program beside this test's own executable: `target/<profile>/<name>`.
fn program(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own.ancestors().nth(2).context("a test executable is in target/<profile>/deps")?;
    let path = folder.join(name);
    ensure!(path.exists(), "{} is not built; ./test builds it", path.display());
    Ok(path)
}

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

impl Stack {
    /// Starts a stack with its own state on free ports, and waits until it is ready.
    pub async fn start() -> Result<Self> {
        let state = TempDir::new()?;
        let log = std::fs::File::create(state.path().join("up.log"))?;
        let mut child = Command::new(program("sluice")?)
            .current_dir(repository())
            .args(["up", "--port", "0", "--state-dir"])
            .arg(state.path())
            .arg("--handler")
            .arg(program("handler-as-deployed")?)
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let log = state.path().join("up.log");
        let started = Instant::now();
        loop {
            let said = std::fs::read_to_string(&log)?;
            if said.contains("ready after") {
                break;
            }
            if let Some(status) = child.try_wait()? {
                bail!("sluice up ended with {status}: {said}");
            }
            ensure!(started.elapsed() < PATIENCE, "sluice up is not ready: {said}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let read = |name: &str| -> Result<Value> { Ok(serde_json::from_slice(&std::fs::read(state.path().join(name))?)?) };
        let (connection, principals) = (read("connection.json")?, read("principals.json")?);
        let url =
            |key: &str| -> Result<Url> { Ok(connection[key].as_str().with_context(|| format!("connection.json has no {key}"))?.parse()?) };
        let credentials = principals.as_array().context("principals.json is a list")?.iter().filter_map(|p| {
            let text = |key: &str| Some(p[key].as_str()?.to_owned());
            Some((text("name")?, (text("clientId")?, text("clientSecret")?)))
        });
        let credentials = credentials.collect();
        Ok(Self {
            api: Url::parse(&format!("{}/", url("api")?.as_str().trim_end_matches('/')))?,
            host: url("host")?,
            blob: url("blob")?,
            issuer: url("issuer")?,
            audience: connection["audience"].as_str().unwrap_or_default().to_owned(),
            credentials,
            child: tokio::sync::Mutex::new(Some(child)),
            state,
            tokens: Mutex::default(),
            counter: AtomicU32::default(),
            client: Client::new(),
        })
    }

    /// Ends the stack as Ctrl-C does, and checks that it ended well.
    pub async fn stop(&self) -> Result<()> {
        let Some(mut child) = self.child.lock().await.take() else { return Ok(()) };
        let pid = child.id().context("the stack has ended by itself")?;
        let sent = Command::new("kill").args(["-INT", &pid.to_string()]).status().await?;
        ensure!(sent.success(), "kill -INT failed");
        let status = tokio::time::timeout(Duration::from_mins(1), child.wait()).await.context("the stack does not stop")??;
        ensure!(status.success() || status.code() == Some(130), "the stack ended with {status}");
        Ok(())
    }

    /// Prints what helps to understand a failed test.
    pub fn explain(&self) {
        for name in ["up.log", "handler.log"] {
            let text = std::fs::read_to_string(self.state.path().join(name)).unwrap_or_default();
            let lines: Vec<&str> = text.lines().filter(|l| name != "handler.log" || l.contains("ERROR") || l.contains("WARN")).collect();
            let tail = lines[lines.len().saturating_sub(40)..].join("\n");
            std::io::Write::write_all(&mut std::io::stderr(), format!("--- {name}\n{tail}\n").as_bytes()).unwrap_or_default();
        }
    }

    async fn token(&self, who: &str) -> Result<String> {
        if let Some(token) = self.tokens.lock().unwrap().get(who) {
            return Ok(token.clone());
        }
        let (id, secret) = self.credentials.get(who).with_context(|| format!("no principal {who}"))?;
        let discovery = format!("{}/.well-known/openid-configuration", self.issuer.as_str().trim_end_matches('/'));
        let discovery: Value = self.client.get(discovery).send().await?.json().await?;
        let endpoint = discovery["token_endpoint"].as_str().context("the issuer names no token endpoint")?;
        let scope = format!("{}/.default", self.audience);
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", id.as_str()),
            ("client_secret", secret.as_str()),
            ("scope", scope.as_str()),
        ];
        let answer: Value = self.client.post(endpoint).form(&form).send().await?.json().await?;
        let token = answer["access_token"].as_str().with_context(|| format!("no token for {who}: {answer}"))?.to_owned();
        self.tokens.lock().unwrap().insert(who.to_owned(), token.clone());
        Ok(token)
    }

    /// A request to the API; a lost connection (the handler was killed) is tried again.
    async fn request(&self, method: Method, who: &str, route: &str, body: Option<&Value>) -> Result<(StatusCode, String)> {
        let token = self.token(who).await?;
        let started = Instant::now();
        loop {
            let mut request = self.client.request(method.clone(), self.api.join(route)?).bearer_auth(&token);
            if let Some(body) = body {
                request = request.json(body);
            }
            match request.send().await {
                // Many tests at once are one caller, over its limit: nothing was done.
                Ok(response) if response.status() == StatusCode::TOO_MANY_REQUESTS && started.elapsed() < PATIENCE => {}
                Ok(response) if response.status().is_server_error() && method == Method::GET && started.elapsed() < PATIENCE => {}
                Ok(response) => return Ok((response.status(), response.text().await?)),
                Err(_) if started.elapsed() < PATIENCE => {}
                Err(error) => return Err(error.into()),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    pub async fn get(&self, who: &str, route: &str) -> Result<(StatusCode, Value)> {
        let (status, text) = self.request(Method::GET, who, route, None).await?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    pub async fn post(&self, who: &str, route: &str, body: &Value) -> Result<(StatusCode, Value)> {
        let (status, text) = self.request(Method::POST, who, route, Some(body)).await?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    async fn grant(&self, partner: &str, scope: Value) -> Result<Url> {
        let (status, granted) = self.post(partner, "submissions", &json!({ "grant": scope })).await?;
        ensure!(status == StatusCode::CREATED, "a grant was answered with {status}: {granted}");
        Ok(granted["url"].as_str().context("a grant has a URL")?.parse()?)
    }

    pub async fn grant_file(&self, partner: &str, path: &str) -> Result<Url> {
        self.grant(partner, json!({ "kind": "file", "path": path })).await
    }

    pub async fn grant_container(&self, partner: &str) -> Result<Url> {
        self.grant(partner, json!({ "kind": "container" })).await
    }

    /// A path that no other test uses.
    pub fn fresh(&self, stem: &str, extension: &str) -> String {
        format!("{stem}-{}.{extension}", self.counter.fetch_add(1, Ordering::Relaxed))
    }

    /// Uploads in one request and waits for the run.
    pub async fn upload(&self, partner: &str, path: &str, body: Vec<u8>) -> Result<Value> {
        crate::client::put_blob(&self.grant_file(partner, path).await?, body).await?;
        self.run_of(partner, path).await
    }

    /// The newest run of a path, once it waits for people or has its receipt.
    pub async fn run_of(&self, partner: &str, path: &str) -> Result<Value> {
        self.run_when(partner, path, |run| run["state"] == "reviewing" || run["receipt"] == true).await
    }

    /// Likewise, but not `other`.
    pub async fn run_of_but(&self, partner: &str, path: &str, other: &Value) -> Result<Value> {
        self.run_when(partner, path, |run| run["runId"] != other["runId"] && (run["state"] == "reviewing" || run["receipt"] == true)).await
    }

    /// The same run, once it is in one of these states with its receipt.
    pub async fn wait_for(&self, partner: &str, run: &Value, states: &[&str]) -> Result<Value> {
        let path = run["path"].as_str().context("a run has a path")?;
        self.run_when(partner, path, |found| {
            found["runId"] == run["runId"] && found["receipt"] == true && states.iter().any(|s| found["state"] == *s)
        })
        .await
    }

    async fn run_when(&self, partner: &str, path: &str, fits: impl Fn(&Value) -> bool) -> Result<Value> {
        self.until(&format!("{path} is not done"), async || {
            let (_, page) = self.get(partner, &format!("submissions?path={path}")).await?;
            Ok(page["items"].as_array().and_then(|runs| runs.iter().find(|run| fits(run)).cloned()))
        })
        .await
    }

    /// Asks again and again until there is an answer.
    pub async fn until<T>(&self, otherwise: &str, ask: impl AsyncFn() -> Result<Option<T>>) -> Result<T> {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Some(answer) = ask().await? {
                return Ok(answer);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("{otherwise} after {} s", PATIENCE.as_secs())
    }

    pub async fn receipt(&self, partner: &str, run: &Value) -> Result<Value> {
        let (status, receipt) = self.get(partner, &format!("submissions/{}/receipt", run["runId"].as_str().unwrap_or_default())).await?;
        ensure!(status == StatusCode::OK, "no receipt for {run}: {status} {receipt}");
        Ok(receipt)
    }

    pub async fn rejected(&self, partner: &str, run: &Value) -> Result<String> {
        let route = format!("submissions/{}/rejected", run["runId"].as_str().unwrap_or_default());
        let (status, text) = self.request(Method::GET, partner, &route, None).await?;
        ensure!(status == StatusCode::OK, "rejected rows are answered with {status}: {text}");
        Ok(text)
    }

    /// Delivers events to a function's webhook, as Event Grid does.
    pub async fn deliver_event(&self, function: &str, events: &Value) -> Result<()> {
        let url = self.host.join(&format!("runtime/webhooks/EventGrid?functionName={function}"))?;
        let status = self.client.post(url).header("aeg-event-type", "Notification").json(events).send().await?.status();
        ensure!(status.is_success(), "the webhook answered {status}");
        Ok(())
    }

    async fn queues(&self) -> Result<Vec<Value>> {
        let queues: Value = self.client.get(self.host.join("devhost/queues")?).send().await?.json().await?;
        queues.as_array().cloned().context("devhost lists its queues")
    }

    /// Waits until no message is on its way.
    pub async fn settle(&self) -> Result<()> {
        self.until("the queues do not become empty", async || {
            Ok(self.queues().await?.iter().all(|q| q["active"] == 0 && q["locked"] == 0).then_some(()))
        })
        .await
    }

    pub async fn no_dead_letters(&self) -> Result<()> {
        let dead: Vec<Value> = self.queues().await?.into_iter().filter(|q| q["deadLetters"] != 0).collect();
        ensure!(dead.is_empty(), "messages are dead-lettered: {dead:?}");
        Ok(())
    }

    /// kill -9 of the handler.
    pub async fn kill_handler(&self) -> Result<()> {
        let status = self.client.post(self.host.join("devhost/handler/kill")?).send().await?.status();
        // 409: it is just being restarted after the kill before.
        ensure!(status.is_success() || status == StatusCode::CONFLICT, "the kill was answered with {status}");
        Ok(())
    }

    /// URL of a blob, without a signature.
    pub fn blob_url(&self, path: &str) -> String {
        format!("{}/{path}", self.blob.as_str().trim_end_matches('/'))
    }

    /// The lake behind the API, with the emulator's public account key.
    pub fn lake(&self) -> Lake {
        Lake::new(&self.blob)
    }

    #[expect(clippy::unused_self, reason = "tests ask the stack for everything")]
    pub fn sample(&self, name: &str) -> Result<Vec<u8>> {
        let path = repository().join("samples").join(name);
        std::fs::read(&path).with_context(|| path.display().to_string())
    }

    pub fn january(&self) -> Vec<u8> {
        self.sample("flights/flights-2013-01.csv").expect("the sample is in the repository")
    }

    /// Header line and the rest of January.
    pub fn january_parts(&self) -> (Vec<u8>, Vec<u8>) {
        let mut header = self.january();
        let end = header.iter().position(|b| *b == b'\n').map_or(header.len(), |at| at + 1);
        let body = header.split_off(end);
        (header, body)
    }

    /// A header and `count` rows that no rule holds or rejects, after passing over `skip` of them.
    pub fn flights_from(&self, skip: usize, count: usize) -> Vec<u8> {
        let (mut file, body) = self.january_parts();
        let plain = body.split_inclusive(|b| *b == b'\n').filter(|line| {
            let text = String::from_utf8_lossy(line);
            let fields: Vec<&str> = text.trim_end().split(',').collect();
            let number = |at: usize| fields[at].parse::<f64>().ok();
            let speed = number(15).zip(number(14)).map(|(miles, minutes)| miles * 60.0 / minutes);
            number(3).is_some() && number(6).is_some() && number(8).is_some_and(|d| d <= 300.0) && speed.is_some_and(|s| s <= 550.0)
        });
        file.extend(plain.skip(skip).take(count).collect::<Vec<_>>().concat());
        file
    }

    /// The first `count` plain rows.
    pub fn flights_lines(&self, count: usize) -> Vec<u8> {
        self.flights_from(0, count)
    }
}
