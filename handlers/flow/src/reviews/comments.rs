//! What people say about a case.

use serde_json::json;

use super::{COMMENT_CHARS, change};
use crate::{
    Context, Error, Result,
    audit::Actor,
    review::{CaseStatus, Comment, ReviewCase},
    run::State,
};

/// Most bytes of all comments of a case: its document has to hold them beside its decisions.
const COMMENTS_BYTES: usize = 100_000;

/// Adds a comment. With the `key` of one that is there already nothing is added: the request came twice.
///
/// # Errors
/// Refused `W0404`, `W0410` (the run is not reviewed any more), `W0413` (too long, or too many), `W0425` (not open yet); those of the catalog.
pub async fn comment(context: &Context, actor: &Actor, case_id: &str, text: &str, key: Option<String>) -> Result<ReviewCase> {
    let characters = text.chars().count();
    if characters > COMMENT_CHARS {
        return Err(Error::refused(
            "W0413",
            format!("a comment has at most {COMMENT_CHARS} characters, this one {characters}: shorten it"),
        ));
    }
    let (_, case) = change(context, actor, case_id, |run, case| {
        if key.is_some() && case.comments.iter().any(|comment| comment.key == key) {
            return Ok(None);
        }
        if case.status == CaseStatus::Opening {
            return Err(Error::refused("W0425", "the case is being opened: try again in a moment"));
        }
        if run.state != State::Reviewing {
            return Err(Error::refused("W0410", format!("the run is {}: its cases take no comments any more", run.state.name())));
        }
        let bytes: usize = case.comments.iter().map(|comment| comment.text.len()).sum();
        if bytes + text.len() > COMMENTS_BYTES {
            return Err(Error::refused("W0413", format!("the comments of a case have at most {COMMENTS_BYTES} bytes together")));
        }
        case.comments.push(Comment { by: actor.clone(), at: context.now(), text: text.to_owned(), key: key.clone() });
        // The words may hold values of rows: the log proves them, it does not tell them.
        let hash = blake3::hash(text.as_bytes()).to_hex().to_string();
        Ok(Some(("case.commented", json!({ "case": case.case_id, "comment": hash, "characters": characters }))))
    })
    .await?;
    Ok(case)
}
