//! SHA-256 and MD5 over the file, which only go from front to back: their states are handed on from segment to segment, in order.

use md5::Md5;
use serde::{Deserialize, Serialize};
use sha2::{
    Digest as _, Sha256,
    digest::common::hazmat::{SerializableState, SerializedState},
};

use crate::{Committed, Context, ETag, Error, Result, RunId, Write, catalog::body, run::Run};

const DOCUMENT: &str = "digest";

/// The states after some of the segments.
#[derive(Debug, Clone)]
pub(crate) struct Digests {
    sha256: Sha256,
    md5: Option<Md5>,
}

/// The states as read, with the version they were read at.
#[derive(Debug)]
pub(crate) struct Chain {
    /// The segment that comes next.
    pub(crate) next: u32,
    /// States after all segments before it.
    pub(crate) digests: Digests,
    etag: Option<ETag>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    next: u32,
    sha256: String,
    md5: Option<String>,
}

impl Digests {
    /// Takes the next bytes of the file.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        if let Some(md5) = &mut self.md5 {
            md5.update(bytes);
        }
    }

    /// SHA-256 and, if it was declared, MD5, as lower case hex.
    pub(crate) fn finish(self) -> (String, Option<String>) {
        (hex::encode(self.sha256.finalize()), self.md5.map(|md5| hex::encode(md5.finalize())))
    }
}

fn to_hex<T: SerializableState>(state: &T) -> String {
    hex::encode(state.serialize())
}

fn from_hex<T: SerializableState>(text: &str) -> Result<T> {
    let broken = || Error::bug("K0502", "a stored digest state cannot be read");
    let bytes = hex::decode(text).map_err(|e| broken().because(e))?;
    let state = <&SerializedState<T>>::try_from(bytes.as_slice()).map_err(|e| broken().because(e))?;
    T::deserialize(state).map_err(|e| broken().because(e))
}

/// Where the chain stands.
pub(crate) async fn load(context: &Context, run: &Run) -> Result<Chain> {
    let Some(document) = context.catalog.get(&run.run_id.partition(), DOCUMENT).await? else {
        return Ok(Chain::new(run));
    };
    let stored: Stored = document.parse()?;
    let md5 = stored.md5.as_deref().map(from_hex).transpose()?;
    Ok(Chain { next: stored.next, digests: Digests { sha256: from_hex(&stored.sha256)?, md5 }, etag: Some(document.etag) })
}

/// Hands on the states after segment `next - 1`. False if somebody else did so in the meantime, which is as good.
pub(crate) async fn store(context: &Context, run: &RunId, next: u32, digests: &Digests, before: Option<ETag>) -> Result<bool> {
    let stored = Stored { next, sha256: to_hex(&digests.sha256), md5: digests.md5.as_ref().map(to_hex) };
    let (id, kind, body) = (DOCUMENT.to_owned(), "digest", body(&stored)?);
    let write = match before {
        Some(etag) => Write::Replace { id, kind, body, etag },
        None => Write::Create { id, kind, body },
    };
    Ok(context.catalog.commit(&run.partition(), vec![write]).await? == Committed::Done)
}

impl Chain {
    /// At the start of the file.
    pub(crate) fn new(run: &Run) -> Self {
        let md5 = run.source.declared.md5.as_ref().map(|_| Md5::new());
        Self { next: 0, digests: Digests { sha256: Sha256::new(), md5 }, etag: None }
    }

    /// Splits off the version that [`store`] needs.
    pub(crate) fn into_parts(self) -> (u32, Digests, Option<ETag>) {
        (self.next, self.digests, self.etag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_survive_being_stored_at_any_byte() {
        let data: Vec<u8> = (0..300u32).map(|i| i as u8).collect();
        for cut in [0, 1, 63, 64, 65, 128, 200, 300] {
            let mut first = Digests { sha256: Sha256::new(), md5: Some(Md5::new()) };
            first.update(&data[..cut]);
            let mut second = Digests {
                sha256: from_hex(&to_hex(&first.sha256)).expect("a state that was just written"),
                md5: Some(from_hex(&to_hex(first.md5.as_ref().expect("set above"))).expect("a state that was just written")),
            };
            second.update(&data[cut..]);
            assert_eq!(second.finish(), (hex::encode(Sha256::digest(&data)), Some(hex::encode(Md5::digest(&data)))), "cut at {cut}");
        }
    }

    #[test]
    fn a_broken_state_is_a_bug_and_no_panic() {
        assert_eq!(from_hex::<Sha256>("00").expect_err("too short").code(), "K0502");
        assert_eq!(from_hex::<Sha256>("zz").expect_err("no hex").code(), "K0502");
    }
}
