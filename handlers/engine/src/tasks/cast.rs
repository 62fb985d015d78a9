//! Cast: other types, exactly or not at all.

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{DataType as ArrowType, SchemaRef, TimeUnit};
use sluice_contract::{DataType, Encoding};

use super::{Working, new_batch};
use crate::decode::parquet::raw_value;
use crate::rows::Rows;
use crate::typed::builder::{Builder, arrow_type, value_text};
use crate::typed::check::Fault;
use crate::typed::column::Column;
use crate::typed::raw::{Raw, Reading};
use crate::{Code, EngineError};

/// A cast task.
#[derive(Debug)]
pub(crate) struct Cast {
    /// Column and the type it gets.
    pub(crate) columns: Vec<(usize, Column)>,
    pub(crate) schema: SchemaRef,
}

/// Whether there are values of one type that have an equal one in the other.
pub(crate) fn is_possible(from: &ArrowType, to: DataType) -> bool {
    let is_number = matches!(
        from,
        ArrowType::Int8
            | ArrowType::Int16
            | ArrowType::Int32
            | ArrowType::Int64
            | ArrowType::Float32
            | ArrowType::Float64
            | ArrowType::Decimal128(..)
    );
    match to {
        _ if *from == arrow_type(to) || *from == ArrowType::Utf8 => true,
        DataType::Text => true,
        DataType::Integer { .. } => is_number && !matches!(from, ArrowType::Float32 | ArrowType::Float64),
        DataType::Float { .. } | DataType::Decimal { .. } => is_number,
        DataType::Timestamp { zoned } => match from {
            ArrowType::Timestamp(TimeUnit::Microsecond, zone) => zone.is_some() == zoned,
            ArrowType::Date32 => !zoned,
            _ => false,
        },
        DataType::Boolean | DataType::Date | DataType::Time | DataType::Json => false,
    }
}

impl Cast {
    pub(crate) fn apply(&self, working: &mut Working, rows: &mut Rows<'_>) -> Result<(), EngineError> {
        let reading = Reading::typed();
        let mut arrays = working.batch.columns().to_vec();
        let mut keep = vec![true; working.rows.len()];
        let mut faults = Vec::new();
        for (at, column) in &self.columns {
            let from: &ArrayRef = &arrays[*at];
            let mut builder = Builder::new(column.data_type, from.len());
            for (row, kept) in keep.iter_mut().enumerate() {
                let Some(number) = working.rows[row] else {
                    builder.null();
                    continue;
                };
                let text;
                let raw = match raw_value(from, row) {
                    raw if column.data_type == DataType::Text && raw != Raw::Null => {
                        text = value_text(from, row).unwrap_or_default();
                        Raw::Text(text.as_bytes())
                    }
                    raw => raw,
                };
                column.append(&mut builder, raw, &reading, &mut faults);
                for fault in faults.drain(..) {
                    *kept = false;
                    let value = crate::typed::text::shorten(&raw.text(Encoding::Utf8), crate::VALUE_CHARS);
                    rows.reject(number, Fault::new(Code::CastFailed, fault.message), Some(&column.name), Some(value));
                }
            }
            arrays[*at] = builder.finish().map_err(|e| EngineError::bug("cast", e))?;
        }
        working.batch = new_batch(&self.schema, arrays, working.rows.len())?;
        working.retain(&keep)
    }
}
