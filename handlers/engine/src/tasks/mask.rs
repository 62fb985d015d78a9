//! Mask: a column's values hidden. Null stays null.

use std::sync::Arc;

use arrow::array::{Array, StringBuilder};
use arrow::datatypes::SchemaRef;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Working, new_batch};
use crate::EngineError;
use crate::typed::builder::value_text;
use crate::typed::text::shorten;

/// How values are hidden.
#[derive(Clone)]
pub(crate) enum Method {
    /// HMAC-SHA256 of the value's canonical text, in lower case hex.
    Hmac(Box<Hmac<Sha256>>),
    Redact,
    Truncate(usize),
}

/// The key must not be shown.
impl std::fmt::Debug for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Hmac(_) => "Hmac",
            Self::Redact => "Redact",
            Self::Truncate(_) => "Truncate",
        })
    }
}

impl Method {
    pub(crate) fn hmac(key: &[u8]) -> Option<Self> {
        if key.is_empty() {
            return None;
        }
        Hmac::new_from_slice(key).ok().map(|mac| Self::Hmac(Box::new(mac)))
    }

    fn hide(&self, value: &str) -> String {
        match self {
            Self::Hmac(mac) => {
                let mut mac = mac.as_ref().clone();
                mac.update(value.as_bytes());
                hex::encode(mac.finalize().into_bytes())
            }
            Self::Redact => "***".to_owned(),
            Self::Truncate(keep) => shorten(value, *keep),
        }
    }
}

/// A mask task.
#[derive(Debug)]
pub(crate) struct Mask {
    pub(crate) column: usize,
    pub(crate) method: Method,
    pub(crate) schema: SchemaRef,
}

impl Mask {
    pub(crate) fn apply(&self, working: &mut Working) -> Result<(), EngineError> {
        let mut arrays = working.batch.columns().to_vec();
        let from = &arrays[self.column];
        let mut hidden = StringBuilder::with_capacity(from.len(), from.len() * 16);
        for row in 0..from.len() {
            hidden.append_option(value_text(from.as_ref(), row).map(|value| self.method.hide(&value)));
        }
        arrays[self.column] = Arc::new(hidden.finish());
        working.batch = new_batch(&self.schema, arrays, working.rows.len())?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_is_that_of_rfc_4231() {
        let method = Method::hmac(b"Jefe").expect("a key");
        assert_eq!(method.hide("what do ya want for nothing?"), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        assert!(Method::hmac(b"").is_none());
    }

    #[test]
    fn truncation_keeps_whole_characters() {
        assert_eq!(Method::Truncate(2).hide("äöü"), "äö");
        assert_eq!(Method::Truncate(9).hide("äöü"), "äöü");
    }
}
