//! Times in query strings.

use chrono::DateTime;
use sluice_flow::rfc3339;

use super::problem::Problem;

/// A time as it is stored: UTC with milliseconds, so that text order is time order.
///
/// # Errors
/// 400 if it is not RFC 3339.
pub(super) fn stored(name: &str, text: Option<&String>) -> Result<Option<String>, Problem> {
    let Some(text) = text else { return Ok(None) };
    match DateTime::parse_from_rfc3339(text) {
        Ok(time) => Ok(Some(rfc3339(time.to_utc()))),
        Err(_) => Err(Problem::bad_request(format!("{name}: expected a time such as 2026-01-31T12:00:00Z, found {text:?}"))),
    }
}
