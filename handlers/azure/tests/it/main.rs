//! The adapters against Azurite and the Cosmos DB emulator.

mod catalog;
mod grant;
mod lake;
mod provision;
mod support;
