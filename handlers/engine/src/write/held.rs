//! Held rows with what would be published.

use arrow::array::RecordBatch;
use serde_json::{Map, Value};

use crate::rows::Place;
use crate::typed::builder::value_json;
use crate::{Cause, CauseKind, HeldRow, Problem};

/// A row as a JSON object.
pub(crate) fn object(batch: &RecordBatch, row: usize) -> Map<String, Value> {
    let fields = batch.schema_ref().fields().iter().zip(batch.columns());
    fields.map(|(field, array)| (field.name().clone(), value_json(array.as_ref(), row))).collect()
}

/// A held row.
pub(crate) fn row(place: &Place, raw: String, problems: Vec<Problem>, parsed: Map<String, Value>, proposed: Map<String, Value>) -> HeldRow {
    // A row is held by a problem that is a cause: see `Rows::hold` and `Rows::rule`.
    let cause = problems.iter().find_map(Cause::of).unwrap_or(Cause { kind: CauseKind::Problem, name: String::new(), column: None });
    HeldRow { row: place.row, line: place.line, offset: place.offset, cause, problems, raw, parsed, proposed }
}
