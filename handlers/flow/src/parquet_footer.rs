//! The end of a Parquet file, which says what is in it.

use std::sync::Arc;

use sluice_engine::{Code, parquet_footer_len};

use crate::{Context, Error, Result, raw::Raw};

/// Largest footer taken: it is held in memory by every chunk.
pub(crate) const MOST_BYTES: u64 = 64 << 20;

/// The footer of the raw copy of `size` bytes, verified.
pub(crate) async fn read(context: &Context, raw: &Raw, size: u64) -> Result<Arc<[u8]>> {
    let end = raw.read(context, size.saturating_sub(8)..size).await?;
    let len = parquet_footer_len(&end)?;
    if len > size.min(MOST_BYTES) {
        let message = format!(
            "the Parquet footer says it has {len} bytes, in a file of {size} (at most {MOST_BYTES} are read): write the file again"
        );
        return Err(Error::refused(Code::UnreadableParquet.as_str(), message).at(None, Some(size.saturating_sub(8))));
    }
    Ok(raw.read(context, size - len..size).await?.as_ref().into())
}
