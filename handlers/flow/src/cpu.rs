//! Work that would hold up other invocations on the same thread.

use std::{num::NonZero, thread::available_parallelism};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{Error, Result};

/// Places for chunks that are worked on at once: one a core. The host calls more often than that, and a chunk that only waits for a core
/// should not hold its memory meanwhile (invariant 8).
#[derive(Debug)]
pub struct Places(Semaphore);

impl Default for Places {
    fn default() -> Self {
        Self(Semaphore::new(available_parallelism().map_or(2, NonZero::get)))
    }
}

impl Places {
    /// Waits for a place, which is free again when the permit is dropped.
    pub(crate) async fn take(&self) -> Result<SemaphorePermit<'_>> {
        self.0.acquire().await.map_err(|e| Error::bug("J0509", "the places for chunks are closed").because(e))
    }
}

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
