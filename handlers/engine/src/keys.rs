//! Repeated keys over a whole run, in as many passes over the key records as memory asks for.

use crate::{EngineError, KeyRule, Overrides};

/// Bytes of one key record: key rule (u16), 128-bit hash, row number (u64), little endian.
pub const KEY_RECORD_BYTES: usize = 26;

/// One pass over all key records of a run. Pass `p` of `n` looks at every `n`th key only, so that memory is about 40 bytes for each
/// distinct key of the pass. The result does not depend on the order of feeding.
pub struct KeyPass {}

impl KeyPass {
    /// Pass `pass` of `passes`, counted from 0.
    pub fn new(rules: &[KeyRule], pass: u32, passes: u32) -> Self {
        let _ = (rules, pass, passes);
        todo!()
    }

    /// Takes key records in pieces of any size; a record may be cut between two pieces of one blob.
    ///
    /// # Errors
    /// A record names no rule of the plan.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), EngineError> {
        let _ = bytes;
        todo!()
    }

    /// What the pass found. Merge the results of all passes.
    ///
    /// # Errors
    /// The last record is cut.
    pub fn finish(self) -> Result<Overrides, EngineError> {
        todo!()
    }
}
