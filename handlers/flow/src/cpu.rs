//! Work that would hold up other invocations on the same thread.

use std::{num::NonZero, thread::available_parallelism};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{Error, Result};

/// Places for work that holds much memory. The host calls more often than there are places, and what only waits for its turn should not
/// hold memory meanwhile (invariant 8).
#[derive(Debug)]
pub struct Places {
    /// Chunks that are transformed: one a core, since they keep a core busy.
    chunks: Semaphore,
    /// Segments that are moved: two a core, since they wait for storage about half of the time.
    segments: Semaphore,
}

impl Default for Places {
    fn default() -> Self {
        let cores = available_parallelism().map_or(2, NonZero::get);
        Self { chunks: Semaphore::new(cores), segments: Semaphore::new(cores * 2) }
    }
}

impl Places {
    /// Waits for the place of a chunk, which is free again when the permit is dropped.
    pub(crate) async fn chunk(&self) -> Result<SemaphorePermit<'_>> {
        take(&self.chunks).await
    }

    /// Waits for the place of a segment, which is free again when the permit is dropped.
    pub(crate) async fn segment(&self) -> Result<SemaphorePermit<'_>> {
        take(&self.segments).await
    }
}

async fn take(places: &Semaphore) -> Result<SemaphorePermit<'_>> {
    places.acquire().await.map_err(|e| Error::bug("J0509", "the places for large work are closed").because(e))
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
