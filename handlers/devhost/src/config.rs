//! What the embedder decides: folders, ports, settings, subscriptions, principals.
//!
//! Types that hold secrets have no `Debug`, so that no log can print them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};
use url::Url;

use crate::error::StartError;

/// Everything [`DevHost::start`](crate::DevHost::start) needs to know.
///
/// A port of 0 picks a free one; [`Urls`] tells which. A setting's value may hold `{http_url}`, `{cosmos_url}`,
/// `{issuer_url}` and `{blob_url}`: they are replaced by the real addresses before the handler sees them.
#[derive(Clone)]
pub struct Config {
    /// The folder of `host.json`. Functions are its `functions/` folder if there is one (the layout of a source
    /// repository), else its immediate subfolders (the layout that is deployed).
    pub app_root: PathBuf,
    /// The handler's executable; overrides `customHandler.description.defaultExecutablePath`.
    pub handler: PathBuf,
    /// Where queues, documents, blobs, keys and logs are kept between starts. One devhost at a time.
    pub state_dir: PathBuf,
    /// App settings: the handler's environment, and the source of `%NAME%` in function.json.
    pub settings: BTreeMap<String, String>,
    /// Port of the Functions host.
    pub http_port: u16,
    /// Port of the Cosmos DB emulator.
    pub cosmos_port: u16,
    /// Port of the OIDC issuer.
    pub issuer_port: u16,
    /// Blob storage; `None` runs without blobs and without blob events.
    pub azurite: Option<AzuriteConfig>,
    /// Event Grid subscriptions to the blob account.
    pub event_subscriptions: Vec<EventSubscription>,
    /// Multiplies Event Grid's retry delays (10 s, 30 s, 1 min, ...). 1.0 is the real schedule.
    pub event_retry_scale: f64,
    /// How often blobs are listed to make up events that the access log did not show.
    pub event_reconcile_every: Duration,
    /// Who can get a token.
    pub principals: Vec<Principal>,
    /// Audience (`aud`) of access tokens.
    pub issuer_audience: String,
    /// Tenant (`tid`) of access tokens.
    pub issuer_tenant: String,
    /// Lifetime of access tokens.
    pub token_lifetime: Duration,
    /// Origins that browsers may call the functions from; `*` allows all.
    pub cors_origins: Vec<String>,
    /// Rules of every queue that the functions name.
    pub queue: QueueConfig,
    /// Physical partitions of a new Cosmos DB container; a cross-partition query asks each of them.
    pub cosmos_partitions: u32,
    /// A static web app; its origin may call the functions.
    pub site: Option<SiteConfig>,
}

impl Config {
    /// A configuration with free ports, no blob storage, no subscriptions and nobody who can sign in.
    pub fn new(app_root: impl Into<PathBuf>, handler: impl Into<PathBuf>, state_dir: impl Into<PathBuf>) -> Self {
        Self {
            app_root: app_root.into(),
            handler: handler.into(),
            state_dir: state_dir.into(),
            settings: BTreeMap::new(),
            http_port: 0,
            cosmos_port: 0,
            issuer_port: 0,
            azurite: None,
            event_subscriptions: Vec::new(),
            event_retry_scale: 1.0,
            event_reconcile_every: Duration::from_secs(30),
            principals: Vec::new(),
            issuer_audience: "api://devhost".into(),
            issuer_tenant: "00000000-0000-4000-8000-00000000de50".into(),
            token_lifetime: Duration::from_hours(1),
            cors_origins: Vec::new(),
            queue: QueueConfig::default(),
            cosmos_partitions: 16,
            site: None,
        }
    }
}

/// Account name that Azurite knows without being told.
pub const DEVSTORE_ACCOUNT: &str = "devstoreaccount1";

/// The well-known key of [`DEVSTORE_ACCOUNT`], published with every storage emulator. It protects nothing.
pub const DEVSTORE_KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// How to run Azurite's blob service.
#[derive(Clone)]
pub struct AzuriteConfig {
    /// Port of the blob service; 0 picks a free one.
    pub blob_port: u16,
    /// Main script of the blob service: `<azurite>/dist/src/blob/main.js`, or one that ends in it.
    pub script: PathBuf,
    /// The Node.js executable.
    pub node: PathBuf,
    /// Account name, the first path segment of every blob URL.
    pub account: String,
    /// Account key in base64, used to look at blobs that were written.
    pub key: String,
}

impl AzuriteConfig {
    /// Azurite's own account on a free port, run by the `node` on the PATH.
    pub fn new(script: impl Into<PathBuf>) -> Self {
        Self { blob_port: 0, script: script.into(), node: "node".into(), account: DEVSTORE_ACCOUNT.into(), key: DEVSTORE_KEY.into() }
    }
}

/// A static web app, served as Azure Static Web Apps does.
#[derive(Debug, Clone)]
pub struct SiteConfig {
    /// The built app, with its `staticwebapp.config.json`.
    pub folder: PathBuf,
    /// Port of the site; 0 picks a free one.
    pub port: u16,
    /// What `/config.json` answers. Texts in it may hold the placeholders of settings.
    pub config: Value,
}

/// A subscription of one function to `Microsoft.Storage.BlobCreated`.
#[derive(Debug, Clone)]
pub struct EventSubscription {
    /// The function with the `eventGridTrigger`.
    pub function: String,
    /// Only subjects with this beginning, as `/blobServices/default/containers/landing-`. Empty: all.
    pub subject_begins_with: String,
    /// Only subjects with this end. Empty: all.
    pub subject_ends_with: String,
    /// Events sent in one request; Event Grid sends 1 unless the subscription asks for more.
    pub max_events_per_batch: usize,
    /// Deliveries under way at once.
    pub max_concurrent_deliveries: usize,
    /// Tries before an event is given up and written to `events-deadletter.ndjson`.
    pub max_delivery_attempts: u32,
}

impl EventSubscription {
    /// Event Grid's defaults: one event a request, 30 attempts.
    pub fn new(function: impl Into<String>, subject_begins_with: impl Into<String>) -> Self {
        Self {
            function: function.into(),
            subject_begins_with: subject_begins_with.into(),
            subject_ends_with: String::new(),
            max_events_per_batch: 1,
            max_concurrent_deliveries: 8,
            max_delivery_attempts: 30,
        }
    }
}

/// Rules of a queue, as an Azure Service Bus namespace would hold them.
#[derive(Debug, Clone)]
pub struct QueueConfig {
    /// How long a received message stays locked without renewal. Service Bus: 60 s unless set, at most 5 min.
    pub lock_duration: Duration,
    /// Deliveries after which a message moves to the dead-letter queue. Service Bus: 10 unless set.
    pub max_delivery_count: u32,
}

impl Default for QueueConfig {
    fn default() -> Self {
        Self { lock_duration: Duration::from_mins(1), max_delivery_count: 10 }
    }
}

/// Whether a principal signs in on a page or with a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrincipalKind {
    /// A person, listed on the sign-in page.
    Person,
    /// A program, which presents `client_id` and `client_secret`.
    Service,
}

/// Somebody who can get a token.
#[derive(Clone)]
pub struct Principal {
    /// Person or service.
    pub kind: PrincipalKind,
    /// Client id of a service; user name of a person.
    pub client_id: String,
    /// Secret of a service; unused for a person.
    pub client_secret: String,
    /// Display name (`name`).
    pub name: String,
    /// Object id in the tenant (`oid`); Entra ID uses a GUID.
    pub oid: String,
    /// App roles (`roles`).
    pub roles: Vec<String>,
    /// Further claims of the access token.
    pub claims: Map<String, Value>,
}

/// Addresses that are served, without a trailing slash.
#[derive(Debug, Clone)]
pub struct Urls {
    /// The Functions host.
    pub http: String,
    /// The Cosmos DB emulator.
    pub cosmos: String,
    /// The OIDC issuer (`iss`).
    pub issuer: String,
    /// The blob account, its name included.
    pub blob: Option<String>,
    /// The static web app.
    pub site: Option<String>,
}

impl Urls {
    /// Replaces the placeholders of addresses that are served in any case, and of the blob account if there is one.
    pub(crate) fn fill(&self, text: &str) -> String {
        let blob = self.blob.as_deref().unwrap_or("{blob_url}");
        let text = text.replace("{http_url}", &self.http).replace("{cosmos_url}", &self.cosmos);
        text.replace("{issuer_url}", &self.issuer).replace("{blob_url}", blob)
    }

    pub(crate) fn loopback(port: u16) -> String {
        format!("http://127.0.0.1:{port}")
    }

    /// The Cosmos DB account's endpoint as a URL.
    ///
    /// # Errors
    /// None in practice: the address is one of this machine's.
    pub fn cosmos_endpoint(&self) -> Result<Url, url::ParseError> {
        Url::parse(&format!("{}/", self.cosmos))
    }

    /// Replaces the placeholders in the settings.
    ///
    /// # Errors
    /// [`StartError::Settings`] lists every setting that names an address which is not served.
    pub(crate) fn expand(&self, settings: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, StartError> {
        let mut mistakes = Vec::new();
        let mut expanded = BTreeMap::new();
        for (name, value) in settings {
            let value = self.fill(value);
            if value.contains("{blob_url}") {
                mistakes.push(format!("{name} names {{blob_url}}, but devhost was started without Azurite"));
            }
            expanded.insert(name.clone(), value);
        }
        if mistakes.is_empty() { Ok(expanded) } else { Err(StartError::Settings(mistakes)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(blob: Option<&str>) -> Urls {
        Urls { http: Urls::loopback(1), cosmos: Urls::loopback(2), issuer: Urls::loopback(3), blob: blob.map(Into::into), site: None }
    }

    #[test]
    fn placeholders_become_addresses() {
        let settings = BTreeMap::from([("A".to_owned(), "x={cosmos_url}/;y={blob_url}".to_owned())]);
        let expanded = urls(Some("http://127.0.0.1:9/acc")).expand(&settings).unwrap();
        assert_eq!(expanded["A"], "x=http://127.0.0.1:2/;y=http://127.0.0.1:9/acc");
    }

    #[test]
    fn an_address_that_is_not_served_is_named() {
        let settings = BTreeMap::from([("A".to_owned(), "{blob_url}".to_owned())]);
        let error = urls(None).expand(&settings).unwrap_err();
        assert!(error.to_string().contains("A names {blob_url}"), "{error}");
    }
}
