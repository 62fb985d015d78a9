//! The custom handler's protocol: request bodies as the host builds them, responses as it reads them.
//!
//! Facts: `ScriptInvocationContextExtensions.cs` and `HttpScriptInvocationResult*.cs` of the Functions host.

mod request;
mod response;

pub(crate) use request::{HttpParts, event_grid, http, manual, service_bus, timer};
pub(crate) use response::{HttpResult, Routed, interpret, route};

#[cfg(test)]
mod tests;
