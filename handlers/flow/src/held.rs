//! Held rows as transform wrote them, read piece by piece.

use bytes::{Bytes, BytesMut};
use sluice_engine::HeldRow;

use crate::{BlobPath, Context, Error, Result};

/// Bytes of one read.
const READ_BYTES: u64 = 1 << 20;

/// The held rows of one chunk. A chunk without held rows has no blob, which reads as none.
pub(crate) struct HeldReader<'a> {
    context: &'a Context,
    blob: BlobPath,
    /// Offset of the first byte of `buffer` in the blob.
    start: u64,
    buffer: BytesMut,
    ended: bool,
}

impl<'a> HeldReader<'a> {
    /// From a line's offset on.
    pub(crate) fn new(context: &'a Context, blob: BlobPath, start: u64) -> Self {
        Self { context, blob, start, buffer: BytesMut::new(), ended: false }
    }

    /// The next row, with the offset behind it.
    pub(crate) async fn next(&mut self) -> Result<Option<(HeldRow, u64)>> {
        let mut searched = 0;
        loop {
            if let Some(length) = self.buffer[searched..].iter().position(|b| *b == b'\n').map(|i| searched + i) {
                let line = self.buffer.split_to(length + 1);
                self.start += line.len() as u64;
                let row = serde_json::from_slice(&line[..length]).map_err(|e| self.broken().because(e))?;
                return Ok(Some((row, self.start)));
            }
            if self.ended {
                return if self.buffer.is_empty() { Ok(None) } else { Err(self.broken()) };
            }
            searched = self.buffer.len();
            let from = self.start + searched as u64;
            let piece = match self.context.lake.read(&self.blob, from..from + READ_BYTES, None).await {
                Ok(piece) => piece,
                Err(error) if error.code() == "L0404" => Bytes::new(),
                Err(error) => return Err(error),
            };
            self.ended = (piece.len() as u64) < READ_BYTES;
            self.buffer.extend_from_slice(&piece);
        }
    }

    fn broken(&self) -> Error {
        Error::bug("K0500", format!("the held row before byte {} of {} does not have the expected shape", self.start, self.blob))
    }
}

/// Takes a held row into the digest of its case: everything that a person is shown of it.
pub(crate) fn digest(hasher: &mut blake3::Hasher, row: &HeldRow) -> Result<()> {
    let bytes = serde_json::to_vec(row).map_err(|e| Error::bug("K0501", "a held row could not be serialized").because(e))?;
    hasher.update(&(bytes.len() as u64).to_le_bytes());
    hasher.update(&bytes);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{Kind, lake::REVIEW, testing};

    fn line(row: u64, padding: usize) -> String {
        let raw = "x".repeat(padding);
        serde_json::json!({
            "row": row, "line": row + 2, "offset": 0, "cause": { "kind": "rule", "name": "r" }, "problems": [], "raw": raw, "parsed": {}, "proposed": {},
        })
        .to_string()
            + "\n"
    }

    async fn read_all(text: String, start: u64) -> Result<Vec<(u64, u64)>> {
        let context = testing::context();
        let blob = BlobPath::new(REVIEW, "rows.ndjson");
        context.lake.create(&blob, text.into(), &BTreeMap::new()).await.expect("create");
        let mut reader = HeldReader::new(&context, blob, start);
        let mut rows = Vec::new();
        while let Some((held, next)) = reader.next().await? {
            rows.push((held.row, next));
        }
        Ok(rows)
    }

    #[tokio::test]
    async fn rows_longer_than_a_read_come_whole_and_can_be_gone_on_from() {
        let lines: Vec<_> =
            [10, READ_BYTES as usize, 3 * READ_BYTES as usize, 0].iter().zip(0..).map(|(size, row)| line(row, *size)).collect();
        let ends: Vec<u64> = lines
            .iter()
            .scan(0, |end, l| {
                *end += l.len() as u64;
                Some(*end)
            })
            .collect();
        let expected: Vec<_> = (0u64..).zip(ends.iter().copied()).collect();
        assert_eq!(read_all(lines.concat(), 0).await.expect("all rows"), expected);
        assert_eq!(read_all(lines.concat(), ends[1]).await.expect("the rest"), expected[2..]);
    }

    #[tokio::test]
    async fn a_cut_line_is_no_silent_end() {
        let text = line(0, 5);
        let error = read_all(text.trim_end().to_owned(), 0).await.expect_err("the line does not end");
        assert_eq!(error.kind(), Kind::Bug);
    }

    #[tokio::test]
    async fn a_missing_blob_has_no_rows() {
        let context = testing::context();
        let mut reader = HeldReader::new(&context, BlobPath::new(REVIEW, "none"), 0);
        assert!(reader.next().await.expect("no error").is_none());
    }
}
