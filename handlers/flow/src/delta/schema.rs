//! Columns of a run against the columns of its table.

use arrow::datatypes::{DataType as ArrowType, Schema, TimeUnit};
use deltalake_core::kernel::{MetadataExt as _, StructField, StructType, engine::arrow_conversion::TryIntoKernel as _};
use serde_json::{Value, json};

use super::{Publication, table::Known};
use crate::{Error, Result};

/// Table features that ask nothing of a writer that only adds files with statistics. `invariants` may be named as long as no column has one.
const KNOWN_FEATURES: [&str; 5] = ["appendOnly", "deletionVectors", "invariants", "timestampNtz", "v2Checkpoint"];

/// The table's columns as Delta types. All may be null: a contract that drops `required` later then still fits.
fn columns(schema: &Schema) -> Result<StructType> {
    let fields: Vec<_> = schema.fields().iter().map(|f| f.as_ref().clone().with_nullable(true).with_metadata(Default::default())).collect();
    (&Schema::new(fields)).try_into_kernel().map_err(|e| Error::permanent("D0002", "a column cannot be stored in a table").because(e))
}

fn has_wall_clock(schema: &Schema) -> bool {
    schema.fields().iter().any(|f| matches!(f.data_type(), ArrowType::Timestamp(TimeUnit::Microsecond, None)))
}

/// The actions that make the table, or add the columns that it lacks.
pub(super) fn actions(publication: &Publication<'_>, known: Option<&Known>, now: i64) -> Result<Vec<Value>> {
    let columns = columns(publication.schema)?;
    match known {
        None => create(publication, &columns, now),
        Some(known) => extend(publication, &columns, known),
    }
}

fn create(publication: &Publication<'_>, columns: &StructType, now: i64) -> Result<Vec<Value>> {
    let protocol = if has_wall_clock(publication.schema) {
        json!({ "minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": ["timestampNtz"], "writerFeatures": ["timestampNtz"] })
    } else {
        json!({ "minReaderVersion": 1, "minWriterVersion": 2 })
    };
    Ok(vec![
        json!({ "protocol": protocol }),
        json!({ "metaData": {
            "id": table_id(publication),
            "name": publication.table,
            "format": { "provider": "parquet", "options": {} },
            "schemaString": schema_string(columns)?,
            "partitionColumns": publication.partition_by,
            "configuration": {
                "delta.checkpointInterval": super::CHECKPOINT_EVERY.to_string(),
                // A run's `txn` is needed as long as its publish step may be tried again.
                "delta.setTransactionRetentionDuration": "interval 365 days",
            },
            "createdTime": now,
        }}),
    ])
}

fn schema_string(columns: &StructType) -> Result<String> {
    serde_json::to_string(columns).map_err(|e| Error::bug("D0006", "the columns could not be written as JSON").because(e))
}

/// An id in the form of a UUID, made from the table and the run that creates it.
fn table_id(publication: &Publication<'_>) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("sluice 2026 table id v1");
    hasher.update(publication.table.as_bytes()).update(b"\0").update(publication.run.as_str().as_bytes());
    let hex = hasher.finalize().to_hex();
    format!("{}-{}-8{}-8{}-{}", &hex[..8], &hex[8..12], &hex[12..15], &hex[15..18], &hex[18..30])
}

fn extend(publication: &Publication<'_>, columns: &StructType, known: &Known) -> Result<Vec<Value>> {
    let table = publication.table;
    check_protocol(table, known)?;
    if known.metadata.partition_columns() != publication.partition_by {
        return Err(Error::permanent(
            "D0003",
            format!(
                "table {table} is partitioned by {:?}, the pipeline asks for {:?}",
                known.metadata.partition_columns(),
                publication.partition_by
            ),
        ));
    }
    let mut misfits = Vec::new();
    let mut added = Vec::<StructField>::new();
    for column in columns.fields() {
        let same = known.columns.fields().find(|f| f.name().eq_ignore_ascii_case(column.name()));
        match same {
            None => added.push(column.clone()),
            Some(field) if field.name() != column.name() => misfits.push(format!("{} is {} in the table", column.name(), field.name())),
            Some(field) if field.data_type() != column.data_type() => {
                misfits.push(format!("{} is {}, in the table {}", column.name(), column.data_type(), field.data_type()));
            }
            Some(_) => {}
        }
    }
    for field in known.columns.fields() {
        if !field.is_nullable() && !columns.fields().any(|c| c.name() == field.name()) {
            misfits.push(format!("{} is required by the table and missing", field.name()));
        }
    }
    if !misfits.is_empty() {
        let list = misfits.join("; ");
        return Err(Error::permanent(
            "D0002",
            format!("the columns do not fit table {table}: {list}; publish to another table, or change the pipeline"),
        ));
    }
    if added.is_empty() {
        return Ok(Vec::new());
    }
    if has_wall_clock(publication.schema) && known.protocol.min_writer_version() < 7 {
        return Err(Error::permanent(
            "D0004",
            format!("table {table} cannot take a timestamp without a zone: it lacks the feature timestampNtz"),
        ));
    }
    let grown = StructType::try_new(known.columns.fields().cloned().chain(added))
        .map(|grown| known.metadata.clone().with_schema(&grown))
        .map_err(|e| Error::permanent("D0002", format!("the new columns do not fit table {table}")).because(e))?
        .map_err(|e| Error::permanent("D0002", format!("the new columns do not fit table {table}")).because(e))?;
    Ok(vec![json!({ "metaData": grown })])
}

fn check_protocol(table: &str, known: &Known) -> Result<()> {
    let unknown: Vec<String> = match known.protocol.writer_features() {
        Some(features) => features.iter().map(ToString::to_string).filter(|f| !KNOWN_FEATURES.contains(&f.as_str())).collect(),
        None if known.protocol.min_writer_version() > 2 => vec![format!("writer version {}", known.protocol.min_writer_version())],
        None => Vec::new(),
    };
    let constrained = known.columns.fields().find(|f| f.metadata().contains_key("delta.invariants"));
    if let Some(feature) = unknown.first().cloned().or_else(|| constrained.map(|f| format!("an invariant of column {}", f.name()))) {
        return Err(Error::permanent("D0004", format!("table {table} asks its writers for {feature}, which is not supported here")));
    }
    Ok(())
}

/// A path as the log writes it: a URI, so that `%` (of a partition value escaped in the path) is escaped once more (RFC 3986).
pub(super) fn url_path(path: &str) -> String {
    path.bytes().fold(String::with_capacity(path.len()), |mut out, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b'=' => out.push(byte as char),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
        out
    })
}
