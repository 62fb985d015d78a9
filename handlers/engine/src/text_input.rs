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

/// Bytes that are taken in at once, so that a large push needs no large buffer.
const PIECE: usize = 1 << 20;
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

/// Text, plain or opened, from the first record of the open batch on.
struct Lines {
    compiled: Arc<Compiled>,
    splitter: Splitter,
    /// Finds ordinary records, where the dialect allows it.
    index: Option<Index>,
    /// `None` until the header is read.
    records: Option<Records>,
    skips: Skips,
    rows: BatchBuilder,
    text: Vec<u8>,
    /// `text` was UTF-16.
    is_utf16: bool,
    /// Where the open record begins in `text`.
    at: usize,
    /// Bytes of `text` that are of no record of the batch.
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
            lines: Transcoded { utf16: utf16.map(Utf16::new), lines },
        })
    }

    pub(crate) fn push(&mut self, bytes: &[u8], outputs: &mut Outputs) -> Result<(), EngineError> {
        for piece in bytes.chunks(PIECE) {
            match &mut self.opening {
                Opening::Plain => self.lines.feed(piece, outputs)?,
                Opening::Compressed(capped) => capped.push(piece, |plain| self.lines.feed(plain, outputs))?,
                Opening::Unknown(first) => {
                    first.extend_from_slice(piece);
                    if first.len() >= 4 {
                        let first = std::mem::take(first);
                        self.open(&first, outputs)?;
                    }
                }
            }
        }
        Ok(())
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
            Compression::Gzip => Opening::Compressed(Capped::gzip(self.cap)),
            Compression::Zstd => Opening::Compressed(Capped::zstd(self.cap)?),
            Compression::None | Compression::Auto => Opening::Plain,
        };
        for piece in first.chunks(PIECE) {
            match &mut self.opening {
                Opening::Compressed(capped) => capped.push(piece, |plain| self.lines.feed(plain, outputs))?,
                _ => self.lines.feed(piece, outputs)?,
            }
        }
        Ok(())
    }

    pub(crate) fn finish(mut self, outputs: &mut Outputs) -> Result<(), EngineError> {
        if let Opening::Unknown(first) = &mut self.opening {
            let first = std::mem::take(first);
            if first.is_empty() {
                return Err(Refusal::new(Code::EmptyFile, "the file has no bytes").into());
            }
            self.open(&first, outputs)?;
        }
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
    fn feed(&mut self, bytes: &[u8], outputs: &mut Outputs) -> Result<(), EngineError> {
        self.text.extend_from_slice(bytes);
        if self.records.is_none() && self.text.len() >= self.next_try {
            self.next_try = self.text.len() * 2;
            self.read_header(false, outputs)?;
        }
        self.read(false, outputs)
    }

    fn finish(mut self, outputs: &mut Outputs) -> Result<(), EngineError> {
        if self.records.is_none() {
            self.read_header(true, outputs)?;
        }
        self.read(true, outputs)?;
        self.end_batch(outputs)?;
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
        self.offset += self.stored(0, info.end as usize);
        self.text.drain(..info.end as usize);
        self.line += info.lines;
        Ok(())
    }

    /// Reads all whole records.
    fn read(&mut self, is_last: bool, outputs: &mut Outputs) -> Result<(), EngineError> {
        if self.records.is_none() {
            return Ok(());
        }
        loop {
            if self.read_ordinary(outputs)? {
                continue;
            }
            match self.splitter.next(&self.text[self.at..], is_last) {
                Found::More => return Ok(()),
                Found::Skip { len, lines } => {
                    self.advance(len, lines, outputs);
                    self.between += len;
                }
                Found::Record { content, len, lines, shape } => {
                    self.record(content, shape);
                    self.advance(len, lines, outputs);
                }
            }
            // Not before: the fields of a record that is still open are those of the pieces before, too.
            self.splitter.clear_fields();
            if self.is_full() {
                self.end_batch(outputs)?;
            } else if self.between > BETWEEN_BYTES {
                self.compact();
            }
        }
    }

    /// Reads some ordinary records, if the next ones are; `false` if not.
    fn read_ordinary(&mut self, outputs: &mut Outputs) -> Result<bool, EngineError> {
        let is_short = self.splitter.is_fresh() && !self.skips.looks_at_all();
        let Some(index) = self.index.as_mut().filter(|_| is_short) else { return Ok(false) };
        let is_csv = matches!(self.records, Some(Records::Csv(_)));
        let most = BATCH_ROWS - self.rows.len();
        if is_csv {
            index.find::<true>(&self.text, self.at, most);
        } else {
            index.find::<false>(&self.text, self.at, most);
        }
        // A record that is the header once more is not ordinary, nor is what follows it until it is read.
        let (skips, text, encoding) = (&self.skips, &self.text, self.rows.reading.encoding);
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
        match &self.records {
            Some(Records::Csv(csv)) => csv.read_all(&self.text, index, first, &mut self.scratch, &mut self.rows),
            Some(Records::Ndjson(ndjson)) => {
                for (at, record) in index.records.iter().enumerate() {
                    self.rows.go_to(first + at);
                    ndjson.read(&self.text[record.start as usize..record.end as usize], &mut self.rows);
                }
            }
            None => {}
        }
        self.advance(next - at, lines, outputs);
        if self.is_full() {
            self.end_batch(outputs)?;
        }
        Ok(true)
    }

    fn advance(&mut self, len: usize, lines: u32, outputs: &mut Outputs) {
        let stored = self.stored(self.at, len);
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

    /// Bytes of the file that `len` bytes of the text were.
    fn stored(&self, at: usize, len: usize) -> u64 {
        if self.is_utf16 { stored_len(&self.text[at..at + len]) } else { len as u64 }
    }

    fn record(&mut self, content: usize, shape: Shape) {
        let raw = self.at..self.at + content;
        let record = &self.text[raw.clone()];
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

    /// Forgets what stands between the records, so that memory does not grow with it.
    fn compact(&mut self) {
        let mut kept = self.rows.compact(&self.text);
        let at = kept.len();
        kept.extend_from_slice(&self.text[self.at..]);
        (self.text, self.at, self.between) = (kept, at, 0);
    }

    fn end_batch(&mut self, outputs: &mut Outputs) -> Result<(), EngineError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let rest = self.text.split_off(self.at);
        let text = std::mem::replace(&mut self.text, rest);
        (self.at, self.between) = (0, 0);
        outputs.take(self.rows.finish(text)?, None)
    }
}
