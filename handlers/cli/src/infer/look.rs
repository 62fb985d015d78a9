//! Looks at every row of a sample file once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;

use arrow::datatypes::{DataType, TimeUnit};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::ParquetMetaData;
use serde_json::{Map, Value};

use super::names;
use super::profile::Profile;
use super::propose::{self, Column, Kind, Seen, Spelling};
use super::shape::Shapes;
use super::source::Source;
use super::sure::Finding;
use super::write::FileFormat;
use crate::fault::FileContext as _;
use crate::{Fault, Result};

/// Most columns that a sample may have.
pub(crate) const MAX_COLUMNS: usize = 10_000;

/// What a file shows.
#[derive(Debug)]
pub(crate) struct Look {
    pub(crate) format: FileFormat,
    pub(crate) columns: Vec<Column>,
    pub(crate) spelling: Spelling,
    pub(crate) rows: u64,
    /// Rows were left out, because there are more than were asked for.
    pub(crate) partial: bool,
    /// What was found out about the file as a whole.
    pub(crate) findings: Vec<Finding>,
    /// What a person should look at, beside findings that are not sure.
    pub(crate) doubts: Vec<String>,
}

/// Looks at one JSON object a line.
pub(crate) fn ndjson(source: &Source<'_>, most_rows: u64) -> Result<Look> {
    let mut text = source.text()?;
    let mut fields: Vec<JsonField> = Vec::new();
    let mut index = std::collections::HashMap::<String, usize>::new();
    let (mut rows, mut partial, mut broken) = (0_u64, false, 0_u64);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = std::io::BufRead::read_until(&mut std::io::Read::take(&mut text, super::source::HEAD as u64 * 16), b'\n', &mut line);
        if read.map_err(|error| Fault::data(format!("the file cannot be read to its end: {error}")))? == 0 {
            break;
        }
        let bytes = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line);
        if bytes.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        if rows == most_rows {
            partial = true;
            break;
        }
        rows += 1;
        let Ok(object) = serde_json::from_slice::<Map<String, Value>>(bytes) else {
            broken += 1;
            continue;
        };
        for (key, value) in object {
            let at = *index.entry(key.clone()).or_insert_with(|| {
                fields.push(JsonField::new(key));
                fields.len() - 1
            });
            fields[at].value(&value);
        }
        if fields.len() > MAX_COLUMNS {
            return Err(Fault::usage(format!("more than {MAX_COLUMNS} different keys cannot be described")));
        }
    }
    let mut doubts = Vec::new();
    if broken > 0 {
        doubts.push(format!("{broken} of {rows} lines are no JSON objects: they will be rejected"));
    }
    if fields.is_empty() {
        return Err(Fault::usage("no line is a JSON object with keys: there is nothing to learn from it"));
    }
    let sources: Vec<String> = fields.iter().map(|f| f.name.clone()).collect();
    let lake_names = names::columns(&sources);
    let with_empty: BTreeSet<String> = fields.iter().filter(|f| f.empty).map(|f| f.name.clone()).collect();
    let whole = rows - broken;
    let seen = fields.into_iter().map(|field| field.finish(whole, &mut doubts)).collect();
    let (columns, mut spelling, more) = propose::text(seen, lake_names);
    doubts.extend(more);
    let empty_is_null = columns.iter().any(|c| c.kind != Kind::Text && with_empty.contains(&c.source));
    // JSON writes numbers and booleans in one way only.
    spelling = Spelling { nulls: spelling.nulls, empty_is_null, ..Spelling::default() };
    Ok(Look { format: FileFormat::Ndjson, columns, spelling, rows, partial, findings: Vec::new(), doubts })
}

/// A key, with what is known of its values by their JSON type.
struct JsonField {
    name: String,
    nulls: u64,
    types: BTreeMap<JsonType, Profile>,
    /// Some value is the empty text.
    empty: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum JsonType {
    String,
    Number,
    Boolean,
    Nested,
}

impl JsonField {
    fn new(name: String) -> Self {
        Self { name, nulls: 0, types: BTreeMap::new(), empty: false }
    }

    fn value(&mut self, value: &Value) {
        let (kind, spelled) = match value {
            Value::Null => {
                self.nulls += 1;
                return;
            }
            Value::String(text) => (JsonType::String, text.clone()),
            Value::Number(number) => (JsonType::Number, number.to_string()),
            Value::Bool(word) => (JsonType::Boolean, word.to_string()),
            Value::Array(_) | Value::Object(_) => (JsonType::Nested, "{}".to_owned()),
        };
        self.empty |= spelled.is_empty();
        self.types.entry(kind).or_default().value(&spelled, true);
    }

    /// The type of most values decides. A string is text, a date or a time; only a JSON number is a number.
    fn finish(mut self, rows: u64, doubts: &mut Vec<String>) -> Seen {
        let main = self.types.iter().max_by_key(|(_, profile)| profile.rows).map(|(kind, _)| *kind);
        let mut profile = main.and_then(|kind| self.types.remove(&kind)).unwrap_or_default();
        let others: u64 = self.types.values().map(|other| other.rows).sum();
        if others > 0 {
            doubts.push(format!(
                "{}: {others} of {rows} values have another JSON type than the rest: their rows will be rejected",
                self.name
            ));
        }
        for _ in profile.rows + others..rows {
            profile.blank();
        }
        let known = match main {
            Some(JsonType::Nested) => Some(Kind::Json),
            Some(JsonType::String) if is_numeric_or_boolean(profile.shapes) => Some(Kind::Text),
            _ => None,
        };
        Seen { source: self.name, profile, known }
    }
}

fn is_numeric_or_boolean(shapes: Shapes) -> bool {
    use super::shape::Shape;
    [
        Shape::Float,
        Shape::Point,
        Shape::Comma,
        Shape::CommaGroups,
        Shape::PointGroups,
        Shape::OtherGroups,
        Shape::OtherGroupsComma,
        Shape::TrueFalse,
        Shape::YesNo,
        Shape::YN,
        Shape::TF,
    ]
    .into_iter()
    .any(|shape| shapes.has(shape))
}

/// Looks at the schema and statistics of a Parquet file.
pub(crate) fn parquet(path: &Path) -> Result<Look> {
    let file = File::open(path).file("read", path)?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file)
        .map_err(|error| Fault::data(format!("{} is no whole Parquet file: {error}", path.display())))?;
    let rows = builder.metadata().file_metadata().num_rows().unsigned_abs();
    let mut doubts = Vec::new();
    let mut sources = Vec::new();
    let mut kinds = Vec::new();
    for field in builder.schema().fields() {
        match parquet_kind(field.data_type()) {
            Some(kind) => {
                sources.push(field.name().clone());
                kinds.push((kind, null_count(builder.metadata(), field.name()).or((!field.is_nullable()).then_some(0))));
            }
            None => doubts.push(format!(
                "column {} has the type {}, which a contract cannot name: it is left out",
                field.name(),
                field.data_type()
            )),
        }
    }
    if sources.is_empty() {
        return Err(Fault::usage("no column has a type that a contract can name"));
    }
    let columns = names::columns(&sources)
        .into_iter()
        .zip(sources)
        .zip(kinds)
        .map(|((name, source), (kind, nulls))| Column {
            name,
            source,
            kind,
            required: nulls == Some(0) && rows > 0,
            unique: false,
            sure: 100,
            seen: nulls.filter(|n| *n > 0).map(|n| format!("{n} of {rows} null")).unwrap_or_default(),
            doubts: if nulls.is_none() { vec!["the file does not say whether there are nulls".to_owned()] } else { Vec::new() },
        })
        .collect();
    Ok(Look { format: FileFormat::Parquet, columns, spelling: Spelling::default(), rows, partial: false, findings: Vec::new(), doubts })
}

/// Nulls of a top-level column, if every row group counts them.
fn null_count(metadata: &ParquetMetaData, name: &str) -> Option<u64> {
    metadata.row_groups().iter().try_fold(0, |sum, group| {
        let column = group.columns().iter().find(|c| c.column_path().parts() == [name.to_owned()])?;
        Some(sum + column.statistics()?.null_count_opt()?)
    })
}

fn parquet_kind(data_type: &DataType) -> Option<Kind> {
    Some(match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Kind::Text,
        DataType::Dictionary(_, value) => return parquet_kind(value),
        DataType::Boolean => Kind::Boolean,
        DataType::Int8 => Kind::Integer { bits: 8 },
        DataType::Int16 | DataType::UInt8 => Kind::Integer { bits: 16 },
        DataType::Int32 | DataType::UInt16 => Kind::Integer { bits: 32 },
        DataType::Int64 | DataType::UInt32 => Kind::Integer { bits: 64 },
        DataType::Float16 | DataType::Float32 | DataType::Float64 => Kind::Double,
        DataType::Decimal32(p, s) | DataType::Decimal64(p, s) | DataType::Decimal128(p, s) if *s >= 0 => {
            Kind::Decimal { precision: *p, scale: s.unsigned_abs() }
        }
        DataType::Date32 | DataType::Date64 => Kind::Date { format: None },
        DataType::Timestamp(TimeUnit::Second | TimeUnit::Millisecond | TimeUnit::Microsecond | TimeUnit::Nanosecond, zone) => {
            Kind::Timestamp { zoned: zone.is_some(), format: None }
        }
        DataType::Time32(_) | DataType::Time64(_) => Kind::Time { format: None },
        _ => return None,
    })
}
