//! Idempotency keys: a request that is sent again with its key is not done again. There are two ways: [`answers`] keep what any request was
//! answered, and [`grants`] bind a key to the upload grant that it got.

mod answers;
mod grants;

use chrono::TimeDelta;

pub use answers::{Answer, Asked, Begun, Claim, begin};
pub(crate) use grants::{Before, Key};

use crate::Error;

/// How long a key is remembered.
const KEPT: TimeDelta = TimeDelta::hours(24);
/// Kind of the documents; the sweep removes those whose `expires_at` is over.
pub(crate) const KIND: &str = "idempotency";

fn hash(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

fn other_request() -> Error {
    Error::refused("A0422", "the idempotency key came with another request before: use a new key for a new request; nothing was done")
}
