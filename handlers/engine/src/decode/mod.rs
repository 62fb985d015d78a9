//! Bytes to records, fields and typed columns.

pub(crate) mod batch;
pub(crate) mod compressed;
pub(crate) mod csv;
pub(crate) mod members;
pub(crate) mod ndjson;
pub(crate) mod parquet;
pub(crate) mod skip;
pub(crate) mod thrift;
pub(crate) mod utf16;
