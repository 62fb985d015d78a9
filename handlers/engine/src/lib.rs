//! Bytes to record batches to outcomes. Sans-IO: no async runtime, no Azure, no clock, no network.
//!
//! A [`Compiled`] plan is made once for a run. A text is cut into [`Chunk`]s by [`Scanner`] and [`ChunkPlanner`], or by a [`Chunker`] where it is
//! read from its beginning to its end; each chunk goes through a [`Transformer`]; [`KeyPass`] finds keys that repeat over the run; [`RunReport`] adds everything up; [`revise()`] takes rows that people decided on.

// Tests share files with the fuzz targets, which know this crate by its name.
#[cfg(test)]
extern crate self as sluice_engine;

mod aggregate;
mod chunk;
mod compile;
mod decode;
mod findings;
mod header;
mod header_names;
mod held;
mod keys;
mod kind;
mod outcome;
mod overrides;
mod parquet_input;
mod problem;
mod reference;
mod report;
mod revise;
mod rows;
mod rules;
mod scope;
mod split;
mod sql;
mod stages;
mod tasks;
#[cfg(test)]
mod tests;
mod text_input;
mod transform;
mod typed;
mod write;

pub use aggregate::aggregate;
pub use chunk::{Chunk, HeaderEnd, HeaderInfo, Splitting};
pub use compile::{Compiled, ROW_COLUMN, RUN_COLUMN, Secrets};
pub use header::read_header;
pub use header_names::joined as joined_names;
pub use held::{Cause, CauseKind, HeldRow};
pub use keys::{KEY_BYTES, KEY_RECORD_BYTES, KeyKind, KeyPass, KeyRule, Repeat, RepeatedKeys};
pub use kind::splittable;
pub use overrides::{Exclude, ExcludeAs, Overrides};
pub use parquet_input::{parquet_chunks, parquet_footer_len};
pub use problem::{Code, EngineError, Problem, Refusal, VALUE_CHARS};
pub use reference::ReferenceTables;
pub use report::{AcceptedFile, ChunkReport, HeldCount, ProblemCount, RunReport, SAMPLES, Tally, Totals, Verdict};
pub use revise::{Revised, RevisedOutcome, RevisedRow, revise};
pub use split::chunker::Chunker;
pub use split::finder::RecordFinder;
pub use split::planner::{ChunkPlanner, Rescan};
pub use split::scanner::{BOUNDARY_SPACING, Scanner, SegmentNotes};
pub use transform::{ChunkStart, Pieces, Stream, Transformer};
pub use write::rejected::{rejected_header, rejected_record};
