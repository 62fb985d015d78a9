//! Tests of the wired handler: in one process with the memory doubles, a token issuer on loopback, and the files of the repository.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and reads bodies that it made itself")]

mod access;
mod api;
mod audit;
mod binary;
mod desk;
mod fixtures;
mod functions;
mod harness;
mod idempotency;
mod invocations;
mod issuer;
mod journey;
mod limits;
mod openapi;
mod tokens;
mod world;
