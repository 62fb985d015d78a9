//! A client of the HTTP API.

pub(crate) mod connection;
pub(crate) mod token;
pub(crate) mod views;

use std::fmt::Write as _;
use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use crate::text::{shorten, tame};
use crate::{Fault, Result};
use token::TokenSource;

/// A request is given up after this long without an answer. The platform itself answers within 230 s.
const TIMEOUT: Duration = Duration::from_mins(4);
/// How often a request is sent that the service could not serve for now: over a quarter of a minute in all.
const TRIES: u32 = 6;
/// Most characters shown of an answer that is not the API's.
const MOST_FOREIGN: usize = 200;
/// Items of a page.
const PAGE: &str = "200";

/// Talks to one API as one principal.
#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    api: Url,
    token: TokenSource,
}

/// What a request carries.
#[derive(Debug, Clone)]
pub(crate) enum Body<'a> {
    None,
    Json(&'a Value),
    Csv(&'a [u8]),
}

impl Client {
    pub(crate) fn new(http: reqwest::Client, api: Url, token: TokenSource) -> Self {
        Self { http, api, token }
    }

    /// An access token for other tools.
    pub(crate) async fn token(&self) -> Result<String> {
        self.token.token(&self.http).await
    }

    /// The address of the API.
    pub(crate) fn api(&self) -> &Url {
        &self.api
    }

    fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.api.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// Reads a resource; `None` if it does not exist (or not for us).
    pub(crate) async fn find(&self, path: &[&str]) -> Result<Option<Value>> {
        let response = self.send(Method::GET, self.url(path, &[]), Body::None).await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        json(accept(response).await?).await.map(Some)
    }

    /// Reads a resource that should exist.
    pub(crate) async fn get(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Value> {
        json(self.open(path, query).await?).await
    }

    /// Opens a resource to read its body piece by piece.
    pub(crate) async fn open(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Response> {
        accept(self.send(Method::GET, self.url(path, query), Body::None).await?).await
    }

    /// Reads all pages of a listing, at most `most` items.
    pub(crate) async fn list(&self, path: &[&str], query: &[(&str, &str)], most: usize) -> Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut asked = query.to_vec();
            asked.push(("limit", PAGE));
            if let Some(cursor) = &cursor {
                asked.push(("cursor", cursor));
            }
            let mut page = self.get(path, &asked).await?;
            let Some(Value::Array(more)) = page.get_mut("items").map(Value::take) else {
                return Err(Fault::internal(format!("{} answered with something else than a page", self.api)));
            };
            items.extend(more);
            cursor = page.get("next").and_then(Value::as_str).map(str::to_owned);
            if cursor.is_none() || items.len() >= most {
                items.truncate(most);
                return Ok(items);
            }
        }
    }

    /// Asks for something to be done.
    pub(crate) async fn post(&self, path: &[&str], body: &Value) -> Result<Value> {
        json(accept(self.send(Method::POST, self.url(path, &[]), Body::Json(body)).await?).await?).await
    }

    /// Stores something.
    pub(crate) async fn put(&self, path: &[&str], body: Body<'_>) -> Result<Value> {
        json(accept(self.send(Method::PUT, self.url(path, &[]), body).await?).await?).await
    }

    /// Sends a request, again if the service says that it cannot for now. A change is sent again only where the service said that
    /// it did not even begin.
    async fn send(&self, method: Method, url: Url, body: Body<'_>) -> Result<Response> {
        let mut pause = Duration::from_millis(500);
        for last in (0..TRIES).map(|n| n + 1 == TRIES) {
            let request = self.http.request(method.clone(), url.clone()).timeout(TIMEOUT);
            let request = match &body {
                Body::None => request,
                Body::Json(value) => request.json(value),
                Body::Csv(bytes) => request.header("content-type", "text/csv").body(bytes.to_vec()),
            };
            let answer = self.authorize(request).await?.send().await;
            let busy = match &answer {
                Ok(response) => is_busy(response, &method),
                Err(error) => error.is_connect() && method == Method::GET,
            };
            if !busy || last {
                return answer.map_err(|error| unreachable(&self.api, &error));
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        Err(Fault::internal("no request was sent"))
    }

    async fn authorize(&self, request: RequestBuilder) -> Result<RequestBuilder> {
        Ok(request.bearer_auth(self.token.token(&self.http).await?))
    }
}

/// Whether the same request may be answered in a moment. A host whose handler is just being started again answers without a problem of the
/// API: what only reads can be asked once more.
fn is_busy(response: &Response, method: &Method) -> bool {
    let status = response.status();
    let is_problem = response.headers().get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"application/problem"));
    matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS)
        || (status.is_server_error() && method == Method::GET && !is_problem)
}

/// A connection that could not be made or broke, without the URL's query, which may hold a secret.
pub(crate) fn unreachable(url: &Url, error: &reqwest::Error) -> Fault {
    let mut root: &dyn std::error::Error = error;
    while let Some(source) = root.source() {
        root = source;
    }
    Fault::unreachable(format!("cannot reach {}: {root}; is it running? (on this machine: sluice up)", url.origin().ascii_serialization()))
}

/// The response if it is a success, otherwise what the service says.
async fn accept(response: Response) -> Result<Response> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let body = response.bytes().await.unwrap_or_default();
    Err(refused(status, &body))
}

/// A refusal in words: the API answers with RFC 9457 problems.
fn refused(status: StatusCode, body: &[u8]) -> Fault {
    let problem: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let word = |key: &str| problem.get(key).and_then(Value::as_str).map(tame);
    let mut message = match (word("code"), word("detail")) {
        (Some(code), Some(detail)) => format!("{code}: {detail}"),
        (None, Some(detail)) => detail,
        _ => {
            let body = String::from_utf8_lossy(body);
            let first =
                body.lines().next().map(|line| shorten(line, MOST_FOREIGN)).filter(|line| !line.is_empty() && !line.starts_with('<'));
            first.map_or_else(|| format!("the service answered {status}"), |line| format!("the service answered {status}: {line}"))
        }
    };
    // Writing to a String cannot fail.
    let parts = |key: &str| problem.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    for mistake in parts("mistakes") {
        let text = |key: &str| mistake.get(key).and_then(Value::as_str).map(tame).unwrap_or_default();
        let line = mistake.get("line").and_then(Value::as_u64).unwrap_or_default();
        let column = mistake.get("column").and_then(Value::as_u64).map(|column| format!("{column}:")).unwrap_or_default();
        let _ = write!(message, "\n{}:{line}:{column} {} {}: {}", text("file"), text("code"), text("path"), text("message"));
    }
    for part in parts("problems") {
        let text = |key: &str| part.get(key).and_then(Value::as_str).map(tame).unwrap_or_default();
        let _ = write!(message, "\n{}: {} {}", text("id"), text("code"), text("detail"));
    }
    match status.as_u16() {
        401 => Fault::unreachable(format!(
            "{message}\nnot signed in: use --as NAME for a local Sluice, or set SLUICE_TOKEN or SLUICE_CLIENT_ID"
        )),
        403 => Fault::unreachable(format!("{message}\nthis principal may not do that")),
        400..=499 => Fault::usage(message),
        502..=504 => Fault::unreachable(message),
        // Not from the API, which says what is wrong: from the host in front of it.
        500.. if problem.is_null() => Fault::unreachable(message),
        _ => Fault::internal(message),
    }
}

async fn json(response: Response) -> Result<Value> {
    let url = response.url().clone();
    let bytes = response.bytes().await.map_err(|error| unreachable(&url, &error))?;
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&bytes).map_err(|error| {
        Fault::unreachable(format!("{} did not answer with JSON ({error}); is it a Sluice API?", url.origin().ascii_serialization()))
    })
}

/// The part of an answer that is shown.
pub(crate) fn view<T: DeserializeOwned>(value: &Value) -> Result<T> {
    serde_json::from_value(value.clone())
        .map_err(|error| Fault::internal(format!("the API answered in a form that this sluice does not know: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Exit;

    #[test]
    fn a_refusal_says_what_the_service_says() {
        let body = br#"{"code":"P0001","detail":"the pipeline has mistakes","mistakes":[{"code":"P0203","file":"p.yaml","path":"rules[0].when","line":7,"message":"no column x"}]}"#;
        let fault = refused(StatusCode::UNPROCESSABLE_ENTITY, body);
        assert_eq!(fault.exit, Exit::Usage);
        assert!(fault.message.contains("p.yaml:7: P0203 rules[0].when: no column x"), "{}", fault.message);
        assert_eq!(refused(StatusCode::UNAUTHORIZED, b"").exit, Exit::Unreachable);
        assert_eq!(refused(StatusCode::INTERNAL_SERVER_ERROR, br#"{"code":"H0500","detail":"unexpected"}"#).exit, Exit::Internal);
        let host = refused(StatusCode::INTERNAL_SERVER_ERROR, b"<html>");
        assert_eq!((host.exit, host.message.as_str()), (Exit::Unreachable, "the service answered 500 Internal Server Error"));
        let gave_up = refused(StatusCode::SERVICE_UNAVAILABLE, b"devhost: the handler gave up\nmore");
        assert_eq!(gave_up.message, "the service answered 503 Service Unavailable: devhost: the handler gave up");
    }

    #[test]
    fn ids_cannot_leave_their_place_in_a_path() {
        let client = Client::new(reqwest::Client::new(), Url::parse("http://127.0.0.1:7071/api").unwrap(), TokenSource::given("t"));
        assert_eq!(client.url(&["runs", "a/../b?c", "cancel"], &[]).path(), "/api/runs/a%2F..%2Fb%3Fc/cancel");
    }
}
