//! One property of the contract's table: a column.

use crate::code::Code;
use crate::contract::{Check, Column, DataType, Quality, TextFormat};
use crate::data_type::{self, Physical};
use crate::reader::{Cursor, Fields, shorten};

use super::{odcs, options, quality};

/// Keys of a property that are used.
const PROPERTY: &[&str] = &[
    "name",
    "physicalName",
    "physicalType",
    "logicalType",
    "logicalTypeOptions",
    "required",
    "unique",
    "primaryKey",
    "primaryKeyPosition",
    "quality",
    "properties",
    "items",
];

/// Longest name of a column, in characters.
const MAX_NAME: usize = 128;

/// ODCS logical types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Logical {
    String,
    Date,
    Timestamp,
    Time,
    Number,
    Integer,
    Object,
    Array,
    Boolean,
}

const LOGICAL: &[(&str, Logical)] = &[
    ("string", Logical::String),
    ("date", Logical::Date),
    ("timestamp", Logical::Timestamp),
    ("time", Logical::Time),
    ("number", Logical::Number),
    ("integer", Logical::Integer),
    ("object", Logical::Object),
    ("array", Logical::Array),
    ("boolean", Logical::Boolean),
];

/// A property as far as it could be read.
pub(crate) struct Property<'a> {
    /// Where its name stands.
    pub(crate) place: Cursor<'a>,
    /// The column, if it has a name; its type is a stand-in where the type was mistaken.
    pub(crate) column: Option<Column>,
    /// Its rules over the whole file.
    pub(crate) quality: Vec<Quality>,
    /// Something in it is mistaken, so that its type is no more than a guess.
    pub(crate) is_doubtful: bool,
}

/// Reads `properties`.
pub(crate) fn read_all<'a>(properties: &Cursor<'a>) -> Vec<Property<'a>> {
    properties.items().into_iter().zip(1..).map(|(property, position)| read(&property, position)).collect()
}

fn read<'a>(property: &Cursor<'a>, position: u32) -> Property<'a> {
    let nothing = Property { place: property.clone(), column: None, quality: Vec::new(), is_doubtful: true };
    let Some(fields) = property.fields(&odcs::keys(PROPERTY, odcs::PROPERTY)) else { return nothing };
    odcs::check_unused(odcs::PROPERTY, &fields.all());
    let name = fields.need("name").and_then(|v| column_name(&v, Code::ColumnName));
    let source = fields.get("physicalName").and_then(|v| v.name());
    let mut typed = read_type(&fields);
    let mut checks = Vec::new();
    if let Some(typed) = &mut typed {
        checks.extend(typed.physical.and_then(physical_checks));
        if let Some(list) = fields.get("logicalTypeOptions") {
            checks.extend(options::read(&list, typed));
        }
    }
    for nested in ["properties", "items"] {
        if let Some(value) = fields.get(nested) {
            check_nested(&value);
        }
    }
    let flag = |key: &str| fields.get(key).and_then(|v| v.boolean()).unwrap_or(false);
    let (required, unique) = (flag("required"), flag("unique"));
    let primary_key = key_position(&fields, flag("primaryKey"), position);
    let Some(name) = name else { return nothing };
    let data_type = typed.as_ref().map_or(DataType::Text, |t| t.data_type);
    let mut rules = Vec::new();
    if let Some(list) = fields.get("quality") {
        let of = quality::Of { column: name, data_type: typed.as_ref().map(|t| t.data_type) };
        for read in quality::read_column(&list, &of) {
            match read {
                quality::Read::Rule(rule) => rules.push(rule),
                quality::Read::Check(check) => checks.push(check),
            }
        }
    }
    let column = Column {
        name: name.to_owned(),
        source: source.unwrap_or(name).to_owned(),
        data_type,
        required: required || primary_key.is_some(),
        unique,
        primary_key,
        checks,
    };
    Property {
        place: fields.get("name").unwrap_or_else(|| property.clone()),
        column: Some(column),
        quality: rules,
        is_doubtful: property.is_mistaken(),
    }
}

/// A name that a Delta table can have without column mapping (Delta protocol: none of ` ,;{}()\n\t=`).
pub(crate) fn column_name<'a>(value: &Cursor<'a>, code: Code) -> Option<&'a str> {
    let name = value.name()?;
    check_column_name(name, value, code).then_some(name)
}

/// Whether a table in the lake can have a column of this name; notes a mistake if not.
pub(crate) fn check_column_name(name: &str, value: &Cursor<'_>, code: Code) -> bool {
    let forbidden = |c: char| c.is_control() || " ,;{}()=".contains(c);
    if name.is_empty() || name.chars().any(forbidden) || name.chars().count() > MAX_NAME {
        let message = format!(
            "`{}` cannot be the name of a column in the lake: expected 1 to {MAX_NAME} characters without blanks and ,;{{}}()=; choose another name (physicalName holds the one in the file)",
            shorten(name)
        );
        value.mistake(code, message);
        return false;
    }
    true
}

/// What the contract says about a column's type.
pub(crate) struct Typed {
    pub(crate) logical: Logical,
    pub(crate) physical: Option<Physical>,
    /// What follows from both; options may narrow it.
    pub(crate) data_type: DataType,
}

fn read_type(fields: &Fields<'_>) -> Option<Typed> {
    let logical_place = fields.get("logicalType");
    let physical_place = fields.get("physicalType");
    let logical = match &logical_place {
        Some(value) => Some(value.choice(LOGICAL)?),
        None => None,
    };
    let physical = match &physical_place {
        Some(value) => {
            let text = value.text()?;
            Some(data_type::parse(text).map_err(|(code, message)| value.mistake(code, message)).ok()?)
        }
        None => None,
    };
    let logical = match (logical, physical) {
        (Some(logical), _) => logical,
        (None, Some(physical)) => logical_of(physical),
        (None, None) => {
            fields.map().mistake(
                Code::ColumnNoType,
                "the column has no type; add logicalType (string, integer, number, boolean, date, timestamp, time, object or array)",
            );
            return None;
        }
    };
    let Some(data_type) = combine(logical, physical) else {
        let place = physical_place.as_ref().unwrap_or_else(|| fields.map());
        let word = LOGICAL.iter().find(|(_, l)| *l == logical).map_or("", |(word, _)| word);
        let found = place.text().unwrap_or_default();
        place.mistake(
            Code::PhysicalType,
            format!("the physicalType `{}` does not fit the logicalType `{word}`; change one of them", shorten(found)),
        );
        return None;
    };
    Some(Typed { logical, physical, data_type })
}

fn logical_of(physical: Physical) -> Logical {
    match physical {
        Physical::Text { .. } | Physical::Uuid => Logical::String,
        Physical::Boolean => Logical::Boolean,
        Physical::Integer { .. } => Logical::Integer,
        Physical::Float { .. } | Physical::Decimal { .. } => Logical::Number,
        Physical::Date => Logical::Date,
        Physical::Timestamp { .. } => Logical::Timestamp,
        Physical::Time => Logical::Time,
        Physical::Json => Logical::Object,
    }
}

/// The column's type, or `None` if the two contradict each other.
fn combine(logical: Logical, physical: Option<Physical>) -> Option<DataType> {
    let Some(physical) = physical else {
        return Some(match logical {
            Logical::String => DataType::Text,
            Logical::Date => DataType::Date,
            Logical::Timestamp => DataType::Timestamp { zoned: false },
            Logical::Time => DataType::Time,
            Logical::Number => DataType::Float { bits: 64 },
            Logical::Integer => DataType::Integer { bits: 64 },
            Logical::Object | Logical::Array => DataType::Json,
            Logical::Boolean => DataType::Boolean,
        });
    };
    match (logical, physical) {
        // Kept as text in the partner's system, JSON all the same.
        (Logical::Object | Logical::Array, Physical::Json | Physical::Text { .. }) => Some(DataType::Json),
        // Oracle and Snowflake have no other integers.
        (Logical::Integer, Physical::Decimal { scale: 0, .. }) | (Logical::Number, Physical::Integer { .. }) => Some(physical.data_type()),
        _ => (logical_of(physical) == logical).then(|| physical.data_type()),
    }
}

fn physical_checks(physical: Physical) -> Option<Check> {
    match physical {
        Physical::Text { max_length } => max_length.map(Check::MaxLength),
        Physical::Uuid => Some(Check::Format(TextFormat::Uuid)),
        _ => None,
    }
}

/// `primaryKeyPosition`; a key column without one has its place among the columns, which keeps their order.
fn key_position(fields: &Fields<'_>, primary_key: bool, position: u32) -> Option<u32> {
    let place = fields.get("primaryKeyPosition");
    let given = match &place {
        // -1 is how the standard writes "none".
        Some(value) => value.integer(-1..=i64::from(u16::MAX)).filter(|n| *n != -1),
        None => None,
    };
    match (place, given) {
        (Some(value), Some(0)) => {
            value.mistake(Code::KeyPosition, "expected a position from 1 on, found 0");
            None
        }
        (Some(value), Some(n)) if !primary_key => {
            value.mistake(
                Code::KeyPosition,
                format!("position {n} of a primary key, but primaryKey is not true; add `primaryKey: true` or remove the position"),
            );
            None
        }
        (_, Some(n)) => Some(n as u32),
        _ => primary_key.then_some(position),
    }
}

/// What is inside of an object or array is described, not enforced: a promise there would be an empty one.
fn check_nested(value: &Cursor<'_>) {
    let properties = if value.is_map() { vec![value.clone()] } else { value.items() };
    for property in properties {
        let Some(fields) = property.fields(&odcs::keys(PROPERTY, odcs::PROPERTY)) else { continue };
        odcs::check_unused(odcs::PROPERTY, &fields.all());
        if let Some(logical) = fields.get("logicalType") {
            logical.choice(LOGICAL);
        }
        for key in ["required", "unique", "primaryKey"] {
            if let Some(flag) = fields.get(key)
                && flag.boolean() == Some(true)
            {
                unenforced(&flag, key);
            }
        }
        for key in ["logicalTypeOptions", "quality"] {
            if let Some(found) = fields.get(key) {
                unenforced(&found, key);
            }
        }
        for key in ["properties", "items"] {
            if let Some(found) = fields.get(key) {
                check_nested(&found);
            }
        }
    }
}

fn unenforced(value: &Cursor<'_>, key: &str) {
    let message = format!(
        "`{key}` inside of an object or array is not enforced, so nobody may rely on it; remove it, or check the value with a rule of the pipeline"
    );
    value.mistake(Code::ContractUnenforced, message);
}
