//! What partners do: ask for an upload grant, find their submissions, read receipts.

use std::time::Duration;

use chrono::DateTime;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    BlobPath, Committed, Context, Error, Query, Result, RunId, SubmissionId, Write,
    audit::Actor,
    catalog::body,
    context::rfc3339,
    grant::{Grant, Scope, UploadSigner},
    idempotency::{Before, Key},
    lake::LANDING_PREFIX,
    receipt::Receipt,
    run::{Declared, Run},
    runs::{self, RunFilter},
};

/// Longest validity of a grant in seconds: 7 days, the longest of a user delegation key.
pub const MOST_SECONDS: u64 = 7 * 24 * 3600;
/// Shortest validity of a grant in seconds.
pub const LEAST_SECONDS: u64 = 60;
/// Longest path of a blob in characters (Azure Blob Storage, "Blob names").
const PATH_CHARS: usize = 1024;

/// What a partner asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantRequest {
    /// One file or the whole container.
    #[serde(flatten)]
    pub scope: Scope,
    /// Checksums and size of the file that will be uploaded (one file only).
    #[serde(default)]
    pub declared: Declared,
    /// Validity from now.
    pub valid_seconds: u64,
    /// The submission whose rows the file repairs (one file only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixes: Option<SubmissionId>,
}

/// An upload grant with its URL.
#[derive(Debug, Clone)]
pub struct Granted {
    /// As it is recorded.
    pub grant: Grant,
    /// Where to upload; a secret.
    pub url: Url,
    /// Whether the request came before: the grant is the one that it got then.
    pub again: bool,
}

/// Grants an upload: records the grant, and signs a URL that can do this one thing. The same request with the same `key` by the same caller
/// within a day gets the same grant, as long as that is valid.
///
/// # Errors
/// Refused `G0400` with all that is wrong with the request, `G0409` if the path is taken, `A0422` if the key came with another request,
/// `W0404` if there is no submission to repair; those of the catalog and of the signer.
pub async fn grant(
    context: &Context,
    signer: &dyn UploadSigner,
    actor: &Actor,
    partner: &str,
    request: GrantRequest,
    key: Option<&str>,
) -> Result<Granted> {
    check(partner, &request)?;
    let key = key.map(|key| Key::new(actor, key, &request)).transpose()?;
    for _ in 0..10 {
        let mut before = Before::default();
        if let Some(key) = &key {
            before = key.before(context, &partition(partner)).await?;
        }
        if let Some(grant) = before.grant.take() {
            let url = signer.sign(partner, &grant.scope, left(context, &grant)?).await?;
            return Ok(Granted { grant, url, again: true });
        }
        check_world(context, signer, partner, &request).await?;
        let grant = make(context, actor, partner, &request)?;
        // Recorded before it is signed: an upload can never be without its grant. The same request in the same millisecond is the same grant.
        let mut document = body(&grant)?;
        if let Scope::File { path } = &grant.scope {
            // At the top for queries: admit looks for the grant of a path.
            document["path"] = path.as_str().into();
        }
        let mut writes = vec![Write::Put { id: Grant::document_id(&grant.grant_id), kind: "grant", body: document }];
        if let Some(key) = &key {
            writes.push(key.write(context, before, &grant)?);
        }
        if context.catalog.commit(&partition(partner), writes).await? == Committed::Done {
            let url = signer.sign(partner, &grant.scope, Duration::from_secs(request.valid_seconds)).await?;
            return Ok(Granted { grant, url, again: false });
        }
        // The same key came twice at once: the other one has its grant now.
    }
    Err(Error::transient("K0409", "the idempotency key was used by others ten times in a row"))
}

/// What can be said of a request only by looking: the container, the path, and the submission that is to be repaired.
async fn check_world(context: &Context, signer: &dyn UploadSigner, partner: &str, request: &GrantRequest) -> Result<()> {
    if let Some(fixes) = &request.fixes {
        find(context, Some(partner), fixes.as_str()).await?;
    }
    signer.ensure_container(partner).await?;
    if let Scope::File { path } = &request.scope {
        let blob = BlobPath::new(format!("{LANDING_PREFIX}{partner}"), path.as_str());
        if context.lake.head(&blob).await?.is_some() {
            return Err(Error::refused(
                "G0409",
                format!("{path:?} is there already: choose another path, since a granted path is written once"),
            ));
        }
    }
    Ok(())
}

fn make(context: &Context, actor: &Actor, partner: &str, request: &GrantRequest) -> Result<Grant> {
    let now = context.clock.now();
    let created_by = actor.id().to_owned();
    let mut grant = Grant {
        grant_id: String::new(),
        partner: partner.to_owned(),
        scope: request.scope.clone(),
        declared: request.declared.clone(),
        fixes: request.fixes.clone(),
        created_at: rfc3339(now),
        created_by,
        expires_at: rfc3339(now + Duration::from_secs(request.valid_seconds)),
    };
    grant.grant_id = grant_id(&grant)?;
    Ok(grant)
}

/// How long a grant is still valid.
fn left(context: &Context, grant: &Grant) -> Result<Duration> {
    let until =
        DateTime::parse_from_rfc3339(&grant.expires_at).map_err(|e| Error::bug("K0502", "a grant's end cannot be read").because(e))?;
    Ok((until.to_utc() - context.clock.now()).to_std().unwrap_or_default())
}

/// The catalog partition of a partner.
fn partition(partner: &str) -> String {
    format!("partner:{partner}")
}

fn grant_id(grant: &Grant) -> Result<String> {
    let mut hasher = blake3::Hasher::new_derive_key("sluice 2026 grant id v1");
    hasher.update(body(grant)?.to_string().as_bytes());
    Ok(format!("g-{}", &hasher.finalize().to_hex()[..25]))
}

/// Refuses a request with everything that is wrong with it.
fn check(partner: &str, request: &GrantRequest) -> Result<()> {
    let mut wrong = Vec::new();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !(2..=40).contains(&partner.len())
        || !partner.chars().all(plain)
        || partner.starts_with('-')
        || partner.ends_with('-')
        || partner.contains("--")
    {
        wrong.push(format!("partner {partner:?} is not 2 to 40 lower case letters, digits and single hyphens"));
    }
    if !(LEAST_SECONDS..=MOST_SECONDS).contains(&request.valid_seconds) {
        wrong.push(format!("valid_seconds is {}, expected {LEAST_SECONDS} to {MOST_SECONDS}", request.valid_seconds));
    }
    match &request.scope {
        Scope::File { path } => wrong.extend(path_fault(path).map(|fault| format!("path {path:?} {fault}"))),
        Scope::Container { .. } if request.declared != Declared::default() => {
            wrong.push("checksums can be declared for one file only, not for a container: set them as metadata of each blob".to_owned());
        }
        Scope::Container { .. } => {}
    }
    if request.fixes.is_some() && matches!(request.scope, Scope::Container { .. }) {
        wrong.push("repaired rows come in one file, not in a container: ask for a path".to_owned());
    }
    for (name, value, digits) in
        [("md5", &request.declared.md5, 32), ("sha256", &request.declared.sha256, 64), ("blake3", &request.declared.blake3, 64)]
    {
        let hex = |v: &String| v.len() == digits && v.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if value.as_ref().is_some_and(|v| !hex(v)) {
            wrong.push(format!("declared {name} is not {digits} lower case hex digits"));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(Error::refused("G0400", wrong.join("; "))) }
}

/// What is wrong with a path below a partner's container.
fn path_fault(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("is empty");
    }
    if path.chars().count() > PATH_CHARS {
        return Some("has more than 1024 characters");
    }
    if path.chars().any(|c| c.is_control() || c == '\\') {
        return Some("has a control character or a backslash");
    }
    // Clients and servers normalise such segments differently, so what is signed would not be what is written.
    path.split('/').any(|s| s.is_empty() || s.ends_with('.')).then_some("has a segment that is empty or ends with a dot")
}

/// Runs that an id or a path names, the newest first: a submission, a run, a grant, or a path below the partner's container. With `partner`
/// only that partner's runs are found.
///
/// # Errors
/// Refused `W0404` if nothing is named so; those of the catalog.
pub async fn find(context: &Context, partner: Option<&str>, id: &str) -> Result<Vec<Run>> {
    let missing = || Error::refused("W0404", format!("there is no submission, run, grant or path {id:?}"));
    let mine = |run: &Run| partner.is_none_or(|p| run.partner == p);
    if let Ok(run) = RunId::try_from(id.to_owned()) {
        let run = runs::get(context, &run).await.map_err(|e| if e.code() == "W0404" { missing() } else { e })?;
        return if mine(&run) { Ok(vec![run]) } else { Err(missing()) };
    }
    let mut filter = RunFilter { partner: partner.map(str::to_owned), ..Default::default() };
    if let Ok(submission) = SubmissionId::try_from(id.to_owned()) {
        filter.submission = Some(submission);
    } else if let Some(grant) = find_grant(context, partner, id).await? {
        let Scope::File { path } = grant.scope else { return Err(missing()) };
        filter.partner = Some(grant.partner);
        filter.path = Some(path);
    } else {
        filter.path = Some(id.to_owned());
    }
    let mut found = Vec::new();
    let mut cursor = None;
    loop {
        let page = runs::list(context, &filter, cursor.as_deref(), 1000).await?;
        found.extend(page.items);
        cursor = page.next;
        if cursor.is_none() || found.len() >= 1000 {
            return if found.is_empty() { Err(missing()) } else { Ok(found) };
        }
    }
}

async fn find_grant(context: &Context, partner: Option<&str>, id: &str) -> Result<Option<Grant>> {
    if !id.starts_with("g-") {
        return Ok(None);
    }
    let query =
        Query { kind: "grant", partition: partner.map(partition), equals: vec![("grant_id", id.into())], limit: 1, ..Default::default() };
    let page = context.catalog.query(&query).await?;
    page.documents.first().map(crate::Document::parse).transpose()
}

/// The receipt of a run.
///
/// # Errors
/// Refused `W0404` if there is no such run, `W0425` if it has not ended yet; those of catalog and lake.
pub async fn receipt(context: &Context, id: &RunId) -> Result<Receipt> {
    let run = runs::get(context, id).await?;
    let receipt = crate::receipt::read(context, &run).await?;
    receipt.ok_or_else(|| Error::refused("W0425", format!("the run is {}: its receipt is written when it has ended", run.state.name())))
}
