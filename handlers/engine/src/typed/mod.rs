//! Typed values straight from bytes, with every problem of a value.

pub(crate) mod arrays;
pub(crate) mod builder;
pub(crate) mod check;
pub(crate) mod column;
pub(crate) mod digits;
pub(crate) mod format;
pub(crate) mod instant;
pub(crate) mod json;
pub(crate) mod metric;
pub(crate) mod number;
pub(crate) mod quick;
pub(crate) mod raw;
pub(crate) mod text;
pub(crate) mod text_builder;
