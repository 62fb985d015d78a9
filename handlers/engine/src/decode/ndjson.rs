//! One JSON object a line.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use sluice_contract::NdjsonFormat;

use super::batch::BatchBuilder;
use super::members::Members;
use crate::Code;
use crate::split::index::Record;
use crate::typed::check::Fault;
use crate::typed::column::Column;
use crate::typed::json;
use crate::typed::quick::Cells;
use crate::typed::raw::Raw;

/// The members of an object in order, with their values as written.
struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

/// A key that borrows from the line unless it has escapes.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(Key(key)) = map.next_key()? {
                    members.push((key, map.next_value()?));
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

/// Which key of an object is which column.
#[derive(Debug, Clone)]
pub(crate) struct NdjsonRecords {
    columns: HashMap<String, usize>,
    count: usize,
    reject_unknown: bool,
    members: Members,
}

impl NdjsonRecords {
    pub(crate) fn new(ndjson: &NdjsonFormat, columns: &[Column]) -> Self {
        let places = columns.iter().enumerate().map(|(i, c)| (c.source.clone(), i)).collect();
        let members = Members::new(columns.iter().map(|c| c.source.as_str()), ndjson.reject_unknown);
        Self { columns: places, count: columns.len(), reject_unknown: ndjson.reject_unknown, members }
    }

    /// Reads lines into the rows from `first` on: JSON objects column by column, what is none line by line.
    pub(crate) fn read_all(&mut self, text: &[u8], lines: &[Record], first: usize, rows: &mut BatchBuilder) {
        let Some((start, end)) = lines.first().zip(lines.last()).map(|(f, l)| (f.start as usize, l.end as usize)) else { return };
        let is_text = std::str::from_utf8(&text[start..end]).is_ok();
        let mut next = first;
        for (at, line) in lines.iter().enumerate() {
            let (start, end) = (line.start as usize, line.end as usize);
            if is_text && self.members.line(text, start, end) {
                continue;
            }
            self.add_found(text, next, rows);
            rows.go_to(first + at);
            self.read(&text[start..end], rows);
            next = first + at + 1;
        }
        self.add_found(text, next, rows);
    }

    /// Adds the values that are found so far to the rows from `first` on.
    fn add_found(&mut self, text: &[u8], first: usize, rows: &mut BatchBuilder) {
        if self.members.lines() > 0 {
            for column in 0..self.count {
                let parts = self.members.parts(column);
                rows.values(column, first, Cells { text, parts, is_text: true, is_ascii: false, is_json: true });
            }
        }
        if self.members.unknown() > 0 {
            rows.repair("unknownKeys", self.members.unknown());
        }
        self.members.clear();
    }

    /// Reads one line into the row just begun.
    pub(crate) fn read(&self, line: &[u8], rows: &mut BatchBuilder) {
        let members = std::str::from_utf8(line)
            .map_err(|e| Fault::new(Code::InvalidEncoding, format!("the line is no valid UTF-8 at its byte {}", e.valid_up_to())))
            .and_then(|text| {
                // The position that serde_json adds counts lines from the start of this line.
                serde_json::from_str::<Object<'_>>(text).map_err(|e| Fault::new(Code::NotJsonObject, format!("is no JSON object: {e}")))
            });
        let members = match members {
            Ok(members) => members.0,
            Err(fault) => {
                rows.fault(fault, None, None, true);
                rows.nulls();
                return;
            }
        };
        let mut values: Vec<Option<&RawValue>> = vec![None; self.count];
        let mut unknown = 0;
        for (key, value) in members {
            match self.columns.get(key.as_ref()) {
                Some(column) if values[*column].is_none() => values[*column] = Some(value),
                Some(column) => {
                    let columns = Arc::clone(rows.columns());
                    rows.fault(
                        Fault::new(Code::RepeatedKey, "the key stands twice in the object"),
                        Some(&columns[*column].name),
                        None,
                        true,
                    );
                }
                None if self.reject_unknown => {
                    rows.fault(
                        Fault::new(Code::UnknownKey, "the contract has no such key"),
                        None,
                        Some(crate::typed::text::shorten(&key, crate::VALUE_CHARS)),
                        true,
                    );
                }
                None => unknown += 1,
            }
        }
        if unknown > 0 {
            rows.repair("unknownKeys", unknown);
        }
        let mut scratch = String::new();
        for (column, value) in values.into_iter().enumerate() {
            rows.value(column, value.map_or(Raw::Null, |value| json::raw(value.get().as_bytes(), &mut scratch)));
        }
    }
}
