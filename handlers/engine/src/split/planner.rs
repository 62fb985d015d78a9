//! Joins the notes of segments into chunks.

use std::sync::Arc;

use sluice_contract::Plan;

use super::automaton::{Automaton, RECORD};
use super::scanner::{Mark, Scanner, SegmentNotes, TrackEnd};
use crate::{Chunk, HeaderEnd};

/// Bytes that must be scanned once more, because a record longer than `limits.rowBytes` or an unclosed quote crosses into the segment just
/// pushed, or because the data begin in it. Read `from..to` of the file, feed it to [`Rescan::scanner`], and hand the notes to
/// [`ChunkPlanner::rescanned`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rescan {
    /// First byte to read.
    pub from: u64,
    /// After the last byte to read: the end of the segment just pushed.
    pub to: u64,
}

impl Rescan {
    /// The scanner to feed.
    pub fn scanner(&self, plan: &Plan) -> Scanner {
        Scanner::after_header(plan, HeaderEnd { offset: 0, lines: 0 })
    }
}

/// Joins the notes of segments, pushed in file order, into chunks.
pub struct ChunkPlanner {
    automaton: Arc<Automaton>,
    row_bytes: u64,
    data_start: HeaderEnd,
    chunk_bytes: u64,
    /// End of the last segment pushed.
    position: u64,
    /// The state there; `None` if only a scan from `start` can tell.
    state: Option<u16>,
    /// The last record that began in the ordinary way.
    start: Mark,
    rows: u64,
    lines: u64,
    chunks: Vec<Chunk>,
    chunk: Mark,
}

impl ChunkPlanner {
    /// `chunk_bytes` is the size to aim at: a chunk ends at the first noted boundary after it.
    pub fn new(plan: &Plan, data_start: HeaderEnd, chunk_bytes: u64) -> Self {
        let start = Mark { offset: data_start.offset, rows: 0, lines: data_start.lines };
        Self {
            automaton: Arc::new(Automaton::of(plan)),
            row_bytes: plan.pipeline.limits.row_bytes,
            data_start,
            chunk_bytes: chunk_bytes.max(1),
            position: 0,
            state: Some(u16::from(RECORD)),
            start,
            rows: 0,
            lines: data_start.lines,
            chunks: Vec::new(),
            chunk: start,
        }
    }

    /// Adds the next segment. `Some` asks for bytes to be scanned once more before the next push.
    #[must_use = "a rescan that is asked for must be done"]
    pub fn push(&mut self, segment_len: u64, notes: &SegmentNotes) -> Option<Rescan> {
        let from = self.position;
        self.position += segment_len;
        if self.position <= self.data_start.offset {
            return None;
        }
        if let Some(start) = notes.data_start {
            if from + start == self.data_start.offset {
                self.absorb(notes, 0, self.data_start.offset - start, 0, self.data_start.lines);
                return None;
            }
        } else if from >= self.data_start.offset
            && let Some(track) = self.state.filter(|state| self.fits(notes, *state, from, segment_len))
        {
            self.absorb(notes, track, from, self.rows, self.lines);
            return None;
        }
        Some(Rescan { from: self.start.offset, to: self.position })
    }

    /// Adds the notes of the bytes that the last push asked for.
    pub fn rescanned(&mut self, notes: &SegmentNotes) {
        self.absorb(notes, 0, self.start.offset, self.start.rows, self.start.lines);
    }

    /// Takes a boundary of a text whose rows and lines were counted from the end of the header, before which `lines` stand.
    pub(super) fn mark(&mut self, mark: &Mark, lines: u64) {
        self.boundary(Mark { lines: mark.lines + lines, ..*mark });
    }

    /// Takes the chunks that are complete.
    pub(super) fn take(&mut self) -> Vec<Chunk> {
        std::mem::take(&mut self.chunks)
    }

    /// The chunks; none if there is nothing after the header.
    pub fn finish(mut self, total: u64) -> Vec<Chunk> {
        if total > self.chunk.offset {
            self.end_chunk(Mark { offset: total, rows: 0, lines: 0 });
        }
        self.chunks
    }

    /// Whether the record that is open at the start of a segment ends in time there.
    fn fits(&self, notes: &SegmentNotes, state: u16, from: u64, segment_len: u64) -> bool {
        let Some(track) = notes.tracks.get(usize::from(state)) else { return false };
        if track.end == TrackEnd::Lost {
            return false;
        }
        let is_open = state != u16::from(RECORD) && usize::from(state) < self.automaton.len();
        !is_open || from - self.start.offset + track.first_end.unwrap_or(segment_len) <= self.row_bytes
    }

    /// Takes over a track of notes about bytes that begin at `base`, after so many rows and lines.
    fn absorb(&mut self, notes: &SegmentNotes, track: u16, base: u64, rows: u64, lines: u64) {
        let (mut track, mut rows, mut lines, mut since) = (track, rows as i64, lines as i64, 0);
        loop {
            let place = |m: &Mark, rows: i64, lines: i64| Mark {
                offset: base + m.offset,
                rows: (rows + m.rows as i64) as u64,
                lines: (lines + m.lines as i64) as u64,
            };
            let found = &notes.tracks[usize::from(track)];
            for mark in found.marks.iter().filter(|m| m.offset >= since) {
                self.boundary(place(mark, rows, lines));
            }
            match &found.end {
                TrackEnd::Meets { track: next, here, there } => {
                    // A record begins here, though no track need have it among its marks.
                    self.boundary(place(here, rows, lines));
                    track = *next;
                    since = there.offset;
                    rows += here.rows as i64 - there.rows as i64;
                    lines += here.lines as i64 - there.lines as i64;
                }
                TrackEnd::Open { state, rows: more_rows, lines: more_lines, last } => {
                    if let Some(last) = last {
                        self.start = place(last, rows, lines);
                    }
                    self.state = *state;
                    self.rows = (rows + *more_rows as i64) as u64;
                    self.lines = (lines + *more_lines as i64) as u64;
                    return;
                }
                TrackEnd::Lost => {
                    self.state = None;
                    return;
                }
            }
        }
    }

    fn boundary(&mut self, mark: Mark) {
        if mark.offset > self.chunk.offset && mark.offset - self.chunk.offset >= self.chunk_bytes {
            self.end_chunk(mark);
        }
    }

    fn end_chunk(&mut self, next: Mark) {
        self.chunks.push(Chunk {
            start: self.chunk.offset,
            end: next.offset,
            first_row: self.chunk.rows,
            first_line: self.chunk.lines + 1,
            row_groups: Vec::new(),
        });
        self.chunk = next;
    }
}
