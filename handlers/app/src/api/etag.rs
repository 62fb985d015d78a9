//! Entity tags of what can be read again and again (RFC 9110, sections 8.8.3 and 13.1.2).

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::problem::Problem;

/// Hex digits of a tag.
const DIGITS: usize = 32;

/// The view with its tag, or 304 if the caller has just this. The tag is a hash of the whole answer: whatever can be seen to change changes it.
///
/// # Errors
/// 500 if the view is no JSON, which would be a bug.
pub(super) fn conditional(request: &HeaderMap, view: &impl Serialize) -> Result<Response, Problem> {
    let json = serde_json::to_vec(view).map_err(|error| {
        tracing::error!(%error, "an answer is no JSON");
        Problem::internal()
    })?;
    let tag = format!("\"{}\"", &blake3::hash(&json).to_hex()[..DIGITS]);
    let mut response = if is_known(request, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], Body::from(json)).into_response()
    };
    let headers = response.headers_mut();
    // Hex digits in quotes are a header value.
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    // Titles can hold values of rows: no cache writes them to a disk. The caller itself keeps what it asks about.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// The answer with the tag it has, or 304 if the caller has just this.
pub(super) fn unless_known(request: &HeaderMap, answer: Response) -> Response {
    let Some(tag) = answer.headers().get(header::ETAG).filter(|tag| tag.to_str().is_ok_and(|tag| is_known(request, tag))) else {
        return answer;
    };
    let mut known = StatusCode::NOT_MODIFIED.into_response();
    known.headers_mut().insert(header::ETAG, tag.clone());
    known
}

/// Whether `If-None-Match` names the tag; proxies may have made it a weak one.
fn is_known(request: &HeaderMap, tag: &str) -> bool {
    let values = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|list| list.split(',')).map(str::trim).any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(if_none_match: &str) -> StatusCode {
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, if_none_match.parse().unwrap());
        conditional(&headers, &"view").unwrap().status()
    }

    #[test]
    fn who_has_it_gets_nothing() {
        let first = conditional(&HeaderMap::new(), &"view").unwrap();
        let tag = first.headers()[header::ETAG].to_str().unwrap();
        assert_eq!((first.status(), tag.len()), (StatusCode::OK, DIGITS + 2));
        for known in [tag.to_owned(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
            assert_eq!(status(&known), StatusCode::NOT_MODIFIED, "{known}");
        }
        assert_eq!(status("\"other\""), StatusCode::OK);
        let other = conditional(&HeaderMap::new(), &"another view").unwrap();
        assert_ne!(other.headers()[header::ETAG], first.headers()[header::ETAG]);
    }
}
