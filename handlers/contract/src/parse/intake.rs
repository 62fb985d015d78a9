//! `intake`: which uploads a pipeline takes and how they are written.

use crate::code::Code;
use crate::format::{
    Compression, CsvFormat, Encoding, Escape, ExtraColumns, Format, Header, HeaderMatch, NdjsonFormat, RepeatedHeader, ShortRow,
};
use crate::parse::options::pattern;
use crate::pipeline::Intake;
use crate::reader::{Cursor, Fields, shorten};

/// Longest delimiter in bytes.
const MAX_DELIMITER: usize = 8;
/// Most lines before the header.
const MAX_SKIP_LINES: u32 = 1000;
/// Most records of a header.
const MAX_HEADER_ROWS: u8 = 10;

pub(crate) fn read(value: &Cursor<'_>) -> Option<Intake> {
    let fields = value.fields(&["partner", "path", "format", "compression"])?;
    let partner = fields.need("partner").and_then(|v| partner(&v));
    let path = fields.need("path").and_then(|v| path(&v));
    let format = fields.need("format").and_then(|v| format(&v));
    let compression = match fields.get("compression") {
        Some(value) => compression(&value, format.as_ref()),
        None => Some(Compression::Auto),
    };
    Some(Intake { partner: partner?, path: path?, format: format?, compression: compression? })
}

/// Lower case letters, digits and single hyphens inside, 2 to 40: with `landing-` before it a container's name
/// (Azure: 3 to 63 characters, no two hyphens in a row).
fn partner(value: &Cursor<'_>) -> Option<String> {
    let text = value.name()?;
    if (2..=40).contains(&text.len()) && is_slug(text) {
        return Some(text.to_owned());
    }
    let message =
        format!("`{}` cannot be a partner: expected 2 to 40 lower case letters, digits and single hyphens between them", shorten(text));
    value.mistake(Code::PipelineName, message);
    None
}

/// Lower case letters and digits, with single hyphens between them.
pub(crate) fn is_slug(text: &str) -> bool {
    let letters = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    letters && !text.is_empty() && !text.starts_with('-') && !text.ends_with('-') && !text.contains("--")
}

fn path(value: &Cursor<'_>) -> Option<String> {
    let text = value.name()?;
    let wrong = |what: &str| {
        value.mistake(Code::PathGlob, format!("the path `{}` {what}", shorten(text)));
        None
    };
    if text.starts_with('/') || text.ends_with('/') {
        return wrong("starts or ends with `/`; paths are those below the landing container, such as `flights/*.csv`");
    }
    if text.contains('\\') || text.chars().any(char::is_control) {
        return wrong("has a backslash or a control character; separate folders with `/`");
    }
    if text.split('/').any(|part| part.is_empty() || part == "." || part == "..") {
        return wrong("has an empty part, `.` or `..`");
    }
    match globset::GlobBuilder::new(text).literal_separator(true).build() {
        Ok(_) => Some(text.to_owned()),
        Err(error) => wrong(&format!("is no glob: {}", error.kind())),
    }
}

fn format(value: &Cursor<'_>) -> Option<Format> {
    const NAMES: [&str; 3] = ["csv", "ndjson", "parquet"];
    if !value.is_map() {
        let name = value.choice(&[("csv", 0), ("ndjson", 1), ("parquet", 2)])?;
        return Some(match name {
            0 => Format::Csv(CsvFormat::default()),
            1 => Format::Ndjson(NdjsonFormat::default()),
            _ => Format::Parquet,
        });
    }
    let fields = value.fields(&NAMES)?;
    let known: Vec<_> = fields.all().into_iter().filter(|(key, _)| NAMES.contains(key)).collect();
    let [(name, options)] = known.as_slice() else {
        value.mistake(Code::OneFormat, format!("expected exactly one of csv, ndjson and parquet, found {}", known.len()));
        return None;
    };
    match *name {
        _ if options.is_null() => Some(match *name {
            "csv" => Format::Csv(CsvFormat::default()),
            "ndjson" => Format::Ndjson(NdjsonFormat::default()),
            _ => Format::Parquet,
        }),
        "csv" => csv(options).map(Format::Csv),
        "ndjson" => ndjson(options).map(Format::Ndjson),
        _ => options.fields(&[]).map(|_| Format::Parquet),
    }
}

fn compression(value: &Cursor<'_>, format: Option<&Format>) -> Option<Compression> {
    let choices = [("auto", Compression::Auto), ("none", Compression::None), ("gzip", Compression::Gzip), ("zstd", Compression::Zstd)];
    let compression = value.choice(&choices)?;
    if matches!(format, Some(Format::Parquet)) && matches!(compression, Compression::Gzip | Compression::Zstd) {
        value.mistake(
            Code::CompressedParquet,
            "Parquet compresses its own pages; remove `compression`, and let the partner upload the file as it is",
        );
        return None;
    }
    Some(compression)
}

fn ndjson(value: &Cursor<'_>) -> Option<NdjsonFormat> {
    let fields = value.fields(&["nullValues", "rejectUnknown"])?;
    let null_values = fields.get("nullValues").map(|v| spellings(&v)).unwrap_or_default();
    let reject_unknown = fields.get("rejectUnknown").and_then(|v| v.boolean()).unwrap_or(false);
    Some(NdjsonFormat { null_values, reject_unknown })
}

fn spellings(list: &Cursor<'_>) -> Vec<String> {
    list.items().into_iter().filter_map(|item| item.spelling()).map(str::to_owned).collect()
}

const CSV: &[&str] = &[
    "delimiter",
    "quote",
    "escape",
    "comment",
    "header",
    "headerMatch",
    "extraColumns",
    "repeatedHeader",
    "skipLines",
    "skipUntil",
    "skipRows",
    "nullValues",
    "shortRow",
    "decimal",
    "thousands",
    "trueValues",
    "falseValues",
    "encoding",
    "trim",
];

fn csv(value: &Cursor<'_>) -> Option<CsvFormat> {
    let fields = value.fields(CSV)?;
    let defaults = CsvFormat::default();
    let words = |key: &str, default: Vec<String>| {
        let lower = |v: Cursor<'_>| spellings(&v).iter().map(|w| w.to_lowercase()).collect();
        fields.get(key).map_or(default, lower)
    };
    let format = CsvFormat {
        delimiter: fields.get("delimiter").and_then(|v| delimiter(&v)).unwrap_or(defaults.delimiter),
        quote: match fields.get("quote") {
            Some(value) if value.text() == Some("none") => None,
            Some(value) => {
                character(&value, |c| c.is_ascii() && !c.is_control() && !c.is_ascii_alphanumeric() && c != ' ').or(defaults.quote)
            }
            None => defaults.quote,
        },
        escape: choice(
            &fields,
            "escape",
            &[("double", Escape::Double), ("backslash", Escape::Backslash), ("none", Escape::None)],
            defaults.escape,
        ),
        comment: fields.get("comment").and_then(|v| v.name()).map(str::to_owned),
        header: fields.get("header").and_then(|v| header(&v)).unwrap_or(defaults.header),
        header_match: choice(
            &fields,
            "headerMatch",
            &[("exact", HeaderMatch::Exact), ("loose", HeaderMatch::Loose)],
            defaults.header_match,
        ),
        extra_columns: choice(
            &fields,
            "extraColumns",
            &[("ignore", ExtraColumns::Ignore), ("refuse", ExtraColumns::Refuse)],
            defaults.extra_columns,
        ),
        repeated_header: choice(
            &fields,
            "repeatedHeader",
            &[("reject", RepeatedHeader::Reject), ("skip", RepeatedHeader::Skip)],
            defaults.repeated_header,
        ),
        skip_lines: fields.get("skipLines").and_then(|v| v.integer(0..=MAX_SKIP_LINES)).unwrap_or(defaults.skip_lines),
        skip_until: fields.get("skipUntil").and_then(|v| line_pattern(&v)),
        skip_rows: fields.get("skipRows").and_then(|v| line_pattern(&v)),
        null_values: fields.get("nullValues").map_or(defaults.null_values, |v| spellings(&v)),
        short_row: choice(
            &fields,
            "shortRow",
            &[("reject", ShortRow::Reject), ("pad", ShortRow::Pad), ("review", ShortRow::Review)],
            defaults.short_row,
        ),
        decimal: fields.get("decimal").and_then(|v| character(&v, |c| c == '.' || c == ',')).unwrap_or(defaults.decimal),
        thousands: fields.get("thousands").and_then(|v| character(&v, |c| !c.is_alphanumeric() && !c.is_control() && !"+-".contains(c))),
        true_values: words("trueValues", defaults.true_values),
        false_values: words("falseValues", defaults.false_values),
        encoding: choice(
            &fields,
            "encoding",
            &[
                ("utf-8", Encoding::Utf8),
                ("utf8", Encoding::Utf8),
                ("latin1", Encoding::Latin1),
                ("iso-8859-1", Encoding::Latin1),
                ("windows-1252", Encoding::Windows1252),
                ("windows1252", Encoding::Windows1252),
                ("utf-16", Encoding::Utf16),
                ("utf-16le", Encoding::Utf16Le),
                ("utf-16be", Encoding::Utf16Be),
            ],
            defaults.encoding,
        ),
        trim: fields.get("trim").and_then(|v| v.boolean()).unwrap_or(defaults.trim),
    };
    check_clashes(&fields, &format);
    Some(format)
}

fn choice<T: Copy>(fields: &Fields<'_>, key: &str, choices: &[(&str, T)], default: T) -> T {
    fields.get(key).and_then(|v| v.choice(choices)).unwrap_or(default)
}

/// `first`, `none`, or how many records the header has.
fn header(value: &Cursor<'_>) -> Option<Header> {
    if value.is_integer() {
        return value.integer(1..=MAX_HEADER_ROWS).map(|rows| if rows == 1 { Header::First } else { Header::Rows(rows) });
    }
    value.choice(&[("first", Header::First), ("none", Header::None)])
}

/// A regular expression for lines that is not so wide that it means every line.
fn line_pattern(value: &Cursor<'_>) -> Option<String> {
    let text = pattern(value, Code::LinePattern)?;
    if text.is_empty() {
        value.mistake(Code::LinePattern, "expected a regular expression that does not match every line, such as `^Total`");
        return None;
    }
    Some(text)
}

fn delimiter(value: &Cursor<'_>) -> Option<String> {
    let text = value.text()?;
    let text = if text == "tab" || text == "\\t" { "\t" } else { text };
    if text.is_empty() || text.len() > MAX_DELIMITER || text.contains(['\n', '\r', '\0']) {
        value.mistake(
            Code::CsvCharacter,
            format!("expected 1 to {MAX_DELIMITER} bytes without line breaks (`tab` for a tab), found {}", value.describe()),
        );
        return None;
    }
    Some(text.to_owned())
}

/// One character that `allowed` lets pass.
fn character(value: &Cursor<'_>, allowed: impl Fn(char) -> bool) -> Option<char> {
    let text = value.text()?;
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) if allowed(c) => Some(c),
        _ => {
            let message = format!(
                "expected one character that can stand here (quote: ASCII punctuation or `none`; decimal: . or ,), found {}",
                value.describe()
            );
            value.mistake(Code::CsvCharacter, message);
            None
        }
    }
}

fn check_clashes(fields: &Fields<'_>, format: &CsvFormat) {
    let place = |key: &str| fields.get(key).unwrap_or_else(|| fields.map().clone());
    let clash = |key: &str, message: &str| place(key).mistake(Code::CsvClash, message);
    if let Some(quote) = format.quote {
        if format.delimiter.contains(quote) {
            clash("delimiter", "the delimiter and the quote must differ; use `quote: none` if the file has no quotes");
        }
        if format.comment.as_ref().is_some_and(|c| c.starts_with(quote)) {
            clash("comment", "a comment cannot start with the quote");
        }
        if quote == '\\' && format.escape == Escape::Backslash {
            clash("quote", "the quote and the escape must differ");
        }
    }
    if format.escape == Escape::Backslash && format.delimiter.contains('\\') {
        clash("delimiter", "the delimiter and the escape must differ");
    }
    if format.comment.as_ref().is_some_and(|c| c.contains(['\n', '\r']) || c.starts_with(&format.delimiter)) {
        clash("comment", "a comment cannot start with the delimiter or hold a line break");
    }
    if format.header == Header::None {
        for key in ["headerMatch", "extraColumns"] {
            if fields.get(key).is_some() {
                clash(key, "a file without a header has no names to compare; remove one of the two");
            }
        }
    }
    if format.thousands == Some(format.decimal) {
        clash("thousands", "the decimal and the thousands separator must differ");
    }
    if let Some(word) = format.true_values.iter().find(|word| format.false_values.contains(word)) {
        clash("falseValues", &format!("`{}` cannot be both true and false", shorten(word)));
    }
    for key in ["trueValues", "falseValues"] {
        if let Some(value) = fields.get(key)
            && value.is_list()
            && value.items().is_empty()
        {
            value.mistake(Code::CsvClash, "expected at least one word");
        }
    }
}
