//! Fan-in: knows when all parts of a step are done, through a tree of groups of 64, so that the cost is linear in the parts.
//!
//! Each group is a document with one bit a child. Setting a bit again changes nothing, and whoever finds the root full says so,
//! so a redelivered message can always finish what a crash cut short; emitting twice is fine, since every step is idempotent.

use serde::{Deserialize, Serialize};

use crate::{Committed, Context, Error, Result, RunId, Step, Write, catalog::body};

const GROUP: u32 = 64;

#[derive(Debug, Serialize, Deserialize)]
struct Group {
    /// 16 hex digits: JSON numbers do not hold 64 bits everywhere.
    done: String,
}

/// Notes that `part` of `parts` is done; true if all are (which more than one caller may be told).
///
/// # Errors
/// Those of the catalog; [`crate::Kind::Transient`] `K0410` if a group was contended too long.
pub async fn done(context: &Context, run: &RunId, step: Step, generation: u32, parts: u32, part: u32) -> Result<bool> {
    let (mut index, mut count) = (part, parts);
    for level in 0u32.. {
        if count == 1 && level > 0 || parts == 1 {
            return Ok(true);
        }
        let group = index / GROUP;
        let children = (count - group * GROUP).min(GROUP);
        if !set(context, run, &format!("fan:{step}:{generation}:{level}:{group:06}"), index % GROUP, children).await? {
            return Ok(false);
        }
        (index, count) = (group, count.div_ceil(GROUP));
    }
    unreachable!("a tree over 32-bit parts has at most six levels")
}

/// Sets one bit; true if the group is full.
async fn set(context: &Context, run: &RunId, id: &str, bit: u32, children: u32) -> Result<bool> {
    let full = if children == GROUP { u64::MAX } else { (1 << children) - 1 };
    let partition = run.partition();
    for _ in 0..200 {
        let before = context.catalog.get(&partition, id).await?;
        let done = match &before {
            Some(document) => {
                let group: Group = document.parse()?;
                u64::from_str_radix(&group.done, 16)
                    .map_err(|e| Error::bug("K0502", format!("fan-in document {id} is not hex")).because(e))?
            }
            None => 0,
        };
        let now = done | 1 << bit;
        if now == done {
            return Ok(done == full);
        }
        let body = body(&Group { done: format!("{now:016x}") })?;
        let id = id.to_owned();
        let write = match before {
            Some(document) => Write::Replace { id, kind: "fan", body, etag: document.etag },
            None => Write::Create { id, kind: "fan", body },
        };
        if context.catalog.commit(&partition, vec![write]).await? == Committed::Done {
            return Ok(now == full);
        }
    }
    Err(Error::transient("K0410", format!("fan-in document {id} of run {run} is contended")))
}
