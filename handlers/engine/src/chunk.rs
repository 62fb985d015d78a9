//! Chunks: the parts of a file that one invocation works through.

use serde::{Deserialize, Serialize};

/// One part of a file, aligned to records (or to Parquet row groups).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Chunk {
    /// Offset of the first byte in the file.
    pub start: u64,
    /// Offset after the last byte.
    pub end: u64,
    /// 0-based number of the first row.
    pub first_row: u64,
    /// 1-based line of the first row.
    pub first_line: u64,
    /// Parquet row groups; empty for text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub row_groups: Vec<u32>,
}

/// How a file can be worked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Splitting {
    /// Plain text: chunks of whole records, planned from [`crate::Scanner`] notes.
    Records,
    /// Compressed text: one chunk over the whole file, streamed.
    Whole,
    /// Parquet: chunks of row groups, planned by [`crate::parquet_chunks`].
    RowGroups,
}

/// Where the records of a text begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeaderEnd {
    /// Offset of the first byte after the header.
    pub offset: u64,
    /// Lines before it.
    pub lines: u64,
}

/// What stands at the start of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeaderInfo {
    /// Column names as written; `None` if the format has no header.
    pub names: Option<Vec<String>>,
    /// Offset of the first byte after byte order mark, passed-over lines, comments and header.
    pub end: u64,
    /// Lines before that.
    pub lines: u64,
}

impl From<&HeaderInfo> for HeaderEnd {
    fn from(info: &HeaderInfo) -> Self {
        Self { offset: info.end, lines: info.lines }
    }
}
