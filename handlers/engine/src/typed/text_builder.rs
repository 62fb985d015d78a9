//! A column of text under construction.

use arrow::array::{ArrayRef, NullBufferBuilder, StringArray};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::error::ArrowError;
use std::sync::Arc;

/// A column of text under construction. Bytes that are known to be text are added many at a time.
#[derive(Debug)]
pub(crate) struct TextBuilder {
    offsets: Vec<i32>,
    bytes: Vec<u8>,
    nulls: NullBufferBuilder,
    rows: usize,
}

impl TextBuilder {
    pub(crate) fn with_capacity(rows: usize) -> Self {
        Self { offsets: vec![0], bytes: Vec::new(), nulls: NullBufferBuilder::new(rows), rows }
    }

    pub(crate) fn append_value(&mut self, value: &str) {
        self.bytes.extend_from_slice(value.as_bytes());
        self.end();
        self.nulls.append_non_null();
    }

    pub(crate) fn append_null(&mut self) {
        self.end();
        self.nulls.append_null();
    }

    /// Adds parts of a text, each of which is valid UTF-8.
    pub(crate) fn append_parts(&mut self, text: &[u8], parts: &[(u32, u32)]) {
        /// Copying this many bytes at once is cheaper than asking how many there are.
        const SOME: usize = 32;
        for (start, end) in parts {
            let (start, end) = (*start as usize, *end as usize);
            let len = end - start;
            match text[start..].first_chunk::<SOME>() {
                Some(some) if len <= SOME => {
                    let before = self.bytes.len();
                    self.bytes.extend_from_slice(some);
                    self.bytes.truncate(before + len);
                }
                _ => self.bytes.extend_from_slice(&text[start..end]),
            }
            self.end();
        }
        self.nulls.append_n_non_nulls(parts.len());
    }

    fn end(&mut self) {
        // More than this many bytes fail when the array is made.
        self.offsets.push(i32::try_from(self.bytes.len()).unwrap_or(-1));
    }

    pub(crate) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let mut empty = Self::with_capacity(self.rows);
        // The next batch is mostly about as large.
        empty.offsets.reserve(self.offsets.len());
        empty.bytes.reserve(self.bytes.len() + self.bytes.len() / 8);
        let Self { offsets, bytes, mut nulls, .. } = std::mem::replace(self, empty);
        if offsets.last().is_some_and(|end| *end < 0) {
            return Err(ArrowError::OffsetOverflowError(bytes.len()));
        }
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        Ok(Arc::new(StringArray::try_new(offsets, Buffer::from(bytes), nulls.finish())?))
    }
}
