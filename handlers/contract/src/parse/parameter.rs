//! Declared parameters, and which of them the pipeline uses.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::code::Code;
use crate::parameter::{ParameterSpec, ParameterType, ParameterValue};
use crate::pipeline::Expression;
use crate::reader::{Cursor, shorten};

use super::sql;

const TYPES: &[(&str, ParameterType)] = &[
    ("integer", ParameterType::Integer),
    ("number", ParameterType::Number),
    ("string", ParameterType::String),
    ("boolean", ParameterType::Boolean),
    ("date", ParameterType::Date),
];

/// The parameters of a pipeline while its expressions are read.
#[derive(Debug, Default)]
pub(crate) struct Declared<'a> {
    specs: BTreeMap<String, ParameterSpec>,
    /// Where each name is declared, whether or not its declaration is right.
    places: BTreeMap<&'a str, Cursor<'a>>,
    /// The declarations are no map: any name may have been meant.
    is_unknown: bool,
    used: RefCell<BTreeSet<String>>,
}

impl<'a> Declared<'a> {
    /// Reads `parameters`.
    pub(crate) fn read(map: Option<Cursor<'a>>) -> Self {
        let is_unknown = map.as_ref().is_some_and(|m| !m.is_map() && !m.is_null());
        let mut declared = Self { is_unknown, ..Self::default() };
        for (name, value) in map.map(|m| m.entries()).unwrap_or_default() {
            let starts_well = name.starts_with(|c: char| c.is_ascii_lowercase());
            if !starts_well || name.len() > 64 || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
                let message = format!(
                    "`{}` cannot be the name of a parameter: expected a lower case letter, then lower case letters, digits and _",
                    shorten(name)
                );
                value.mistake(Code::ParameterName, message);
            }
            if let Some(spec) = spec(&value) {
                declared.specs.insert(name.to_owned(), spec);
            }
            declared.places.insert(name, value);
        }
        declared
    }

    /// Whether the name is declared (its declaration may be mistaken); counts as a use.
    pub(crate) fn uses(&self, name: &str) -> bool {
        self.used.borrow_mut().insert(name.to_owned());
        self.is_unknown || self.places.contains_key(name)
    }

    /// Counts the uses in a value that cannot be read: what is wrong with it is said elsewhere.
    pub(crate) fn uses_inside(&self, value: &Cursor<'_>) {
        if value.is_list() {
            value.items().iter().for_each(|item| self.uses_inside(item));
        } else if value.is_map() {
            value.entries().iter().for_each(|(_, inner)| self.uses_inside(inner));
        } else if !value.is_null() {
            for name in value.spelling().map(sql::scan).unwrap_or_default().parameters {
                self.uses(name);
            }
        }
    }

    /// Reads a SQL expression and notes the parameters it uses. It is empty where there is no text.
    pub(crate) fn expression(&self, value: &Cursor<'_>) -> Expression {
        let place = value.place();
        let read = |sql: &str| Expression { sql: sql.to_owned(), path: value.path().to_owned(), line: place.line, column: place.column };
        let Some(sql) = value.text() else {
            self.uses_inside(value);
            return read("");
        };
        let scan = sql::scan(sql);
        for name in &scan.parameters {
            if !self.uses(name) {
                let words: Vec<&str> = self.places.keys().copied().collect();
                let hint = value.did_you_mean(name, &words);
                let message = format!("the parameter `${}` is not declared{hint}; declare it under `parameters`", shorten(name));
                value.mistake(Code::ParameterUndeclared, message);
            }
        }
        if let Some(fault) = scan.fault {
            value.mistake(Code::ExpressionText, fault);
        }
        read(sql)
    }

    /// The declarations; notes those that nothing uses.
    pub(crate) fn finish(self) -> BTreeMap<String, ParameterSpec> {
        let used = self.used.borrow();
        for (name, place) in &self.places {
            if !used.contains(*name) {
                let message = format!(
                    "the parameter `{}` is never used; use it as `${}` in an expression, or remove it",
                    shorten(name),
                    shorten(name)
                );
                place.mistake(Code::ParameterUnused, message);
            }
        }
        drop(used);
        self.specs
    }
}

fn spec(value: &Cursor<'_>) -> Option<ParameterSpec> {
    let fields = value.fields(&["type", "default", "description"])?;
    let kind = fields.need("type").and_then(|v| v.choice(TYPES));
    let default = fields.need("default");
    let description = match fields.get("description") {
        Some(text) => Some(text.text()?.to_owned()),
        None => None,
    };
    let (kind, default) = (kind?, default?);
    let found = match kind {
        ParameterType::Integer => ParameterValue::Integer(default.integer(i64::MIN..=i64::MAX)?),
        ParameterType::Number => ParameterValue::Number(default.number()?),
        ParameterType::Boolean => ParameterValue::Boolean(default.boolean()?),
        ParameterType::String | ParameterType::Date => ParameterValue::Text(default.text()?.to_owned()),
    };
    match kind.accept(&found) {
        Ok(value) => Some(ParameterSpec { kind, default: value, description }),
        Err(message) => {
            default.mistake(Code::ParameterValue, message);
            None
        }
    }
}
