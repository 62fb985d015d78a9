//! Signs requests with the account key, for an emulator on this machine. The SDK has no such credential.

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::{
    credentials::Secret,
    error::{Error, ErrorKind},
    http::{
        Context, Request,
        policies::{Policy, PolicyResult},
    },
    time::{OffsetDateTime, to_rfc7231},
};

use crate::sas::hmac;

/// Headers of the string to sign, in its order; Content-Length is not among them because it comes from the body.
const HEADERS_AFTER_LENGTH: [&str; 8] =
    ["content-md5", "content-type", "date", "if-modified-since", "if-match", "if-none-match", "if-unmodified-since", "range"];

/// `Authorization: SharedKey` of REST "Authorize with Shared Key". It runs on every try, since the date is signed.
#[derive(Debug)]
pub(crate) struct SharedKey {
    pub(crate) account: String,
    pub(crate) key: Secret,
}

#[expect(elided_lifetimes_in_paths, reason = "the SDK's trait leaves the lifetime out, and async_trait needs the same text")]
#[async_trait]
impl Policy for SharedKey {
    async fn send(&self, context: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        request.insert_header("x-ms-date", to_rfc7231(&OffsetDateTime::now_utc()));
        let signature = hmac(&self.key, &self.string_to_sign(request)).map_err(|error| Error::new(ErrorKind::Credential, error))?;
        request.insert_header("authorization", format!("SharedKey {}:{signature}", self.account));
        let Some((first, rest)) = next.split_first() else {
            return Err(Error::with_message(ErrorKind::Other, "the pipeline ends without a transport"));
        };
        first.send(context, request, rest).await
    }
}

impl SharedKey {
    fn string_to_sign(&self, request: &Request) -> String {
        let header = |name: &'static str| request.headers().get_optional_str(&name.into()).unwrap_or_default().to_owned();
        let length = request.body().len().filter(|length| *length > 0).map(|length| length.to_string()).unwrap_or_default();
        let mut lines = vec![request.method().to_string(), header("content-encoding"), header("content-language"), length];
        lines.extend(HEADERS_AFTER_LENGTH.into_iter().map(header));

        let mut own: Vec<_> = request
            .headers()
            .iter()
            .filter(|(name, _)| name.as_str().starts_with("x-ms-"))
            .map(|(name, value)| format!("{}:{}", name.as_str(), value.as_str().trim()))
            .collect();
        own.sort_unstable();
        lines.extend(own);

        lines.push(format!("/{}{}", self.account, request.url().path()));
        // A parameter without a value stands in the URL as a bare name, and the emulator leaves it out of the string that it signs.
        let mut parameters: Vec<_> = request
            .url()
            .query_pairs()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{}:{value}", name.to_lowercase()))
            .collect();
        parameters.sort_unstable();
        lines.extend(parameters);
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use azure_core::http::Method;

    use super::*;

    #[test]
    fn the_string_to_sign_has_the_documented_lines() {
        let signer = SharedKey { account: "acct".to_owned(), key: Secret::new("a2V5") };
        let url = "http://127.0.0.1:10000/acct/box?restype=container&comp=list&prefix&marker=a%2Bb";
        let mut request = Request::new(url.parse().unwrap(), Method::Put);
        request.insert_header("x-ms-version", "2026-04-06");
        request.insert_header("x-ms-date", "Thu, 01 Jan 2026 00:00:00 GMT");
        request.insert_header("content-md5", "bWQ1");
        request.insert_header("if-none-match", "*");
        request.set_body("four");
        assert_eq!(
            signer.string_to_sign(&request),
            "PUT\n\n\n4\nbWQ1\n\n\n\n\n*\n\n\nx-ms-date:Thu, 01 Jan 2026 00:00:00 GMT\nx-ms-version:2026-04-06\n\
             /acct/acct/box\ncomp:list\nmarker:a+b\nrestype:container"
        );
    }
}
