//! Decompression with a cap: the only place where compressed bytes are opened.

use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};

use crate::{Code, EngineError, Refusal};

/// Bytes that are decompressed at once.
const STEP: usize = 64 << 10;

enum Inner {
    /// `None` between two members.
    Gzip(Option<Decompress>),
    Zstd {
        decoder: Box<Decoder<'static>>,
        is_between_frames: bool,
    },
}

/// A stream of gzip members or zstd frames that refuses to grow beyond its cap.
pub(crate) struct Capped {
    inner: Inner,
    cap: u64,
    /// What grows beyond so many bytes is left out.
    most: u64,
    taken: u64,
    given: u64,
    step: Vec<u8>,
}

impl Capped {
    /// gzip (RFC 1952), any number of members. `cap` is the most decompressed bytes.
    pub(crate) fn gzip(cap: u64) -> Self {
        Self { inner: Inner::Gzip(None), cap, most: u64::MAX, taken: 0, given: 0, step: vec![0; STEP] }
    }

    /// zstd (RFC 8878), any number of frames with windows up to 128 MiB.
    pub(crate) fn zstd(cap: u64) -> Result<Self, EngineError> {
        let decoder = Box::new(Decoder::new().map_err(|e| EngineError::bug("zstd", e))?);
        Ok(Self { inner: Inner::Zstd { decoder, is_between_frames: true }, cap, most: u64::MAX, taken: 0, given: 0, step: vec![0; STEP] })
    }

    /// Gives at most so many bytes and leaves the rest out.
    pub(crate) fn at_most(mut self, most: u64) -> Self {
        self.most = most;
        self
    }

    /// Whether something was left out.
    pub(crate) fn is_cut(&self) -> bool {
        self.given > self.most
    }

    /// Opens the next compressed bytes and hands them on in pieces of at most 64 KiB.
    pub(crate) fn push(&mut self, mut input: &[u8], mut sink: impl FnMut(&[u8]) -> Result<(), EngineError>) -> Result<(), EngineError> {
        while !self.is_cut() {
            let (taken, given) = self.advance(input)?;
            self.taken += taken as u64;
            self.given += given as u64;
            if self.given > self.cap {
                let message = format!(
                    "the file grows beyond {} bytes when it is decompressed (limits.expansion); raise the limit if that is right",
                    self.cap
                );
                return Err(Refusal::new(Code::ExpandsTooMuch, message).into());
            }
            input = &input[taken..];
            let beyond = self.given.saturating_sub(self.most).min(given as u64) as usize;
            if given > beyond {
                sink(&self.step[..given - beyond])?;
            }
            // A full step may have more to give without more input.
            if input.is_empty() && given < self.step.len() {
                return Ok(());
            }
            if taken == 0 && given == 0 {
                return Err(self.damaged("it does not go on"));
            }
        }
        Ok(())
    }

    fn advance(&mut self, input: &[u8]) -> Result<(usize, usize), EngineError> {
        match &mut self.inner {
            Inner::Gzip(member) => {
                if member.is_none() {
                    if input.is_empty() {
                        return Ok((0, 0));
                    }
                    *member = Some(Decompress::new_gzip(15));
                }
                let Some(open) = member else { return Ok((0, 0)) };
                let (before_in, before_out) = (open.total_in(), open.total_out());
                let status = open.decompress(input, &mut self.step, FlushDecompress::None);
                let (taken, given) = ((open.total_in() - before_in) as usize, (open.total_out() - before_out) as usize);
                match status {
                    Ok(Status::StreamEnd) => *member = None,
                    Ok(Status::Ok | Status::BufError) => {}
                    // What the library says depends on how the bytes were cut.
                    Err(_) => return Err(self.damaged("it cannot be decompressed")),
                }
                Ok((taken, given))
            }
            Inner::Zstd { decoder, is_between_frames } => {
                if input.is_empty() && *is_between_frames {
                    return Ok((0, 0));
                }
                let mut from = InBuffer::around(input);
                let mut to = OutBuffer::around(self.step.as_mut_slice());
                let hint = decoder.run(&mut from, &mut to);
                let (taken, given) = (from.pos(), to.pos());
                match hint {
                    Ok(hint) => *is_between_frames = hint == 0,
                    Err(e) => return Err(self.damaged(&e.to_string())),
                }
                Ok((taken, given))
            }
        }
    }

    fn damaged(&self, why: &str) -> EngineError {
        let message = format!("the compressed file is damaged: {why}; compress and upload it again");
        Refusal::new(Code::DamagedCompression, message).at_offset(self.taken).into()
    }

    /// Ends the stream.
    pub(crate) fn finish(&self) -> Result<(), EngineError> {
        let is_whole = match &self.inner {
            Inner::Gzip(member) => member.is_none(),
            Inner::Zstd { is_between_frames, .. } => *is_between_frames,
        };
        if is_whole {
            return Ok(());
        }
        let message = format!("the compressed file ends too early, after {} bytes; upload it again", self.taken);
        Err(Refusal::new(Code::TruncatedCompression, message).at_offset(self.taken).into())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).expect("in memory");
        encoder.finish().expect("in memory")
    }

    fn open(mut capped: Capped, input: &[u8], piece: usize) -> Result<Vec<u8>, EngineError> {
        let mut all = Vec::new();
        for part in input.chunks(piece) {
            capped.push(part, |bytes| {
                all.extend_from_slice(bytes);
                Ok(())
            })?;
        }
        capped.finish().map(|()| all)
    }

    fn code(result: Result<Vec<u8>, EngineError>) -> Option<Code> {
        match result {
            Err(EngineError::Refused(refusal)) => Some(refusal.code),
            _ => None,
        }
    }

    #[test]
    fn members_and_frames_follow_each_other_in_pieces_of_any_size() {
        let text: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
        let gz = [gzip(&text), gzip(b""), gzip(b"end")].concat();
        let frame = |bytes: &[u8]| zstd::encode_all(bytes, 1).expect("in memory");
        let zst = [frame(&text), frame(b"end")].concat();
        let expected = [text.as_slice(), b"end"].concat();
        for piece in [1, 7, 5000, usize::MAX >> 1] {
            assert_eq!(open(Capped::gzip(1 << 30), &gz, piece).expect("whole"), expected);
            assert_eq!(open(Capped::zstd(1 << 30).expect("zstd"), &zst, piece).expect("whole"), expected);
        }
    }

    #[test]
    fn no_more_is_opened_than_was_asked_for() {
        let text: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        let zst = zstd::encode_all(text.as_slice(), 1).expect("in memory");
        for most in [0, 1, 70_000, text.len() as u64 - 1, text.len() as u64] {
            for (capped, file) in [(Capped::gzip(1 << 30), gzip(&text)), (Capped::zstd(1 << 30).expect("zstd"), zst.clone())] {
                let (mut capped, mut opened) = (capped.at_most(most), Vec::new());
                for piece in file.chunks(1000) {
                    let taken = capped.push(piece, |bytes| {
                        opened.extend_from_slice(bytes);
                        Ok(())
                    });
                    taken.expect("not damaged");
                }
                assert_eq!(opened, text[..most as usize], "{most}");
                assert_eq!(capped.is_cut(), most < text.len() as u64);
            }
        }
    }

    #[test]
    fn damage_is_told_alike_in_pieces_of_any_size() {
        let text: Vec<u8> = (0..300_u32).flat_map(|n| format!("{},{}\n", n * n, n % 7).into_bytes()).collect();
        let file = gzip(&text);
        let told = |bytes: &[u8], piece| open(Capped::gzip(1 << 30), bytes, piece).map_err(|e| e.to_string());
        for at in 10..file.len() {
            let mut bad = file.clone();
            bad[at] ^= 0x55;
            let whole = told(&bad, bad.len());
            for piece in [1, 3, 50] {
                assert_eq!(told(&bad, piece), whole, "byte {at} in pieces of {piece}");
            }
        }
    }

    #[test]
    fn what_is_cut_damaged_or_too_large_is_refused() {
        let gz = gzip(&vec![7; 100_000]);
        let zst = zstd::encode_all(vec![7; 100_000].as_slice(), 1).expect("in memory");
        let zstd = || Capped::zstd(1 << 30).expect("zstd");
        for cut in [1, 5, gz.len() - 1] {
            assert_eq!(code(open(Capped::gzip(1 << 30), &gz[..cut], 100)), Some(Code::TruncatedCompression));
        }
        assert_eq!(code(open(zstd(), &zst[..zst.len() - 1], 100)), Some(Code::TruncatedCompression));
        let mut bad = gz.clone();
        let crc = bad.len() - 6;
        bad[crc] ^= 1;
        assert_eq!(code(open(Capped::gzip(1 << 30), &bad, 100)), Some(Code::DamagedCompression));
        assert_eq!(code(open(Capped::gzip(1 << 30), &[&gz[..], b"junk"].concat(), 100)), Some(Code::DamagedCompression));
        assert_eq!(code(open(Capped::gzip(99_999), &gz, 100)), Some(Code::ExpandsTooMuch));
        assert_eq!(code(open(Capped::zstd(99_999).expect("zstd"), &zst, 100)), Some(Code::ExpandsTooMuch));
    }
}
