//! Requests to HTTP triggers.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use url::form_urlencoded;

use super::{Front, cors, forward};
use crate::body::read_body;
use crate::envelope::{self, HttpParts, HttpResult};
use crate::functions::{App, Function, HttpMode, RouteTemplate, Trigger};
use crate::percent;

/// Largest request body, in bytes (`ScriptConstants.DefaultMaxRequestBodySize`).
pub(super) const REQUEST_LIMIT: usize = 104_857_600;

/// HTTP triggers, the most specific route first.
#[derive(Debug)]
pub(super) struct RouteTable {
    prefix: Vec<String>,
    routes: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    route: RouteTemplate,
    methods: Vec<String>,
    function: Function,
}

impl RouteTable {
    pub(super) fn new(app: &App) -> Self {
        let mut routes: Vec<Entry> = app
            .functions
            .iter()
            .filter_map(|function| match &function.trigger {
                Trigger::Http(http) => Some(Entry { route: http.route.clone(), methods: http.methods.clone(), function: function.clone() }),
                _ => None,
            })
            .collect();
        routes.sort_by_key(|entry| entry.route.precedence());
        Self { prefix: segments(&app.host.route_prefix), routes }
    }

    fn find(&self, method: &str, path: &str) -> Option<(&Function, Vec<(String, String)>)> {
        let path = segments(path);
        let (prefix, rest) = path.split_at_checked(self.prefix.len())?;
        if !prefix.iter().zip(&self.prefix).all(|(a, b)| a.eq_ignore_ascii_case(b)) {
            return None;
        }
        self.routes
            .iter()
            .filter(|entry| entry.methods.is_empty() || entry.methods.iter().any(|m| m == method))
            .find_map(|entry| entry.route.matches(rest).map(|parameters| (&entry.function, parameters)))
    }
}

fn segments(path: &str) -> Vec<String> {
    path.split('/').filter(|segment| !segment.is_empty()).map(percent::decode).collect()
}

/// Every request that is not the host's own.
pub(super) async fn serve(State(front): State<Arc<Front>>, request: Request) -> Response {
    if let Some(answer) = cors::preflight(&front.cors_origins, request.method(), request.headers()) {
        return answer;
    }
    let headers = request.headers().clone();
    let mut response = dispatch(&front, request).await;
    cors::decorate(&front.cors_origins, &headers, response.headers_mut());
    response
}

async fn dispatch(front: &Front, request: Request) -> Response {
    let Some((function, parameters)) = front.routes.find(request.method().as_str(), request.uri().path()) else {
        if request.uri().path() == "/" {
            return "devhost: the Functions host of this machine is running; see /admin/functions and /devhost/invocations\n"
                .into_response();
        }
        return StatusCode::NOT_FOUND.into_response();
    };
    let declared = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<usize>().ok());
    if declared.is_some_and(|length| length > REQUEST_LIMIT) {
        return (StatusCode::PAYLOAD_TOO_LARGE, format!("the host takes {REQUEST_LIMIT} bytes at most\n")).into_response();
    }
    match front.invoker.app.host.http_mode {
        HttpMode::Envelope => enveloped(front, function, parameters, request).await,
        mode if function.is_http_in_and_out() => forward::forward(&front.invoker, function, mode, request).await,
        _ => enveloped(front, function, parameters, request).await,
    }
}

async fn enveloped(front: &Front, function: &Function, route: Vec<(String, String)>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let has_length = parts.headers.get(header::CONTENT_LENGTH).is_some_and(|length| length != "0");
    let body = match read(body).await {
        Ok(body) => body,
        Err(answer) => return answer,
    };
    let query: Vec<(String, String)> = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    let headers: Vec<(String, String)> = headers.collect();
    let http = HttpParts {
        url: full_url(&parts),
        method: parts.method.as_str(),
        query: &query,
        headers: &headers,
        route: &route,
        body: has_length.then_some(&body),
    };
    let envelope = envelope::http(&function.name, &function.binding, &http);
    match front.invoker.invoke(function, "http", None, &envelope).await {
        Ok(Some(result)) => respond(result),
        // An http trigger that answers without its http output ends as 200 without a body.
        Ok(None) => StatusCode::OK.into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

pub(super) async fn read(body: Body) -> Result<bytes::Bytes, Response> {
    read_body(body, REQUEST_LIMIT).await.map_err(|error| (StatusCode::PAYLOAD_TOO_LARGE, format!("{error}\n")).into_response())
}

fn full_url(parts: &Parts) -> String {
    let host = parts.headers.get(header::HOST).and_then(|v| v.to_str().ok()).unwrap_or("localhost");
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    format!("http://{host}{path}")
}

fn respond(result: HttpResult) -> Response {
    let mut response = (StatusCode::from_u16(result.status).unwrap_or(StatusCode::OK), result.body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(result.content_type));
    for (name, value) in &result.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        } else {
            tracing::warn!(name, "a response header is not valid and was dropped");
        }
    }
    response
}
