//! `tasks`: transformations, and the columns that each of them sees and leaves.

use std::collections::{BTreeMap, HashSet};

use crate::code::Code;
use crate::contract::DataType;
use crate::data_type::{self, Physical};
use crate::pipeline::{Derive, Lookup, Mask, MaskMethod, Outcome, Task};
use crate::plan::Unknown;
use crate::reader::{Cursor, Fields, one_of};

use super::column::check_column_name;
use super::columns::Columns;
use super::parameter::Declared;
use super::rule::OUTCOMES;

const OPERATIONS: &[&str] = &["derive", "rename", "select", "cast", "filter", "lookup", "mask", "deduplicate", "aggregate"];

/// Those that add and remove no columns.
const KEEP_NAMES: &[&str] = &["cast", "mask", "deduplicate"];

/// Most characters that `truncate` may keep.
const MAX_KEEP: u32 = 1000;

/// What the tasks of a pipeline leave behind.
pub(crate) struct Read {
    /// One for each entry of the list.
    pub(crate) tasks: Vec<Task>,
    /// What is unknown after those that could not be read, by their places in the list.
    pub(crate) unread: BTreeMap<usize, Unknown>,
    /// The columns after the row-wise tasks, which the rules see.
    pub(crate) row_wise: Columns,
    /// The columns after all tasks, which are published.
    pub(crate) published: Columns,
}

pub(crate) fn read_all(list: Option<&Cursor<'_>>, mut columns: Columns, parameters: &Declared<'_>) -> Read {
    let mut tasks: Vec<Task> = Vec::new();
    let mut unread = BTreeMap::new();
    let mut row_wise: Option<Columns> = None;
    let mut after_run_wide: Option<&'static str> = None;
    for item in list.map(Cursor::items).unwrap_or_default() {
        let Some((operation, value)) = operation(&item) else {
            parameters.uses_inside(&item);
            columns.forget();
            unread.insert(tasks.len(), Unknown::Columns);
            tasks.push(stand_in());
            continue;
        };
        let run_wide = matches!(operation, "deduplicate" | "aggregate");
        match after_run_wide {
            Some(before) if !run_wide => {
                let message = format!("`{operation}` works row by row and must stand before `{before}`, which needs all rows; move it up");
                item.mistake(Code::TaskOrder, message);
            }
            Some("aggregate") => {
                item.mistake(
                    Code::TaskOrder,
                    format!("`aggregate` makes new rows and must be the last task; move `{operation}` before it"),
                );
            }
            _ => {}
        }
        if run_wide {
            row_wise.get_or_insert_with(|| columns.clone());
            after_run_wide = Some(if operation == "aggregate" { "aggregate" } else { "deduplicate" });
        }
        let task = read(operation, &value, &mut columns, parameters).unwrap_or_else(|| {
            parameters.uses_inside(&value);
            let unknown = if KEEP_NAMES.contains(&operation) { Unknown::Types } else { Unknown::Columns };
            if unknown == Unknown::Columns {
                columns.forget();
            }
            unread.insert(tasks.len(), unknown);
            stand_in()
        });
        tasks.push(task);
    }
    Read { tasks, unread, row_wise: row_wise.unwrap_or_else(|| columns.clone()), published: columns }
}

/// Stands for a task that could not be read.
fn stand_in() -> Task {
    Task::Select(Vec::new())
}

/// The only key of a task.
fn operation<'a>(item: &Cursor<'a>) -> Option<(&'a str, Cursor<'a>)> {
    let fields = item.fields(OPERATIONS)?;
    let mut known: Vec<_> = fields.all().into_iter().filter(|(key, _)| OPERATIONS.contains(key)).collect();
    if known.len() > 1 || fields.all().is_empty() {
        item.mistake(
            Code::TaskOneOperation,
            format!("expected exactly one of {}, found {}; start each task with its own `-`", one_of(OPERATIONS), known.len()),
        );
        return None;
    }
    known.pop()
}

fn read(operation: &str, value: &Cursor<'_>, columns: &mut Columns, parameters: &Declared<'_>) -> Option<Task> {
    match operation {
        "derive" => derive(value, columns, parameters),
        "rename" => rename(value, columns),
        "select" => {
            let names = column_list(value, columns)?;
            columns.keep(names.clone());
            Some(Task::Select(names))
        }
        "cast" => cast(value, columns),
        "filter" => Some(Task::Filter(parameters.expression(value))),
        "lookup" => lookup(value, columns),
        "mask" => mask(value, columns),
        "deduplicate" => {
            let fields = value.fields(&["by"])?;
            let by = column_list(&fields.need("by")?, columns)?;
            Some(Task::Deduplicate { by })
        }
        _ => aggregate(value, columns, parameters),
    }
}

/// Notes a mistake if a list or map holds nothing.
fn not_empty<T>(items: Vec<T>, value: &Cursor<'_>) -> Option<Vec<T>> {
    if items.is_empty() && (value.is_list() || value.is_map() || value.is_null()) {
        value.mistake(Code::TaskEmpty, "expected at least one entry, found none");
    }
    (!items.is_empty()).then_some(items)
}

/// A list of columns that are there, each once.
pub(crate) fn column_list(value: &Cursor<'_>, columns: &Columns) -> Option<Vec<String>> {
    let items = not_empty(value.names(), value)?;
    let mut names: Vec<String> = Vec::with_capacity(items.len());
    let mut seen: HashSet<&str> = HashSet::with_capacity(items.len());
    for (name, place) in &items {
        columns.need(name, place);
        if !seen.insert(name) {
            place.mistake(Code::ColumnClash, format!("`{name}` stands in the list twice; keep one"));
        }
        names.push((*name).to_owned());
    }
    // One that is no text is a mistake of its own, and leaves the list unknown.
    (names.len() == value.items().len()).then_some(names)
}

fn derive(value: &Cursor<'_>, columns: &mut Columns, parameters: &Declared<'_>) -> Option<Task> {
    let entries = not_empty(value.entries(), value)?;
    let mut derived = Vec::with_capacity(entries.len());
    for (name, place) in &entries {
        check_column_name(name, place, Code::NewColumnName);
        // One that is there is replaced.
        if !columns.has(name) {
            columns.add(name, place);
        }
        derived.push(Derive { name: (*name).to_owned(), expression: parameters.expression(place) });
    }
    Some(Task::Derive(derived))
}

fn rename(value: &Cursor<'_>, columns: &mut Columns) -> Option<Task> {
    let entries = not_empty(value.entries(), value)?;
    for (old, place) in &entries {
        columns.need(old, place);
        columns.remove(old);
    }
    // All at once, so that two columns can change places.
    let mut renamed = BTreeMap::new();
    for (old, place) in &entries {
        if let Some(new) = place.name().filter(|new| check_column_name(new, place, Code::NewColumnName)) {
            columns.add(new, place);
            renamed.insert((*old).to_owned(), new.to_owned());
        }
    }
    (renamed.len() == entries.len()).then_some(Task::Rename(renamed))
}

fn cast(value: &Cursor<'_>, columns: &Columns) -> Option<Task> {
    let entries = not_empty(value.entries(), value)?;
    let mut types = BTreeMap::new();
    for (name, place) in &entries {
        columns.need(name, place);
        if let Some(text) = place.text() {
            match cast_type(text) {
                Ok(data_type) => {
                    types.insert((*name).to_owned(), data_type);
                }
                Err(message) => place.mistake(Code::CastType, message),
            }
        }
    }
    Some(Task::Cast(types))
}

fn cast_type(text: &str) -> Result<DataType, String> {
    match data_type::parse(text).map_err(|(_, message)| message)? {
        Physical::Text { max_length: Some(_) } | Physical::Uuid => {
            Err("a cast changes the type only; use `string`, and a rule for the rest".to_owned())
        }
        Physical::Json => Err("nothing can be cast to an object or array".to_owned()),
        physical => Ok(physical.data_type()),
    }
}

fn lookup(value: &Cursor<'_>, columns: &mut Columns) -> Option<Task> {
    let fields = value.fields(&["table", "on", "take", "missing"])?;
    let table = fields.need("table").and_then(|v| super::pipeline::table_name(&v));
    let on = fields.need("on").and_then(|v| {
        let pairs = not_empty(v.entries(), &v)?;
        for (column, place) in &pairs {
            columns.need(column, place);
        }
        texts(&pairs)
    });
    let take = fields.need("take").and_then(|v| {
        let pairs = not_empty(v.entries(), &v)?;
        for (column, place) in &pairs {
            check_column_name(column, place, Code::NewColumnName);
            columns.add(column, place);
        }
        texts(&pairs)
    });
    let missing = missing(&fields);
    // The columns that it adds are known, whatever else is wrong with it.
    let (table, on) = (table.unwrap_or_default(), on.unwrap_or_default());
    Some(Task::Lookup(Lookup { table, on, take: take?, missing }))
}

fn texts(pairs: &[(&str, Cursor<'_>)]) -> Option<BTreeMap<String, String>> {
    pairs.iter().map(|(key, value)| Some(((*key).to_owned(), value.name()?.to_owned()))).collect()
}

/// `missing`: what becomes of a row without a match; nothing at all leaves nulls.
fn missing(fields: &Fields<'_>) -> Option<Outcome> {
    fields.get("missing").filter(|value| !value.is_null()).and_then(|value| value.choice(OUTCOMES))
}

fn mask(value: &Cursor<'_>, columns: &Columns) -> Option<Task> {
    let fields = value.fields(&["column", "with", "key", "keep"])?;
    let column = fields.need("column").and_then(|v| {
        let name = v.name()?;
        columns.need(name, &v);
        Some(name.to_owned())
    });
    let with = fields.need("with")?.choice(&[("hmac-sha256", Some("key")), ("redact", None), ("truncate", Some("keep"))])?;
    for key in ["key", "keep"] {
        if let Some(option) = fields.get(key)
            && with != Some(key)
        {
            let method = if key == "key" { "hmac-sha256" } else { "truncate" };
            option.mistake(Code::MaskOptions, format!("`{key}` belongs to `with: {method}`; remove it or change the method"));
        }
    }
    let with = match with {
        Some("key") => MaskMethod::HmacSha256 { key: secret_name(&fields.need("key")?)? },
        Some(_) => MaskMethod::Truncate { keep: fields.need("keep")?.integer(1..=MAX_KEEP)? },
        None => MaskMethod::Redact,
    };
    Some(Task::Mask(Mask { column: column?, with }))
}

/// The name of a secret (Key Vault: 1 to 127 letters, digits and hyphens).
fn secret_name(value: &Cursor<'_>) -> Option<String> {
    let name = value.name()?;
    if name.len() > 127 || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        let message = "expected the name of a secret, not the secret: 1 to 127 letters, digits and hyphens";
        value.mistake(Code::MaskOptions, message);
        return None;
    }
    Some(name.to_owned())
}

fn aggregate(value: &Cursor<'_>, columns: &mut Columns, parameters: &Declared<'_>) -> Option<Task> {
    let fields = value.fields(&["by", "take"])?;
    let by = fields.need("by").and_then(|v| column_list(&v, columns));
    let entries = fields.need("take").and_then(|v| not_empty(v.entries(), &v));
    let (by, entries) = (by?, entries?);
    columns.keep(by.clone());
    let mut take = Vec::with_capacity(entries.len());
    for (name, place) in &entries {
        check_column_name(name, place, Code::NewColumnName);
        columns.add(name, place);
        take.push(Derive { name: (*name).to_owned(), expression: parameters.expression(place) });
    }
    Some(Task::Aggregate { by, take })
}
