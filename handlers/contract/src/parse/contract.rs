//! The contract document.

use std::collections::{BTreeSet, HashMap};

use crate::code::Code;
use crate::contract::{Column, Contract};
use crate::reader::{Cursor, Fields, one_of, shorten};

use super::column::Property;
use super::{column, odcs, quality};

/// Versions of the standard that mean the same here.
const API_VERSIONS: &[&str] = &["v3.1.0", "v3.0.2", "v3.0.1", "v3.0.0"];
/// Keys of the document that are used.
const DOCUMENT: &[&str] = &["apiVersion", "kind", "id", "version", "status", "schema", "team"];
/// Keys of a table that are used.
const TABLE: &[&str] = &["name", "logicalType", "properties", "quality"];

/// What could be read of a contract; complete if no mistake was noted.
pub(crate) struct Read {
    /// The contract, if there is a table.
    pub(crate) contract: Option<Contract>,
    /// The column names, if every column has one and none can be hidden behind a mistake.
    pub(crate) names: Option<Vec<String>>,
    /// Columns with a mistake, whose type is no more than a guess.
    pub(crate) doubtful: BTreeSet<String>,
}

impl Read {
    /// What is known of a contract that cannot be read at all.
    pub(crate) fn nothing() -> Self {
        Self { contract: None, names: None, doubtful: BTreeSet::new() }
    }
}

pub(crate) fn read(root: &Cursor<'_>) -> Read {
    let Some(document) = root.fields(&odcs::keys(DOCUMENT, odcs::DOCUMENT)) else { return Read::nothing() };
    odcs::check_unused(odcs::DOCUMENT, &document.all());
    if let Some(team) = document.get("team") {
        odcs::check_team(&team);
    }
    if let Some(version) = document.need("apiVersion")
        && let Some(text) = version.text()
        && !API_VERSIONS.contains(&text)
    {
        let message = format!("expected a version of the standard among {}, found `{}`", one_of(API_VERSIONS), shorten(text));
        version.mistake(Code::ContractApiVersion, message);
    }
    if let Some(kind) = document.need("kind") {
        kind.choice(&[("DataContract", ())]);
    }
    if let Some(status) = document.need("status") {
        status.name();
    }
    let id = document.need("id").and_then(|v| v.name());
    let version = document.need("version").and_then(|v| v.name());
    let Some(table) = one_table(&document) else { return Read::nothing() };
    let Some(fields) = table.fields(&odcs::keys(TABLE, odcs::TABLE)) else { return Read::nothing() };
    odcs::check_unused(odcs::TABLE, &fields.all());
    if let Some(logical) = fields.get("logicalType") {
        logical.choice(&[("object", ())]);
    }
    let name = fields.need("name").and_then(|v| v.name());
    let properties = fields.need("properties").map(|v| column::read_all(&v)).unwrap_or_default();
    if properties.is_empty() {
        table.mistake(Code::ContractNoColumns, "expected at least one column under `properties`");
    }
    check_names(&properties);
    check_key_positions(&properties);
    let names: Option<Vec<String>> = properties.iter().map(|p| p.column.as_ref().map(|c| c.name.clone())).collect();
    // Two columns that lost the `-` between them are one with keys that stand twice.
    let names = names.filter(|names| !names.is_empty() && !root.has_repeated_keys());
    let doubtful = doubtful(&properties);
    let mut rules = Vec::new();
    for property in &properties {
        rules.extend(property.quality.iter().cloned());
    }
    if let Some(list) = fields.get("quality") {
        rules.extend(quality::read_table(&list, names.as_deref()));
    }
    let columns: Vec<Column> = properties.into_iter().filter_map(|p| p.column).collect();
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    let contract = Contract { id: text(id), version: text(version), table: text(name), columns, quality: rules };
    Read { contract: Some(contract), names, doubtful }
}

/// Columns with a mistake of their own, and those whose name stands twice.
fn doubtful(properties: &[Property<'_>]) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let named = properties.iter().filter_map(|p| Some((p, &p.column.as_ref()?.name)));
    named.filter(|(p, name)| p.is_doubtful || !seen.insert(*name)).map(|(_, name)| name.clone()).collect()
}

/// The only entry of `schema`.
fn one_table<'a>(document: &Fields<'a>) -> Option<Cursor<'a>> {
    let schema = document.need("schema")?;
    if !schema.is_list() && !schema.is_null() {
        schema.items();
        return None;
    }
    let mut tables = schema.items();
    if tables.len() != 1 {
        schema.mistake(
            Code::ContractOneTable,
            format!("expected exactly one table under `schema`, found {}; a pipeline reads one table", tables.len()),
        );
        return None;
    }
    tables.pop()
}

fn check_names(properties: &[Property<'_>]) {
    let mut names: HashMap<String, &str> = HashMap::new();
    let mut sources: HashMap<&str, &str> = HashMap::new();
    for property in properties {
        let Some(column) = &property.column else { continue };
        // Delta tables tell columns apart without regard to case.
        if let Some(first) = names.insert(column.name.to_lowercase(), &column.name) {
            let message =
                format!("the column `{}` has the name of the column `{first}` (case does not count); rename one", shorten(&column.name));
            property.place.mistake(Code::ColumnTwice, message);
        } else if let Some(first) = sources.insert(&column.source, &column.name) {
            let message = format!(
                "`{}` of the file is read by the column `{first}` already; give one of them another physicalName",
                shorten(&column.source)
            );
            property.place.mistake(Code::SourceTwice, message);
        }
    }
}

fn check_key_positions(properties: &[Property<'_>]) {
    let mut positions: HashMap<u32, &str> = HashMap::new();
    for property in properties {
        let Some(column) = &property.column else { continue };
        let Some(position) = column.primary_key else { continue };
        if let Some(first) = positions.insert(position, &column.name) {
            let message = format!(
                "position {position} of the primary key is taken by `{first}`; number the key columns 1, 2, ... with primaryKeyPosition"
            );
            property.place.mistake(Code::KeyPosition, message);
        }
    }
}
