//! The row-wise tasks of a pipeline, compiled one after the other as the columns change.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::datatypes::{DataType as ArrowType, Field, Schema, SchemaRef};
use sluice_contract::{DataType, Derive, Lookup, Mask, MaskMethod, Mistake, Plan, Task};

use crate::sql::{Compiler, mistake_at, mistake_in, unknown_column};
use crate::tasks::{Stage, cast, derive, lookup, mask};
use crate::typed::builder::{Builder, arrow_type, type_name};
use crate::typed::column::Column;
use crate::typed::raw::{Raw, Reading};
use crate::{Code, ReferenceTables, Secrets, reference};

type Outcome<T> = Result<T, Vec<Mistake>>;

/// Compiles the tasks up to the first run-wide one. `None` if the columns after them cannot be known.
pub(crate) fn build(
    plan: &Plan,
    compiler: &Compiler,
    parsed: &SchemaRef,
    tables: &ReferenceTables,
    secrets: &Secrets,
    mistakes: &mut Vec<Mistake>,
) -> Option<(Vec<Stage>, SchemaRef)> {
    let mut schema = Arc::clone(parsed);
    let mut stages = Vec::new();
    let (mut is_known, mut is_run_wide, mut is_aggregated) = (true, false, false);
    for (i, task) in plan.pipeline.tasks.iter().enumerate() {
        let path = format!("tasks[{i}]");
        if task.is_run_wide() {
            if is_aggregated {
                mistakes.push(mistake_in(path, Code::TaskOrder, "nothing can follow an aggregate task; put it last"));
            }
            is_run_wide = true;
            is_aggregated |= matches!(task, Task::Aggregate { .. });
            continue;
        }
        if is_run_wide {
            mistakes.push(mistake_in(
                path,
                Code::TaskOrder,
                "a row-wise task stands after a run-wide one; put deduplicate and aggregate last",
            ));
            continue;
        }
        if !is_known {
            continue;
        }
        let built = match task {
            Task::Derive(steps) => derive_stage(compiler, steps, &schema, &path),
            Task::Rename(names) => {
                let pairs: Vec<_> = schema.fields().iter().map(|f| names.get(f.name()).unwrap_or(f.name()).clone()).collect();
                unknown(names.keys(), &schema, &format!("{path}.rename")).and_then(|()| {
                    let columns = (0..schema.fields().len()).collect();
                    project(&schema, columns, &pairs, &format!("{path}.rename"))
                })
            }
            Task::Select(names) => unknown(names.iter(), &schema, &format!("{path}.select")).and_then(|()| {
                let columns = names.iter().filter_map(|n| schema.index_of(n).ok()).collect();
                project(&schema, columns, names, &format!("{path}.select"))
            }),
            Task::Cast(types) => unknown(types.keys(), &schema, &format!("{path}.cast")).and_then(|()| cast_stage(types, &schema, &path)),
            Task::Filter(condition) => {
                compiler.condition(condition, &schema).map(|c| (Stage::Filter(c), Arc::clone(&schema))).map_err(|m| vec![m])
            }
            Task::Lookup(lookup) => lookup_stage(lookup, &schema, tables, &path),
            Task::Mask(mask) => mask_stage(mask, &schema, secrets, &path),
            Task::Deduplicate { .. } | Task::Aggregate { .. } => continue,
        };
        match built {
            Ok((stage, next)) => {
                stages.push(stage);
                schema = next;
            }
            Err(found) => {
                // A filter leaves the columns as they are: later tasks can still be checked.
                is_known &= matches!(task, Task::Filter(_));
                mistakes.extend(found);
            }
        }
    }
    is_known.then_some((stages, schema))
}

fn unknown<'a>(names: impl Iterator<Item = &'a String>, schema: &SchemaRef, path: &str) -> Outcome<()> {
    let known: Vec<_> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    let mistakes: Vec<_> =
        names.filter(|n| !known.contains(&n.as_str())).map(|n| mistake_in(path, Code::UnknownColumn, unknown_column(n, &known))).collect();
    if mistakes.is_empty() { Ok(()) } else { Err(mistakes) }
}

/// A new column's name must be free, and must not look like lineage.
fn check_new_name(name: &str, schema: &Schema, path: &str) -> Outcome<()> {
    if name.starts_with("_sluice_") {
        return Err(vec![mistake_in(path, Code::ColumnExists, format!("{name}: names that begin with _sluice_ are kept for lineage"))]);
    }
    if schema.index_of(name).is_ok() {
        return Err(vec![mistake_in(path, Code::ColumnExists, format!("there is a column {name} already; choose another name"))]);
    }
    Ok(())
}

fn project(schema: &SchemaRef, columns: Vec<usize>, names: &[String], path: &str) -> Outcome<(Stage, SchemaRef)> {
    let mut projected = Schema::empty();
    for (column, name) in columns.iter().zip(names) {
        check_new_name(name, &projected, path)?;
        projected = with_field(&projected, name, schema.field(*column).data_type().clone());
    }
    let projected = Arc::new(projected);
    Ok((Stage::Project { columns, schema: Arc::clone(&projected) }, projected))
}

fn with_field(schema: &Schema, name: &str, data_type: ArrowType) -> Schema {
    let mut fields: Vec<_> = schema.fields().iter().map(|f| f.as_ref().clone()).collect();
    fields.push(Field::new(name, data_type, true));
    Schema::new(fields)
}

fn with_type(schema: &Schema, column: usize, data_type: &ArrowType) -> Schema {
    let retyped =
        |(i, f): (usize, &Arc<Field>)| if i == column { Field::new(f.name(), data_type.clone(), true) } else { f.as_ref().clone() };
    Schema::new(schema.fields().iter().enumerate().map(retyped).collect::<Vec<_>>())
}

fn derive_stage(compiler: &Compiler, declared: &[Derive], schema: &SchemaRef, path: &str) -> Outcome<(Stage, SchemaRef)> {
    let mut schema = Arc::clone(schema);
    let mut steps = Vec::new();
    let mut mistakes = Vec::new();
    for Derive { name, expression } in declared {
        let expression_path = format!("{path}.derive.{name}");
        match compiler.compile(expression, &schema) {
            Ok(value) => {
                let replaces = schema.index_of(name).ok();
                let data_type = value.data_type.clone();
                let next = if let Some(column) = replaces {
                    with_type(&schema, column, &data_type)
                } else {
                    if let Err(found) = check_new_name(name, &schema, &expression_path) {
                        mistakes.extend(found.into_iter().map(|m| mistake_at(expression, Code::ColumnExists, m.message)));
                    }
                    with_field(&schema, name, data_type)
                };
                schema = Arc::new(next);
                steps.push(derive::Step { name: name.clone(), expression: value, replaces, schema: Arc::clone(&schema) });
            }
            Err(mistake) => mistakes.push(mistake),
        }
    }
    if mistakes.is_empty() { Ok((Stage::Derive(derive::Derive { steps }), schema)) } else { Err(mistakes) }
}

fn cast_stage(types: &std::collections::BTreeMap<String, DataType>, schema: &SchemaRef, path: &str) -> Outcome<(Stage, SchemaRef)> {
    let mut next = schema.as_ref().clone();
    let mut columns = Vec::new();
    let mut mistakes = Vec::new();
    for (name, data_type) in types {
        let Ok(at) = schema.index_of(name) else { continue };
        let from = schema.field(at).data_type();
        if !cast::is_possible(from, *data_type) {
            let message = format!("{name}: a value of type {from} cannot become {}; use a derive task to say how", type_name(*data_type));
            mistakes.push(mistake_in(format!("{path}.cast.{name}"), Code::ImpossibleCast, message));
            continue;
        }
        next = with_type(&next, at, &arrow_type(*data_type));
        columns.push((at, Column::plain(name, *data_type)));
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let schema = Arc::new(next);
    Ok((Stage::Cast(cast::Cast { columns, schema: Arc::clone(&schema) }), schema))
}

fn lookup_stage(declared: &Lookup, schema: &SchemaRef, tables: &ReferenceTables, path: &str) -> Outcome<(Stage, SchemaRef)> {
    let path = format!("{path}.lookup");
    unknown(declared.on.keys(), schema, &path)?;
    let Some(table) = tables.0.get(&declared.table) else {
        let message = format!("the reference table {} is not given; upload it, or correct the name", declared.table);
        return Err(vec![mistake_in(format!("{path}.table"), Code::UnknownTable, message)]);
    };
    let mut mistakes = Vec::new();
    let names: Vec<_> = table.schema_ref().fields().iter().map(|f| f.name().clone()).collect();
    let known: Vec<_> = names.iter().map(String::as_str).collect();
    for column in declared.on.values().chain(declared.take.values()).filter(|c| !known.contains(&c.as_str())) {
        let message = format!("the reference table {}: {}", declared.table, unknown_column(column, &known));
        mistakes.push(mistake_in(&path, Code::UnknownTableColumn, message));
    }
    let mut next = schema.as_ref().clone();
    for name in declared.take.keys() {
        if let Err(found) = check_new_name(name, &next, &format!("{path}.take")) {
            mistakes.extend(found);
        }
        next = with_field(&next, name, ArrowType::Utf8);
    }
    if declared.on.is_empty() {
        mistakes.push(mistake_in(format!("{path}.on"), Code::BadTableKey, "names no key column"));
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let bad_key =
        |message: String| vec![mistake_in(&path, Code::BadTableKey, format!("the reference table {}: {message}", declared.table))];
    let on: Vec<usize> = declared.on.keys().filter_map(|c| schema.index_of(c).ok()).collect();
    let mut keys = Vec::new();
    for (at, column) in on.iter().zip(declared.on.values()) {
        keys.push(typed_key(table, column, schema.field(*at).data_type()).map_err(bad_key)?);
    }
    let index = reference::Index::new(keys).map_err(bad_key)?;
    let values = declared.take.values().filter_map(|c| table.column_by_name(c).cloned()).collect();
    let schema = Arc::new(next);
    let stage = lookup::Lookup { table: declared.table.clone(), on, index, values, missing: declared.missing, schema: Arc::clone(&schema) };
    Ok((Stage::Lookup(stage), schema))
}

/// A key column of a table in the type of the rows' column.
fn typed_key(table: &RecordBatch, column: &str, wanted: &ArrowType) -> Result<ArrayRef, String> {
    let text = table.column_by_name(column).ok_or_else(|| format!("there is no column {column}"))?;
    let text = crate::sql::store(Arc::clone(text), &ArrowType::Utf8)?;
    let data_type = contract_type(wanted).ok_or_else(|| format!("a column of type {wanted} cannot be looked up"))?;
    let key = Column::plain(column, data_type);
    let mut builder = Builder::new(data_type, text.len());
    let mut faults = Vec::new();
    for row in 0..text.len() {
        let raw = match crate::decode::parquet::raw_value(&text, row) {
            Raw::Text(bytes) => Raw::Text(bytes),
            _ => Raw::Null,
        };
        key.append(&mut builder, raw, &Reading::typed(), &mut faults);
        if let Some(fault) = faults.pop() {
            return Err(format!("row {} (counted from 1, without the header): {column} {}", row + 1, fault.message));
        }
    }
    builder.finish().map_err(|e| e.to_string())
}

/// The contract type that is held as an Arrow type.
fn contract_type(arrow: &ArrowType) -> Option<DataType> {
    Some(match arrow {
        ArrowType::Utf8 => DataType::Text,
        ArrowType::Boolean => DataType::Boolean,
        ArrowType::Int8 => DataType::Integer { bits: 8 },
        ArrowType::Int16 => DataType::Integer { bits: 16 },
        ArrowType::Int32 => DataType::Integer { bits: 32 },
        ArrowType::Int64 => DataType::Integer { bits: 64 },
        ArrowType::Float32 => DataType::Float { bits: 32 },
        ArrowType::Float64 => DataType::Float { bits: 64 },
        ArrowType::Decimal128(precision, scale) => DataType::Decimal { precision: *precision, scale: *scale },
        ArrowType::Date32 => DataType::Date,
        ArrowType::Timestamp(_, zone) => DataType::Timestamp { zoned: zone.is_some() },
        ArrowType::Time64(_) => DataType::Time,
        _ => return None,
    })
}

fn mask_stage(declared: &Mask, schema: &SchemaRef, secrets: &Secrets, path: &str) -> Outcome<(Stage, SchemaRef)> {
    let path = format!("{path}.mask");
    unknown(std::iter::once(&declared.column), schema, &format!("{path}.column"))?;
    let method = match &declared.with {
        MaskMethod::Redact => mask::Method::Redact,
        MaskMethod::Truncate { keep } => mask::Method::Truncate(*keep as usize),
        MaskMethod::HmacSha256 { key } => {
            let found = secrets.0.get(key).and_then(|secret| mask::Method::hmac(secret));
            found.ok_or_else(|| {
                let message = format!("the secret {key} is not given or is empty; add it to the key vault, or correct the name");
                vec![mistake_in(format!("{path}.key"), Code::UnknownSecret, message)]
            })?
        }
    };
    let column = schema.index_of(&declared.column).unwrap_or_default();
    let schema = Arc::new(with_type(schema, column, &ArrowType::Utf8));
    Ok((Stage::Mask(mask::Mask { column, method, schema: Arc::clone(&schema) }), schema))
}
