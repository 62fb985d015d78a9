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
use crate::Code;
use crate::typed::check::Fault;
use crate::typed::column::Column;
use crate::typed::raw::Raw;

/// The members of an object in order, with their values as written.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

/// A key that borrows from the line unless it has escapes.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(Key(key)) = map.next_key()? {
                    members.push((key, map.next_value()?));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// Which key of an object is which column.
#[derive(Debug, Clone)]
pub(crate) struct NdjsonRecords {
    columns: HashMap<String, usize>,
    count: usize,
    reject_unknown: bool,
}

impl NdjsonRecords {
    pub(crate) fn new(ndjson: &NdjsonFormat, columns: &[Column]) -> Self {
        let places = columns.iter().enumerate().map(|(i, c)| (c.source.clone(), i)).collect();
        Self { columns: places, count: columns.len(), reject_unknown: ndjson.reject_unknown }
    }

    /// Reads one line into the row just begun.
    pub(crate) fn read(&self, line: &[u8], rows: &mut BatchBuilder) {
        let members = std::str::from_utf8(line)
            .map_err(|e| Fault::new(Code::InvalidEncoding, format!("the line is no valid UTF-8 at its byte {}", e.valid_up_to())))
            .and_then(|text| {
                // The position that serde_json adds counts lines from the start of this line.
                serde_json::from_str::<Members<'_>>(text).map_err(|e| Fault::new(Code::NotJsonObject, format!("is no JSON object: {e}")))
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
        for (column, value) in values.into_iter().enumerate() {
            add(column, value.map_or("null", RawValue::get), rows);
        }
    }
}

/// Adds a JSON value as it is written.
pub(crate) fn add(column: usize, json: &str, rows: &mut BatchBuilder) {
    let bytes = json.as_bytes();
    match bytes.first() {
        Some(b'"') => {
            let inner = &bytes[1..bytes.len() - 1];
            if memchr::memchr(b'\\', inner).is_none() {
                rows.value(column, Raw::Text(inner));
                return;
            }
            // A lone surrogate escape is the one thing in a JSON string that is no text.
            match serde_json::from_str::<String>(json) {
                Ok(text) => rows.value(column, Raw::Text(text.as_bytes())),
                Err(_) => rows.value(column, Raw::Text(b"\xff")),
            }
        }
        Some(b'{' | b'[') => rows.value(column, Raw::Json(bytes)),
        Some(b't') => rows.value(column, Raw::Boolean(true)),
        Some(b'f') => rows.value(column, Raw::Boolean(false)),
        Some(b'-' | b'0'..=b'9') => rows.value(column, Raw::Number(bytes)),
        _ => rows.value(column, Raw::Null),
    }
}
