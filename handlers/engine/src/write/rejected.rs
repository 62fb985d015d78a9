//! Rejected rows in the partner's own format, with reasons.
//!
//! CSV: the record as it came, then `_row`, `_line` and `_problems`. So that the columns line up, a record that has too few fields is filled
//! up, and one that cannot be read as fields (an unclosed quote, too many fields, too long) stands whole in the first field. Without a quote
//! character nothing can be wrapped: such a record stands as it came.

use std::sync::Arc;

use sluice_contract::{CsvFormat, Encoding, Escape, Format};

use crate::compile::Compiled;
use crate::rows::Place;
use crate::split::automaton::{Automaton, encode};
use crate::split::splitter::{Found, Shape, Splitter};
use crate::{Code, Problem};

/// Most bytes of a record that is too long to be kept.
const LONG_RECORD_BYTES: usize = 4096;

/// Appends a rejected CSV record.
pub(crate) fn csv(csv: &CsvFormat, width: usize, place: &Place, raw: &[u8], problems: &[Problem], out: &mut Vec<u8>) {
    let delimiter = encode(&csv.delimiter, csv.encoding);
    let is_broken = problems.iter().any(|p| matches!(p.code, Code::UnclosedQuote | Code::RowTooLong | Code::TextAfterQuote));
    let fields = match place.fields.map(|f| f as usize) {
        Some(found) if !is_broken && found <= width => {
            out.extend_from_slice(raw);
            found
        }
        _ => {
            let is_long = problems.iter().any(|p| p.code == Code::RowTooLong);
            let kept = if is_long { &raw[..raw.len().min(LONG_RECORD_BYTES)] } else { raw };
            field(csv, kept, out);
            1
        }
    };
    for _ in fields..width {
        out.extend_from_slice(&delimiter);
    }
    for text in [place.row.to_string(), place.line.to_string(), problems_text(problems)] {
        out.extend_from_slice(&delimiter);
        field(csv, &encode(&text, csv.encoding), out);
    }
    out.push(b'\n');
}

/// The header line of rejected CSV rows.
pub(crate) fn csv_header(csv: &CsvFormat, names: &[String]) -> Vec<u8> {
    let delimiter = encode(&csv.delimiter, csv.encoding);
    let mut out = Vec::new();
    let own = ["_row", "_line", "_problems"];
    for (i, name) in names.iter().map(String::as_str).chain(own).enumerate() {
        if i > 0 {
            out.extend_from_slice(&delimiter);
        }
        field(csv, &encode(name, csv.encoding), &mut out);
    }
    out.push(b'\n');
    out
}

/// A field, quoted if it must be.
fn field(csv: &CsvFormat, value: &[u8], out: &mut Vec<u8>) {
    let delimiter = encode(&csv.delimiter, csv.encoding);
    let quote = csv.quote.map(|q| q as u8);
    let is_plain = memchr::memmem::find(value, &delimiter).is_none()
        && memchr::memchr2(b'\n', b'\r', value).is_none()
        && quote.is_none_or(|q| !value.contains(&q))
        && !(csv.trim && (value.first().is_some_and(u8::is_ascii_whitespace) || value.last().is_some_and(u8::is_ascii_whitespace)))
        && !csv.comment.as_ref().is_some_and(|c| value.starts_with(c.as_bytes()));
    let Some(quote) = quote.filter(|_| !is_plain) else {
        if is_plain {
            out.extend_from_slice(value);
            return;
        }
        // No quotes in this dialect: what would end the field becomes a blank.
        let mut rest = value;
        while !rest.is_empty() {
            if rest.starts_with(&delimiter) {
                out.push(b' ');
                rest = &rest[delimiter.len()..];
            } else {
                out.push(if matches!(rest[0], b'\n' | b'\r') { b' ' } else { rest[0] });
                rest = &rest[1..];
            }
        }
        return;
    };
    out.push(quote);
    for byte in value {
        match csv.escape {
            Escape::Double if *byte == quote => out.push(quote),
            Escape::Backslash if *byte == quote || *byte == b'\\' => out.push(b'\\'),
            // A quote cannot be written at all.
            Escape::None if *byte == quote => {
                out.push(b'\'');
                continue;
            }
            _ => {}
        }
        out.push(*byte);
    }
    out.push(quote);
}

/// `R0101 age: is not an integer; R0203 ...`
pub(crate) fn problems_text(problems: &[Problem]) -> String {
    let one = |p: &Problem| match (&p.column, &p.rule) {
        (Some(column), _) => format!("{} {column}: {}", p.code, p.message),
        (None, Some(rule)) => format!("{} {rule}: {}", p.code, p.message),
        (None, None) => format!("{}: {}", p.code, p.message),
    };
    problems.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// Appends a rejected row as NDJSON. A record that is no JSON is a string.
pub(crate) fn ndjson(place: &Place, raw: &[u8], problems: &[Problem], out: &mut Vec<u8>) {
    let kept = if problems.iter().any(|p| p.code == Code::RowTooLong) { &raw[..raw.len().min(LONG_RECORD_BYTES)] } else { raw };
    let reasons: Vec<serde_json::Value> = problems
        .iter()
        .map(|p| serde_json::json!({ "code": p.code, "column": p.column, "value": p.value, "rule": p.rule, "message": p.message }))
        .collect();
    let text = crate::typed::text::decode_lossy(kept, Encoding::Utf8);
    let record = match serde_json::from_str::<serde::de::IgnoredAny>(&text) {
        Ok(_) => text.trim().to_owned(),
        Err(_) => serde_json::Value::from(text.as_ref()).to_string(),
    };
    let head = format!("{{\"_row\":{},\"_line\":{},\"_problems\":{},\"record\":", place.row, place.line, serde_json::Value::from(reasons));
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(record.as_bytes());
    out.extend_from_slice(b"}\n");
}

/// A record that is rejected after all, such as a held row that a person rejects; as [`crate::Stream::Rejected`] has them. `raw` is the record
/// as [`crate::HeldRow`] has it, `names` the header of the file. Row and line are those of the first problem.
pub fn rejected_record(compiled: &Compiled, names: Option<&[String]>, raw: &str, problems: &[Problem]) -> Vec<u8> {
    let plan = compiled.plan();
    let (row, line, offset) = problems.first().map_or((0, 0, 0), |p| (p.row, p.line, p.offset));
    let mut place = Place { row, line, offset, raw: 0..raw.len(), fields: None };
    let mut out = Vec::new();
    match &plan.pipeline.intake.format {
        Format::Csv(csv) => {
            let bytes = encode(raw, csv.encoding);
            let mut splitter = Splitter::new(Arc::new(Automaton::of(plan)), plan.pipeline.limits.row_bytes);
            if let Found::Record { content, shape: Shape::Whole, .. } = splitter.next(&bytes, true)
                && content == bytes.len()
            {
                place.fields = Some(splitter.delimiters.len() as u32 + 1);
            }
            self::csv(csv, names.map_or(plan.contract.columns.len(), <[String]>::len), &place, &bytes, problems, &mut out);
        }
        Format::Ndjson(_) | Format::Parquet => ndjson(&place, raw.as_bytes(), problems, &mut out),
    }
    out
}

/// The one line that goes before all pieces of [`crate::Stream::Rejected`] of a run; empty unless the format is CSV. `names` is the header of
/// the file; without one, the contract's names stand there.
pub fn rejected_header(compiled: &Compiled, names: Option<&[String]>) -> Vec<u8> {
    let plan = compiled.plan();
    match &plan.pipeline.intake.format {
        Format::Csv(csv) => {
            let own: Vec<String> = plan.contract.columns.iter().map(|c| c.source.clone()).collect();
            csv_header(csv, names.unwrap_or(&own))
        }
        Format::Ndjson(_) | Format::Parquet => Vec::new(),
    }
}
