//! Errors of the API: `application/problem+json` (RFC 9457) with a stable code.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use sluice_flow::{
    Error, Kind,
    reviews::{RowProblem, RowProblems},
};
use utoipa::ToSchema;

/// What went wrong.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    /// The code tells more than a type URI could.
    #[serde(rename = "type")]
    pub kind: ProblemType,
    /// The status in words.
    #[schema(value_type = String)]
    pub title: &'static str,
    /// HTTP status.
    pub status: u16,
    /// What was expected, what was found, and what to do.
    pub detail: String,
    /// Stable code, explained in docs/ERRORS.md.
    pub code: String,
    /// Mistakes of a contract, a pipeline or a table, all at once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mistakes: Vec<Mistake>,
    /// Parts of a request (cases, rows) that are at fault.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<PartProblem>,
    /// Seconds after which it makes sense to try again, for the header `Retry-After`.
    #[serde(skip)]
    pub retry_after: Option<u16>,
}

/// RFC 9457's type for problems that need no page of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub enum ProblemType {
    /// See the code.
    #[serde(rename = "about:blank")]
    Blank,
}

/// One mistake in a text that was sent.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Mistake {
    /// Stable code.
    pub code: String,
    /// File name.
    pub file: String,
    /// Path in the document, such as `rules[0].when`.
    pub path: String,
    /// 1-based line.
    pub line: usize,
    /// 1-based column.
    pub column: usize,
    /// What was expected and found.
    pub message: String,
}

/// What is wrong with one part of a request.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PartProblem {
    /// Id of the case, or 0-based number of the row in the file.
    pub id: String,
    /// Stable code.
    pub code: String,
    /// Why.
    pub detail: String,
    /// Every reason of a row: code, column, value, message.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    pub reasons: Vec<sluice_engine::Problem>,
}

/// The rows that do not fit after their correction, if that is why.
fn parts(error: &Error) -> Vec<PartProblem> {
    let rows = std::error::Error::source(error).and_then(|source| source.downcast_ref::<RowProblems>());
    let part = |row: &RowProblem| PartProblem {
        id: row.row.to_string(),
        code: error.code().to_owned(),
        detail: row.problems.iter().map(|p| p.message.as_str()).collect::<Vec<_>>().join("; "),
        reasons: row.problems.clone(),
    };
    rows.map(|rows| rows.0.iter().map(part).collect()).unwrap_or_default()
}

impl Problem {
    /// A problem of this status, code and detail.
    pub fn new(status: StatusCode, code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            kind: ProblemType::Blank,
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            code: code.into(),
            mistakes: Vec::new(),
            problems: Vec::new(),
            retry_after: None,
        }
    }

    /// A problem of this status with the code that belongs to the status.
    pub fn of_status(status: StatusCode, detail: impl Into<String>) -> Self {
        Self::new(status, format!("H0{}", status.as_u16()), detail)
    }

    /// 400: the request itself is wrong.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "H0400", detail)
    }

    /// 401.
    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "H0401", "expected a valid access token in the Authorization header")
    }

    /// 403.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "H0403", detail)
    }

    /// 404; also for what belongs to others.
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "H0404", format!("{what} does not exist"))
    }

    /// 405.
    pub fn method_not_allowed(allowed: &str) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "H0405", format!("expected one of the methods {allowed}"))
    }

    /// 412: somebody else changed it.
    pub fn precondition_failed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, "H0412", detail)
    }

    /// 429: wait so many seconds.
    pub fn too_many_requests(detail: impl Into<String>, seconds: u16) -> Self {
        Self { retry_after: Some(seconds), ..Self::new(StatusCode::TOO_MANY_REQUESTS, "H0429", detail) }
    }

    /// 503: try again.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self { retry_after: Some(5), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "H0503", detail) }
    }

    /// 500: the detail is in the log, not in the answer.
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "H0500", "something unexpected happened; the log has the details")
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        // The flow's codes for answers to people end in the HTTP status that fits them.
        let status = match (error.kind(), error.code().get(1..)) {
            (Kind::Transient, _) => StatusCode::SERVICE_UNAVAILABLE,
            // What the catalog does not take is our mistake, not the caller's.
            (Kind::Bug, Some("0400")) => StatusCode::INTERNAL_SERVER_ERROR,
            // An id that is none.
            (Kind::Refused, _) if ["M0010", "M0011"].contains(&error.code()) => StatusCode::BAD_REQUEST,
            (_, Some("0400")) => StatusCode::BAD_REQUEST,
            (_, Some("0403")) => StatusCode::FORBIDDEN,
            (_, Some("0404")) => StatusCode::NOT_FOUND,
            (_, Some("0409" | "0410" | "0411" | "0423" | "0425" | "0426")) => StatusCode::CONFLICT,
            (_, Some("0413")) => StatusCode::PAYLOAD_TOO_LARGE,
            (_, Some("0412")) => StatusCode::PRECONDITION_FAILED,
            (Kind::Refused, _) => StatusCode::UNPROCESSABLE_ENTITY,
            (Kind::Permanent, _) => StatusCode::CONFLICT,
            (Kind::Bug, _) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        match status {
            StatusCode::INTERNAL_SERVER_ERROR => {
                tracing::error!(code = error.code(), error = error.chain(), "request failed");
                Self { code: error.code().to_owned(), ..Self::internal() }
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                tracing::warn!(code = error.code(), error = error.chain(), "request failed for now");
                Self { code: error.code().to_owned(), ..Self::unavailable("a service below did not answer; try again soon") }
            }
            status => Self {
                problems: parts(&error),
                retry_after: error.retry_delay().map(|delay| u16::try_from(delay.as_secs()).unwrap_or(u16::MAX).max(1)),
                ..Self::new(status, error.code(), error.message())
            },
        }
    }
}

impl From<sluice_contract::Mistakes> for Problem {
    fn from(mistakes: sluice_contract::Mistakes) -> Self {
        let count = mistakes.0.len();
        let detail = format!("{count} {} must be corrected; nothing was stored", if count == 1 { "mistake" } else { "mistakes" });
        let mistakes = mistakes.0.into_iter().map(|m| {
            let sluice_contract::Mistake { code, file, path, line, column, message } = m;
            Mistake { code, file, path, line, column, message }
        });
        Self { mistakes: mistakes.collect(), ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "H0422", detail) }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.retry_after;
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
