//! Bytes to records and fields.

pub(crate) mod csv;
