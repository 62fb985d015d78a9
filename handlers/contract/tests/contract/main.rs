//! Contracts and pipelines as their authors write them.

mod architecture_page;
mod contracts_page;
mod documents;
mod errors_page;
mod mistakes;
mod parameters;
mod robust;
mod samples;
mod typed;
