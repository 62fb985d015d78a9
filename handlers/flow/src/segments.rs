//! What moving a segment leaves behind: the values of its blocks and the places where its records may begin.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures::{StreamExt as _, TryStreamExt as _};
use serde::{Deserialize, Serialize};
use sluice_engine::SegmentNotes;

use crate::{Context, Error, Query, Result, RunId, integrity::BlockValue, run::Run};

/// A moved segment; document `segment:<n>`, kind `segment`. Never changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// 0-based.
    pub index: u32,
    /// Its length.
    pub bytes: u64,
    /// Base64 of the 32-byte values of its blocks, one after the other.
    pub blocks: String,
    /// Where records may begin; `None` if the file is not cut at records.
    pub notes: Option<SegmentNotes>,
}

impl Segment {
    /// A segment with these block values.
    pub fn new(index: u32, bytes: u64, values: &[BlockValue], notes: Option<SegmentNotes>) -> Self {
        Self { index, bytes, blocks: STANDARD.encode(values.concat()), notes }
    }

    /// Id of its document.
    pub fn document_id(index: u32) -> String {
        format!("segment:{index:08}")
    }

    /// Values of its blocks.
    ///
    /// # Errors
    /// [`crate::Kind::Bug`] `K0502` if they are not what [`Segment::new`] wrote.
    pub fn values(&self) -> Result<Vec<BlockValue>> {
        let broken = || Error::bug("K0502", format!("the block values of segment {} are not base64 of whole values", self.index));
        let bytes = STANDARD.decode(&self.blocks).map_err(|e| broken().because(e))?;
        let (values, rest) = bytes.as_chunks::<32>();
        if rest.is_empty() { Ok(values.to_vec()) } else { Err(broken()) }
    }
}

/// Byte range of segment `index` of a run.
pub fn range(run: &Run, index: u32) -> std::ops::Range<u64> {
    let start = u64::from(index) * run.segment_bytes;
    start..(start + run.segment_bytes).min(run.source.size)
}

/// All segments of a run, in order.
///
/// # Errors
/// Those of the catalog; [`crate::Kind::Transient`] `J0410` if not all of them can be seen yet.
pub async fn all(context: &Context, run: &Run) -> Result<Vec<Segment>> {
    let mut query = Query { kind: "segment", partition: Some(run.run_id.partition()), limit: 200, ..Query::default() };
    let mut segments: Vec<Segment> = Vec::with_capacity(run.segments as usize);
    loop {
        let page = context.catalog.query(&query).await?;
        for document in &page.documents {
            segments.push(document.parse()?);
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    if !segments.iter().map(|s| s.index).eq(0..run.segments) {
        return Err(Error::transient(
            "J0410",
            format!("expected {} segments of run {}, found {}", run.segments, run.run_id, segments.len()),
        ));
    }
    Ok(segments)
}

/// Segments `first..=last` of a run.
///
/// # Errors
/// Those of the catalog; [`crate::Kind::Transient`] `J0410` if one of them cannot be seen yet.
pub async fn span(context: &Context, run: &RunId, first: u32, last: u32) -> Result<Vec<Segment>> {
    let partition = run.partition();
    let load = |index: u32| {
        let partition = &partition;
        async move {
            let document = context.catalog.get(partition, &Segment::document_id(index)).await?;
            document.ok_or_else(|| Error::transient("J0410", format!("segment {index} of run {run} is not there yet")))?.parse()
        }
    };
    futures::stream::iter(first..=last).map(load).buffered(8).try_collect().await
}
