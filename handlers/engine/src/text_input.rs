//! A chunk of text: bytes to batches of rows.

use std::sync::Arc;

use sluice_contract::{Compression, Format, Header, Plan};

use crate::compile::Compiled;
use crate::decode::batch::{BATCH_BYTES, BATCH_ROWS, BatchBuilder};
use crate::decode::compressed::Capped;
use crate::decode::csv::CsvRecords;
use crate::decode::ndjson::NdjsonRecords;
use crate::decode::skip::{NoData, Skips};
use crate::decode::utf16::{Utf16, stored_len};
use crate::header::find_header;
use crate::header_names::check_names;
use crate::kind::{SAMPLE, detect_compression, refuse_magic};
use crate::outcome::Outputs;
use crate::split::automaton::Automaton;
use crate::split::index::Index;
use crate::split::splitter::{Found, Shape, Splitter};
use crate::typed::check::Fault;
use crate::typed::raw::Reading;
use crate::{ChunkStart, Code, EngineError, Refusal, Splitting};

/// Bytes that are added at once to what is left of the bytes before.
const PIECE: usize = 256 << 10;
/// How much of a compressed file is looked at before its header must have ended, beyond the longest row.
const HEADER_BYTES: u64 = 1 << 20;

enum Records {
    Csv(CsvRecords),
    Ndjson(NdjsonRecords),
}

impl Records {
    fn new(compiled: &Compiled, names: Option<&[String]>) -> Self {
        match &compiled.plan().pipeline.intake.format {
            Format::Csv(csv) => Self::Csv(CsvRecords::new(csv, &compiled.columns, names)),
            Format::Ndjson(ndjson) => Self::Ndjson(NdjsonRecords::new(ndjson, &compiled.columns)),
            // Parquet has no text; see `Transformer::new`.
            Format::Parquet => Self::Ndjson(NdjsonRecords::new(&sluice_contract::NdjsonFormat::default(), &compiled.columns)),
        }
    }
}

enum Opening {
    Plain,
    /// The first bytes, until they tell the compression.
    Unknown(Vec<u8>),
    Compressed(Capped),
}

/// Bytes between the records of a batch that are kept with it.
const BETWEEN_BYTES: usize = 1 << 20;

/// The lines of a text, plain or opened.
struct Lines {
    compiled: Arc<Compiled>,
    splitter: Splitter,
    /// Finds ordinary records, where the dialect allows it.
    index: Option<Index>,
    /// `None` until the header is read.
    records: Option<Records>,
    skips: Skips,
    rows: BatchBuilder,
    /// What is left of the bytes before, from the first record of the open batch on.
    text: Vec<u8>,
    /// The text was UTF-16.
    is_utf16: bool,
    /// Where the open batch begins in the text at hand.
    start: usize,
    /// Where the open record begins there.
    at: usize,
    /// Bytes of the text that are of no record of the batch.
    between: usize,
    /// Where the open record begins in the (decompressed) file.
    offset: u64,
    /// 1-based line there.
    line: u64,
    row: u64,
    /// The header is looked for again when this many bytes are there.
    next_try: usize,
    scratch: Vec<u8>,
}

/// A chunk of text on its way.
pub(crate) struct TextInput {
    opening: Opening,
    compression: Compression,
    cap: u64,
    /// Most bytes of a compressed file that are opened.
    most: u64,
    lines: Transcoded,
}

/// Lines behind a change of encoding, if one is needed.
struct Transcoded {
    utf16: Option<Utf16>,
    lines: Lines,
}

impl Transcoded {
    fn feed(&mut self, bytes: &[u8], outputs: &mut Outputs) -> Result<(), EngineError> {
        match &mut self.utf16 {
            Some(utf16) => utf16.push(bytes, |text| self.lines.feed(text, outputs)),
            None => self.lines.feed(bytes, outputs),
        }
    }

    fn finish(mut self, outputs: &mut Outputs) -> Result<(), EngineError> {
        if let Some(utf16) = &mut self.utf16 {
            utf16.finish(|text| self.lines.feed(text, outputs))?;
        }
        self.lines.finish(outputs)
    }
}

impl TextInput {
    pub(crate) fn new(compiled: &Arc<Compiled>, start: &ChunkStart, outputs: &mut Outputs) -> Result<Self, EngineError> {
        let plan = compiled.plan();
        let reading = match &plan.pipeline.intake.format {
            Format::Csv(csv) => Reading::csv(csv),
            Format::Ndjson(ndjson) => Reading::ndjson(ndjson),
            Format::Parquet => return Err(EngineError::Bug("a Parquet file has no text".to_owned())),
        };
        let is_whole = start.kind == Splitting::Whole;
        let (records, skips) = if is_whole {
            (None, Skips::default())
        } else {
            let names = start.header.as_deref();
            (Some(records(compiled, names, outputs)?), Skips::new(plan, names)?)
        };
        let utf16 = Some(reading.encoding).filter(|encoding| encoding.is_utf16());
        let limits = &plan.pipeline.limits;
        let splitter = Splitter::new(Arc::new(Automaton::of(plan)), limits.row_bytes);
        let lines = Lines {
            compiled: Arc::clone(compiled),
            // Offsets in a UTF-16 file are not those of the text, which is UTF-8 by now.
            index: if utf16.is_some() { None } else { splitter.index() },
            splitter,
            records,
            skips,
            is_utf16: utf16.is_some(),
            rows: BatchBuilder::new(Arc::clone(&compiled.columns), Arc::clone(&compiled.parsed_schema), reading),
            text: Vec::new(),
            start: 0,
            at: 0,
            between: 0,
            offset: if is_whole { 0 } else { start.chunk.start },
            line: if is_whole { 1 } else { start.chunk.first_line },
            row: if is_whole { 0 } else { start.chunk.first_row },
            next_try: SAMPLE,
            scratch: Vec::new(),
        };
        Ok(Self {
            opening: if is_whole { Opening::Unknown(Vec::new()) } else { Opening::Plain },
            compression: plan.pipeline.intake.compression,
            cap: start.file_len.saturating_mul(u64::from(limits.expansion.max(1))),
            most: u64::MAX,
            lines: Transcoded { utf16: utf16.map(Utf16::new), lines },
        })
    }

    /// Opens at most so many bytes of a compressed file.
    pub(crate) fn at_most(&mut self, bytes: u64) {
        self.most = bytes;
    }

    /// Whether a part of the compressed file was not opened.
    pub(crate) fn is_cut(&self) -> bool {
        matches!(&self.opening, Opening::Compressed(capped) if capped.is_cut())
    }

    pub(crate) fn push(&mut self, bytes: &[u8], outputs: &mut Outputs) -> Result<(), EngineError> {
        match &mut self.opening {
            Opening::Plain => self.lines.feed(bytes, outputs),
            Opening::Compressed(capped) => capped.push(bytes, |plain| self.lines.feed(plain, outputs)),
            Opening::Unknown(first) => {
                first.extend_from_slice(bytes);
                if first.len() < 4 {
                    return Ok(());
                }
                let first = std::mem::take(first);
                self.open(&first, outputs)
            }
        }
    }

    fn open(&mut self, first: &[u8], outputs: &mut Outputs) -> Result<(), EngineError> {
        let found = detect_compression(first);
        let wanted = if self.compression == Compression::Auto { found } else { self.compression };
        if wanted != found {
            let message = format!("the file is not {} as the pipeline's intake.compression says", compression_name(wanted));
            return Err(Refusal::new(Code::WrongKind, message).into());
        }
        if wanted == Compression::None && self.lines.utf16.is_some() {
            // Behind the change of encoding they could not be told any more.
            refuse_magic(first)?;
        }
        self.opening = match wanted {
            Compression::Gzip => Opening::Compressed(Capped::gzip(self.cap).at_most(self.most)),
            Compression::Zstd => Opening::Compressed(Capped::zstd(self.cap)?.at_most(self.most)),
            Compression::None | Compression::Auto => Opening::Plain,
        };
        match &mut self.opening {
            Opening::Compressed(capped) => capped.push(first, |plain| self.lines.feed(plain, outputs)),
            _ => self.lines.feed(first, outputs),
        }
    }

    /// Opens what was too short to tell its compression.
    fn open_short(&mut self, outputs: &mut Outputs) -> Result<(), EngineError> {
        let Opening::Unknown(first) = &mut self.opening else { return Ok(()) };
        let first = std::mem::take(first);
        if first.is_empty() {
            return Err(Refusal::new(Code::EmptyFile, "the file has no bytes").into());
        }
        self.open(&first, outputs)
    }

    /// Ends a text that goes on: what is no whole record is left out.
    pub(crate) fn finish_cut(mut self, outputs: &mut Outputs) -> Result<(), EngineError> {
        self.open_short(outputs)?;
        self.lines.lines.finish_cut(outputs)
    }

    pub(crate) fn finish(mut self, outputs: &mut Outputs) -> Result<(), EngineError> {
        self.open_short(outputs)?;
        if let Opening::Compressed(capped) = &self.opening {
            capped.finish()?;
        }
        self.lines.finish(outputs)
    }
}

fn compression_name(compression: Compression) -> &'static str {
    match compression {
        Compression::Gzip => "gzip",
        Compression::Zstd => "zstd",
        Compression::None | Compression::Auto => "plain text",
    }
}

fn needs_header(plan: &Plan) -> bool {
    matches!(&plan.pipeline.intake.format, Format::Csv(csv) if csv.header != Header::None)
}

fn records(compiled: &Compiled, names: Option<&[String]>, outputs: &mut Outputs) -> Result<Records, EngineError> {
    match names {
        Some(names) => check_names(compiled.plan(), names)?,
        None if needs_header(compiled.plan()) => return Err(EngineError::Bug("the header of the file is not given".to_owned())),
        None => {}
    }
    let records = Records::new(compiled, names);
    if let Records::Csv(csv) = &records {
        outputs.set_width(csv.width);
    }
    Ok(records)
}

impl Lines {
    /// Reads on. Bytes are only copied for a batch that begins in earlier ones.
    fn feed(&mut self, mut bytes: &[u8], outputs: &mut Outputs) -> Result<(), EngineError> {
        while self.records.is_none() && !bytes.is_empty() {
            let (piece, rest) = bytes.split_at(bytes.len().min(PIECE));
            self.text.extend_from_slice(piece);
            bytes = rest;
            if self.text.len() >= self.next_try {
                self.next_try = self.text.len() * 2;
                self.read_header(false, outputs)?;
            }
        }
        while self.records.is_some() && !self.text.is_empty() {
            let (piece, rest) = bytes.split_at(bytes.len().min(PIECE));
            let mut text = std::mem::take(&mut self.text);
            let before = text.len();
            text.extend_from_slice(piece);
            self.read(&text, false, outputs)?;
            if self.start >= before {
                bytes = &bytes[self.start - before..];
                self.forget();
                break;
            }
            self.text = self.rest(&text);
            bytes = rest;
            if bytes.is_empty() {
                return Ok(());
            }
        }
        if self.records.is_some() && !bytes.is_empty() {
            self.read(bytes, false, outputs)?;
            self.text = self.rest(bytes);
        }
        Ok(())
    }

    fn finish(mut self, outputs: &mut Outputs) -> Result<(), EngineError> {
        if self.records.is_none() {
            self.read_header(true, outputs)?;
        }
        let text = std::mem::take(&mut self.text);
        self.read(&text, true, outputs)?;
        self.end(&text, outputs)
    }

    /// As [`Self::finish`], of a text that goes on: its last record is not whole.
    fn finish_cut(mut self, outputs: &mut Outputs) -> Result<(), EngineError> {
        if self.records.is_none() {
            self.read_header(false, outputs)?;
        }
        if self.records.is_none() {
            let message = format!("the header does not end within the first {} bytes", self.text.len());
            return Err(Refusal::new(Code::HeaderTooLong, message).into());
        }
        let text = std::mem::take(&mut self.text);
        self.read(&text, false, outputs)?;
        self.end(&text, outputs)
    }

    fn end(mut self, text: &[u8], outputs: &mut Outputs) -> Result<(), EngineError> {
        self.end_batch(text, outputs)?;
        let tally = &mut outputs.report.tally;
        tally.metrics = std::mem::take(&mut self.rows.metrics);
        tally.repairs = std::mem::take(&mut self.rows.repairs);
        Ok(())
    }

    fn read_header(&mut self, is_whole: bool, outputs: &mut Outputs) -> Result<(), EngineError> {
        let Some(info) = find_header(self.compiled.plan(), &self.text, is_whole)? else {
            if self.text.len() as u64 > self.compiled.plan().pipeline.limits.row_bytes.saturating_add(HEADER_BYTES) {
                let message = format!("the header does not end within the first {} bytes", self.text.len());
                return Err(Refusal::new(Code::HeaderTooLong, message).into());
            }
            return Ok(());
        };
        self.records = Some(records(&self.compiled, info.names.as_deref(), outputs)?);
        self.skips = Skips::new(self.compiled.plan(), info.names.as_deref())?;
        self.offset += self.stored(&self.text[..info.end as usize]);
        self.text.drain(..info.end as usize);
        self.line += info.lines;
        Ok(())
    }

    /// Reads all whole records of a text, from the open one on.
    fn read(&mut self, text: &[u8], is_last: bool, outputs: &mut Outputs) -> Result<(), EngineError> {
        if self.records.is_none() {
            return Ok(());
        }
        loop {
            if self.read_ordinary(text, outputs)? {
                continue;
            }
            match self.splitter.next(&text[self.at..], is_last) {
                Found::More => break,
                Found::Skip { len, lines } => {
                    self.advance(text, len, lines, outputs);
                    self.between += len;
                }
                Found::Record { content, len, lines, shape } => {
                    self.record(text, content, shape);
                    self.advance(text, len, lines, outputs);
                }
            }
            // Not before: the fields of a record that is still open are those of the pieces before, too.
            self.splitter.clear_fields();
            if self.is_full() {
                self.end_batch(text, outputs)?;
            }
        }
        if self.rows.is_empty() {
            (self.start, self.between) = (self.at, 0);
        }
        Ok(())
    }

    /// Reads some ordinary records, if the next ones are; `false` if not.
    fn read_ordinary(&mut self, text: &[u8], outputs: &mut Outputs) -> Result<bool, EngineError> {
        let is_short = self.splitter.is_fresh() && !self.skips.looks_at_all();
        let Some(index) = self.index.as_mut().filter(|_| is_short) else { return Ok(false) };
        let is_csv = matches!(self.records, Some(Records::Csv(_)));
        let most = BATCH_ROWS - self.rows.len();
        if is_csv {
            index.find::<true>(text, self.at, most);
        } else {
            index.find::<false>(text, self.at, most);
        }
        // A record that is the header once more is not ordinary, nor is what follows it until it is read.
        let (skips, encoding) = (&self.skips, self.rows.reading.encoding);
        let header =
            is_csv.then(|| index.records.iter().position(|r| skips.is_header(text, r, index.ends_of(r), encoding, &mut self.scratch)));
        if let Some(at) = header.flatten() {
            index.records.truncate(at);
        }
        // The row that fills the batch is its last, however many were found at once.
        let (at, offset) = (self.at, self.offset);
        let place = |start: u32| offset + (start as usize - at) as u64;
        let Some(start) = index.records.first().map(|r| self.rows.first_offset().unwrap_or(place(r.start))) else { return Ok(false) };
        let fitting = index.records.partition_point(|r| place(r.end) - start < BATCH_BYTES as u64);
        index.records.truncate(fitting + 1);
        let first = self.rows.len();
        let (mut lines, mut next) = (0, at);
        for record in &index.records {
            let raw = record.start as usize..record.end as usize;
            self.rows.begin(self.row, self.line + u64::from(lines), place(record.start), raw, is_csv.then_some(record.fields));
            self.row += 1;
            lines += record.lines;
            next = record.next as usize;
        }
        match &mut self.records {
            Some(Records::Csv(csv)) => csv.read_all(text, index, first, &mut self.scratch, &mut self.rows),
            Some(Records::Ndjson(ndjson)) => ndjson.read_all(text, &index.records, first, &mut self.rows),
            None => {}
        }
        self.advance(text, next - at, lines, outputs);
        if self.is_full() {
            self.end_batch(text, outputs)?;
        }
        Ok(true)
    }

    fn advance(&mut self, text: &[u8], len: usize, lines: u32, outputs: &mut Outputs) {
        let stored = self.stored(&text[self.at..self.at + len]);
        self.at += len;
        self.offset += stored;
        self.line += u64::from(lines);
        outputs.report.tally.bytes += stored;
        outputs.report.tally.lines += u64::from(lines);
    }

    /// Whether the last record filled the batch. Only records count, so that it does not depend on how the text is cut.
    fn is_full(&self) -> bool {
        self.rows.len() >= BATCH_ROWS || self.rows.end_offset().is_some_and(|(start, end)| end - start >= BATCH_BYTES as u64)
    }

    /// Bytes of the file that these bytes of the text were.
    fn stored(&self, text: &[u8]) -> u64 {
        if self.is_utf16 { stored_len(text) } else { text.len() as u64 }
    }

    fn record(&mut self, text: &[u8], content: usize, shape: Shape) {
        let raw = self.at..self.at + content;
        let record = &text[raw.clone()];
        let delimiters = &self.splitter.delimiters;
        let is_csv = matches!(self.records, Some(Records::Csv(_)));
        let fields = (is_csv && shape == Shape::Whole).then_some(delimiters.len() as u32 + 1);
        self.rows.begin(self.row, self.line, self.offset, raw, fields);
        self.row += 1;
        let limit = self.splitter.row_bytes();
        if shape != Shape::TooLong
            && let Some(found) =
                self.skips.look(record, fields.map(|_| delimiters.as_slice()), self.rows.reading.encoding, &mut self.scratch)
        {
            match found {
                NoData::Skip(kind) => self.rows.skip(kind),
                NoData::RepeatedHeader => {
                    let message = "the row is the header once more; remove it, or set repeatedHeader: skip";
                    self.rows.fault(Fault::new(Code::RepeatedHeader, message.to_owned()), None, None, true);
                }
            }
            self.rows.nulls();
            return;
        }
        match (shape, &self.records) {
            (Shape::Whole, Some(Records::Csv(csv))) => csv.read(record, delimiters, &mut self.scratch, &mut self.rows),
            (Shape::Whole, Some(Records::Ndjson(ndjson))) => ndjson.read(record, &mut self.rows),
            (Shape::Unclosed, _) => {
                let message = format!(
                    "a quote is not closed (before other text, the end of the file, or {limit} bytes); reading went on with the next line"
                );
                self.rows.fault(Fault::new(Code::UnclosedQuote, message), None, None, true);
                self.rows.nulls();
            }
            (Shape::TooLong, _) | (_, None) => {
                let message = format!("the row is longer than {limit} bytes (limits.rowBytes); the rest of the line is passed over");
                self.rows.fault(Fault::new(Code::RowTooLong, message), None, None, true);
                self.rows.nulls();
            }
        }
    }

    /// What must be kept of a text: from the first record of the open batch on.
    fn rest(&mut self, text: &[u8]) -> Vec<u8> {
        if self.between > BETWEEN_BYTES {
            // Memory must not grow with what stands between the records.
            let mut kept = self.rows.compact(text);
            let at = kept.len();
            kept.extend_from_slice(&text[self.at..]);
            (self.start, self.at, self.between) = (0, at, 0);
            return kept;
        }
        let kept = text[self.start..].to_vec();
        self.forget();
        kept
    }

    /// Counts from the start of the open batch on.
    fn forget(&mut self) {
        self.rows.move_back(self.start);
        self.at -= self.start;
        self.start = 0;
    }

    fn end_batch(&mut self, text: &[u8], outputs: &mut Outputs) -> Result<(), EngineError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        (self.start, self.between) = (self.at, 0);
        outputs.take(self.rows.finish(text)?, None)
    }
}
