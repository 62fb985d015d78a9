//! Errors of Cosmos DB as errors of the flow.
//!
//! | code | kind | meaning |
//! |---|---|---|
//! | `K0400` | bug | a query or batch that Cosmos DB does not take |
//! | `K0401` | refused | a cursor that was not given out for this query |
//! | `K0403` | transient | not signed in or not allowed; a new role assignment takes minutes to work |
//! | `K0404` | bug | no such database or container: the deployment makes them |
//! | `K0413` | bug | a document or batch is too large |
//! | `K0429` | transient | throttled; `retry_after` as the service says |
//! | `K0503` | transient | unavailable, unreachable, too slow |

use azure_data_cosmos::CosmosError;
use sluice_flow::{Error, Kind};

use crate::blob_error::root_cause;

/// The flow's error for a failed call that was to `doing`. The service's message is left out where it answered: it quotes the query.
pub(crate) fn cosmos_error(doing: &str, error: &CosmosError) -> Error {
    let status = error.status();
    let (kind, code) = kind_of(u16::from(status.status_code()), status.is_transient() || status.is_read_session_not_available());
    let mut message = format!("could not {doing}: Cosmos DB answered {status}");
    if error.response().is_none() {
        message = format!("could not {doing}: {status} ({})", root_cause(error));
    }
    let retry_after = error.response().and_then(|response| response.headers().retry_after_ms);
    let made = Error::new(kind, code, message);
    match retry_after {
        Some(milliseconds) => made.retry_after(std::time::Duration::from_millis(milliseconds)),
        None => made,
    }
}

/// What an HTTP status of Cosmos DB means.
pub(crate) fn kind_of(status: u16, transient: bool) -> (Kind, &'static str) {
    match status {
        429 => (Kind::Transient, "K0429"),
        _ if transient => (Kind::Transient, "K0503"),
        401 | 403 => (Kind::Transient, "K0403"),
        404 => (Kind::Bug, "K0404"),
        413 => (Kind::Bug, "K0413"),
        408 | 410 | 449 | 500..=599 => (Kind::Transient, "K0503"),
        _ => (Kind::Bug, "K0400"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_heal_is_transient() {
        for status in [401, 403, 408, 410, 429, 449, 500, 503] {
            assert_eq!(kind_of(status, false).0, Kind::Transient, "{status}");
        }
        for status in [400, 404, 413] {
            assert_eq!(kind_of(status, false).0, Kind::Bug, "{status}");
        }
        // 404/1002: a replica that has not caught up with this session yet.
        assert_eq!(kind_of(404, true), (Kind::Transient, "K0503"));
    }
}
