//! A checksum on everything that is written, so that the service refuses a body that was damaged on its way.

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::http::{
    Body, Context, Method, Request,
    policies::{Policy, PolicyResult},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use md5::{Digest, Md5};

/// Adds `Content-MD5` to every PUT with a body: Put Blob, Put Block and Put Block List check it and answer 400 `Md5Mismatch`.
///
/// CRC-64 would be cheaper, but the emulator does not check it, and a check that no test can see fail is worth little.
#[derive(Debug)]
pub(crate) struct ContentMd5;

#[expect(elided_lifetimes_in_paths, reason = "the SDK's trait leaves the lifetime out, and async_trait needs the same text")]
#[async_trait]
impl Policy for ContentMd5 {
    async fn send(&self, context: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        if let (Method::Put, Body::Bytes(body)) = (request.method(), request.body())
            && !body.is_empty()
        {
            let digest = STANDARD.encode(Md5::digest(body));
            request.insert_header("content-md5", digest);
        }
        let Some((first, rest)) = next.split_first() else {
            return Err(azure_core::Error::with_message(azure_core::error::ErrorKind::Other, "the pipeline ends without a transport"));
        };
        first.send(context, request, rest).await
    }
}
