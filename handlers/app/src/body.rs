//! Bodies read with a limit.

use std::{
    sync::{Arc, Mutex, PoisonError},
    task::Poll,
    time::Duration,
};

use axum::body::{Body, BodyDataStream, Bytes};
use bytes::BytesMut;
use futures::{StreamExt, TryStreamExt};

/// Why a body could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    /// It is longer than allowed.
    #[error("expected at most {0} bytes, found more")]
    TooLong(usize),
    /// The connection broke.
    #[error("the body ended early")]
    Broken(#[source] axum::Error),
}

/// Most bytes of an unread body that are read before an answer is sent.
const MOST_DRAINED: usize = 1 << 20;
/// How long that may take.
const DRAIN_PATIENCE: Duration = Duration::from_secs(2);

/// The rest of a body that went to a handler, which need not have read it. Whoever answers without reading leaves bytes on the connection:
/// it is closed then, and the host in front, which sends its next request on it, sees an answer that breaks off.
pub(crate) struct Rest(Arc<Mutex<Option<BodyDataStream>>>);

impl Rest {
    /// The body for a handler, and what it leaves of it.
    pub(crate) fn of(body: Body) -> (Body, Self) {
        let shared = Arc::new(Mutex::new(Some(body.into_data_stream())));
        let rest = Self(shared.clone());
        let pieces = futures::stream::poll_fn(move |context| {
            let mut stream = shared.lock().unwrap_or_else(PoisonError::into_inner);
            stream.as_mut().map_or(Poll::Ready(None), |stream| stream.poll_next_unpin(context))
        });
        (Body::from_stream(pieces), rest)
    }

    /// Reads what is left, if it is not too much.
    pub(crate) async fn drain(self) {
        let Some(mut stream) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        let mut left = MOST_DRAINED;
        let drain = async {
            while let Some(Ok(piece)) = stream.next().await {
                match left.checked_sub(piece.len()) {
                    Some(rest) => left = rest,
                    None => break,
                }
            }
        };
        // Too slow or too much: the connection is closed.
        let _ = tokio::time::timeout(DRAIN_PATIENCE, drain).await;
    }
}

/// The whole body, of at most `limit` bytes.
///
/// # Errors
/// [`BodyError`].
pub(crate) async fn read(body: Body, limit: usize) -> Result<Bytes, BodyError> {
    let mut pieces = body.into_data_stream();
    let mut whole = BytesMut::new();
    while let Some(piece) = pieces.try_next().await.map_err(BodyError::Broken)? {
        if whole.len() + piece.len() > limit {
            return Err(BodyError::TooLong(limit));
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A body of so many kilobytes, and how many of them were read.
    fn counted(kilobytes: usize) -> (Body, Arc<AtomicUsize>) {
        let count = Arc::new(AtomicUsize::new(0));
        let counter = count.clone();
        let pieces = futures::stream::iter(0..kilobytes).map(move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
            Ok::<_, std::io::Error>(vec![0u8; 1 << 10])
        });
        (Body::from_stream(pieces), count)
    }

    #[tokio::test]
    async fn what_a_handler_leaves_of_a_body_is_read() {
        let (body, count) = counted(4);
        let (given, rest) = Rest::of(body);
        let mut given = given.into_data_stream();
        assert_eq!(given.next().await.unwrap().unwrap().len(), 1 << 10);
        drop(given);
        rest.drain().await;
        assert_eq!(count.load(Ordering::Relaxed), 4);

        let (body, _) = counted(3);
        let (given, rest) = Rest::of(body);
        assert_eq!(read(given, 1 << 20).await.unwrap().len(), 3 << 10);
        rest.drain().await;
    }

    #[tokio::test]
    async fn not_for_ever() {
        let (body, count) = counted(1 << 20);
        let (given, rest) = Rest::of(body);
        drop(given);
        rest.drain().await;
        assert_eq!(count.load(Ordering::Relaxed), (MOST_DRAINED >> 10) + 1);
        let (_, silent) = Rest::of(Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>()));
        tokio::time::timeout(DRAIN_PATIENCE * 5, silent.drain()).await.unwrap();
    }
}
