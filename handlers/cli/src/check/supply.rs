//! Where the workers of a scan get their chunks from.
//!
//! A text is read once: whoever needs the next chunk reads on, under the lock, until the chunk is known, and takes its bytes along.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use sluice_engine::{BOUNDARY_SPACING, Chunk, Chunker};

use super::scan::{CHUNK_BYTES, PIECE, Stop, became_shorter};

/// A chunk without a boundary for so many bytes is not held in memory, but read again.
const HELD_BYTES: usize = 3 * CHUNK_BYTES as usize;
/// Room for a chunk and what is read beyond it.
const ROOM: usize = (CHUNK_BYTES + BOUNDARY_SPACING) as usize + 2 * PIECE;

/// A chunk for one worker.
pub(super) struct Work {
    pub(super) index: usize,
    pub(super) chunk: Chunk,
    /// Its bytes from this place on; `None` if they are to be read.
    pub(super) held: Option<(Vec<u8>, usize)>,
}

/// Chunks, each given out once.
pub(super) struct Supply(Mutex<Inner>);

enum Inner {
    Known(VecDeque<(usize, Chunk)>),
    Cut(Box<Cut>),
}

/// A text that is cut while it is read.
struct Cut {
    path: PathBuf,
    file: File,
    /// Bytes of the file that are not read yet.
    left: u64,
    /// `None` at the end.
    chunker: Option<Chunker>,
    /// What is read and in no chunk yet, from the offset `base` on.
    buffer: Vec<u8>,
    base: u64,
    ready: VecDeque<Chunk>,
    /// All chunks so far.
    chunks: Vec<Chunk>,
    /// Buffers to use again.
    spare: Vec<Vec<u8>>,
}

impl Supply {
    /// These chunks of a list.
    pub(super) fn known(chunks: &[Chunk], indexes: impl Iterator<Item = usize>) -> Self {
        Self(Mutex::new(Inner::Known(indexes.map(|i| (i, chunks[i].clone())).collect())))
    }

    /// The chunks of a text of `len` bytes, read from its beginning; `path` is its name.
    pub(super) fn cut(path: &Path, file: File, len: u64, chunker: Chunker) -> Self {
        let (buffer, ready) = (Vec::with_capacity(ROOM.min(len as usize + 1)), VecDeque::new());
        Self(Mutex::new(Inner::Cut(Box::new(Cut {
            path: path.to_owned(),
            file,
            left: len,
            chunker: Some(chunker),
            buffer,
            base: 0,
            ready,
            chunks: Vec::new(),
            spare: Vec::new(),
        }))))
    }

    /// The next chunk; `None` if there is none. `check_stop` is asked before each read: a chunk may be long in coming.
    pub(super) fn next(&self, check_stop: impl Fn() -> Result<(), Stop>) -> Result<Option<Work>, Stop> {
        match &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Inner::Known(chunks) => Ok(chunks.pop_front().map(|(index, chunk)| Work { index, chunk, held: None })),
            Inner::Cut(cut) => cut.next(check_stop),
        }
    }

    /// Takes the bytes of a chunk back, to use their memory again.
    pub(super) fn give_back(&self, bytes: Vec<u8>) {
        if let Inner::Cut(cut) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            cut.spare.push(bytes);
        }
    }

    /// All chunks that were cut; `None` for those that were known.
    pub(super) fn into_cut(self) -> Option<Vec<Chunk>> {
        match self.0.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Inner::Known(_) => None,
            Inner::Cut(cut) => Some(cut.chunks),
        }
    }
}

impl Cut {
    fn next(&mut self, check_stop: impl Fn() -> Result<(), Stop>) -> Result<Option<Work>, Stop> {
        loop {
            if let Some(chunk) = self.ready.pop_front() {
                return Ok(Some(self.hand_out(chunk)));
            }
            let Some(chunker) = &mut self.chunker else { return Ok(None) };
            check_stop()?;
            let most = self.left.min(PIECE as u64);
            let read = (&mut self.file).take(most).read_to_end(&mut self.buffer)? as u64;
            if read < most {
                return Err(became_shorter(&self.path));
            }
            self.left -= read;
            self.ready.extend(chunker.push(self.base, &self.buffer));
            let needed = chunker.needed();
            if self.left == 0 {
                let total = self.base + self.buffer.len() as u64;
                self.ready.extend(self.chunker.take().map(|chunker| chunker.finish(total)).unwrap_or_default());
            } else if self.ready.is_empty() && self.buffer.len() > HELD_BYTES {
                self.forget(needed);
            }
        }
    }

    fn hand_out(&mut self, chunk: Chunk) -> Work {
        let index = self.chunks.len();
        self.chunks.push(chunk.clone());
        if chunk.start < self.base {
            self.forget(chunk.end);
            return Work { index, chunk, held: None };
        }
        let (start, end) = ((chunk.start - self.base) as usize, (chunk.end - self.base) as usize);
        let mut rest = self.spare.pop().unwrap_or_else(|| Vec::with_capacity(ROOM.min(self.left as usize + self.buffer.len() - end)));
        rest.clear();
        rest.extend_from_slice(&self.buffer[end..]);
        let mut bytes = std::mem::replace(&mut self.buffer, rest);
        bytes.truncate(end);
        self.base = chunk.end;
        Work { index, chunk, held: Some((bytes, start)) }
    }

    /// Lets go of what stands before an offset.
    fn forget(&mut self, before: u64) {
        let len = ((before - self.base) as usize).min(self.buffer.len());
        self.buffer.drain(..len);
        self.base += len as u64;
    }
}

#[cfg(test)]
mod tests {
    use sluice_contract::{Plan, Sources};
    use sluice_engine::HeaderEnd;

    use super::*;

    const PIPELINE: &str = "{apiVersion: sluice/v1, kind: Pipeline, name: t, contract: t.odcs.yaml, intake: {partner: acme, path: '**', \
        format: {csv: {header: none}}}, publish: {table: t}, limits: {rowBytes: 1000}}";
    const CONTRACT: &str = "{apiVersion: v3.1.0, kind: DataContract, id: t, version: 1.0.0, status: active, \
        schema: [{name: t, properties: [{name: a, logicalType: string}]}]}";

    fn supply(path: &Path, len: u64) -> Supply {
        let sources = Sources { pipeline_file: "p", pipeline: PIPELINE, contract_file: "c", contract: CONTRACT };
        let plan = Plan::parse(&sources).unwrap_or_else(|e| panic!("{e}"));
        let chunker = Chunker::new(&plan, HeaderEnd { offset: 0, lines: 0 }, CHUNK_BYTES);
        Supply::cut(path, File::open(path).unwrap(), len, chunker)
    }

    #[test]
    fn chunks_carry_their_bytes_unless_a_line_is_too_long_to_be_held() {
        let text = [b"short\n".repeat(3 << 20), vec![b'x'; HELD_BYTES + CHUNK_BYTES as usize], b"\nlast\n".to_vec()].concat();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &text).unwrap();
        let supply = supply(file.path(), text.len() as u64);
        let (mut end, mut held, mut read_again) = (0, 0, 0);
        while let Ok(Some(work)) = supply.next(|| Ok(())) {
            assert_eq!(work.chunk.start, end);
            end = work.chunk.end;
            match work.held {
                Some((bytes, from)) => {
                    assert!(bytes[from..] == text[work.chunk.start as usize..end as usize]);
                    held += 1;
                    supply.give_back(bytes);
                }
                None => read_again += 1,
            }
        }
        // Two of short lines, the rest of these with the long one, and the last line.
        assert_eq!((end, held, read_again), (text.len() as u64, 3, 1));
        assert_eq!(supply.into_cut().unwrap().len(), 4);
    }

    #[test]
    fn a_long_line_can_be_interrupted_and_a_file_that_shrinks_is_told() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), vec![b'x'; 4 * PIECE]).unwrap();
        let asked = std::cell::Cell::new(0);
        let check = || {
            asked.set(asked.get() + 1);
            if asked.get() < 3 { Ok(()) } else { Err(Stop::Fault(crate::Fault::interrupted())) }
        };
        assert!(supply(file.path(), 4 * PIECE as u64).next(check).is_err());
        assert_eq!(asked.get(), 3);
        let Err(Stop::Fault(fault)) = supply(file.path(), 5 * PIECE as u64).next(|| Ok(())) else { panic!("it is shorter") };
        assert!(fault.message.contains("became shorter while it was read"), "{}", fault.message);
    }
}
