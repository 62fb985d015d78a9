//! Reference tables: small tables that a lookup takes columns from.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema};
use sluice_contract::Escape;

use crate::decode::csv::{Unquoted, unquote};
use crate::split::automaton::{Automaton, Dialect};
use crate::split::splitter::{Found, Shape, Splitter};
use crate::{Code, Refusal, keys};

/// Longest row of a reference table.
const ROW_BYTES: u64 = 1 << 20;

/// Reference tables by name. All columns are text; a lookup types them by need.
#[derive(Debug, Clone, Default)]
pub struct ReferenceTables(pub BTreeMap<String, RecordBatch>);

impl ReferenceTables {
    /// Reads a reference table from CSV (RFC 4180, UTF-8, header first). An empty field is null.
    ///
    /// # Errors
    /// The table cannot be read; the message names it, `line` says where.
    pub fn read_csv(name: &str, bytes: &[u8]) -> Result<RecordBatch, Refusal> {
        let fail = |line: u64, message: &str| {
            Refusal::new(Code::UnreadableReference, format!("the reference table {name}: {message}")).at_line(line)
        };
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let dialect = Dialect {
            delimiter: vec![b','],
            quote: Some(b'"'),
            escape: Escape::Double,
            comment: Vec::new(),
            trim: false,
            blank_is_row: false,
        };
        let mut splitter = Splitter::new(Arc::new(Automaton::csv(&dialect)), ROW_BYTES);
        let (mut at, mut line) = (0, 1);
        let mut names: Option<Vec<String>> = None;
        let mut builders: Vec<StringBuilder> = Vec::new();
        let mut scratch = Vec::new();
        loop {
            splitter.clear_fields();
            match splitter.next(&bytes[at..], true) {
                Found::More => break,
                Found::Skip { len, lines } => {
                    at += len;
                    line += u64::from(lines);
                }
                Found::Record { content, len, lines, shape } => {
                    if shape != Shape::Whole {
                        return Err(fail(line, "a quote is not closed, or a row is longer than 1 MiB"));
                    }
                    let record = &bytes[at..at + content];
                    let mut fields = Vec::with_capacity(splitter.delimiters.len() + 1);
                    let mut start = 0;
                    for end in splitter.delimiters.iter().map(|d| *d as usize - 1).chain([content]) {
                        let Unquoted { value, has_tail } = unquote(&dialect, &record[start..end], &mut scratch);
                        if has_tail {
                            return Err(fail(line, "text stands after a closing quote"));
                        }
                        fields.push(std::str::from_utf8(value).map_err(|_| fail(line, "is no valid UTF-8"))?.to_owned());
                        start = end + 1;
                    }
                    match &names {
                        None => {
                            if let Some(name) = fields.iter().enumerate().find_map(|(i, f)| fields[..i].contains(f).then_some(f)) {
                                return Err(fail(line, &format!("the header names {name} more than once")));
                            }
                            builders = fields.iter().map(|_| StringBuilder::new()).collect();
                            names = Some(fields);
                        }
                        Some(names) if fields.len() != names.len() => {
                            return Err(fail(line, &format!("expected {} fields, found {}", names.len(), fields.len())));
                        }
                        Some(_) => {
                            for (builder, field) in builders.iter_mut().zip(&fields) {
                                builder.append_option((!field.is_empty()).then_some(field));
                            }
                        }
                    }
                    at += len;
                    line += u64::from(lines);
                }
            }
        }
        let names = names.ok_or_else(|| fail(1, "has no header"))?;
        let schema = Schema::new(names.iter().map(|n| Field::new(n, DataType::Utf8, true)).collect::<Vec<_>>());
        let arrays: Vec<ArrayRef> = builders.iter_mut().map(|b| Arc::new(b.finish()) as ArrayRef).collect();
        RecordBatch::try_new(Arc::new(schema), arrays).map_err(|e| fail(1, &e.to_string()))
    }
}

/// Rows of a table by encoded key. Rows with a null in the key are left out.
///
/// # Errors
/// A key that stands in two rows, in words.
pub(crate) fn index(key_columns: &[&ArrayRef]) -> Result<HashMap<Vec<u8>, u32>, String> {
    let rows = key_columns.first().map_or(0, arrow::array::Array::len);
    let mut index = HashMap::with_capacity(rows);
    for row in 0..rows {
        let mut key = Vec::new();
        if keys::encode(key_columns, row, &mut key)
            && let Some(first) = index.insert(key, row as u32)
        {
            return Err(format!("rows {} and {} (counted from 1, without the header) have the same key", first + 1, row + 1));
        }
    }
    Ok(index)
}

#[cfg(test)]
mod tests {
    use arrow::array::cast::AsArray as _;

    use super::*;

    #[test]
    fn a_table_is_read_with_quotes_and_nulls() {
        let table = ReferenceTables::read_csv("airports", b"faa,name\r\nJFK,\"John F \"\"K\"\"\"\r\nXXX,\r\n").expect("a table");
        assert_eq!(table.num_rows(), 2);
        assert_eq!(table.column(1).as_string::<i32>().value(0), "John F \"K\"");
        assert!(table.column(1).is_null(1));
    }

    #[test]
    fn a_bad_table_says_where() {
        for (bytes, line) in [(&b""[..], 1), (b"a,a\n", 1), (b"a,b\n1,2\n3\n", 3), (b"a,b\n\n1,\"2\"x\n", 3), (b"a\n\"x", 2)] {
            let refusal = ReferenceTables::read_csv("t", bytes).expect_err("a bad table");
            assert_eq!((refusal.code, refusal.line), (Code::UnreadableReference, Some(line)), "{}", bytes.escape_ascii());
        }
    }
}
