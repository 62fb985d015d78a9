//! Outputs of a chunk.

pub(crate) mod accepted;
pub(crate) mod encode;
pub(crate) mod held;
pub(crate) mod partition;
pub(crate) mod rejected;
pub(crate) mod statistics;
