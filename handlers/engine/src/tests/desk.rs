//! What the steps of a run do around the engine, on a desk: a file is cut, and the accounts of its chunks are put together. For tests and for
//! fuzz targets, which take this file in by its path: it knows the engine by its public API only.

use std::sync::Arc;

use sluice_contract::Plan;
use sluice_engine::{
    Chunk, ChunkPlanner, ChunkReport, ChunkStart, Compiled, HeaderEnd, Refusal, RunReport, Scanner, SegmentNotes, Splitting,
    parquet_chunks, parquet_footer_len, read_header, splittable,
};

/// How a file is cut: bytes of a segment, of a chunk (to aim at) and of a push.
#[derive(Debug, Clone, Copy)]
pub struct Cut {
    /// Bytes of a segment.
    pub segment: usize,
    /// Bytes of a chunk, to aim at.
    pub chunk: u64,
    /// Bytes of a push.
    pub piece: usize,
}

impl Cut {
    /// Not at all.
    pub const NONE: Self = Self { segment: usize::MAX >> 1, chunk: u64::MAX >> 1, piece: usize::MAX >> 1 };
}

/// The chunks of a plain text, scanned in segments.
pub fn text_chunks(plan: &Plan, bytes: &[u8], start: HeaderEnd, cut: Cut) -> Vec<Chunk> {
    let mut planner = ChunkPlanner::new(plan, start, cut.chunk);
    let scan = |mut scanner: Scanner, bytes: &[u8]| {
        for piece in bytes.chunks(cut.piece) {
            scanner.feed(piece);
        }
        let notes = serde_json::to_string(&scanner.finish()).expect("notes are JSON");
        serde_json::from_str::<SegmentNotes>(&notes).expect("their own JSON")
    };
    for segment in bytes.chunks(cut.segment) {
        let notes = scan(Scanner::new(plan), segment);
        if let Some(again) = planner.push(segment.len() as u64, &notes) {
            let notes = scan(again.scanner(plan), &bytes[again.from as usize..again.to as usize]);
            planner.rescanned(&notes);
        }
    }
    planner.finish(bytes.len() as u64)
}

/// Where the chunks of a file begin. Those of a text lie side by side up to its end.
///
/// # Errors
/// The file is refused.
pub fn starts(compiled: &Compiled, bytes: &[u8], cut: Cut) -> Result<Vec<ChunkStart>, Refusal> {
    let plan = compiled.plan();
    let kind = splittable(plan, &bytes[..bytes.len().min(16)], "file");
    let file_len = bytes.len() as u64;
    // Where the next chunk of a text begins.
    let mut next = 0;
    let (header, footer, chunks) = match kind {
        Splitting::Records => {
            let header = read_header(plan, bytes, true)?;
            let data = HeaderEnd::from(&header);
            let chunks = text_chunks(plan, bytes, data, cut);
            next = data.offset;
            (header.names, None, chunks)
        }
        Splitting::Whole => (None, None, vec![Chunk { start: 0, end: file_len, first_row: 0, first_line: 1, row_groups: vec![] }]),
        Splitting::RowGroups => {
            let len = parquet_footer_len(&bytes[bytes.len().saturating_sub(8)..])?;
            let footer = &bytes[bytes.len().saturating_sub(usize::try_from(len).unwrap_or(usize::MAX))..];
            (None, Some(Arc::from(footer)), parquet_chunks(plan, footer, file_len, cut.chunk)?)
        }
    };
    let mut starts = Vec::new();
    for (index, chunk) in (0..).zip(chunks) {
        assert!(chunk.start <= chunk.end && chunk.end <= file_len, "a chunk outside of the file: {chunk:?}");
        assert!(kind == Splitting::RowGroups || chunk.start == next, "a gap before {chunk:?}, or an overlap");
        next = chunk.end;
        let (header, footer) = (header.clone(), footer.clone());
        starts.push(ChunkStart { run: "run-1".to_owned(), index, chunk, header, kind, footer, file_len });
    }
    assert!(kind == Splitting::RowGroups || next == file_len, "the last chunk ends at {next} of {file_len}");
    Ok(starts)
}

/// Where each row ended, and the account of the run; every row must have ended in exactly one way.
pub fn ends(reports: &[ChunkReport]) -> (Vec<&'static str>, RunReport) {
    let mut ends = Vec::new();
    let mut report = RunReport::default();
    for chunk in reports {
        assert_eq!(chunk.first_row, ends.len() as u64, "rows are numbered without gaps");
        chunk.check_balance().expect("each row in one set");
        let sets = chunk.sets();
        ends.extend((0..chunk.rows as u32).map(|row| sets.iter().find(|(_, set)| set.contains(row)).expect("in one set").0));
        report.merge(chunk);
    }
    (ends, report)
}
