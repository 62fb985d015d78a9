//! A transport for unit tests: it answers with prepared replies, in order, and keeps the requests.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use azure_core::{
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    error::{Error, ErrorKind},
    http::{AsyncRawResponse, Body, HttpClient, Request, StatusCode, Transport, headers::Headers},
    time::{Duration, OffsetDateTime},
};
use bytes::Bytes;
use url::Url;

/// One answer.
pub(crate) struct Reply {
    status: u16,
    headers: Headers,
    body: Vec<Result<Bytes, &'static str>>,
}

impl Reply {
    pub(crate) fn new(status: u16, body: &str) -> Self {
        Self { status, headers: Headers::new(), body: vec![Ok(Bytes::from(body.to_owned()))] }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.insert(name, value.into());
        self
    }

    /// The body breaks off after what it has.
    pub(crate) fn broken(mut self) -> Self {
        self.body.push(Err("connection reset"));
        self
    }
}

/// One request as it was sent.
#[derive(Clone)]
pub(crate) struct Sent {
    pub(crate) url: Url,
    pub(crate) headers: Headers,
    pub(crate) body: Bytes,
}

/// See the module.
pub(crate) struct Mock {
    replies: Mutex<VecDeque<Reply>>,
    requests: Mutex<Vec<Sent>>,
}

impl fmt::Debug for Mock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mock")
    }
}

impl Mock {
    pub(crate) fn new(replies: impl IntoIterator<Item = Reply>) -> Arc<Self> {
        Arc::new(Self { replies: Mutex::new(replies.into_iter().collect()), requests: Mutex::default() })
    }

    pub(crate) fn transport(self: &Arc<Self>) -> Transport {
        Transport::new(Arc::clone(self) as Arc<dyn HttpClient>)
    }

    pub(crate) fn requests(&self) -> Vec<Sent> {
        self.requests.lock().unwrap().clone()
    }
}

#[async_trait]
impl HttpClient for Mock {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let body = match request.body() {
            Body::Bytes(bytes) => bytes.clone(),
            Body::SeekableStream(_) => panic!("no call streams its body"),
        };
        self.requests.lock().unwrap().push(Sent { url: request.url().clone(), headers: request.headers().clone(), body });
        let reply = self.replies.lock().unwrap().pop_front();
        let Some(reply) = reply else { return Err(Error::with_message(ErrorKind::Connection, "nobody listens")) };
        let pieces = reply.body.into_iter().map(|piece| piece.map_err(|why| Error::with_message(ErrorKind::Io, why)));
        Ok(AsyncRawResponse::new(StatusCode::from(reply.status), reply.headers, Box::pin(futures::stream::iter(pieces))))
    }
}

#[derive(Debug)]
struct StaticToken;

#[async_trait]
impl TokenCredential for StaticToken {
    async fn get_token(&self, _: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        Ok(AccessToken::new("token", OffsetDateTime::now_utc() + Duration::hours(1)))
    }
}

/// A credential that always has a token.
pub(crate) fn credential() -> Arc<dyn TokenCredential> {
    Arc::new(StaticToken)
}
