//! Cross-origin rules as App Service applies them: in front of the app, instead of the app.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Whether the configured list holds the origin.
pub(super) fn is_allowed(allowed: &[String], origin: &str) -> bool {
    allowed.iter().any(|candidate| candidate == "*" || candidate.eq_ignore_ascii_case(origin))
}

/// The answer to a preflight request, if this is one and the platform answers preflights at all.
pub(super) fn preflight(allowed: &[String], method: &Method, headers: &HeaderMap) -> Option<Response> {
    let wanted = headers.get(header::ACCESS_CONTROL_REQUEST_METHOD)?;
    let origin = origin(headers)?;
    if allowed.is_empty() || method != Method::OPTIONS {
        return None;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    if is_allowed(allowed, origin) {
        decorate(allowed, headers, response.headers_mut());
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_METHODS, wanted.clone());
        if let Some(names) = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
            response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
        }
        response.headers_mut().insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
    Some(response)
}

/// Sets the headers of an actual response, over whatever the app has set.
pub(super) fn decorate(allowed: &[String], request: &HeaderMap, response: &mut HeaderMap) {
    let Some(origin) = request.get(header::ORIGIN) else { return };
    if allowed.is_empty() || !origin.to_str().is_ok_and(|origin| is_allowed(allowed, origin)) {
        return;
    }
    response.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    response.append(header::VARY, HeaderValue::from_static("Origin"));
    let exposed: Vec<&str> = response.keys().map(HeaderName::as_str).filter(|name| !name.starts_with("access-control-")).collect();
    if let Ok(exposed) = HeaderValue::from_str(&exposed.join(", ")) {
        response.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
}

fn origin(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::ORIGIN).and_then(|value| value.to_str().ok())
}
