//! Cuts a text into chunks while it is read from its beginning to its end.

use sluice_contract::Plan;

use super::planner::ChunkPlanner;
use super::scanner::Scanner;
use crate::{Chunk, HeaderEnd};

/// Cuts a text into the same chunks as [`Scanner`] and [`ChunkPlanner`] do for one segment, each as soon as it is known.
pub struct Chunker {
    scanner: Scanner,
    planner: ChunkPlanner,
    data_start: HeaderEnd,
}

impl Chunker {
    /// `data_start` is where the header ends; `chunk_bytes` is the size to aim at, as for [`ChunkPlanner::new`].
    pub fn new(plan: &Plan, data_start: HeaderEnd, chunk_bytes: u64) -> Self {
        Self { scanner: Scanner::after_header(plan, data_start), planner: ChunkPlanner::new(plan, data_start, chunk_bytes), data_start }
    }

    /// Offset of the first byte that is still needed.
    pub fn needed(&self) -> u64 {
        self.scanner.needed()
    }

    /// Looks on to the end of `text`, which begins at the offset `base` of the file, at or before [`Chunker::needed`]; gives the chunks
    /// that are complete.
    pub fn push(&mut self, base: u64, text: &[u8]) -> Vec<Chunk> {
        for mark in self.scanner.look(base, text) {
            self.planner.mark(&mark, self.data_start.lines);
        }
        self.planner.take()
    }

    /// The last chunk, if there is one; `total` is the size of the file.
    pub fn finish(self, total: u64) -> Vec<Chunk> {
        self.planner.finish(total)
    }
}
