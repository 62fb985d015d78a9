//! The handler in this process, over the memory doubles.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use serde_json::{Value, json};
use sluice_app::{App, limits::Rate, server, settings::Settings};
use sluice_flow::{
    Clock, Context, Result, Sizes,
    grant::{Scope, UploadSigner},
    memory::{Faults, ManualClock, MemoryCatalog, MemoryLake, MemorySecrets},
};
use tower::ServiceExt;
use url::Url;

use super::issuer::Issuer;

pub(crate) const AUDIENCE: &str = "api://sluice";

pub(crate) struct Harness {
    pub(crate) issuer: Issuer,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) lake: Arc<MemoryLake>,
    pub(crate) catalog: Arc<MemoryCatalog>,
    pub(crate) context: Context,
    router: Router,
}

struct Signer;

#[async_trait]
impl UploadSigner for Signer {
    async fn sign(&self, partner: &str, _: &Scope, _: Duration) -> Result<Url> {
        Ok(Url::parse(&format!("https://lake.example/landing-{partner}?sig=canary-signature")).unwrap())
    }

    async fn ensure_container(&self, _: &str) -> Result<()> {
        Ok(())
    }
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }
}

/// The parts, before they are wired: a test can put its own in.
pub(crate) struct HarnessParts {
    issuer: Issuer,
    clock: Arc<ManualClock>,
    lake: Arc<MemoryLake>,
    catalog: Arc<MemoryCatalog>,
    pub(crate) context: Context,
    pub(crate) caller_rate: Rate,
}

/// Starts the log once, before any test does something that is logged: a place in the code that is reached while another thread still
/// starts it would stay silent.
pub(crate) fn start_log() {
    static STARTED: std::sync::Once = std::sync::Once::new();
    STARTED.call_once(sluice_app::telemetry::start);
}

impl HarnessParts {
    pub(crate) async fn new(faults: Arc<Faults>) -> Self {
        start_log();
        let issuer = Issuer::start().await;
        let clock = Arc::new(ManualClock::default());
        let lake = Arc::new(MemoryLake::new(clock.clone(), faults.clone()));
        let catalog = Arc::new(MemoryCatalog::new(faults));
        let context = Context {
            lake: lake.clone(),
            catalog: catalog.clone(),
            secrets: Arc::new(MemorySecrets::default()),
            clock: clock.clone(),
            sizes: Sizes::for_testing(),
            plans: Arc::default(),
            places: Arc::default(),
            tables: Arc::default(),
        };
        Self { issuer, clock, lake, catalog, context, caller_rate: Rate::CALLER }
    }

    pub(crate) fn start(self) -> Harness {
        let settings = Settings {
            port: 1,
            issuer: Url::parse(&self.issuer.url).unwrap(),
            audiences: vec![AUDIENCE.to_owned()],
            partner_claim: "extension_partner".to_owned(),
            partners: BTreeMap::from([("app-7".to_owned(), "acme".to_owned())]),
            sizes: self.context.sizes,
            caller_rate: self.caller_rate,
            stranger_rate: Rate::STRANGER,
            invocation_limit: Duration::from_mins(1),
        };
        let app = App::new(&settings, self.context.clone(), Arc::new(Signer)).unwrap();
        let Self { issuer, clock, lake, catalog, context, .. } = self;
        Harness { issuer, clock, lake, catalog, context, router: server::router(app) }
    }
}

impl Harness {
    pub(crate) async fn start() -> Self {
        Self::with(Arc::default()).await
    }

    pub(crate) async fn with(faults: Arc<Faults>) -> Self {
        HarnessParts::new(faults).await.start()
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock.now().timestamp()
    }

    /// A token of somebody with this role; a partner is `skyline`.
    pub(crate) fn token(&self, role: &str) -> String {
        let mut claims = json!({ "roles": [role], "oid": format!("oid-{role}") });
        if role == "Partner" {
            claims["extension_partner"] = "skyline".into();
        }
        self.issuer.token(self.now(), &claims)
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 64 << 20).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    /// A request as a proxying host sends it.
    pub(crate) async fn call(&self, method: &str, path: &str, token: Option<&str>, body: Option<Value>) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("/api{path}"));
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.send(request.body(body).unwrap()).await
    }

    /// A request as the host sends it to functions that can emit messages.
    pub(crate) async fn envelope(&self, function: &str, method: &str, path: &str, token: &str, body: Option<Value>) -> Answer {
        let mut req = json!({
            "Url": format!("http://localhost:7071/api{path}"), "Method": method, "Query": {}, "Params": {}, "Identities": [],
            "Headers": { "Authorization": [format!("Bearer {token}")], "Content-Type": ["application/json"] },
        });
        if let Some(body) = body {
            req["Body"] = body.to_string().into();
        }
        self.invoke(function, &json!({ "Data": { "req": req }, "Metadata": {} })).await
    }

    /// The id of this harness's invocations. Others must have another one, since the lines of an invocation are collected by it; the
    /// issuer's port is the harness's own.
    pub(crate) fn invocation(&self) -> String {
        let port = Url::parse(&self.issuer.url).unwrap().port().unwrap();
        format!("11111111-2222-3333-4444-{port:012}")
    }

    /// An invocation.
    pub(crate) async fn invoke(&self, function: &str, envelope: &Value) -> Answer {
        let request = Request::builder()
            .method("POST")
            .uri(format!("/{function}"))
            .header("content-type", "application/json")
            .header("x-azure-functions-invocationid", self.invocation());
        self.send(request.body(Body::from(envelope.to_string())).unwrap()).await
    }
}

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// A file of the repository as JSON.
pub(crate) fn json_file(path: &str) -> Value {
    let text = std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Compares a text with a checked-in file, or writes the file if `SLUICE_UPDATE=1`.
pub(crate) fn golden(path: &str, found: &str) {
    let file = root().join(path);
    if std::env::var("SLUICE_UPDATE").is_ok_and(|v| v == "1") {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, found).unwrap();
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        expected == found,
        "{path} differs from what the code says; run the tests once with SLUICE_UPDATE=1 and look at the difference"
    );
}
