//! The custom handler: trigger envelopes, HTTP API, authentication, telemetry. Wiring only; what happens to a file is told in
//! `sluice_flow`.

pub mod api;
mod app;
pub mod auth;
mod body;
mod feed;
pub mod functions;
pub mod limits;
pub mod server;
pub mod settings;
mod summaries;
pub mod telemetry;
pub mod trigger;

pub use app::App;
