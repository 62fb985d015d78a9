//! Idempotency keys of upload grants: the same request with the same key by the same caller gets the same grant, signed anew. The key is
//! written in one transaction with the grant, so that no crash comes between the two, and the URL, a secret, is never kept.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{KEPT, KIND, hash, other_request};
use crate::{
    Context, Document, ETag, Result, Write,
    audit::Actor,
    catalog::body,
    grant::Grant,
    rfc3339,
    submissions::{GrantRequest, LEAST_SECONDS},
};

/// What a key was used for; document `idempotency:<hash of caller and key>` in the partner's partition, kind [`KIND`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Used {
    /// BLAKE3 of the request, hex.
    request: String,
    /// What it was granted.
    grant_id: String,
    /// RFC 3339: from then on the key is free again.
    expires_at: String,
}

/// A key with the request that it came with.
pub(crate) struct Key {
    document: String,
    request: String,
}

/// What is known of a key.
#[derive(Default)]
pub(crate) struct Before {
    /// The grant it got, if that can be given out again.
    pub(crate) grant: Option<Grant>,
    /// The version of its document.
    etag: Option<ETag>,
}

impl Key {
    pub(crate) fn new(actor: &Actor, key: &str, request: &GrantRequest) -> Result<Self> {
        let mut asked = body(request)?;
        asked.sort_all_objects();
        Ok(Self { document: format!("idempotency:{}", hash(&json!([actor.id(), key]).to_string())), request: hash(&asked.to_string()) })
    }

    /// What the key got before.
    ///
    /// # Errors
    /// Refused `A0422` if it came with another request; those of the catalog.
    pub(crate) async fn before(&self, context: &Context, partition: &str) -> Result<Before> {
        let Some(document) = context.catalog.get(partition, &self.document).await? else { return Ok(Before::default()) };
        let used: Used = document.parse()?;
        let etag = Some(document.etag);
        let now = context.clock.now();
        if used.expires_at <= rfc3339(now) {
            return Ok(Before { grant: None, etag });
        }
        if used.request != self.request {
            return Err(other_request());
        }
        let grant = context.catalog.get(partition, &Grant::document_id(&used.grant_id)).await?;
        let grant: Option<Grant> = grant.as_ref().map(Document::parse).transpose()?;
        let usable_until = rfc3339(now + TimeDelta::seconds(LEAST_SECONDS as i64));
        Ok(Before { grant: grant.filter(|grant| grant.expires_at >= usable_until), etag })
    }

    /// Remembers what was granted, in one transaction with the grant.
    pub(crate) fn write(&self, context: &Context, before: Before, grant: &Grant) -> Result<Write> {
        let expires_at = rfc3339(context.clock.now() + KEPT);
        let used = Used { request: self.request.clone(), grant_id: grant.grant_id.clone(), expires_at };
        let (id, kind, body) = (self.document.clone(), KIND, body(&used)?);
        Ok(match before.etag {
            Some(etag) => Write::Replace { id, kind, body, etag },
            None => Write::Create { id, kind, body },
        })
    }
}
