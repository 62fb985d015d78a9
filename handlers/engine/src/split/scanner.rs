//! Notes where records begin in one segment, whatever came before it.
//!
//! A segment is split once from every state that the bytes before it can leave behind. Most of these tracks meet at the first record
//! that begins in the same place; then one of them goes on alone.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sluice_contract::Plan;

use super::automaton::{Automaton, END_ROW, END_SKIP, LINE, RECORD, STRAY};
use super::index::Index;
use super::splitter::{Found, Open, Splitter};
use crate::HeaderEnd;

/// About how far apart noted boundaries are, in bytes.
pub const BOUNDARY_SPACING: u64 = 1 << 20;

/// Bytes that all tracks look at before the next bytes are taken.
const ROUND: usize = 256 << 10;

/// A place where a record begins, with the rows and lines before it (counted from the start of the segment).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    #[serde(rename = "o")]
    pub(crate) offset: u64,
    #[serde(rename = "r")]
    pub(crate) rows: u64,
    #[serde(rename = "l")]
    pub(crate) lines: u64,
}

/// How a track ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum TrackEnd {
    /// It reaches the end of the segment: the state there, the rows and lines up to there, and the last record that began in the ordinary way.
    Open { state: Option<u16>, rows: u64, lines: u64, last: Option<Mark> },
    /// At this place it is the same as another track.
    Meets { track: u16, here: Mark, there: Mark },
    /// Its first record is longer than allowed wherever it began, or is cut at a line end that may stand before the segment.
    Lost,
}

/// A segment as split from one state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TrackNotes {
    /// Where the content of the record that was open at the start ends; `None` if it does not.
    pub(crate) first_end: Option<u64>,
    pub(crate) marks: Vec<Mark>,
    pub(crate) end: TrackEnd,
}

/// What [`Scanner`] found in one segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SegmentNotes {
    /// Where the header ends, if it is known that the data begin in this segment.
    pub(crate) data_start: Option<u64>,
    /// A track for each state at the start (the states of the automaton, then "dropping", then "after CR"), or for the header's end alone.
    pub(crate) tracks: Vec<TrackNotes>,
}

/// The number of a start state in [`SegmentNotes::tracks`].
pub(crate) fn track_of(automaton: &Automaton, open: Open) -> Option<u16> {
    let states = automaton.len() as u16;
    match open {
        Open::State(state) => Some(u16::from(state)),
        Open::Dropping => Some(states),
        Open::AfterCr => Some(states + 1),
        Open::Careful => None,
    }
}

struct Track {
    splitter: Splitter,
    /// Offset of what is looked at next: the open record, or, in the record that was open at the start, the next byte.
    pos: u64,
    /// In the record that was open at the start, with the state there.
    first: Option<u8>,
    rows: u64,
    lines: u64,
    first_end: Option<u64>,
    marks: Vec<Mark>,
    next_mark: u64,
    last: Option<Mark>,
    /// Where records began in this round.
    starts: Vec<Mark>,
    end: Option<TrackEnd>,
}

impl Track {
    fn new(splitter: Splitter, pos: u64, first: Option<u8>) -> Self {
        Self {
            splitter,
            pos,
            first,
            rows: 0,
            lines: 0,
            first_end: None,
            marks: Vec::new(),
            next_mark: 0,
            last: None,
            starts: Vec::new(),
            end: None,
        }
    }

    /// Splits on to the end of `text`, which begins at `base`.
    fn run(&mut self, base: u64, text: &[u8], others: &[Track], mut index: Option<&mut Index>) {
        let mut splitter = self.splitter.clone();
        loop {
            let rest = &text[(self.pos - base) as usize..];
            if let Some(state) = self.first {
                if self.run_first(&mut splitter, state, rest) {
                    continue;
                }
                break;
            }
            if splitter.is_fresh() && !rest.is_empty() {
                let here = Mark { offset: self.pos, rows: self.rows, lines: self.lines };
                if let Some((track, there)) = meet(others, &here) {
                    self.end = Some(TrackEnd::Meets { track, here, there });
                    break;
                }
                self.starts.push(here);
                self.last = Some(here);
                if here.offset >= self.next_mark {
                    self.marks.push(here);
                    self.next_mark = here.offset + BOUNDARY_SPACING;
                }
            }
            if let Some(index) = index.as_deref_mut().filter(|_| splitter.is_fresh())
                && self.run_ordinary(index, base, text)
            {
                continue;
            }
            splitter.clear_fields();
            match splitter.next(rest, false) {
                Found::More => break,
                Found::Skip { len, lines } => {
                    self.pos += len as u64;
                    self.lines += u64::from(lines);
                }
                Found::Record { len, lines, .. } => {
                    self.pos += len as u64;
                    self.rows += 1;
                    self.lines += u64::from(lines);
                }
            }
        }
        self.splitter = splitter;
    }

    /// Passes over some ordinary records, if the next ones are; `false` if not.
    fn run_ordinary(&mut self, index: &mut Index, base: u64, text: &[u8]) -> bool {
        index.find::<false>(text, (self.pos - base) as usize, usize::MAX);
        for record in &index.records {
            let here = Mark { offset: base + u64::from(record.start), rows: self.rows, lines: self.lines };
            self.last = Some(here);
            if here.offset >= self.next_mark {
                self.marks.push(here);
                self.next_mark = here.offset + BOUNDARY_SPACING;
            }
            self.pos = base + u64::from(record.next);
            self.rows += 1;
            self.lines += u64::from(record.lines);
        }
        !index.records.is_empty()
    }

    /// Follows the record that was open at the start. `false` when there are no more bytes, or no more to say.
    fn run_first(&mut self, splitter: &mut Splitter, mut state: u8, rest: &[u8]) -> bool {
        let limit = rest.len().min((splitter.row_bytes() as u64 + 1 - self.pos.min(splitter.row_bytes() as u64 + 1)) as usize);
        for (i, byte) in rest[..limit].iter().enumerate() {
            let step = splitter.automaton().row(state)[usize::from(*byte)];
            state = step as u8;
            if step & (END_ROW | END_SKIP) != 0 {
                self.first = None;
                self.first_end = Some(self.pos + i as u64);
                self.pos += i as u64 + 1;
                self.rows += u64::from(step & END_ROW != 0);
                self.lines += 1;
                if *byte == b'\r' {
                    splitter.start_after_cr();
                }
                return true;
            }
            if step & STRAY != 0 {
                // It is cut at its first line end, which may stand in an earlier segment.
                self.end = Some(TrackEnd::Lost);
                return false;
            }
            self.lines += u64::from(step & LINE != 0);
        }
        self.pos += limit as u64;
        self.first = Some(state);
        if self.pos > splitter.row_bytes() as u64 {
            self.end = Some(TrackEnd::Lost);
        }
        false
    }

    fn finish(self, automaton: &Automaton) -> TrackNotes {
        let end = self.end.unwrap_or_else(|| {
            let open = self.first.map_or_else(|| self.splitter.open_state(), Open::State);
            // Line ends inside the record that is still open were passed too.
            let lines = self.lines + u64::from(self.splitter.open_lines());
            TrackEnd::Open { state: track_of(automaton, open), rows: self.rows, lines, last: self.last }
        });
        TrackNotes { first_end: self.first_end, marks: self.marks, end }
    }
}

/// The first track that has a record beginning at the same place.
fn meet(tracks: &[Track], here: &Mark) -> Option<(u16, Mark)> {
    tracks.iter().enumerate().find_map(|(i, track)| {
        let at = track.starts.binary_search_by_key(&here.offset, |m| m.offset).ok()?;
        Some((i as u16, track.starts[at]))
    })
}

/// Notes where records begin in one segment, whatever came before it.
pub struct Scanner {
    automaton: Arc<Automaton>,
    /// For a track that goes on alone: the others must know where its records begin, one by one.
    index: Option<Index>,
    tracks: Vec<Track>,
    /// Bytes still needed, from `base` on.
    text: Vec<u8>,
    base: u64,
    data_start: Option<u64>,
}

impl Scanner {
    /// For a segment at any place of the file.
    pub fn new(plan: &Plan) -> Self {
        let automaton = Arc::new(Automaton::of(plan));
        let splitter = Splitter::new(Arc::clone(&automaton), plan.pipeline.limits.row_bytes);
        let index = splitter.index();
        let mut tracks: Vec<_> = (0..automaton.len() as u8).map(|s| Track::new(splitter.clone(), 0, (s != RECORD).then_some(s))).collect();
        let mut dropping = splitter.clone();
        dropping.start_dropping();
        tracks.push(Track::new(dropping, 0, None));
        let mut after_cr = splitter;
        after_cr.start_after_cr();
        tracks.push(Track::new(after_cr, 0, None));
        Self { automaton, index, tracks, text: Vec::new(), base: 0, data_start: None }
    }

    /// For the segment in which the data begin (an earlier one has only header), when the header is known: cheaper than
    /// [`Scanner::new`], and the segment need not be scanned twice. `data_start` is counted from the start of this segment.
    pub fn after_header(plan: &Plan, data_start: HeaderEnd) -> Self {
        let automaton = Arc::new(Automaton::of(plan));
        let splitter = Splitter::new(Arc::clone(&automaton), plan.pipeline.limits.row_bytes);
        let index = splitter.index();
        let track = Track::new(splitter, data_start.offset, None);
        Self { automaton, index, tracks: vec![track], text: Vec::new(), base: 0, data_start: Some(data_start.offset) }
    }

    /// Takes the next bytes of the segment, in pieces of any size.
    pub fn feed(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(ROUND) {
            self.text.extend_from_slice(piece);
            let end = self.base + self.text.len() as u64;
            let is_alone = self.tracks.iter().filter(|t| t.end.is_none()).count() == 1;
            for i in 0..self.tracks.len() {
                let (others, rest) = self.tracks.split_at_mut(i);
                let track = &mut rest[0];
                track.starts.clear();
                if track.end.is_none() && track.pos <= end {
                    track.run(self.base, &self.text, others, self.index.as_mut().filter(|_| is_alone));
                }
            }
            let needed = self.tracks.iter().filter(|t| t.end.is_none()).map(|t| t.pos).min().unwrap_or(end).min(end);
            self.text.drain(..(needed - self.base) as usize);
            self.base = needed;
        }
    }

    /// Offset of the first byte that is still needed.
    pub(super) fn needed(&self) -> u64 {
        self.tracks.first().map_or(0, |track| track.pos)
    }

    /// Looks on to the end of `text`, which begins at `base`, and gives the boundaries found: for a scanner that has one track, and whose
    /// caller keeps what is needed.
    pub(super) fn look(&mut self, base: u64, text: &[u8]) -> Vec<Mark> {
        let Some(track) = self.tracks.first_mut().filter(|track| track.pos <= base + text.len() as u64) else { return Vec::new() };
        track.starts.clear();
        track.run(base, text, &[], self.index.as_mut());
        std::mem::take(&mut track.marks)
    }

    /// Ends the segment.
    pub fn finish(self) -> SegmentNotes {
        let automaton = self.automaton;
        SegmentNotes { data_start: self.data_start, tracks: self.tracks.into_iter().map(|t| t.finish(&automaton)).collect() }
    }
}
