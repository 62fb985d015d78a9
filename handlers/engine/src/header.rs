//! What stands before the first record of a text.

use std::sync::Arc;

use sluice_contract::{Compression, CsvFormat, Format, Header, Plan};

use crate::decode::csv::{Unquoted, unquote};
use crate::split::automaton::{Automaton, Dialect};
use crate::split::splitter::{Found, Shape, Splitter};
use crate::typed::text;
use crate::{Code, HeaderInfo, Refusal, Splitting};

const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";
const GZIP: &[u8] = b"\x1f\x8b";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";

/// First bytes of kinds of files that are taken for text now and then.
const KINDS: &[(&[u8], &str)] = &[
    (b"PAR1", "a Parquet file"),
    (b"PK\x03\x04", "a zip archive (perhaps an Excel workbook)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (GZIP, "a gzip file"),
    (ZSTD, "a zstd file"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ", "an xz file"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3", "a SQLite database"),
    (b"Obj\x01", "an Avro file"),
    (b"ORC", "an ORC file"),
    (b"ARROW1", "an Arrow file"),
];

/// How a text is compressed, from its first bytes.
pub(crate) fn detect_compression(first_bytes: &[u8]) -> Compression {
    match () {
        () if first_bytes.starts_with(GZIP) => Compression::Gzip,
        () if first_bytes.starts_with(ZSTD) => Compression::Zstd,
        () => Compression::None,
    }
}

/// How a file can be worked through, from its first bytes (16 are enough). `path` is not looked at: names lie.
pub fn splittable(plan: &Plan, first_bytes: &[u8], _path: &str) -> Splitting {
    if plan.pipeline.intake.format == Format::Parquet {
        return Splitting::RowGroups;
    }
    match plan.pipeline.intake.compression {
        Compression::Auto if detect_compression(first_bytes) != Compression::None => Splitting::Whole,
        Compression::Auto | Compression::None => Splitting::Records,
        Compression::Gzip | Compression::Zstd => Splitting::Whole,
    }
}

/// Reads what stands before the first record of a text: byte order mark, passed-over lines, comments, header.
///
/// # Errors
/// The file is empty, of another kind, or its header does not keep the contract (all missing columns are named at once).
pub fn read_header(plan: &Plan, first_bytes: &[u8], is_whole_file: bool) -> Result<HeaderInfo, Refusal> {
    find_header(plan, first_bytes, is_whole_file)?.ok_or_else(|| {
        Refusal::new(
            Code::HeaderTooLong,
            format!(
                "the header does not end within the first {} bytes; check delimiter, quote and skipLines of the pipeline",
                first_bytes.len()
            ),
        )
    })
}

/// As [`read_header`]; `None` if more bytes are needed.
pub(crate) fn find_header(plan: &Plan, bytes: &[u8], is_whole: bool) -> Result<Option<HeaderInfo>, Refusal> {
    if bytes.is_empty() {
        return if is_whole { Err(Refusal::new(Code::EmptyFile, "the file has no bytes")) } else { Ok(None) };
    }
    refuse_other_kinds(bytes)?;
    let mark = if bytes.starts_with(UTF8_MARK) { UTF8_MARK.len() } else { 0 };
    match &plan.pipeline.intake.format {
        Format::Csv(csv) => csv_header(plan, csv, bytes, mark, is_whole),
        Format::Ndjson(_) => {
            if let Some(b'[') = bytes[mark..].iter().find(|b| !b.is_ascii_whitespace()) {
                let message = "the file is one JSON array; expected NDJSON, one object a line (jq -c '.[]' makes it so)";
                return Err(Refusal::new(Code::WrongKind, message));
            }
            Ok(Some(HeaderInfo { names: None, end: mark as u64, lines: 0 }))
        }
        Format::Parquet => Err(Refusal::new(Code::WrongKind, "a Parquet file has no text header")),
    }
}

fn refuse_other_kinds(bytes: &[u8]) -> Result<(), Refusal> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(Refusal::new(
            Code::WrongEncoding,
            "the file is UTF-16 text; expected UTF-8, Latin-1 or Windows-1252: save it as UTF-8",
        ));
    }
    if let Some((_, kind)) = KINDS.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Err(Refusal::new(
            Code::WrongKind,
            format!("the file looks like {kind}; expected text as the pipeline's intake.format says"),
        ));
    }
    let sample = &bytes[..bytes.len().min(4096)];
    let nul = memchr::memchr_iter(0, sample).count();
    let odd = sample.iter().filter(|b| **b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r' | 0x0b | 0x0c | 0x1b | 0x1c..=0x1f)).count();
    if sample.len() >= 8 && nul * 3 >= sample.len() && nul * 5 <= sample.len() * 3 {
        return Err(Refusal::new(Code::WrongEncoding, "the file looks like UTF-16 text without a byte order mark; save it as UTF-8"));
    }
    if nul > 0 && odd * 10 > sample.len() {
        return Err(Refusal::new(Code::WrongKind, "the file looks like binary data; expected text as the pipeline's intake.format says"));
    }
    Ok(())
}

fn csv_header(plan: &Plan, csv: &CsvFormat, bytes: &[u8], mark: usize, is_whole: bool) -> Result<Option<HeaderInfo>, Refusal> {
    let mut end = mark;
    for _ in 0..csv.skip_lines {
        let Some(i) = memchr::memchr2(b'\n', b'\r', &bytes[end..]).map(|i| i + end) else {
            if !is_whole {
                return Ok(None);
            }
            return Err(Refusal::new(
                Code::NoRows,
                format!("the file has fewer than the {} lines that skipLines passes over", csv.skip_lines),
            ));
        };
        match (bytes[i], bytes.get(i + 1)) {
            (b'\r', Some(b'\n')) => end = i + 2,
            (b'\r', None) if !is_whole => return Ok(None),
            _ => end = i + 1,
        }
    }
    let mut lines = u64::from(csv.skip_lines);
    if csv.header == Header::None {
        return Ok(Some(HeaderInfo { names: None, end: end as u64, lines }));
    }
    let dialect = Dialect::of(csv, plan.contract.columns.len());
    let mut splitter = Splitter::new(Arc::new(Automaton::csv(&dialect)), plan.pipeline.limits.row_bytes);
    loop {
        match splitter.next(&bytes[end..], is_whole) {
            Found::More if is_whole => return Err(Refusal::new(Code::NoRows, "the file has no header and no rows")),
            Found::More => return Ok(None),
            Found::Skip { len, lines: more } => {
                end += len;
                lines += u64::from(more);
            }
            Found::Record { content, len, lines: more, shape } => {
                let line = lines + 1;
                if shape != Shape::Whole {
                    let message = "the header does not end: a quote is not closed, or it is longer than limits.rowBytes";
                    return Err(Refusal::new(Code::HeaderTooLong, message).at_line(line).at_offset(end as u64));
                }
                let next = end + len;
                if bytes[next - 1] == b'\r' && next == bytes.len() && !is_whole {
                    return Ok(None);
                }
                let names = header_names(csv, &dialect, &bytes[end..end + content], &splitter.delimiters)
                    .map_err(|message| Refusal::new(Code::HeaderEncoding, message).at_line(line))?;
                check_names(plan, &names).map_err(|e| e.at_line(line))?;
                return Ok(Some(HeaderInfo { names: Some(names), end: next as u64, lines: lines + u64::from(more) }));
            }
        }
    }
}

fn header_names(csv: &CsvFormat, dialect: &Dialect, record: &[u8], delimiters: &[u32]) -> Result<Vec<String>, String> {
    let mut scratch = Vec::new();
    let mut names = Vec::with_capacity(delimiters.len() + 1);
    let mut start = 0;
    for end in delimiters.iter().map(|d| *d as usize - dialect.delimiter.len()).chain([record.len()]) {
        let Unquoted { value, .. } = unquote(dialect, &record[start..end], &mut scratch);
        let name = text::decode(value, csv.encoding).map_err(|at| {
            format!(
                "column {} of the header is no valid UTF-8 at its byte {at}; set intake.format.csv.encoding or save the file as UTF-8",
                names.len() + 1
            )
        })?;
        names.push(name.into_owned());
        start = end + dialect.delimiter.len();
    }
    Ok(names)
}

/// Every column of the contract must be there exactly once. Further columns are passed over.
pub(crate) fn check_names(plan: &Plan, names: &[String]) -> Result<(), Refusal> {
    let count = |source: &str| names.iter().filter(|n| *n == source).count();
    let repeated: Vec<_> = plan.contract.columns.iter().filter(|c| count(&c.source) > 1).map(|c| c.source.as_str()).collect();
    if !repeated.is_empty() {
        return Err(Refusal::new(Code::RepeatedColumn, format!("the header names {} more than once", quote_list(&repeated))));
    }
    let missing: Vec<_> = plan.contract.columns.iter().filter(|c| count(&c.source) == 0).map(|c| c.source.as_str()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let found: Vec<_> = names.iter().take(50).map(String::as_str).collect();
    let more = if names.len() > 50 { format!(" and {} more", names.len() - 50) } else { String::new() };
    Err(Refusal::new(
        Code::MissingColumns,
        format!("the file lacks {} of the contract; its header names {}{more}", quote_list(&missing), quote_list(&found)),
    ))
}

fn quote_list(names: &[&str]) -> String {
    let shown: Vec<_> = names.iter().map(|n| format!("\"{}\"", n.escape_debug())).collect();
    format!("{} {}", if shown.len() == 1 { "column" } else { "columns" }, shown.join(", "))
}
