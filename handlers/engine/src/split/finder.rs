//! One record of a chunk, found by its number.

use std::sync::Arc;

use sluice_contract::Plan;

use super::automaton::Automaton;
use super::splitter::{Found, Shape, Splitter};
use crate::Chunk;

/// Finds one record of a chunk of records, so that the engine can be asked about this record alone.
pub struct RecordFinder {
    splitter: Splitter,
    row: u64,
    /// The record that stands next.
    next_row: u64,
    line: u64,
    /// Bytes from the start of the open record on.
    text: Vec<u8>,
    base: u64,
    /// The record, whose line end may go on with the next byte.
    found: Option<Chunk>,
}

impl RecordFinder {
    /// For the record with this number (0-based, in the file), which lies in `chunk`.
    pub fn new(plan: &Plan, chunk: &Chunk, row: u64) -> Self {
        let splitter = Splitter::new(Arc::new(Automaton::of(plan)), plan.pipeline.limits.row_bytes);
        Self { splitter, row, next_row: chunk.first_row, line: chunk.first_line, text: Vec::new(), base: chunk.start, found: None }
    }

    /// Takes the next bytes of the chunk, in pieces of any size; `is_last` with its end. Gives the record as a chunk of its own, which the
    /// engine treats just as it treats the record in its own chunk.
    pub fn push(&mut self, bytes: &[u8], is_last: bool) -> Option<Chunk> {
        if let Some(mut found) = self.found.take() {
            if bytes.is_empty() && !is_last {
                self.found = Some(found);
                return None;
            }
            found.end += u64::from(bytes.first() == Some(&b'\n'));
            return Some(found);
        }
        self.text.extend_from_slice(bytes);
        let mut used = 0;
        let found = loop {
            match self.splitter.next(&self.text[used..], is_last) {
                Found::More => break None,
                Found::Skip { len, lines } => {
                    used += len;
                    self.line += u64::from(lines);
                    if is_last && used == self.text.len() && len == 0 {
                        break None;
                    }
                }
                Found::Record { len, lines, shape, .. } => {
                    self.splitter.clear_fields();
                    let start = self.base + used as u64;
                    used += len;
                    if self.next_row == self.row {
                        // One byte more than the longest row shows that it is too long.
                        let end = start + len as u64 + u64::from(shape == Shape::TooLong);
                        break Some(Chunk { start, end, first_row: self.row, first_line: self.line, row_groups: Vec::new() });
                    }
                    self.next_row += 1;
                    self.line += u64::from(lines);
                }
            }
        };
        let is_open = !is_last && used == self.text.len() && self.text.last() == Some(&b'\r');
        self.text.drain(..used);
        self.base += used as u64;
        if is_open {
            self.found = found;
            return None;
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use sluice_contract::Sources;

    use super::*;

    fn plan() -> Plan {
        let pipeline = "{apiVersion: sluice/v1, kind: Pipeline, name: t, contract: t.odcs.yaml, intake: {partner: acme, path: '*.csv', format: {csv: {}}}, publish: {table: t}}";
        let contract = "{apiVersion: v3.1.0, kind: DataContract, id: t, version: 1.0.0, status: active, schema: [{name: t, properties: [{name: a, logicalType: string}, {name: b, logicalType: string}]}]}";
        Plan::parse(&Sources { pipeline_file: "t.yaml", pipeline, contract_file: "t.odcs.yaml", contract }).expect("a plan")
    }

    fn find(text: &str, row: u64, piece: usize) -> Option<Chunk> {
        let plan = plan();
        let chunk = Chunk { start: 100, end: 100 + text.len() as u64, first_row: 7, first_line: 3, row_groups: Vec::new() };
        let mut finder = RecordFinder::new(&plan, &chunk, row);
        let mut pieces = text.as_bytes().chunks(piece).peekable();
        while let Some(piece) = pieces.next() {
            let found = finder.push(piece, pieces.peek().is_none());
            if found.is_some() {
                return found;
            }
        }
        None
    }

    #[test]
    fn a_record_is_found_with_its_line_and_bytes() {
        let text = "a,b\r\n\"x\ny\",2\n\nlast,3";
        for (row, line, record) in [(7, 3, "a,b\r\n"), (8, 4, "\"x\ny\",2\n"), (9, 7, "last,3")] {
            let found = find(text, row, 1000).expect("a record");
            assert_eq!((found.first_row, found.first_line), (row, line));
            assert_eq!(&text[(found.start - 100) as usize..(found.end - 100) as usize], record);
        }
        assert_eq!(find(text, 10, 1000), None);
    }

    proptest! {
        #[test]
        fn the_cut_into_pieces_does_not_matter(text in "[a,\"\r\n]{1,40}", row in 7u64..12, piece in 1usize..8) {
            prop_assert_eq!(find(&text, row, piece), find(&text, row, 1000));
        }
    }
}
