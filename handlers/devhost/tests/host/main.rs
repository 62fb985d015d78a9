//! devhost as a whole, with a small handler. The handler is this very executable, started by devhost as a child.

mod blobs;
mod handler;
mod http;
mod messages;
mod support;
