//! The rejected rows of a run as one file in the partner's own format, with reasons.

use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream, stream::BoxStream};
use sluice_contract::{CsvFormat, Escape, Format};
use sluice_engine::rejected_header;

use crate::{BlobPath, Context, Error, Result, layout, revision, run::Run};

/// Bytes of one read.
const READ_BYTES: u64 = 1 << 20;

/// How cells are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cells {
    /// As the partner sent them.
    AsSent,
    /// Cells of a CSV that a spreadsheet would take for a formula begin with an apostrophe (OWASP, "CSV Injection").
    SpreadsheetSafe,
}

/// The rejected rows as one file.
pub struct RejectedFile {
    /// `csv` or `ndjson`.
    pub extension: &'static str,
    /// Its media type.
    pub content_type: &'static str,
    /// Its bytes: a header if the format has one, the rejected rows of the chunks in order, then those that people rejected.
    pub bytes: BoxStream<'static, Result<Bytes>>,
}

/// The rejected rows of a run so far.
///
/// # Errors
/// Refused `W0404` if no pipeline takes the file; those of catalog and lake, also while streaming.
pub async fn stream(context: &Context, run: &Run, cells: Cells) -> Result<RejectedFile> {
    if run.pinned.is_none() {
        return Err(Error::refused("W0404", "no pipeline takes the file, so no row of it was read"));
    }
    let compiled = context.plans.of_run(context, run).await?;
    let plan = compiled.plan();
    let header = rejected_header(&compiled, run.header.as_deref());
    let generations = layout::effective_chunks(context, run).await?;
    let chunks = (0u32..).zip(generations).map(|(chunk, generation)| layout::rejected(run, plan, generation, chunk));
    let blobs: Vec<_> = chunks.chain([revision::rejected(run, plan)]).collect();
    let context = context.clone();
    let rows = stream::iter(blobs).flat_map(move |blob| Box::pin(pieces(context.clone(), blob)));
    let all = stream::iter((!header.is_empty()).then(|| Ok(Bytes::from(header)))).chain(rows);
    Ok(match &plan.pipeline.intake.format {
        Format::Csv(format) => {
            let bytes = if cells == Cells::SpreadsheetSafe { neutralised(all, format).boxed() } else { all.boxed() };
            RejectedFile { extension: "csv", content_type: "text/csv", bytes }
        }
        Format::Ndjson(_) | Format::Parquet => {
            RejectedFile { extension: "ndjson", content_type: "application/x-ndjson", bytes: all.boxed() }
        }
    })
}

/// A blob piece by piece; nothing if it is missing.
fn pieces(context: Context, blob: BlobPath) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
    stream::try_unfold(Some(0u64), move |from| {
        let (context, blob) = (context.clone(), blob.clone());
        async move {
            let Some(from) = from else { return Ok(None) };
            match context.lake.read(&blob, from..from + READ_BYTES, None).await {
                Ok(piece) if piece.is_empty() => Ok(None),
                Ok(piece) => {
                    let next = (piece.len() as u64 == READ_BYTES).then_some(from + READ_BYTES);
                    Ok(Some((piece, next)))
                }
                Err(error) if error.code() == "L0404" => Ok(None),
                Err(error) => Err(error),
            }
        }
    })
}

fn neutralised(
    rows: impl Stream<Item = Result<Bytes>> + Send + 'static,
    format: &CsvFormat,
) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
    let mut cells = Neutraliser::new(format);
    rows.map(Some).chain(stream::iter([None])).map(move |piece| {
        let mut out = Vec::new();
        match piece {
            Some(piece) => piece?.iter().for_each(|byte| cells.push(*byte, &mut out)),
            None => cells.release(0, &mut out),
        }
        Ok(Bytes::from(out))
    })
}

/// Puts an apostrophe before cells that begin like a formula. Plain numbers with a sign stay as they are.
struct Neutraliser {
    delimiter: Vec<u8>,
    quote: Option<u8>,
    backslash: bool,
    /// The next byte is the first of a cell.
    at_start: bool,
    in_quotes: bool,
    escaped: bool,
    /// Bytes of the delimiter seen so far.
    matched: usize,
    /// A cell that began with a sign, held back until it is known whether it is a number.
    held: Option<Vec<u8>>,
}

/// Longest number that is told from a formula, in bytes.
const NUMBER_BYTES: usize = 48;

impl Neutraliser {
    fn new(format: &CsvFormat) -> Self {
        Self {
            delimiter: format.delimiter.clone().into_bytes(),
            quote: format.quote.and_then(|q| u8::try_from(q).ok()),
            backslash: format.escape == Escape::Backslash,
            at_start: true,
            in_quotes: false,
            escaped: false,
            matched: 0,
            held: None,
        }
    }

    fn push(&mut self, byte: u8, out: &mut Vec<u8>) {
        let quote = self.quote == Some(byte);
        if self.at_start && quote && !self.in_quotes {
            self.in_quotes = true;
            out.push(byte);
            return;
        }
        let ends = self.ends_cell(byte, quote);
        if self.at_start && ends.is_none() {
            match byte {
                b'+' | b'-' => self.held = Some(Vec::new()),
                b'=' | b'@' | b'\t' => out.push(b'\''),
                b'\r' if self.in_quotes => out.push(b'\''),
                _ => {}
            }
        }
        // A delimiter of more than one byte may still be cut: then the cell has not begun.
        self.at_start = ends.is_some() || (self.at_start && self.matched > 0);
        match &mut self.held {
            Some(held) => {
                held.push(byte);
                if held.len() > NUMBER_BYTES && ends.is_none() {
                    out.push(b'\'');
                    out.append(held);
                    self.held = None;
                } else if let Some(beyond) = ends {
                    self.release(beyond, out);
                }
            }
            None => out.push(byte),
        }
    }

    /// Whether the byte ends a cell, and how many bytes of the end are no part of it.
    fn ends_cell(&mut self, byte: u8, quote: bool) -> Option<usize> {
        if self.escaped {
            self.escaped = false;
            return None;
        }
        if self.backslash && byte == b'\\' {
            self.escaped = true;
            return None;
        }
        if quote {
            // A doubled quote closes and opens again.
            self.in_quotes = !self.in_quotes;
            self.matched = 0;
            return None;
        }
        if self.in_quotes {
            return None;
        }
        if byte == b'\n' {
            self.matched = 0;
            return Some(1);
        }
        self.matched = match self.delimiter.get(self.matched) {
            Some(expected) if *expected == byte => self.matched + 1,
            _ => usize::from(self.delimiter.first() == Some(&byte)),
        };
        if self.matched == self.delimiter.len() {
            self.matched = 0;
            return Some(self.delimiter.len());
        }
        None
    }

    /// Writes a held cell, of which the last `beyond` bytes are no part.
    fn release(&mut self, beyond: usize, out: &mut Vec<u8>) {
        let Some(held) = self.held.take() else { return };
        let cell = &held[..held.len() - beyond];
        let cell = cell.strip_suffix(b"\r").unwrap_or(cell);
        let cell = self.quote.and_then(|q| cell.strip_suffix(&[q])).unwrap_or(cell);
        let number = cell.len() > 1 && cell[1..].iter().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b','));
        if !number {
            out.push(b'\'');
        }
        out.extend_from_slice(&held);
    }
}

#[cfg(test)]
mod tests {
    use futures::{TryStreamExt as _, executor::block_on};
    use proptest::prelude::*;

    use super::*;

    fn format(delimiter: &str) -> CsvFormat {
        CsvFormat { delimiter: delimiter.to_owned(), ..CsvFormat::default() }
    }

    fn neutralise(text: &[u8], delimiter: &str, piece: usize) -> Vec<u8> {
        let pieces: Vec<_> = text.chunks(piece).map(|p| Ok(Bytes::copy_from_slice(p))).collect();
        let out: Vec<Bytes> = block_on(neutralised(stream::iter(pieces), &format(delimiter)).try_collect()).expect("no error");
        out.concat()
    }

    #[test]
    fn cells_that_begin_like_a_formula_get_an_apostrophe() {
        for (text, delimiter, expected) in [
            ("a,=1+1,b\n", ",", "a,'=1+1,b\n"),
            ("=1,@x\n", ",", "'=1,'@x\n"),
            ("\"=HYPERLINK(\"\"x,y\"\")\",-x\n", ",", "\"'=HYPERLINK(\"\"x,y\"\")\",'-x\n"),
            ("-5,+3.25,-1.000,5\r\n", ",", "-5,+3.25,-1.000,5\r\n"),
            ("\"-5\",\"-5+1\"\n", ",", "\"-5\",\"'-5+1\"\n"),
            ("-\n-", ",", "'-\n'-"),
            ("a|=b||=c\n", "||", "a|=b||'=c\n"),
            ("x;y=1;=2\n", ";", "x;y=1;'=2\n"),
            ("\"a\n=b\",\"\t=c\"\n", ",", "\"a\n=b\",\"'\t=c\"\n"),
            ("-1234567890123456789012345678901234567890123456789,x\n", ",", "'-1234567890123456789012345678901234567890123456789,x\n"),
        ] {
            assert_eq!(String::from_utf8_lossy(&neutralise(text.as_bytes(), delimiter, 1000)), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_cut_into_pieces_does_not_matter(text in "[-=+@a1,\"\r\n|]{0,60}", piece in 1usize..8) {
            prop_assert_eq!(neutralise(text.as_bytes(), ",", piece), neutralise(text.as_bytes(), ",", 1000));
            prop_assert_eq!(neutralise(text.as_bytes(), "||", piece), neutralise(text.as_bytes(), "||", 1000));
        }

        #[test]
        fn only_apostrophes_are_added(text in "[-=+@a1,\"\r\n|]{0,60}") {
            let out = neutralise(text.as_bytes(), ",", 7);
            prop_assert_eq!(out.into_iter().filter(|b| *b != b'\'').collect::<Vec<_>>(), text.into_bytes());
        }
    }
}
