//! The handler as the Functions host sees it: `GET /` says that it lives, `POST /<Function>` is an invocation, and plain HTTP
//! functions arrive as the client's own request, under its own path or under `/<Function>/` and its own path.

use std::panic::AssertUnwindSafe;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderMap, Method, Uri},
    response::{IntoResponse, Response},
};
use futures::FutureExt;
use sluice_flow::Outputs;
use tower::ServiceExt;
use tracing::{Instrument, field::Empty};

use crate::{
    api::{self, problem::Problem},
    app::App,
    body,
    functions::{Function, Trigger},
    telemetry,
    trigger::{self, Envelope, reply},
};

/// Path prefix of the API, `extensions.http.routePrefix` in host.json.
pub const ROUTE_PREFIX: &str = "/api";
/// Most bytes of an HTTP request's envelope: its body comes encoded, within the host's own limit of 100 MB.
const MOST_REQUEST_BYTES: usize = 160 << 20;
/// Most bytes of any other envelope: messages and events carry ids only.
const MOST_MESSAGE_BYTES: usize = 4 << 20;
/// Set by the host on envelopes and on forwarded requests (`HttpWorkerConstants`), and on proxied ones (`ScriptConstants`).
const INVOCATION_HEADERS: [&str; 2] = ["x-azure-functions-invocationid", "x-ms-invocation-id"];

/// All that the handler serves.
pub fn router(app: App) -> Router {
    let api = api::router(app.clone());
    Router::new().fallback(move |request: Request| entry(app.clone(), api.clone(), request))
}

/// Where a request goes.
#[derive(Debug, PartialEq, Eq)]
enum Target {
    Alive,
    Invocation(&'static Function),
    Api(Uri),
    Nowhere,
}

impl Target {
    fn of(method: &Method, uri: &Uri) -> Self {
        let path = uri.path();
        if path == "/" {
            return Self::Alive;
        }
        if let Some(uri) = below_prefix(uri, path) {
            return Self::Api(uri);
        }
        let (name, rest) = match path[1..].split_once('/') {
            Some((name, rest)) => (name, Some(rest)),
            None => (&path[1..], None),
        };
        match (Function::named(name), rest) {
            (Some(function), None) if *method == Method::POST => Self::Invocation(function),
            (Some(function), Some(_)) if matches!(function.trigger, Trigger::Http { .. }) => {
                below_prefix(uri, &path[1 + name.len()..]).map_or(Self::Nowhere, Self::Api)
            }
            _ => Self::Nowhere,
        }
    }
}

/// The URI without the route prefix, if `path` has it.
fn below_prefix(uri: &Uri, path: &str) -> Option<Uri> {
    let rest = path.strip_prefix(ROUTE_PREFIX)?;
    if !rest.is_empty() && !rest.starts_with('/') {
        return None;
    }
    let rest = rest.trim_end_matches('/');
    let rest = if rest.is_empty() { "/" } else { rest };
    let target = uri.query().map_or_else(|| rest.to_owned(), |query| format!("{rest}?{query}"));
    target.parse().ok()
}

async fn entry(app: App, api: Router, request: Request) -> Response {
    match Target::of(request.method(), request.uri()) {
        Target::Alive => "sluice handler\n".into_response(),
        Target::Nowhere => Problem::not_found("this path").into_response(),
        Target::Invocation(function) => invocation(&app, &api, function, request).await,
        Target::Api(uri) => {
            let resource = uri.path().split('/').nth(1).unwrap_or_default();
            let function = crate::functions::FUNCTIONS.iter().find(|f| f.resource() == Some(resource)).map_or("", |f| f.name);
            let span = span(function, &invocation_id(request.headers()));
            let (mut parts, body) = request.into_parts();
            parts.uri = uri;
            let (body, rest) = body::Rest::of(body);
            let response = call(&api, Request::from_parts(parts, body)).instrument(span).await;
            rest.drain().await;
            match response.extensions().get::<Outputs>() {
                // The host envelopes functions with queue outputs; were it to forward one, its messages would be lost in silence.
                Some(outputs) if !outputs.0.is_empty() => {
                    tracing::error!(function, messages = outputs.0.len(), "messages of a forwarded request cannot be sent");
                    Problem::internal().into_response()
                }
                _ => response,
            }
        }
    }
}

fn span(function: &str, invocation: &str) -> tracing::Span {
    tracing::info_span!("invocation", function, invocation_id = invocation, run = Empty, caller = Empty)
}

fn invocation_id(headers: &HeaderMap) -> String {
    let found = INVOCATION_HEADERS.iter().find_map(|name| headers.get(*name)?.to_str().ok());
    found.filter(|id| id.len() <= 64).unwrap_or_default().to_owned()
}

/// Calls the API. A panic is a 500 of this request alone.
async fn call(api: &Router, request: Request) -> Response {
    match AssertUnwindSafe(api.clone().oneshot(request)).catch_unwind().await {
        Ok(Ok(response)) => response,
        Ok(Err(never)) => match never {},
        Err(_panic) => Problem::internal().into_response(),
    }
}

async fn invocation(app: &App, api: &Router, function: &'static Function, request: Request) -> Response {
    let id = invocation_id(request.headers());
    let lines = telemetry::collect(&id);
    let work = async {
        let most = if matches!(function.trigger, Trigger::Http { .. }) { MOST_REQUEST_BYTES } else { MOST_MESSAGE_BYTES };
        let body = match body::read(request.into_body(), most).await {
            Ok(body) => body,
            Err(error) => {
                tracing::error!(%error, "the invocation's body could not be read");
                return Err("H0001");
            }
        };
        let work = AssertUnwindSafe(answer(app, api, function, body)).catch_unwind();
        match tokio::time::timeout(app.invocation_limit, work).await {
            Ok(Ok(answer)) => answer,
            // The panic hook has logged it.
            Ok(Err(_panic)) => Err("H0003"),
            Err(_elapsed) => {
                tracing::error!(limit_seconds = app.invocation_limit.as_secs(), "the invocation took too long and was given up");
                Err("H0004")
            }
        }
    };
    match work.instrument(span(function.name, &id)).await {
        Ok(outputs) => reply::succeeded(&outputs, &lines.take()),
        Err(code) => reply::failed(code, &lines.take()),
    }
}

type Answer = Result<serde_json::Map<String, serde_json::Value>, &'static str>;

async fn answer(app: &App, api: &Router, function: &'static Function, body: Bytes) -> Answer {
    if matches!(function.trigger, Trigger::Http { .. }) {
        return http(api, function, &body).await;
    }
    let started = tokio::time::Instant::now();
    let outputs = trigger::invoke(&app.context, function, &body).await.map_err(|failure| {
        if failure.is_bug() {
            tracing::error!(code = failure.code(), error = chain(&failure), "invocation failed");
        } else {
            tracing::warn!(code = failure.code(), error = chain(&failure), "invocation failed for now");
        }
        failure.code()
    })?;
    tracing::info!(messages = outputs.0.len(), milliseconds = started.elapsed().as_millis() as u64, "done");
    bound(function, &outputs)
}

async fn http(api: &Router, function: &'static Function, body: &[u8]) -> Answer {
    let request = Envelope::parse(body).and_then(|envelope| trigger::http::request(envelope.value(function.binding())?));
    let mut request = request.map_err(|error| {
        tracing::error!(%error, "the request's envelope could not be understood");
        "H0002"
    })?;
    let Some(uri) = below_prefix(request.uri(), request.uri().path()) else {
        tracing::error!("the request's path lacks the route prefix");
        return Err("H0002");
    };
    *request.uri_mut() = uri;
    let mut response = call(api, request).await;
    let outputs = response.extensions_mut().remove::<Outputs>().unwrap_or_default();
    let body = body::read(std::mem::replace(response.body_mut(), Body::empty()), MOST_REQUEST_BYTES).await.map_err(|error| {
        tracing::error!(%error, "the response could not be read");
        "H0005"
    })?;
    let mut all = bound(function, &outputs)?;
    all.insert("res".to_owned(), trigger::http::output(&response, &body));
    Ok(all)
}

fn bound(function: &Function, outputs: &Outputs) -> Answer {
    reply::outputs(function, outputs).map_err(|error| {
        tracing::error!(%error, "a message has nowhere to go");
        "H0006"
    })
}

/// The error and its causes, each once.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(method: &str, uri: &str) -> Target {
        Target::of(&method.parse().unwrap(), &uri.parse().unwrap())
    }

    #[test]
    fn requests_find_their_way_in_all_forms_the_host_uses() {
        let runs = || Target::Api("/runs/s-1?limit=2".parse().unwrap());
        assert_eq!(target("GET", "/"), Target::Alive);
        assert_eq!(target("GET", "/api/runs/s-1?limit=2"), runs());
        assert_eq!(target("GET", "/Runs/api/runs/s-1/?limit=2"), runs());
        assert_eq!(target("POST", "/Transform"), Target::Invocation(Function::named("Transform").unwrap()));
        assert_eq!(target("POST", "/Runs"), Target::Invocation(Function::named("Runs").unwrap()));
    }

    #[test]
    fn nothing_else_is_served() {
        for (method, uri) in [
            ("GET", "/Transform"),
            ("POST", "/transform"),
            ("POST", "/Transform/api/runs"),
            ("GET", "/apiary"),
            ("GET", "/Runs/x"),
            ("POST", "/Nope"),
        ] {
            assert_eq!(target(method, uri), Target::Nowhere, "{method} {uri}");
        }
    }
}
