//! Answers that are kept by the key of their request.
//!
//! The key is claimed before the work and gets the answer after it, which are two transactions with the work between them: documents of
//! several partitions cannot change in one. Whoever comes meanwhile is told to wait. If the process dies in between, the claim stands until
//! [`LEASE`] is over; then the next one takes it over and is told so, since the work may have been done.

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{KEPT, KIND, hash, other_request};
use crate::{Committed, Context, ETag, Error, Message, Outputs, Result, Write, catalog::body, rfc3339};

/// How long a request is taken to be worked on: the platform in front of the handler ends one after 230 seconds.
const LEASE: TimeDelta = TimeDelta::minutes(5);
/// What a caller is told to wait for the first request.
const SOON: std::time::Duration = std::time::Duration::from_secs(2);
/// Most characters of a kept body: a document holds a megabyte, and headers and messages, too.
const BODY_CHARS: usize = 900_000;
/// zstd's level: answers are short, and somebody waits.
const LEVEL: i32 = 1;

/// A request that came with a key.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Id of the caller: two callers may choose the same key.
    pub caller: &'a str,
    /// The key.
    pub key: &'a str,
    /// Hash of method, path and body.
    pub request: &'a str,
}

/// What a request was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Names and values of headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Messages that went with it. They are sent again with the answer: it is not known whether they got out, and steps bear repetition.
    pub messages: Outputs,
}

/// What is to be done about a request.
#[derive(Debug)]
pub enum Begun {
    /// Work, then say what was answered.
    New(Claim),
    /// As [`Begun::New`], but it was begun before and it is not known how far it came.
    TakenOver(Claim),
    /// It was answered before.
    Again(Answer),
}

/// The right to work on a request.
#[derive(Debug)]
pub struct Claim {
    partition: String,
    id: String,
    etag: ETag,
    request: String,
}

/// What is known of a key; document `idempotency:<hash of the key>` in partition `caller:<hash of the caller>`, kind [`KIND`].
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    /// Hash of the request.
    request: String,
    /// RFC 3339: from then on the key is free again.
    expires_at: String,
    #[serde(flatten)]
    progress: Progress,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "progress", rename_all = "camelCase")]
enum Progress {
    /// Somebody works on it until then (RFC 3339).
    Working { until: String },
    /// Done.
    Answered {
        status: u16,
        headers: Vec<(String, String)>,
        /// zstd in base64.
        body: String,
        messages: Vec<Message>,
    },
    /// Done, and the answer cannot be kept.
    TooLarge,
}

/// Claims the key of a request.
///
/// # Errors
/// Refused `A0422` if the key came with another request, `A0425` if the request is being worked on, `A0410` if it was done and its answer
/// was too large to keep; those of the catalog.
pub async fn begin(context: &Context, asked: Asked<'_>) -> Result<Begun> {
    let partition = format!("caller:{}", hash(asked.caller));
    let id = format!("idempotency:{}", hash(asked.key));
    for _ in 0..10 {
        let now = context.clock.now();
        let stored = context.catalog.get(&partition, &id).await?;
        let mut taken_over = false;
        if let Some(document) = &stored {
            let entry: Entry = document.parse()?;
            if entry.expires_at > rfc3339(now) {
                if entry.request != asked.request {
                    return Err(other_request());
                }
                match entry.progress {
                    Progress::Answered { status, headers, body, messages } => {
                        return Ok(Begun::Again(Answer { status, headers, body: expanded(&body)?, messages: Outputs(messages) }));
                    }
                    Progress::TooLarge => return Err(too_large()),
                    Progress::Working { until } if until > rfc3339(now) => return Err(worked_on()),
                    Progress::Working { .. } => taken_over = true,
                }
            }
        }
        let entry = Entry {
            request: asked.request.to_owned(),
            expires_at: rfc3339(now + KEPT),
            progress: Progress::Working { until: rfc3339(now + LEASE) },
        };
        let body = body(&entry)?;
        let write = match stored {
            Some(document) => Write::Replace { id: id.clone(), kind: KIND, body, etag: document.etag },
            None => Write::Create { id: id.clone(), kind: KIND, body },
        };
        // If the same key comes twice at once, one of them finds the other's claim.
        if context.catalog.commit(&partition, vec![write]).await? != Committed::Done {
            continue;
        }
        let Some(document) = context.catalog.get(&partition, &id).await? else { continue };
        let claim = Claim { partition, id, etag: document.etag, request: asked.request.to_owned() };
        return Ok(if taken_over { Begun::TakenOver(claim) } else { Begun::New(claim) });
    }
    Err(Error::transient("K0409", "the idempotency key was used by others ten times in a row"))
}

impl Claim {
    /// Keeps what the request was answered. If the claim was taken over meanwhile, the other's answer stands.
    ///
    /// # Errors
    /// Those of the catalog.
    pub async fn finish(self, context: &Context, answer: Answer) -> Result<()> {
        let Answer { status, headers, body: bytes, messages } = answer;
        let packed =
            zstd::encode_all(&bytes[..], LEVEL).map_err(|e| Error::bug("K0501", "an answer could not be compressed").because(e))?;
        let text = STANDARD.encode(packed);
        let progress = if text.len() > BODY_CHARS {
            Progress::TooLarge
        } else {
            Progress::Answered { status, headers, body: text, messages: messages.0 }
        };
        let entry = Entry { request: self.request, expires_at: rfc3339(context.clock.now() + KEPT), progress };
        let write = Write::Replace { id: self.id, kind: KIND, body: body(&entry)?, etag: self.etag };
        context.catalog.commit(&self.partition, vec![write]).await?;
        Ok(())
    }

    /// Frees the key: the request was not done, and may be sent again.
    ///
    /// # Errors
    /// Those of the catalog.
    pub async fn free(self, context: &Context) -> Result<()> {
        context.catalog.commit(&self.partition, vec![Write::Delete { id: self.id, etag: self.etag }]).await?;
        Ok(())
    }
}

fn expanded(body: &str) -> Result<Vec<u8>> {
    let wrong = |e: Box<dyn std::error::Error + Send + Sync>| Error::bug("K0500", "a kept answer cannot be read").because(e);
    let packed = STANDARD.decode(body).map_err(|e| wrong(e.into()))?;
    zstd::decode_all(&packed[..]).map_err(|e| wrong(e.into()))
}

fn worked_on() -> Error {
    Error::refused("A0425", "the first request with this idempotency key is still worked on: send it again in a moment").retry_after(SOON)
}

fn too_large() -> Error {
    Error::refused(
        "A0410",
        "the request with this idempotency key was done, and its answer was too large to keep: read what it changed; nothing was done again",
    )
}
