//! The row-wise tasks of a pipeline, compiled one after the other as the columns change.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::datatypes::DataType as ArrowType;
use sluice_contract::{DataType, Derive, Lookup, Mask, MaskMethod, Plan, Task, Unknown};

use crate::findings::Findings;
use crate::scope::{Scope, UNKNOWN};
use crate::sql::{Compiler, mistake_at, mistake_in, unknown_column};
use crate::tasks::{Stage, cast, derive, lookup, mask};
use crate::typed::builder::{Builder, arrow_type, type_name};
use crate::typed::column::Column;
use crate::typed::raw::{Raw, Reading};
use crate::{Code, ReferenceTables, Secrets, reference};

/// Compiles the tasks up to the first run-wide one; `scope` are the columns before them. Answers with the stages, all of them if nothing is
/// mistaken, and with the columns after them as far as they are known.
pub(crate) fn build(
    plan: &Plan,
    compiler: &Compiler,
    scope: Scope,
    tables: &ReferenceTables,
    secrets: &Secrets,
    findings: &mut Findings<'_>,
) -> (Vec<Stage>, Scope) {
    let mut tasks = Tasks { compiler, tables, secrets, findings, scope };
    let mut stages = Vec::new();
    let (mut is_run_wide, mut is_aggregated) = (false, false);
    for (i, task) in plan.pipeline.tasks.iter().enumerate() {
        let path = format!("tasks[{i}]");
        if let Some(unknown) = tasks.findings.gaps.tasks.get(&i).copied() {
            tasks.scope.forget_types();
            tasks.scope.is_open |= unknown == Unknown::Columns;
            continue;
        }
        if task.is_run_wide() {
            if is_aggregated {
                tasks.note(&path, Code::TaskOrder, "nothing can follow an aggregate task; put it last");
            }
            is_run_wide = true;
            is_aggregated |= matches!(task, Task::Aggregate { .. });
            continue;
        }
        if is_run_wide {
            tasks.note(&path, Code::TaskOrder, "a row-wise task stands after a run-wide one; put deduplicate and aggregate last");
        }
        // After an aggregate there are other columns; before it, the task is checked where it should stand.
        if !is_aggregated {
            stages.extend(tasks.stage(task, &path));
        }
    }
    (stages, tasks.scope)
}

/// The tasks while they are compiled.
struct Tasks<'a, 'f> {
    compiler: &'a Compiler,
    tables: &'a ReferenceTables,
    secrets: &'a Secrets,
    findings: &'a mut Findings<'f>,
    /// The columns before the next task.
    scope: Scope,
}

impl Tasks<'_, '_> {
    /// Compiles a task and makes the scope the one after it. `None` if it is mistaken or cannot be judged.
    fn stage(&mut self, task: &Task, path: &str) -> Option<Stage> {
        match task {
            Task::Derive(steps) => self.derive(steps),
            Task::Rename(names) => {
                self.need(names.keys(), &format!("{path}.rename"));
                let known = self.scope.names().into_iter().map(|name| (name, names.get(name).map_or(name, String::as_str)));
                let unknown =
                    names.iter().filter(|(old, _)| self.scope.place(old).is_none()).map(|(old, new)| (old.as_str(), new.as_str()));
                let pairs: Vec<_> = known.chain(unknown).map(|(old, new)| (old.to_owned(), new.to_owned())).collect();
                Some(self.project(&pairs, &format!("{path}.rename")))
            }
            Task::Select(names) => {
                self.need(names.iter(), &format!("{path}.select"));
                let pairs: Vec<_> = names.iter().map(|name| (name.clone(), name.clone())).collect();
                self.scope.is_open = false;
                Some(self.project(&pairs, &format!("{path}.select")))
            }
            Task::Cast(types) => Some(self.cast(types, path)),
            Task::Filter(condition) => self.compiler.condition(condition, &self.scope, self.findings).map(Stage::Filter),
            Task::Lookup(lookup) => self.lookup(lookup, path),
            Task::Mask(mask) => self.mask(mask, path),
            Task::Deduplicate { .. } | Task::Aggregate { .. } => None,
        }
    }

    fn note(&mut self, path: &str, code: Code, message: impl Into<String>) {
        self.findings.note(mistake_in(path, code, message));
    }

    /// Notes the columns that are not there.
    fn need<'n>(&mut self, names: impl Iterator<Item = &'n String>, path: &str) {
        for name in names {
            if self.scope.lacks(name) {
                let message = unknown_column(name, &self.scope.names());
                self.note(path, Code::UnknownColumn, message);
            }
        }
    }

    /// Makes these columns the only ones, each under its second name.
    fn project(&mut self, pairs: &[(String, String)], path: &str) -> Stage {
        let mut projected = Scope::new(self.scope.is_open);
        for (old, new) in pairs {
            if let Some(message) = new_name_fault(new, &projected) {
                self.note(path, Code::ColumnExists, message);
            }
            projected.set(new, self.scope.type_of(old).cloned().unwrap_or(UNKNOWN));
        }
        let columns = pairs.iter().filter_map(|(old, _)| self.scope.place(old)).collect();
        self.scope = projected;
        Stage::Project { columns, schema: Arc::clone(&self.scope.schema) }
    }

    fn derive(&mut self, declared: &[Derive]) -> Option<Stage> {
        let mut steps = Vec::new();
        for Derive { name, expression } in declared {
            let value = self.compiler.compile(expression, &self.scope, self.findings);
            let replaces = self.scope.place(name);
            if let (None, Some(message)) = (replaces, new_name_fault(name, &self.scope)) {
                self.findings.note(mistake_at(expression, Code::ColumnExists, message));
            }
            self.scope.set(name, value.as_ref().map_or(UNKNOWN, |v| v.data_type.clone()));
            steps.extend(value.map(|expression| derive::Step {
                name: name.clone(),
                expression,
                replaces,
                schema: Arc::clone(&self.scope.schema),
            }));
        }
        (steps.len() == declared.len()).then_some(Stage::Derive(derive::Derive { steps }))
    }

    fn cast(&mut self, types: &BTreeMap<String, DataType>, path: &str) -> Stage {
        let path = format!("{path}.cast");
        self.need(types.keys(), &path);
        // A type that cannot be read is not among them.
        let told: Vec<_> = self.scope.names().into_iter().filter(|name| !types.contains_key(*name)).map(str::to_owned).collect();
        for name in told.iter().filter(|name| self.findings.is_told(&format!("{path}.{name}"))) {
            self.scope.set(name, UNKNOWN);
        }
        let mut columns = Vec::new();
        for (name, data_type) in types {
            match self.scope.type_of(name) {
                Some(from) if !cast::is_possible(from, *data_type) => {
                    let wanted = type_name(*data_type);
                    let message = format!("{name}: a value of type {from} cannot become {wanted}; use a derive task to say how");
                    self.note(&format!("{path}.{name}"), Code::ImpossibleCast, message);
                }
                _ => columns.extend(self.scope.place(name).map(|at| (at, Column::plain(name, *data_type)))),
            }
            self.scope.set(name, arrow_type(*data_type));
        }
        Stage::Cast(cast::Cast { columns, schema: Arc::clone(&self.scope.schema) })
    }

    fn lookup(&mut self, declared: &Lookup, path: &str) -> Option<Stage> {
        let path = format!("{path}.lookup");
        self.need(declared.on.keys(), &path);
        if declared.on.is_empty() && !self.findings.is_told(&format!("{path}.on")) {
            self.note(&format!("{path}.on"), Code::BadTableKey, "names no key column");
        }
        let indexed = self.indexed(declared, &path);
        let on: Option<Vec<usize>> = declared.on.keys().map(|c| self.scope.place(c)).collect();
        for name in declared.take.keys() {
            if let Some(message) = new_name_fault(name, &self.scope) {
                self.note(&format!("{path}.take"), Code::ColumnExists, message);
            }
            self.scope.set(name, ArrowType::Utf8);
        }
        let (index, values) = indexed?;
        let (table, missing) = (declared.table.clone(), declared.missing);
        Some(Stage::Lookup(lookup::Lookup { table, on: on?, index, values, missing, schema: Arc::clone(&self.scope.schema) }))
    }

    /// The rows of a table by key, and the columns that are taken from it.
    fn indexed(&mut self, declared: &Lookup, path: &str) -> Option<(reference::Index, Vec<ArrayRef>)> {
        let (place, tables) = (format!("{path}.table"), self.tables);
        let Some(table) = tables.0.get(&declared.table) else {
            // One that cannot be read may have been told by the caller.
            if !self.findings.is_told(&place) {
                let message = format!("the reference table {} is not given; upload it, or correct the name", declared.table);
                self.note(&place, Code::UnknownTable, message);
            }
            return None;
        };
        let schema = table.schema();
        let known: Vec<_> = schema.fields().iter().map(|f| f.name().as_str()).collect();
        for column in declared.on.values().chain(declared.take.values()).filter(|c| !known.contains(&c.as_str())) {
            let message = format!("the reference table {}: {}", declared.table, unknown_column(column, &known));
            self.note(path, Code::UnknownTableColumn, message);
        }
        let mut keys = Vec::new();
        for (name, column) in declared.on.iter().filter(|(_, column)| known.contains(&column.as_str())) {
            match self.scope.type_of(name).map(|wanted| typed_key(table, column, wanted)) {
                Some(Ok(key)) => keys.push(key),
                Some(Err(message)) => self.bad_key(declared, path, &message),
                None => {}
            }
        }
        if keys.len() < declared.on.len() {
            return None;
        }
        let index = match reference::Index::new(keys) {
            Ok(index) => index,
            Err(message) => {
                self.bad_key(declared, path, &message);
                return None;
            }
        };
        let values: Option<Vec<_>> = declared.take.values().map(|c| table.column_by_name(c).cloned()).collect();
        Some((index, values?))
    }

    fn bad_key(&mut self, declared: &Lookup, path: &str, message: &str) {
        self.note(path, Code::BadTableKey, format!("the reference table {}: {message}", declared.table));
    }

    fn mask(&mut self, declared: &Mask, path: &str) -> Option<Stage> {
        let path = format!("{path}.mask");
        self.need(std::iter::once(&declared.column), &format!("{path}.column"));
        let method = match &declared.with {
            MaskMethod::Redact => Some(mask::Method::Redact),
            MaskMethod::Truncate { keep } => Some(mask::Method::Truncate(*keep as usize)),
            MaskMethod::HmacSha256 { key } => {
                let found = self.secrets.0.get(key).and_then(|secret| mask::Method::hmac(secret));
                if found.is_none() {
                    let message = format!("the secret {key} is not given or is empty; add it to the key vault, or correct the name");
                    self.note(&format!("{path}.key"), Code::UnknownSecret, message);
                }
                found
            }
        };
        let column = self.scope.place(&declared.column);
        self.scope.set(&declared.column, ArrowType::Utf8);
        Some(Stage::Mask(mask::Mask { column: column?, method: method?, schema: Arc::clone(&self.scope.schema) }))
    }
}

/// What is wrong with the name of a new column: it must be free, and must not look like lineage.
fn new_name_fault(name: &str, scope: &Scope) -> Option<String> {
    if name.starts_with("_sluice_") {
        return Some(format!("{name}: names that begin with _sluice_ are kept for lineage"));
    }
    scope.place(name).map(|_| format!("there is a column {name} already; choose another name"))
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
