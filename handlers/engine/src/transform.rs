//! One chunk through the engine: bytes in, accepted, rejected and held rows and keys out.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::outcome::Outputs;
use crate::parquet_input::ParquetInput;
use crate::text_input::TextInput;
use crate::{Chunk, ChunkReport, Compiled, EngineError, Overrides, Splitting};

/// Where a chunk stands in its file.
#[derive(Debug, Clone)]
pub struct ChunkStart {
    /// Id of the run, for the lineage column.
    pub run: String,
    /// 0-based number of the chunk.
    pub index: u32,
    /// The chunk.
    pub chunk: Chunk,
    /// Names from the header; `None` if the format has none, and for [`Splitting::Whole`], where they are read from the stream.
    pub header: Option<Vec<String>>,
    /// How the file is cut.
    pub kind: Splitting,
    /// Parquet only: the last bytes of the file, as for [`crate::parquet_chunks`].
    pub footer: Option<Arc<[u8]>>,
    /// Size of the file as stored.
    pub file_len: u64,
}

/// An output of a chunk. Pieces of one stream are put together in the order of their coming.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stream {
    /// Accepted rows as Parquet, one file for each partition and part.
    Accepted {
        /// Hive-style path such as `month=1/day=2`, values percent-escaped, null as `__HIVE_DEFAULT_PARTITION__`; empty if not partitioned.
        partition: String,
        /// 1, or more if a file had to be closed so that not too many are open at once.
        part: u32,
    },
    /// Rejected rows in the partner's own format with reasons (CSV without its header: see [`crate::rejected_header`]).
    Rejected,
    /// Held rows: one [`crate::HeldRow`] as JSON a line.
    Held,
    /// Key records for [`crate::KeyPass`].
    Keys,
}

enum Input {
    Text(Box<TextInput>),
    Parquet(Box<ParquetInput>),
}

/// Pieces of outputs, in order.
pub type Pieces = Vec<(Stream, Vec<u8>)>;

/// Works through one chunk.
pub struct Transformer {
    input: Input,
    outputs: Outputs,
}

impl Transformer {
    /// `overrides` is empty in the first pass.
    ///
    /// # Errors
    /// The header does not fit the contract, or the Parquet footer cannot be read.
    #[expect(clippy::needless_pass_by_value, reason = "a start is used once")]
    pub fn new(compiled: &Arc<Compiled>, start: ChunkStart, overrides: &Overrides) -> Result<Self, EngineError> {
        let report = ChunkReport::new(start.index, start.chunk.first_row);
        let mut outputs = Outputs::new(compiled, start.run.clone(), report, overrides)?;
        let input = match start.kind {
            Splitting::Records | Splitting::Whole => Input::Text(Box::new(TextInput::new(compiled, &start, &mut outputs)?)),
            Splitting::RowGroups => Input::Parquet(Box::new(ParquetInput::new(compiled, &start)?)),
        };
        Ok(Self { input, outputs })
    }

    /// Opens at most so many bytes of a compressed file, and leaves the rest out: for samples.
    pub fn at_most(&mut self, bytes: u64) {
        if let Input::Text(text) = &mut self.input {
            text.at_most(bytes);
        }
    }

    /// Whether [`Self::at_most`] left something out.
    pub fn is_cut(&self) -> bool {
        matches!(&self.input, Input::Text(text) if text.is_cut())
    }

    /// Takes the next bytes of the chunk, in pieces of any size.
    ///
    /// # Errors
    /// The file as a whole is at fault.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), EngineError> {
        match &mut self.input {
            Input::Text(text) => text.push(bytes, &mut self.outputs),
            Input::Parquet(parquet) => parquet.push(bytes, &mut self.outputs),
        }
    }

    /// Takes what is ready. Call it after each push to keep memory flat.
    pub fn drain(&mut self) -> Pieces {
        self.outputs.drain()
    }

    /// Ends the chunk: the last pieces and its report.
    ///
    /// # Errors
    /// The file as a whole is at fault, such as a compressed file that ends too early.
    pub fn finish(mut self) -> Result<(Pieces, ChunkReport), EngineError> {
        match self.input {
            Input::Text(text) => text.finish(&mut self.outputs)?,
            Input::Parquet(parquet) => parquet.finish(&mut self.outputs)?,
        }
        self.outputs.finish()
    }

    /// Ends a chunk of which only the beginning is there: a record that is not whole is left out, and a compressed file may end anywhere.
    ///
    /// # Errors
    /// The file as a whole is at fault, or its header is not whole.
    pub fn finish_cut(mut self) -> Result<(Pieces, ChunkReport), EngineError> {
        match self.input {
            Input::Text(text) => text.finish_cut(&mut self.outputs)?,
            Input::Parquet(parquet) => parquet.finish(&mut self.outputs)?,
        }
        self.outputs.finish()
    }
}
