//! From YAML trees to the typed view, one file a noun.

pub(crate) mod column;
pub(crate) mod columns;
pub(crate) mod contract;
pub(crate) mod duration;
pub(crate) mod intake;
pub(crate) mod odcs;
pub(crate) mod options;
pub(crate) mod parameter;
pub(crate) mod pipeline;
pub(crate) mod quality;
pub(crate) mod rule;
pub(crate) mod sql;
pub(crate) mod task;
