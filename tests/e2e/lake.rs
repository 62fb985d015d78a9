//! Looks into the lake from outside, with an account SAS made from the emulator's well-known key.

use anyhow::{Context as _, Result, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::{Client, Url};
use serde_json::Value;
use sha2::Sha256;

/// Microsoft's published key of every storage emulator.
const KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

pub struct Lake {
    account: Url,
    client: Client,
}

impl Lake {
    /// `account` is `http://host/devstoreaccount1`.
    pub fn new(account: &Url) -> Self {
        let name = account.path().trim_matches('/').to_owned();
        let (permissions, services, types, expiry, version) = ("rlw", "b", "sco", "2099-01-01T00:00:00Z", "2022-11-02");
        // Account SAS, string to sign of version 2020-12-06 and later: learn.microsoft.com, "Create an account SAS".
        let to_sign = format!("{name}\n{permissions}\n{services}\n{types}\n\n{expiry}\n\nhttps,http\n{version}\n\n");
        let mut mac = Hmac::<Sha256>::new_from_slice(&STANDARD.decode(KEY).expect("the key is base64")).expect("any length fits");
        mac.update(to_sign.as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        let mut account = account.clone();
        account.query_pairs_mut().extend_pairs([
            ("sv", version),
            ("ss", services),
            ("srt", types),
            ("sp", permissions),
            ("se", expiry),
            ("spr", "https,http"),
            ("sig", &signature),
        ]);
        Self { account, client: Client::new() }
    }

    fn url(&self, path: &str) -> Url {
        crate::client::below(&self.account, path)
    }

    /// All paths of a container below a prefix.
    pub async fn list(&self, container: &str, prefix: &str) -> Result<Vec<String>> {
        let (mut names, mut marker) = (Vec::new(), String::new());
        loop {
            let mut url = self.url(container);
            url.query_pairs_mut().extend_pairs([("restype", "container"), ("comp", "list"), ("prefix", prefix), ("marker", &marker)]);
            let response = self.client.get(url).header("x-ms-version", "2023-11-03").send().await?;
            ensure!(response.status().is_success(), "listing {container} was answered with {}", response.status());
            let text = response.text().await?;
            names.extend(between(&text, "<Name>", "</Name>"));
            marker = between(&text, "<NextMarker>", "</NextMarker>").pop().unwrap_or_default();
            if marker.is_empty() {
                return Ok(names);
            }
        }
    }

    /// A blob's bytes.
    pub async fn read(&self, container: &str, path: &str) -> Result<Vec<u8>> {
        let response = self.client.get(self.url(&format!("{container}/{path}"))).header("x-ms-version", "2023-11-03").send().await?;
        ensure!(response.status().is_success(), "reading {container}/{path} was answered with {}", response.status());
        Ok(response.bytes().await?.to_vec())
    }

    /// The `add` actions of a Delta table's log, all versions.
    pub async fn table(&self, table: &str) -> Result<Vec<Value>> {
        let mut added = Vec::new();
        for path in self.list("curated", &format!("{table}/_delta_log/")).await? {
            if std::path::Path::new(&path).extension() != Some("json".as_ref()) {
                continue;
            }
            for line in String::from_utf8(self.read("curated", &path).await?)?.lines() {
                let action: Value = serde_json::from_str(line).context("a Delta log line is JSON")?;
                if action["add"].is_object() {
                    added.push(action["add"].clone());
                }
            }
        }
        Ok(added)
    }
}

fn between(text: &str, open: &str, close: &str) -> Vec<String> {
    text.split(open).skip(1).filter_map(|rest| rest.split(close).next()).map(str::to_owned).collect()
}
