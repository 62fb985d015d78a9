//! Bodies read with a limit.

use axum::body::{Body, Bytes};
use bytes::BytesMut;
use futures::TryStreamExt;

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
