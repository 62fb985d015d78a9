//! Reading the raw copy. Every block is checked against the value noted when it was moved, so that bytes that changed between landing and
//! raw, or at rest, are noticed where they are used, without a pass of their own.

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use futures::{Stream, StreamExt as _};

use crate::{
    BlobPath, Context, Error, Result, cpu,
    integrity::{BLOCK, BlockValue, verify_block},
    run::Run,
    segments::{self, Segment},
};

/// A raw copy that can be read, or the part of it whose block values are known.
#[derive(Debug, Clone)]
pub struct Raw {
    path: BlobPath,
    total: u64,
    piece: u64,
    /// Number of the first block in `values`.
    first: u64,
    values: Arc<[BlockValue]>,
}

impl Raw {
    /// For reading within `range` of a run's raw copy.
    ///
    /// # Errors
    /// Those of the catalog.
    pub async fn open(context: &Context, run: &Run, range: Range<u64>) -> Result<Self> {
        let segment = |offset: u64| (offset / run.segment_bytes) as u32;
        let (first, last) = (segment(range.start), segment(range.end.clamp(range.start + 1, run.source.size.max(range.start + 1)) - 1));
        Self::with(run, &segments::span(context, &run.run_id, first, last).await?)
    }

    /// For reading within these segments, which follow each other.
    ///
    /// # Errors
    /// See [`Segment::values`].
    pub fn with(run: &Run, segments: &[Segment]) -> Result<Self> {
        let mut values = Vec::new();
        for segment in segments {
            values.extend(segment.values()?);
        }
        let first = segments.first().map_or(0, |s| u64::from(s.index) * run.segment_bytes / BLOCK);
        Ok(Self { path: run.raw(), total: run.source.size, piece: run.piece_bytes, first, values: values.into() })
    }

    /// Values of all its blocks.
    pub fn values(&self) -> &[BlockValue] {
        &self.values
    }

    /// Verified bytes of `range`, in order, in pieces of at most the run's piece size. Nothing is read ahead of what is asked for.
    ///
    /// Errors: those of the lake; [`crate::Kind::Permanent`] `I0001` if a block is not what was moved.
    pub fn pieces<'a>(&'a self, context: &'a Context, range: Range<u64>) -> impl Stream<Item = Result<Bytes>> + Send + 'a {
        let end = range.end.min(self.total);
        let piece = self.piece;
        let starts = std::iter::successors(Some(range.start), move |start| Some((start / piece + 1) * piece)).take_while(move |s| *s < end);
        futures::stream::iter(starts).then(move |start| self.read_piece(context, start..((start / piece + 1) * piece).min(end)))
    }

    /// Verified bytes of a range that is small enough to be held.
    ///
    /// # Errors
    /// As [`Raw::pieces`].
    pub async fn read(&self, context: &Context, range: Range<u64>) -> Result<Bytes> {
        let mut pieces = std::pin::pin!(self.pieces(context, range));
        let mut all: Vec<Bytes> = Vec::new();
        while let Some(piece) = pieces.next().await {
            all.push(piece?);
        }
        Ok(if let [one] = all.as_slice() { one.clone() } else { all.concat().into() })
    }

    /// Reads the blocks around `range`, which lie in one piece.
    async fn read_piece(&self, context: &Context, range: Range<u64>) -> Result<Bytes> {
        let start = range.start / BLOCK * BLOCK;
        let end = range.end.next_multiple_of(BLOCK).min(self.total);
        let mut broken = None;
        // Bytes may also be damaged on their way here: a second look tells.
        for _ in 0..2 {
            let bytes = context.lake.read(&self.path, start..end, None).await?;
            broken = self.first_broken(start, &bytes, end).await?;
            if broken.is_none() {
                return Ok(bytes.slice((range.start - start) as usize..(range.end - start) as usize));
            }
        }
        let offset = broken.unwrap_or(start);
        Err(Error::permanent(
            "I0001",
            format!("{} does not hold the bytes that were moved, in the block at offset {offset}: reprocess the submission", self.path),
        )
        .at(None, Some(offset)))
    }

    /// Offset of the first block that is not what was moved.
    async fn first_broken(&self, start: u64, bytes: &Bytes, end: u64) -> Result<Option<u64>> {
        if bytes.len() as u64 != end - start {
            return Ok(Some(start + bytes.len() as u64 / BLOCK * BLOCK));
        }
        let (first, total, values, bytes) = (self.first, self.total, self.values.clone(), bytes.clone());
        cpu::run(bytes.len(), move || {
            let blocks = (start / BLOCK..).zip(bytes.chunks(BLOCK as usize));
            let value = |index: u64| index.checked_sub(first).and_then(|i| values.get(i as usize));
            let mut broken = blocks.filter(|(index, block)| !value(*index).is_some_and(|v| verify_block(*index, block, total, v)));
            broken.next().map(|(index, _)| index * BLOCK)
        })
        .await
    }
}
