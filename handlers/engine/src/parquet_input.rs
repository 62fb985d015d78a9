//! Parquet input: its footer, and row groups as chunks.

use sluice_contract::Plan;

use crate::{Chunk, Refusal};

/// Length of the footer (metadata and the last 8 bytes), from the last 8 bytes of a file.
///
/// # Errors
/// The file does not end as Parquet does, or is encrypted.
pub fn parquet_footer_len(last8: &[u8]) -> Result<u64, Refusal> {
    let _ = last8;
    todo!()
}

/// Chunks of row groups, from the last bytes of a file (at least [`parquet_footer_len`] of them).
///
/// # Errors
/// The metadata cannot be read, columns of the contract are missing, or have a type that the contract's type cannot take.
pub fn parquet_chunks(plan: &Plan, footer: &[u8], file_len: u64, chunk_bytes: u64) -> Result<Vec<Chunk>, Refusal> {
    let _ = (plan, footer, file_len, chunk_bytes);
    todo!()
}
