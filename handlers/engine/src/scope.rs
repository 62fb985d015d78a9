//! The columns at one point of a pipeline, as far as they are known.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

/// The columns at one point of a pipeline. A mistake leaves columns whose type is unknown, or of which it is not known whether they are
/// there: nothing that names one of them is a mistake.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    /// A column of unknown type has the type null, which no value has.
    pub(crate) schema: SchemaRef,
    /// There may be other columns.
    pub(crate) is_open: bool,
}

/// Stands for a type that is not known.
pub(crate) const UNKNOWN: DataType = DataType::Null;

impl Scope {
    pub(crate) fn new(is_open: bool) -> Self {
        Self { schema: Arc::new(Schema::empty()), is_open }
    }

    /// Names of the columns that are known.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.schema.fields().iter().map(|f| f.name().as_str()).collect()
    }

    /// The place of a column.
    pub(crate) fn place(&self, name: &str) -> Option<usize> {
        self.schema.index_of(name).ok()
    }

    /// The type of a column, if it is there and its type is known.
    pub(crate) fn type_of(&self, name: &str) -> Option<&DataType> {
        self.schema.field_with_name(name).ok().map(Field::data_type).filter(|t| **t != UNKNOWN)
    }

    /// Whether there is certainly no such column.
    pub(crate) fn lacks(&self, name: &str) -> bool {
        !self.is_open && self.place(name).is_none()
    }

    /// Gives a column a type; one that is not there is added at the end.
    pub(crate) fn set(&mut self, name: &str, data_type: DataType) {
        let mut fields: Vec<_> = self.schema.fields().iter().map(|f| f.as_ref().clone()).collect();
        let field = Field::new(name, data_type, true);
        match self.place(name) {
            Some(at) => fields[at] = field,
            None => fields.push(field),
        }
        self.schema = Arc::new(Schema::new(fields));
    }

    /// From here on no type is known.
    pub(crate) fn forget_types(&mut self) {
        let fields = self.schema.fields().iter().map(|f| Field::new(f.name(), UNKNOWN, true));
        self.schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    }
}
