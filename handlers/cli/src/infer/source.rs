//! The bytes of a sample file: what kind it is, and its text without compression.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use sluice_contract::Encoding;

use super::encoding::{self, ToUtf8};
use super::sure::Finding;
use crate::fault::FileContext as _;
use crate::{Fault, Result};

/// Most times larger the text may be than the file, as in a pipeline that says nothing else.
const MAX_EXPANSION: u64 = 1000;
/// Bytes that tell a dialect.
pub(crate) const HEAD: usize = 1 << 20;

/// What kind of file it is, by its first bytes and its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Delimited,
    Ndjson,
    Parquet,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrapping {
    None,
    Gzip,
    Zstd,
}

/// A sample file.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    path: &'a Path,
    wrapping: Wrapping,
    pub(crate) kind: Kind,
    /// How its characters are written.
    pub(crate) encoding: Encoding,
    /// How sure that is.
    pub(crate) encoding_finding: Option<Finding>,
    /// The first bytes of the text, as UTF-8.
    pub(crate) head: Vec<u8>,
    /// Whether `head` is all of it.
    pub(crate) head_is_all: bool,
}

impl<'a> Source<'a> {
    pub(crate) fn open(path: &'a Path) -> Result<Self> {
        let mut magic = [0; 4];
        let mut file = File::open(path).file("read", path)?;
        let read = file.read(&mut magic).file("read", path)?;
        let wrapping = match &magic[..read] {
            [0x1f, 0x8b, ..] => Wrapping::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd] => Wrapping::Zstd,
            _ => Wrapping::None,
        };
        let mut source = Self {
            path,
            wrapping,
            kind: Kind::Delimited,
            encoding: Encoding::Utf8,
            encoding_finding: None,
            head: Vec::new(),
            head_is_all: false,
        };
        if &magic == b"PAR1" {
            source.kind = Kind::Parquet;
            return Ok(source);
        }
        let mut first = Vec::new();
        Read::take(&mut source.bytes()?, HEAD as u64).read_to_end(&mut first).file("read", path)?;
        let Some(guess) = encoding::guess(&first) else {
            return Err(Fault::usage(format!("{} is no text (it has NUL bytes) and no Parquet file", path.display())));
        };
        source.read_as(guess.encoding, Some(guess.finding))?;
        let head = &source.head;
        if head.iter().all(u8::is_ascii_whitespace) {
            return Err(Fault::usage(format!("{} is empty: there is nothing to learn from it", path.display())));
        }
        let first = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).iter().find(|b| !b.is_ascii_whitespace());
        if first == Some(&b'{') {
            source.kind = Kind::Ndjson;
        }
        Ok(source)
    }

    /// Takes the text as one in this encoding.
    pub(crate) fn read_as(&mut self, encoding: Encoding, finding: Option<Finding>) -> Result<()> {
        self.encoding = encoding;
        self.encoding_finding = finding;
        let mut head = Vec::new();
        Read::take(self.text()?, HEAD as u64 + 1).read_to_end(&mut head).file("read", self.path)?;
        self.head_is_all = head.len() <= HEAD;
        head.truncate(HEAD);
        self.head = head;
        Ok(())
    }

    /// The text from its beginning, as UTF-8 (or as what was taken for it).
    pub(crate) fn text(&self) -> Result<Box<dyn BufRead>> {
        let bytes = self.bytes()?;
        Ok(if self.encoding == Encoding::Utf8 { bytes } else { Box::new(ToUtf8::new(bytes, self.encoding)) })
    }

    /// The bytes of the text, without compression.
    fn bytes(&self) -> Result<Box<dyn BufRead>> {
        let file = File::open(self.path).file("read", self.path)?;
        let most = file.metadata().file("read", self.path)?.len().saturating_mul(MAX_EXPANSION).saturating_add(HEAD as u64);
        let file = BufReader::with_capacity(1 << 18, file);
        Ok(match self.wrapping {
            Wrapping::None => Box::new(file),
            Wrapping::Gzip => Box::new(BufReader::with_capacity(1 << 18, flate2::bufread::MultiGzDecoder::new(file).take(most))),
            Wrapping::Zstd => {
                #[expect(clippy::disallowed_types, reason = "bounded by take")]
                let decoder = zstd::stream::read::Decoder::with_buffer(file).file("read", self.path)?;
                Box::new(BufReader::with_capacity(1 << 18, decoder.take(most)))
            }
        })
    }
}
