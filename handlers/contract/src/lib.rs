//! What a partner promises and what the business wants, as one checked plan.
//!
//! A [`Contract`] is an Open Data Contract Standard v3.1 file; a [`Pipeline`] names a contract and says how files
//! arrive, what is done to their rows and where they go. [`Plan::parse`] reads both and reports every mistake at once,
//! each with file, path, line and a stable code. This crate is pure: no I/O, no clock, no async.

mod code;
mod contract;
mod data_type;
mod date_format;
mod format;
mod mistake;
mod number;
mod parameter;
mod parse;
mod pipeline;
mod plan;
mod reader;
mod suggest;
mod value;
mod yaml;

pub use code::Code;
pub use contract::{Bounds, Check, Column, Contract, DataType, Metric, Quality, TextFormat};
pub use format::{
    Compression, CsvFormat, Encoding, Escape, ExtraColumns, Format, Header, HeaderMatch, NdjsonFormat, RepeatedHeader, ShortRow,
};
pub use mistake::{Mistake, Mistakes};
pub use parameter::{ParameterSpec, ParameterType, ParameterValue, Parameters};
pub use pipeline::{
    Archive, Derive, Expression, Intake, Limits, Lookup, Mask, MaskMethod, Outcome, Pipeline, Publish, Review, Rule, Task, Tier,
};
pub use plan::{CONTRACT_FILE, Draft, Gaps, Plan, Sources, Unknown};
