//! devhost as a whole, with a small handler. The handler is this very executable, started by devhost as a child.

#![allow(clippy::unwrap_used, reason = "a test's own helpers fail by panicking")]

mod blobs;
mod crash;
mod handler;
mod http;
mod messages;
mod support;
