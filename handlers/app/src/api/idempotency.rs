//! `Idempotency-Key` on every POST: the same request with the same key gets the first answer again (draft-ietf-httpapi-idempotency-key-header).

use std::panic::AssertUnwindSafe;

use axum::{
    Extension,
    body::{Body, Bytes},
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures::FutureExt;
use serde_json::Value;
use sluice_flow::{
    Outputs,
    idempotency::{self, Answer, Asked, Begun, Claim},
};
use tracing::Instrument;

use super::{MOST_BYTES, extract::IdempotencyKey, problem::Problem};
use crate::{
    app::App,
    auth::{
        Caller,
        access::{self, Audit},
    },
    body::{self, BodyError},
};

/// Says that an answer is the one of an earlier request.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Keeps its own keys, in one transaction with what it does.
const GRANT: &str = "/submissions";
/// What cannot be repeated by itself: a second undo takes back another decision than the first. If it is not known whether it was done, it
/// is left to a person. Every other operation finds its own effect and adds nothing to it.
const NOT_REPEATABLE: &[&str] = &["/reviews/{case}/undo"];
/// Headers that belong to an answer as it is given again.
const KEPT_HEADERS: [HeaderName; 4] = [header::CONTENT_TYPE, header::ETAG, header::LOCATION, header::CACHE_CONTROL];

/// Answers a request that came before, and keeps the answers of those that come for the first time.
pub(super) async fn check(State(app): State<App>, request: Request, next: Next) -> Response {
    match checked(app, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn checked(app: App, request: Request, next: Next) -> Result<Response, Problem> {
    if *request.method() != Method::POST {
        return Ok(next.run(request).await);
    }
    let key = IdempotencyKey::of(request.headers())?;
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned()).unwrap_or_default();
    // What changes nothing can be done again, and bodies and answers of trials are large.
    let changes = access::rule(request.method(), &path).is_some_and(|rule| rule.audit != Audit::Read);
    let (Some(key), Some(caller), true) = (key.text(), request.extensions().get::<Caller>().cloned(), changes && path != GRANT) else {
        return Ok(next.run(request).await);
    };
    let (parts, body) = request.into_parts();
    let bytes = body::read(body, MOST_BYTES).await.map_err(|error| unreadable(&error))?;
    let fingerprint = fingerprint(&parts.uri.to_string(), &bytes);
    let request = Request::from_parts(parts, Body::from(bytes));
    let claim = match idempotency::begin(&app.context, Asked { caller: &caller.id, key, request: &fingerprint }).await? {
        Begun::TakenOver(_) if NOT_REPEATABLE.contains(&path.as_str()) => return Err(unknown()),
        Begun::New(claim) | Begun::TakenOver(claim) => claim,
        Begun::Again(answer) => return Ok(again(answer)),
    };
    // A task of its own: if the client goes away meanwhile, the answer is still kept for when it comes back.
    let work = tokio::spawn(work(app, claim, request, next).in_current_span());
    Ok(work.await.unwrap_or_else(|_| Problem::internal().into_response()))
}

async fn work(app: App, claim: Claim, request: Request, next: Next) -> Response {
    let response = AssertUnwindSafe(next.run(request)).catch_unwind().await.unwrap_or_else(|_panic| Problem::internal().into_response());
    if !is_final(response.status()) {
        report(claim.free(&app.context).await);
        return response;
    }
    let (parts, body) = response.into_parts();
    let bytes = match body::read(body, usize::MAX).await {
        Ok(bytes) => bytes,
        Err(error) => {
            tracing::error!(%error, "an answer could not be read");
            return Problem::internal().into_response();
        }
    };
    let headers = KEPT_HEADERS.iter().filter_map(|name| Some((name.to_string(), parts.headers.get(name)?.to_str().ok()?.to_owned())));
    let answer = Answer {
        status: parts.status.as_u16(),
        headers: headers.collect(),
        body: bytes.to_vec(),
        messages: parts.extensions.get::<Outputs>().cloned().unwrap_or_default(),
    };
    report(claim.finish(&app.context, answer).await);
    Response::from_parts(parts, Body::from(bytes))
}

/// Whether the same request would be answered so again: not what was wrong with the service, the caller's rights or its haste.
fn is_final(status: StatusCode) -> bool {
    let passing = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::TOO_MANY_REQUESTS];
    !status.is_server_error() && !passing.contains(&status)
}

/// The work is done and its answer stands, whatever became of the key: until the claim ends, a repetition is told to wait.
fn report(kept: sluice_flow::Result<()>) {
    if let Err(error) = kept {
        tracing::warn!(code = error.code(), error = error.chain(), "the answer of an idempotency key could not be kept");
    }
}

/// A hash of method, path and body. JSON is the same whatever the order of its keys.
fn fingerprint(uri: &str, body: &Bytes) -> String {
    let json = serde_json::from_slice::<Value>(body).map(|mut value| {
        value.sort_all_objects();
        value.to_string()
    });
    let mut hasher = blake3::Hasher::new();
    hasher.update(format!("POST {uri}\n").as_bytes());
    hasher.update(json.as_ref().map_or(body, |text| text.as_bytes()));
    hasher.finalize().to_hex().to_string()
}

fn again(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, Extension(answer.messages), Body::from(answer.body)).into_response();
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    mark(&mut response);
    response
}

/// Marks an answer as that of an earlier request.
pub(super) fn mark(response: &mut Response) {
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
}

fn unreadable(error: &BodyError) -> Problem {
    match error {
        BodyError::TooLong(_) => Problem::of_status(StatusCode::PAYLOAD_TOO_LARGE, error.to_string()),
        BodyError::Broken(_) => Problem::bad_request(error.to_string()),
    }
}

fn unknown() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "A0411",
        "the first request with this idempotency key was cut off, and it is not known whether it was done: look at the case, and use a new key if it has to be done",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_differ_in_path_and_content_and_not_in_the_order_of_keys() {
        let of = |uri: &str, body: &str| fingerprint(uri, &Bytes::copy_from_slice(body.as_bytes()));
        let one = of("/a", r#"{"x":1,"y":{"b":2,"a":3}}"#);
        assert_eq!(one, of("/a", r#"{ "y": {"a":3,"b":2}, "x": 1 }"#));
        assert_ne!(one, of("/b", r#"{"x":1,"y":{"b":2,"a":3}}"#));
        assert_ne!(one, of("/a", r#"{"x":1,"y":{"b":2,"a":4}}"#));
        assert_ne!(of("/a", "not json"), of("/a", "no json"));
    }

    #[test]
    fn what_may_turn_out_otherwise_is_not_kept() {
        let kept = [200, 201, 202, 204, 400, 404, 409, 412, 413, 422];
        let free = [401, 403, 429, 500, 502, 503];
        assert!(kept.iter().all(|status| is_final(StatusCode::from_u16(*status).unwrap())));
        assert!(!free.iter().any(|status| is_final(StatusCode::from_u16(*status).unwrap())));
    }
}
