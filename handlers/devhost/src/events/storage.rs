//! Looking at blobs: HEAD and List over plain HTTP, signed with the account key (Shared Key).

use std::sync::Arc;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::Utc;
use reqwest::Method;
use serde::Deserialize;
use url::Url;

/// Version of the REST API; every Azurite of the last years knows it.
const API_VERSION: &str = "2021-12-02";

/// Why the account could not be asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StorageError {
    #[error("blob service: {0}")]
    Http(#[from] reqwest::Error),
    #[error("blob service answered {0}")]
    Status(u16),
    #[error("blob service sent XML that cannot be read: {0}")]
    Xml(String),
}

/// A blob as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BlobProperties {
    /// Without quotes.
    pub(crate) etag: String,
    pub(crate) length: u64,
    pub(crate) content_type: String,
    pub(crate) blob_type: String,
    /// Whether it came by Copy Blob.
    pub(crate) copied: bool,
    pub(crate) url: String,
}

/// Name and ETag of a listed blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListedBlob {
    pub(crate) name: String,
    /// Without quotes.
    pub(crate) etag: String,
}

/// One storage account.
#[derive(Clone)]
pub(crate) struct BlobAccount {
    /// Scheme, host, port and account name.
    base: Url,
    account: Arc<str>,
    key: Arc<hmac::Key>,
    client: reqwest::Client,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listing {
    blobs: Option<Blobs>,
    containers: Option<Containers>,
    next_marker: Option<String>,
}

#[derive(Deserialize)]
struct Blobs {
    #[serde(rename = "Blob", default)]
    blobs: Vec<Blob>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Blob {
    name: String,
    properties: Properties,
}

#[derive(Deserialize)]
struct Properties {
    #[serde(rename = "Etag")]
    etag: String,
}

#[derive(Deserialize)]
struct Containers {
    #[serde(rename = "Container", default)]
    containers: Vec<Container>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Container {
    name: String,
}

impl BlobAccount {
    /// `base` is the account's URL; the error says what is wrong with the key.
    pub(crate) fn new(base: Url, account: &str, key: &str, client: reqwest::Client) -> Result<Self, String> {
        let key = BASE64_STANDARD.decode(key).map_err(|_| "the account key is not base64".to_owned())?;
        Ok(Self { base, account: account.into(), key: Arc::new(hmac::Key::new(hmac::HMAC_SHA256, &key)), client })
    }

    /// The blob's properties; `None` if it is gone.
    pub(crate) async fn head(&self, container: &str, blob: &str) -> Result<Option<BlobProperties>, StorageError> {
        let url = self.url(container, blob);
        let response = self.send(Method::HEAD, url.clone()).await?;
        if response.status().as_u16() == 404 {
            return Ok(None);
        }
        let response = checked(response)?;
        let header = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        Ok(Some(BlobProperties {
            etag: header("etag").trim_matches('"').to_owned(),
            length: header("content-length").parse().unwrap_or(0),
            content_type: header("content-type"),
            blob_type: header("x-ms-blob-type"),
            copied: !header("x-ms-copy-id").is_empty(),
            url: url.to_string(),
        }))
    }

    /// All containers of the account.
    pub(crate) async fn containers(&self) -> Result<Vec<String>, StorageError> {
        let mut names = Vec::new();
        let mut marker = None;
        loop {
            let page = self.list(&self.base.clone(), &[("comp", "list")], marker.as_deref()).await?;
            names.extend(page.containers.into_iter().flat_map(|c| c.containers).map(|c| c.name));
            marker = page.next_marker.filter(|m| !m.is_empty());
            if marker.is_none() {
                return Ok(names);
            }
        }
    }

    /// One page of a container's blobs and the marker of the next; an empty page if the container is gone.
    pub(crate) async fn blobs(&self, container: &str, marker: Option<&str>) -> Result<(Vec<ListedBlob>, Option<String>), StorageError> {
        let page = match self.list(&self.url(container, ""), &[("restype", "container"), ("comp", "list")], marker).await {
            Err(StorageError::Status(404)) => return Ok((Vec::new(), None)),
            page => page?,
        };
        let blobs = page.blobs.into_iter().flat_map(|b| b.blobs);
        let listed = blobs.map(|b| ListedBlob { name: b.name, etag: b.properties.etag.trim_matches('"').to_owned() });
        Ok((listed.collect(), page.next_marker.filter(|m| !m.is_empty())))
    }

    async fn list(&self, url: &Url, query: &[(&str, &str)], marker: Option<&str>) -> Result<Listing, StorageError> {
        let mut url = url.clone();
        url.query_pairs_mut().extend_pairs(query);
        if let Some(marker) = marker {
            url.query_pairs_mut().append_pair("marker", marker);
        }
        let body = checked(self.send(Method::GET, url).await?)?.bytes().await?;
        azure_core::xml::from_xml(&body).map_err(|error| StorageError::Xml(error.to_string()))
    }

    fn url(&self, container: &str, blob: &str) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.push(container);
            if !blob.is_empty() {
                segments.extend(blob.split('/'));
            }
        }
        url
    }

    async fn send(&self, method: Method, url: Url) -> Result<reqwest::Response, StorageError> {
        let date = Utc::now().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let authorization = self.authorization(method.as_str(), &url, &date);
        let request = self.client.request(method, url);
        let request = request.header("x-ms-date", date).header("x-ms-version", API_VERSION).header("authorization", authorization);
        Ok(request.send().await?)
    }

    /// The Shared Key signature of a request without a body ("Authorize with Shared Key", REST reference).
    fn authorization(&self, method: &str, url: &Url, date: &str) -> String {
        let mut query: Vec<(String, String)> = url.query_pairs().map(|(k, v)| (k.to_lowercase(), v.into_owned())).collect();
        query.sort();
        let resource: Vec<String> = query.iter().map(|(key, value)| format!("\n{key}:{value}")).collect();
        let empty_headers = "\n".repeat(11);
        let text = format!(
            "{method}\n{empty_headers}x-ms-date:{date}\nx-ms-version:{API_VERSION}\n/{account}{path}{resource}",
            account = self.account,
            path = url.path(),
            resource = resource.concat(),
        );
        let signature = BASE64_STANDARD.encode(hmac::sign(&self.key, text.as_bytes()));
        format!("SharedKey {}:{signature}", self.account)
    }
}

fn checked(response: reqwest::Response) -> Result<reqwest::Response, StorageError> {
    let status = response.status();
    if status.is_success() { Ok(response) } else { Err(StorageError::Status(status.as_u16())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_listing() {
        let xml = br#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><EnumerationResults ServiceEndpoint="http://127.0.0.1:1/a" ContainerName="c"><Prefix/><Marker/><MaxResults>2</MaxResults><Blobs><Blob><Name>a b/&amp;c.txt</Name><Properties><Creation-Time>Mon, 23 Nov 2026 02:14:02 GMT</Creation-Time><Etag>0x1CD</Etag><Content-Length>5</Content-Length></Properties></Blob><Blob><Name>d</Name><Properties><Etag>0x2</Etag></Properties></Blob></Blobs><NextMarker>d</NextMarker></EnumerationResults>"#;
        let listing: Listing = azure_core::xml::from_xml(xml).unwrap();
        let blobs = listing.blobs.unwrap().blobs;
        assert_eq!(
            blobs.iter().map(|b| (b.name.as_str(), b.properties.etag.as_str())).collect::<Vec<_>>(),
            [("a b/&c.txt", "0x1CD"), ("d", "0x2")]
        );
        assert_eq!(listing.next_marker.as_deref(), Some("d"));
        let empty: Listing =
            azure_core::xml::from_xml(br"<EnumerationResults><Prefix/><Containers></Containers><NextMarker/></EnumerationResults>")
                .unwrap();
        assert!(empty.containers.unwrap().containers.is_empty());
    }

    #[test]
    fn blob_names_are_encoded_segment_by_segment() {
        let account = BlobAccount::new(Url::parse("http://127.0.0.1:1/acc").unwrap(), "acc", "a2V5", reqwest::Client::new()).unwrap();
        assert_eq!(account.url("c", "a b/50%/é?x").as_str(), "http://127.0.0.1:1/acc/c/a%20b/50%25/%C3%A9%3Fx");
    }
}
