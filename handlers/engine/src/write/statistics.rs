//! Statistics of a Parquet file in the JSON form of Delta `add` actions (Delta protocol, "Per-file Statistics").

use std::collections::BTreeMap;

use arrow::array::cast::AsArray as _;
use arrow::array::{Array, ArrayRef};
use arrow::compute::{SortOptions, sort};
use arrow::datatypes::{self as types, DataType, Schema, TimeUnit};
use chrono::DateTime;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use serde_json::{Map, Value};

use crate::typed::builder::{value_json, value_text};

/// Nulls, smallest and largest values by column.
#[derive(Debug, Default)]
pub(crate) struct Statistics {
    pub(crate) null_count: BTreeMap<String, u64>,
    pub(crate) min_values: Map<String, Value>,
    pub(crate) max_values: Map<String, Value>,
}

/// Reads the statistics that the Parquet writer kept. `skip` names columns whose bounds do not hold (floats with NaN).
pub(crate) fn of(metadata: &ParquetMetaData, schema: &Schema, skip: &[bool]) -> Result<Statistics, ParquetError> {
    let mut statistics = Statistics::default();
    let groups = metadata.row_groups();
    for (i, field) in schema.fields().iter().enumerate() {
        let converter = StatisticsConverter::try_new(field.name(), schema, metadata.file_metadata().schema_descr())?;
        let nulls = converter.row_group_null_counts(groups)?;
        if nulls.null_count() == 0 {
            statistics.null_count.insert(field.name().clone(), nulls.values().iter().sum());
        }
        if skip.get(i).copied().unwrap_or(false) {
            continue;
        }
        let (mins, maxes) = (converter.row_group_mins(groups)?, converter.row_group_maxes(groups)?);
        let is_known = groups.iter().enumerate().all(|(g, group)| {
            let only_nulls = nulls.is_valid(g) && nulls.value(g) == group.num_rows() as u64;
            only_nulls || (mins.is_valid(g) && maxes.is_valid(g))
        });
        if !is_known {
            continue;
        }
        if let (Some(min), Some(max)) = (extreme(&mins, false)?, extreme(&maxes, true)?) {
            statistics.min_values.insert(field.name().clone(), min);
            statistics.max_values.insert(field.name().clone(), max);
        }
    }
    Ok(statistics)
}

fn extreme(values: &ArrayRef, is_max: bool) -> Result<Option<Value>, ParquetError> {
    let sorted = sort(values, Some(SortOptions { descending: is_max, nulls_first: false }))?;
    Ok(if sorted.is_empty() || sorted.is_null(0) { None } else { json(&sorted, is_max) })
}

/// `None` for types without bounds in Delta, and where JSON would round.
fn json(value: &ArrayRef, is_max: bool) -> Option<Value> {
    Some(match value.data_type() {
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Float32 | DataType::Float64 => value_json(value.as_ref(), 0),
        DataType::Int64 => Value::from(value.as_primitive::<types::Int64Type>().value(0)),
        DataType::Decimal128(precision, _) if *precision <= 15 => Value::from(value_text(value.as_ref(), 0)?.parse::<f64>().ok()?),
        DataType::Utf8 | DataType::Date32 => Value::from(value_text(value.as_ref(), 0)?),
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            let micros = value.as_primitive::<types::TimestampMicrosecondType>().value(0);
            let millis = micros.div_euclid(1000) + i64::from(is_max && micros.rem_euclid(1000) != 0);
            let format = if zone.is_some() { "%Y-%m-%dT%H:%M:%S%.3fZ" } else { "%Y-%m-%dT%H:%M:%S%.3f" };
            Value::from(DateTime::from_timestamp_millis(millis)?.format(format).to_string())
        }
        _ => return None,
    })
}
