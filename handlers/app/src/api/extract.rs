//! axum's extractors with problems as their rejections, and what the access check left for handlers.

use axum::{
    extract::{FromRequest, FromRequestParts, OptionalFromRequestParts, Request},
    http::{HeaderMap, header, request::Parts},
};
use serde::de::DeserializeOwned;

use super::problem::Problem;
use crate::auth::{Caller, Scope};

/// A JSON body.
#[derive(Debug)]
pub(super) struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let answer = axum::Json::from_request(request, state).await;
        // The deserializer's message tells the place and the type; of the value at most a word.
        answer.map(|axum::Json(value)| Self(value)).map_err(|rejection| Problem::of_status(rejection.status(), rejection.body_text()))
    }
}

/// The query string.
#[derive(Debug)]
pub(super) struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let answer = axum::extract::Query::from_request_parts(parts, state).await;
        answer
            .map(|axum::extract::Query(value)| Self(value))
            .map_err(|rejection| Problem::of_status(rejection.status(), rejection.body_text()))
    }
}

/// The parameters of the path.
#[derive(Debug)]
pub(super) struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let answer = <axum::extract::Path<T> as FromRequestParts<S>>::from_request_parts(parts, state).await;
        answer
            .map(|axum::extract::Path(value)| Self(value))
            .map_err(|rejection| Problem::of_status(rejection.status(), rejection.body_text()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::unauthorized)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Scope {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::unauthorized)
    }
}

/// `Idempotency-Key`: the same request with the same key is done once. 1 to 255 visible ASCII characters, chosen by the caller and new for
/// each new request.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct IdempotencyKey {
    key: Option<String>,
}

/// Most characters of an idempotency key.
const KEY_CHARS: usize = 255;

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::of(&parts.headers)
    }
}

impl IdempotencyKey {
    /// The key of a request, if it has one.
    ///
    /// # Errors
    /// 400 if it is none.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(value) = headers.get("idempotency-key") else { return Ok(Self::default()) };
        let key = value.to_str().unwrap_or_default().trim();
        if key.is_empty() || key.len() > KEY_CHARS || !key.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Problem::bad_request(format!("Idempotency-Key: expected 1 to {KEY_CHARS} visible ASCII characters")));
        }
        Ok(Self { key: Some(key.to_owned()) })
    }

    /// As it was sent.
    pub(super) fn text(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// A hash that stands for the key of this caller: two callers may choose the same.
    pub(super) fn of_caller(&self, caller: &Caller) -> Option<String> {
        let key = self.key.as_ref()?;
        Some(blake3::hash(format!("{}\0{key}", caller.id).as_bytes()).to_hex().to_string())
    }
}

/// `If-Match` and `If-None-Match: *`, as far as this API knows them (RFC 9110, section 13.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Precondition {
    /// `If-Match: "<tag>"`.
    Is(String),
    /// `If-None-Match: *`.
    IsNew,
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Precondition {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Problem> {
        Self::of(&parts.headers)
    }
}

impl Precondition {
    fn of(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let text = |name| headers.get(name).map(|value| value.to_str().map(str::trim).unwrap_or_default().to_owned());
        match (text(header::IF_MATCH), text(header::IF_NONE_MATCH)) {
            (None, None) => Ok(None),
            (Some(tag), None) if tag.len() > 2 && tag.starts_with('"') && tag.ends_with('"') => Ok(Some(Self::Is(tag))),
            (None, Some(tag)) if tag == "*" => Ok(Some(Self::IsNew)),
            (Some(_), Some(tag)) if tag == "*" => Err(Problem::precondition_failed("If-Match and If-None-Match: * cannot both hold")),
            _ => Err(Problem::bad_request("expected one If-Match with one strong entity tag, or If-None-Match: *")),
        }
    }

    /// Holds the precondition against the current entity tag.
    ///
    /// # Errors
    /// 412 with the current tag.
    pub(super) fn check(&self, current: Option<&str>) -> Result<(), Problem> {
        let found = current.unwrap_or("nothing");
        match self {
            Self::Is(tag) if current == Some(tag) => Ok(()),
            Self::Is(tag) => Err(Problem::precondition_failed(format!("expected {tag}, found {found}; read it again"))),
            Self::IsNew if current.is_none() => Ok(()),
            Self::IsNew => Err(Problem::precondition_failed(format!("expected nothing, found {found}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(header::HeaderName, &str)]) -> Result<Option<Precondition>, Problem> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(name, value.parse().unwrap());
        }
        Precondition::of(&headers)
    }

    #[test]
    fn preconditions_are_read_and_held() {
        assert_eq!(of(&[]).unwrap(), None);
        let is = of(&[(header::IF_MATCH, "\"v3\"")]).unwrap().unwrap();
        assert!(is.check(Some("\"v3\"")).is_ok());
        assert_eq!(is.check(Some("\"v4\"")).unwrap_err().status, 412);
        assert_eq!(is.check(None).unwrap_err().status, 412);
        let new = of(&[(header::IF_NONE_MATCH, "*")]).unwrap().unwrap();
        assert!(new.check(None).is_ok());
        assert_eq!(new.check(Some("\"v1\"")).unwrap_err().status, 412);
        assert_eq!(of(&[(header::IF_MATCH, "v3")]).unwrap_err().status, 400);
        assert_eq!(of(&[(header::IF_MATCH, "\"v3\""), (header::IF_NONE_MATCH, "*")]).unwrap_err().status, 412);
    }
}
