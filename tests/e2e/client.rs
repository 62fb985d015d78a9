//! An ordinary Blob Storage client: the requests that every Azure SDK makes, and nothing else.

use anyhow::{Context as _, Result, ensure};
use reqwest::{Client, Method, RequestBuilder, StatusCode, Url};

const API_VERSION: &str = "2023-11-03";

fn request(method: Method, url: Url) -> RequestBuilder {
    Client::new().request(method, url).header("x-ms-version", API_VERSION)
}

/// The URL of `path` below a container URL with a signature.
pub fn below(container: &Url, path: &str) -> Url {
    let mut url = container.clone();
    url.set_path(&format!("{}/{path}", container.path().trim_end_matches('/')));
    url
}

/// Put Blob with further headers (metadata); gives the status.
pub async fn put_blob_with(url: &Url, body: Vec<u8>, headers: &[(&str, &str)]) -> Result<StatusCode> {
    let mut put = request(Method::PUT, url.clone()).header("x-ms-blob-type", "BlockBlob").header("content-length", body.len()).body(body);
    for (name, value) in headers {
        put = put.header(*name, *value);
    }
    Ok(put.send().await?.status())
}

/// Put Blob, which must work.
pub async fn put_blob(url: &Url, body: impl Into<Vec<u8>>) -> Result<()> {
    let status = put_blob_with(url, body.into(), &[]).await?;
    ensure!(status == StatusCode::CREATED, "Put Blob answered {status}");
    Ok(())
}

/// Put Block for each block, then Put Block List.
pub async fn put_blocks(url: &Url, blocks: &[&[u8]]) -> Result<()> {
    let mut list = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>");
    for (n, block) in blocks.iter().enumerate() {
        // Base64 of ids of one length, as the service wants: these characters are base64 as they stand.
        let id = format!("block{n:07}");
        let mut target = url.clone();
        target.query_pairs_mut().append_pair("comp", "block").append_pair("blockid", &id);
        let status = request(Method::PUT, target).body(block.to_vec()).send().await?.status();
        ensure!(status == StatusCode::CREATED, "Put Block answered {status}");
        for part in ["<Latest>", &id, "</Latest>"] {
            list.push_str(part);
        }
    }
    list.push_str("</BlockList>");
    let mut target = url.clone();
    target.query_pairs_mut().append_pair("comp", "blocklist");
    let status = request(Method::PUT, target).body(list).send().await?.status();
    ensure!(status == StatusCode::CREATED, "Put Block List answered {status}");
    Ok(())
}

/// Status of a request with the grant's own signature.
pub async fn status(method: Method, url: Url) -> Result<StatusCode> {
    Ok(request(method, url).header("content-length", "0").send().await.context("the storage account does not answer")?.status())
}
