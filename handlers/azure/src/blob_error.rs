//! Errors of Blob Storage (and of other SDK clients) as errors of the flow.
//!
//! | code | kind | meaning |
//! |---|---|---|
//! | `L0400` | permanent | a block of a commit is not staged |
//! | `L0404` | permanent | no such blob or container |
//! | `L0409` | permanent | the blob's state does not allow it, such as an archived blob that is read |
//! | `L0412` | permanent | the blob has another version |
//! | `L0403` | transient | not signed in or not allowed; a new role assignment takes minutes to work, so that the message returns and dead-letters |
//! | `L0423` | transient | a lease of somebody else |
//! | `L0503` | transient | throttled, unavailable, unreachable, damaged on the way |
//! | `L0500` | bug | an answer that should not happen |
//!
//! A message names the operation and the path, the service's code and its request id; never a URL, which could carry a signature.

use std::{error::Error as StdError, time::Duration};

use azure_core::{
    error::{Error as SdkError, ErrorKind},
    http::RawResponse,
};
use sluice_flow::{Error, Kind};

/// What the service said.
#[derive(Debug)]
pub(crate) struct Answer {
    /// HTTP status.
    pub(crate) status: u16,
    /// The service's code, such as `BlobNotFound`; empty if it gave none.
    pub(crate) code: String,
    request_id: String,
    retry_after: Option<Duration>,
}

/// The service's answer, or `None` if there was none.
pub(crate) fn answer(error: &SdkError) -> Option<Answer> {
    let ErrorKind::HttpResponse { status, error_code, raw_response } = error.kind() else { return None };
    let header = |name: &'static str| header(raw_response.as_deref(), name);
    Some(Answer {
        status: u16::from(*status),
        code: header("x-ms-error-code").or_else(|| error_code.clone()).unwrap_or_default(),
        request_id: header("x-ms-request-id").unwrap_or_default(),
        retry_after: header("retry-after").and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs),
    })
}

fn header(response: Option<&RawResponse>, name: &'static str) -> Option<String> {
    response?.headers().get_optional_str(&name.into()).map(str::to_owned)
}

/// The flow's error for a failed call that was to `doing`, such as `read raw/r/a.csv`.
pub(crate) fn blob_error(doing: &str, error: &SdkError) -> Error {
    let Some(answer) = answer(error) else { return unanswered("L", doing, error) };
    let (kind, code) = match (answer.status, answer.code.as_str()) {
        (400, "InvalidBlockList") => (Kind::Permanent, "L0400"),
        (404, _) => (Kind::Permanent, "L0404"),
        (401 | 403, _) => (Kind::Transient, "L0403"),
        (409 | 412, code) if code.starts_with("Lease") => (Kind::Transient, "L0423"),
        (409, "ContainerBeingDeleted" | "BlobBeingRehydrated") | (400, "Md5Mismatch") | (408 | 429 | 500 | 502 | 503 | 504, _) => {
            (Kind::Transient, "L0503")
        }
        (409, _) => (Kind::Permanent, "L0409"),
        (412, _) => (Kind::Permanent, "L0412"),
        _ => (Kind::Bug, "L0500"),
    };
    let found = if code == "L0412" { "it has another version: " } else { "" };
    refused(kind, code, &format!("could not {doing}: {found}storage answered"), &answer)
}

/// An error that tells the service's answer.
pub(crate) fn refused(kind: Kind, code: &'static str, what: &str, answer: &Answer) -> Error {
    let mut message = format!("{what} {}", answer.status);
    for (before, text, after) in [(" ", &answer.code, ""), (" (request ", &answer.request_id, ")")] {
        if !text.is_empty() {
            message.push_str(before);
            message.push_str(text);
            message.push_str(after);
        }
    }
    let error = Error::new(kind, code, message);
    match answer.retry_after {
        Some(after) => error.retry_after(after),
        None => error,
    }
}

/// An error without an answer: the network, or the identity. `service` is the first letter of the codes.
pub(crate) fn unanswered(service: &'static str, doing: &str, error: &SdkError) -> Error {
    let reason = root_cause(error);
    let (denied, unavailable, bug) = match service {
        "V" => ("V0403", "V0503", "V0500"),
        _ => ("L0403", "L0503", "L0500"),
    };
    match error.kind() {
        ErrorKind::Connection | ErrorKind::Io => Error::transient(unavailable, format!("could not {doing}: no answer ({reason})")),
        ErrorKind::Credential => Error::transient(denied, format!("could not {doing}: no token for this identity ({reason})")),
        _ => Error::bug(bug, format!("could not {doing}: {reason}")),
    }
}

/// The deepest cause. The errors above it repeat each other and quote the URL.
pub(crate) fn root_cause(error: &(dyn StdError + 'static)) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
