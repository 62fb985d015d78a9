//! Work that would hold up other invocations on the same thread.

use crate::{Error, Result};

/// Below this many bytes the work is done in place: handing it over would cost more (a block hashes in well under a millisecond).
const IN_PLACE: usize = 128 << 10;

/// Does `work` over `bytes` bytes away from the async threads, unless it is small. A panic goes on in the caller.
pub(crate) async fn run<T: Send + 'static>(bytes: usize, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    if bytes < IN_PLACE {
        return Ok(work());
    }
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(error) => Err(Error::transient("J0001", "the program is shutting down").because(error)),
    }
}
