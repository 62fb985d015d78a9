//! The adapters against Azurite and the Cosmos DB emulator.

#![expect(clippy::unwrap_used, reason = "in the helpers of tests, too, the place of a failure says enough")]

mod catalog;
mod grant;
mod lake;
mod provision;
mod support;
