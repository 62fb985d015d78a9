//! Reference tables, which a lookup takes columns from. They are in memory.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher as _};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema};
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
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
        // A column is one Arrow array, whose offsets are 32 bits.
        if bytes.len() > i32::MAX as usize {
            return Err(fail(1, "is larger than 2 GiB"));
        }
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
                    let found = splitter.delimiters.len() + 1;
                    if let Some(names) = names.as_ref().filter(|names| names.len() != found) {
                        return Err(fail(line, &format!("expected {} fields, found {found}", names.len())));
                    }
                    let mut header = Vec::new();
                    let mut start = 0;
                    for (i, end) in splitter.delimiters.iter().map(|d| *d as usize - 1).chain([content]).enumerate() {
                        let Unquoted { value, has_tail } = unquote(&dialect, &record[start..end], &mut scratch);
                        if has_tail {
                            return Err(fail(line, "text stands after a closing quote"));
                        }
                        let field = std::str::from_utf8(value).map_err(|_| fail(line, "is no valid UTF-8"))?;
                        match &names {
                            None if header.iter().any(|name| name == field) => {
                                return Err(fail(line, &format!("the header names {field} more than once")));
                            }
                            None => header.push(field.to_owned()),
                            Some(_) => builders[i].append_option((!field.is_empty()).then_some(field)),
                        }
                        start = end + 1;
                    }
                    if names.is_none() {
                        builders = header.iter().map(|_| StringBuilder::new()).collect();
                        names = Some(header);
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

/// Rows of a table by key. It keeps a row number for each key and the key columns themselves, about 10 bytes beside them for a key, so that a
/// table of millions of rows costs little more than its text.
#[derive(Debug)]
pub(crate) struct Index {
    columns: Vec<ArrayRef>,
    rows: HashTable<u32>,
}

fn hash(key: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(key);
    hasher.finish()
}

impl Index {
    /// Indexes the rows of a table by its key columns. Rows with a null in the key are left out.
    ///
    /// # Errors
    /// A key that stands in two rows, in words.
    pub(crate) fn new(columns: Vec<ArrayRef>) -> Result<Self, String> {
        let count = columns.first().map_or(0, |column| column.len());
        let mut index = Self { rows: HashTable::with_capacity(count), columns };
        let (mut key, mut other) = (Vec::new(), Vec::new());
        for row in 0..count {
            key.clear();
            if !keys::encode(&index.columns, row, &mut key) {
                continue;
            }
            let is_same = |first: &u32| is_key(&index.columns, *first, &key, &mut other);
            let rehash = |row: &u32| {
                let mut key = Vec::new();
                keys::encode(&index.columns, *row as usize, &mut key);
                hash(&key)
            };
            match index.rows.entry(hash(&key), is_same, rehash) {
                Entry::Occupied(first) => {
                    let (first, row) = (first.get() + 1, row + 1);
                    return Err(format!("rows {first} and {row} (counted from 1, without the header) have the same key"));
                }
                Entry::Vacant(place) => drop(place.insert(row as u32)),
            }
        }
        Ok(index)
    }

    /// The row of an encoded key. `scratch` is for the keys it is compared with.
    pub(crate) fn row(&self, key: &[u8], scratch: &mut Vec<u8>) -> Option<u32> {
        self.rows.find(hash(key), |row| is_key(&self.columns, *row, key, scratch)).copied()
    }
}

fn is_key(columns: &[ArrayRef], row: u32, key: &[u8], scratch: &mut Vec<u8>) -> bool {
    scratch.clear();
    keys::encode(columns, row as usize, scratch) && scratch == key
}

#[cfg(test)]
mod tests {
    use arrow::array::cast::AsArray as _;
    use arrow::array::{Int64Array, StringArray};

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

    #[test]
    fn an_index_finds_each_key_and_costs_little_beside_its_columns() {
        const ROWS: u32 = 100_000;
        let texts: StringArray = (0..ROWS).map(|row| (row != 7).then(|| format!("key {row}"))).collect();
        let numbers: Int64Array = (0..ROWS).map(|row| Some(i64::from(row % 10))).collect();
        let index = Index::new(vec![Arc::new(texts) as ArrayRef, Arc::new(numbers)]).expect("no key stands twice");
        let found = |text: &str, number: i64| {
            let columns: [ArrayRef; 2] = [Arc::new(StringArray::from(vec![text])), Arc::new(Int64Array::from(vec![number]))];
            let mut key = Vec::new();
            keys::encode(&columns, 0, &mut key);
            index.row(&key, &mut Vec::new())
        };
        assert!((0..ROWS).filter(|row| *row != 7).all(|row| found(&format!("key {row}"), i64::from(row % 10)) == Some(row)));
        assert_eq!((found("key 7", 7), found("key 8", 7), found("", 0)), (None, None, None));
        let bytes = index.rows.allocation_size();
        assert!(bytes <= ROWS as usize * 12, "{bytes} bytes");
    }

    #[test]
    fn a_key_in_two_rows_is_said() {
        let column: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, Some("b"), None, Some("a")]));
        let error = Index::new(vec![column]).expect_err("twice");
        assert!(error.starts_with("rows 1 and 5 "), "{error}");
    }
}
