//! Handing the request itself to the handler: buffered (forwarding) or streamed (proxying).

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;

use super::functions::{REQUEST_LIMIT, read};
use crate::functions::{Function, HttpMode};
use crate::invocations::Outcome;
use crate::invoker::{HOST_VERSION, INVOCATION_ID, Invoker, Running, lost, timed_out};

/// Headers that belong to one connection (RFC 9110, 7.6.1), and the host's name, which becomes the handler's.
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    header::HOST,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Sends the request to the handler under its own path and query, and hands its answer back.
pub(super) async fn forward(invoker: &Invoker, function: &Function, mode: HttpMode, request: Request) -> Response {
    let id = invoker.log.start(&function.name, "http", None);
    let mut running = Running { log: &invoker.log, id: Some(id.clone()) };
    let result = match invoker.app.host.function_timeout {
        None => send(invoker, mode, &id, request).await,
        Some(limit) => tokio::time::timeout(limit, send(invoker, mode, &id, request)).await.unwrap_or_else(|_| {
            invoker.worker.kill_for_timeout();
            Err((StatusCode::INTERNAL_SERVER_ERROR, timed_out(limit)))
        }),
    };
    running.id = None;
    let (response, error) = match result {
        Ok(response) => (response, None),
        Err((status, error)) => ((status, format!("devhost: {error}\n")).into_response(), Some(error)),
    };
    invoker.log.finish(&id, Outcome { error, http_status: Some(response.status().as_u16()), logs: Vec::new() });
    response
}

type Refusal = (StatusCode, String);

async fn send(invoker: &Invoker, mode: HttpMode, id: &str, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let declared = parts.headers.get(header::CONTENT_LENGTH).is_some_and(|length| length != "0");
    let chunked = parts.headers.contains_key(header::TRANSFER_ENCODING);
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut headers = end_to_end(&parts.headers);
    if let Ok(id) = id.try_into() {
        headers.insert(HeaderName::from_static("x-azure-functions-invocationid"), id);
    }
    debug_assert!(INVOCATION_ID.eq_ignore_ascii_case("x-azure-functions-invocationid"), "the two spellings are one header");
    headers.insert(HeaderName::from_static("x-azure-functions-hostversion"), HOST_VERSION.parse().map_err(internal)?);

    let streams = mode == HttpMode::Proxying && (declared || chunked);
    // The real host copies a forwarded body only if its length is declared: a chunked one is lost.
    let buffered = if mode == HttpMode::Forwarding && declared {
        Some(read(body).await.map_err(|answer| (answer.status(), "the request body could not be read".to_owned()))?)
    } else if streams {
        return stream(invoker, parts.method, path, headers, body).await;
    } else {
        None
    };
    if mode == HttpMode::Forwarding && chunked {
        tracing::warn!(path, "a chunked body was dropped, as forwarding on Azure does; use proxying");
    }
    let mut endpoint = ready(invoker).await?;
    loop {
        let mut outgoing =
            invoker.client.request(parts.method.clone(), format!("http://127.0.0.1:{}{path}", endpoint.port)).headers(headers.clone());
        if let Some(body) = &buffered {
            outgoing = outgoing.body(body.clone());
        }
        match outgoing.send().await {
            Ok(response) if mode == HttpMode::Forwarding => return buffered_answer(response).await,
            Ok(response) => return Ok(streamed_answer(response)),
            Err(error) if error.is_connect() => {
                endpoint = invoker.restarted(endpoint).await.map_err(|error| (StatusCode::SERVICE_UNAVAILABLE, error))?;
            }
            Err(error) => return Err((StatusCode::BAD_GATEWAY, lost(&error))),
        }
    }
}

/// A request with a body that is read once: it cannot be tried again.
async fn stream(invoker: &Invoker, method: axum::http::Method, path: &str, headers: HeaderMap, body: Body) -> Result<Response, Refusal> {
    let endpoint = ready(invoker).await?;
    let mut left = REQUEST_LIMIT;
    let body = body.into_data_stream().map(move |chunk| {
        let chunk = chunk.map_err(std::io::Error::other)?;
        left = left.checked_sub(chunk.len()).ok_or_else(|| std::io::Error::other("the request body is over the host's limit"))?;
        Ok::<_, std::io::Error>(chunk)
    });
    let url = format!("http://127.0.0.1:{}{path}", endpoint.port);
    let request = invoker.client.request(method, url).headers(headers).body(reqwest::Body::wrap_stream(body));
    let response = request.send().await.map_err(|error| (StatusCode::BAD_GATEWAY, lost(&error)))?;
    Ok(streamed_answer(response))
}

async fn ready(invoker: &Invoker) -> Result<crate::worker::Endpoint, Refusal> {
    invoker.worker.ready().await.map_err(|error| (StatusCode::SERVICE_UNAVAILABLE, error.to_string()))
}

fn internal(error: impl std::fmt::Display) -> Refusal {
    (StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
}

fn streamed_answer(response: reqwest::Response) -> Response {
    let (status, headers) = (response.status(), end_to_end(response.headers()));
    let mut answer = Response::new(Body::from_stream(response.bytes_stream()));
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    answer
}

async fn buffered_answer(response: reqwest::Response) -> Result<Response, Refusal> {
    let (status, mut headers) = (response.status(), end_to_end(response.headers()));
    headers.remove(header::CONTENT_LENGTH);
    let body = response.bytes().await.map_err(|error| (StatusCode::BAD_GATEWAY, lost(&error)))?;
    let mut answer = Response::new(Body::from(body));
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    Ok(answer)
}

fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let mut kept = headers.clone();
    for name in &HOP_BY_HOP {
        kept.remove(name);
    }
    kept.remove("keep-alive");
    kept
}
