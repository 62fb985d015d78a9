//! Proposals as files: an ODCS contract and a pipeline, with comments that say how sure they are.

use std::fmt::Write as _;

use sluice_contract::{Encoding, Escape};

use super::encoding;
use super::propose::{Column, Kind, Spelling};
use super::records::Dialect;
use super::sure::Finding;

/// How the rows are written.
#[derive(Debug, Clone)]
pub(crate) enum FileFormat {
    /// Delimited text.
    Csv(Box<CsvShape>),
    /// One JSON object a line.
    Ndjson,
    /// Apache Parquet.
    Parquet,
}

/// How a delimited text is written.
#[derive(Debug, Clone)]
pub(crate) struct CsvShape {
    pub(crate) dialect: Dialect,
    /// Records of the header; 0 if columns are taken by position.
    pub(crate) header: usize,
    /// Line of the first row after the header, where there is one.
    pub(crate) first_row_line: Option<u32>,
    /// A regular expression for rows that are no data.
    pub(crate) skip_rows: Option<String>,
    /// Rows that `skip_rows` must match, and no more.
    pub(crate) skipped: u64,
    /// The header comes again among the rows.
    pub(crate) repeats_header: bool,
    /// Rows have another number of fields than the header, all of them.
    pub(crate) pads: bool,
    /// What was found out, for comments.
    pub(crate) findings: Vec<Finding>,
}

/// Everything that goes into the two files.
#[derive(Debug)]
pub(crate) struct Proposal {
    /// Pipeline name.
    pub(crate) name: String,
    pub(crate) partner: String,
    /// Path below the partner's container.
    pub(crate) path: String,
    /// Name of the file that was looked at.
    pub(crate) file: String,
    pub(crate) rows: u64,
    /// Whether rows were left out of the look.
    pub(crate) partial: bool,
    pub(crate) format: FileFormat,
    pub(crate) spelling: Spelling,
    pub(crate) columns: Vec<Column>,
}

impl Proposal {
    /// File name of the contract.
    pub(crate) fn contract_file(&self) -> String {
        format!("{}.odcs.yaml", self.name)
    }

    /// File name of the pipeline.
    pub(crate) fn pipeline_file(&self) -> String {
        format!("{}.pipeline.yaml", self.name)
    }

    /// The published table: the pipeline's name with underscores.
    fn table(&self) -> String {
        let name = self.name.replace('-', "_");
        if name.starts_with(|c: char| c.is_ascii_digit()) { format!("t_{name}") } else { name }
    }

    /// Text of the contract.
    pub(crate) fn contract(&self) -> String {
        let mut out = String::new();
        line(
            &mut out,
            &format!(
                "# Drafted from {} ({} rows{}).",
                comment(&self.file),
                self.rows,
                if self.partial { ", the first of more" } else { "" }
            ),
        );
        line(&mut out, "# A file shows what is, not what was promised: read it with the partner, then set status to active.");
        line(&mut out, "apiVersion: v3.1.0");
        line(&mut out, "kind: DataContract");
        line(&mut out, &format!("id: {}", quote(&self.name)));
        line(&mut out, "version: 0.1.0");
        line(&mut out, "status: draft");
        line(&mut out, "schema:");
        line(&mut out, &format!("  - name: {}", quote(&self.table())));
        line(&mut out, "    logicalType: object");
        line(&mut out, "    properties:");
        for column in &self.columns {
            write_column(&mut out, column);
        }
        out
    }

    /// Text of the pipeline.
    pub(crate) fn pipeline(&self) -> String {
        let mut out = String::new();
        line(
            &mut out,
            &format!(
                "# Drafted from {}. Add tasks, rules, limits; try it with `sluice check FILE --pipeline {}`.",
                comment(&self.file),
                self.pipeline_file()
            ),
        );
        line(&mut out, "apiVersion: sluice/v1");
        line(&mut out, "kind: Pipeline");
        line(&mut out, &format!("name: {}", quote(&self.name)));
        line(&mut out, &format!("contract: {}", quote(&self.contract_file())));
        line(&mut out, "intake:");
        line(&mut out, &format!("  partner: {}", quote(&self.partner)));
        line(&mut out, &format!("  path: {}", quote(&self.path)));
        match &self.format {
            FileFormat::Csv(shape) => self.write_csv(&mut out, shape),
            FileFormat::Ndjson => self.write_ndjson(&mut out),
            FileFormat::Parquet => line(&mut out, "  format: parquet"),
        }
        line(&mut out, &format!("publish: {{ table: {} }}", quote(&self.table())));
        out
    }

    fn null_list(&self) -> String {
        let spellings: Vec<String> = std::iter::once("").chain(self.spelling.nulls.iter().copied()).map(quote).collect();
        format!("[{}]", spellings.join(", "))
    }

    fn write_csv(&self, out: &mut String, shape: &CsvShape) {
        let CsvShape { dialect, .. } = shape;
        line(out, "  format:");
        line(out, "    csv:");
        for finding in &shape.findings {
            line(
                out,
                &format!("      # {} `{}`, {} % sure: {}", finding.what, comment(&finding.found), finding.sure, comment(&finding.why)),
            );
        }
        let mut key = |name: &str, value: &str| line(out, &format!("      {name}: {value}"));
        let delimiter = if dialect.delimiter == "\t" { "tab".to_owned() } else { quote(&dialect.delimiter) };
        key("delimiter", &delimiter);
        match dialect.quote {
            None => key("quote", "none"),
            Some(b'"') => {}
            Some(mark) => key("quote", &quote(&char::from(mark).to_string())),
        }
        if dialect.escape == Escape::Backslash {
            key("escape", "backslash");
        }
        if let Some(mark) = &dialect.comment {
            key("comment", &quote(mark));
        }
        match shape.header {
            0 => key("header", "none"),
            1 => {}
            rows => key("header", &rows.to_string()),
        }
        if shape.repeats_header {
            key("repeatedHeader", "skip");
        }
        if dialect.skip_lines > 0 {
            key("skipLines", &dialect.skip_lines.to_string());
        }
        if let Some(pattern) = &shape.skip_rows {
            key("skipRows", &quote(pattern));
        }
        if dialect.encoding != Encoding::Utf8 {
            key("encoding", encoding::name(dialect.encoding));
        }
        key("nullValues", &self.null_list());
        if self.spelling.decimal_comma {
            key("decimal", "\",\"");
        }
        if let Some(mark) = self.spelling.thousands {
            key("thousands", &quote(&mark.to_string()));
        }
        if !self.spelling.booleans.is_empty() {
            let words = |all: [&'static str; 4]| {
                let used: Vec<String> = all.into_iter().filter(|word| self.spelling.booleans.contains(word)).map(quote).collect();
                format!("[{}]", used.join(", "))
            };
            key("trueValues", &words(["true", "yes", "y", "t"]));
            key("falseValues", &words(["false", "no", "n", "f"]));
        }
        if self.spelling.trim {
            key("trim", "true");
        }
        key("shortRow", if shape.pads { "pad" } else { "reject" });
    }

    fn write_ndjson(&self, out: &mut String) {
        if self.spelling.nulls.is_empty() && !self.spelling.empty_is_null {
            line(out, "  format: ndjson");
        } else {
            line(out, "  format:");
            line(out, "    ndjson:");
            line(out, &format!("      nullValues: {}", self.null_list()));
        }
    }
}

fn write_column(out: &mut String, column: &Column) {
    let (logical, physical, options) = types(&column.kind);
    let seen = if column.seen.is_empty() { String::new() } else { format!("{}; ", comment(&column.seen)) };
    let seen = format!("  # {seen}{} % sure", column.sure);
    line(out, &format!("      - name: {}{seen}", quote(&column.name)));
    for doubt in &column.doubts {
        line(out, &format!("        # {}", comment(doubt)));
    }
    let mut key = |name: &str, value: &str| line(out, &format!("        {name}: {value}"));
    if column.source != column.name {
        key("physicalName", &quote(&column.source));
    }
    key("logicalType", logical);
    key("physicalType", &physical);
    if let Some(format) = options {
        key("logicalTypeOptions", &format!("{{ format: {} }}", quote(format)));
    }
    if column.required {
        key("required", "true");
    }
    if column.unique {
        key("unique", "true");
    }
}

/// `logicalType`, `physicalType` and the `format` among its options.
fn types(kind: &Kind) -> (&'static str, String, Option<&str>) {
    match kind {
        Kind::Text => ("string", "varchar".to_owned(), None),
        Kind::Uuid => ("string", "uuid".to_owned(), None),
        Kind::Boolean => ("boolean", "boolean".to_owned(), None),
        Kind::Integer { bits: 8 } => ("integer", "tinyint".to_owned(), None),
        Kind::Integer { bits: 16 } => ("integer", "smallint".to_owned(), None),
        Kind::Integer { bits: 32 } => ("integer", "int".to_owned(), None),
        Kind::Integer { .. } => ("integer", "bigint".to_owned(), None),
        Kind::Double => ("number", "double".to_owned(), None),
        Kind::Decimal { precision, scale } => ("number", format!("decimal({precision},{scale})"), None),
        Kind::Date { format } => ("date", "date".to_owned(), format.as_deref()),
        Kind::Timestamp { zoned: true, format } => ("timestamp", "timestamptz".to_owned(), format.as_deref()),
        Kind::Timestamp { zoned: false, format } => ("timestamp", "datetime".to_owned(), format.as_deref()),
        Kind::Time { format } => ("time", "time".to_owned(), format.as_deref()),
        Kind::Json => ("object", "json".to_owned(), None),
    }
}

fn line(out: &mut String, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{text}");
}

/// A YAML scalar that is read back as this text.
fn quote(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
        && !matches!(text.to_ascii_lowercase().as_str(), "true" | "false" | "yes" | "no" | "on" | "off" | "null" | "y" | "n");
    if plain {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            // YAML's own line breaks and everything it does not print.
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Text that cannot leave its comment.
fn comment(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}') { '\u{fffd}' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_are_quoted_where_yaml_would_read_something_else() {
        assert_eq!(quote("dep_time"), "dep_time");
        assert_eq!(quote("no"), "\"no\"");
        assert_eq!(quote("2013"), "\"2013\"");
        assert_eq!(quote("a: #b"), "\"a: #b\"");
        assert_eq!(quote("say \"x\"\\\n"), "\"say \\\"x\\\"\\\\\\u000a\"");
    }

    #[test]
    fn a_comment_stays_one_line() {
        assert_eq!(comment("a\nb\u{2028}c"), "a\u{fffd}b\u{fffd}c");
    }
}
