//! The short way for values that are typed already: an array that has the column's type, or a like one, is taken over as a whole, but for the
//! values that break a check.

use std::sync::Arc;

use arrow::array::cast::AsArray as _;
use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, PrimitiveArray};
use arrow::compute::{cast, interleave};
use arrow::datatypes::{self as types, DataType};
use arrow::error::ArrowError;

use super::builder::Builder;
use super::quick::{Kind, Quick, word};

/// An array that is taken over, but for some rows.
#[derive(Debug)]
pub(crate) struct Taken {
    array: ArrayRef,
    /// Rows that take the long way.
    pub(crate) odd: Vec<u32>,
}

impl Taken {
    /// The values of a column whose type in Arrow is `wanted`; `None` if all of them must take the long way.
    pub(crate) fn of(quick: &Quick, array: &ArrayRef, wanted: &DataType) -> Option<Self> {
        let odd = odd(quick, array)?;
        let array = match (array.data_type(), wanted) {
            (found, wanted) if found == wanted => Arc::clone(array),
            (found, wanted) if found.is_integer() && wanted.is_integer() => cast(array, wanted).ok()?,
            (DataType::Decimal128(_, found), DataType::Decimal128(_, scale)) if found == scale => {
                let decimals = array.as_primitive::<types::Decimal128Type>();
                Arc::new(decimals.clone().with_data_type(wanted.clone()))
            }
            _ => return None,
        };
        Some(Self { array, odd })
    }

    /// The array with the values that came the long way into `builder`, one for each odd row.
    pub(crate) fn finish(self, builder: &mut Builder) -> Result<ArrayRef, ArrowError> {
        if self.odd.is_empty() {
            return Ok(self.array);
        }
        let ruled = builder.finish()?;
        // A value that breaks a check stays as it is.
        let stays = |(at, row): (usize, &u32)| *self.array.slice(*row as usize, 1) == *ruled.slice(at, 1);
        if self.odd.iter().enumerate().all(stays) {
            return Ok(self.array);
        }
        let mut places: Vec<(usize, usize)> = (0..self.array.len()).map(|row| (0, row)).collect();
        self.odd.iter().enumerate().for_each(|(at, row)| places[*row as usize] = (1, at));
        interleave(&[&self.array, &ruled], &places)
    }
}

/// The rows whose values cannot be taken as they are; `None` if that cannot be told.
fn odd(quick: &Quick, array: &ArrayRef) -> Option<Vec<u32>> {
    macro_rules! whole {
        ($t:ty, $low:expr, $high:expr) => {
            outside(quick, array.as_primitive::<$t>(), |v| ($low..=$high).contains(&i64::from(v)))
        };
    }
    Some(match (&quick.kind, array.data_type()) {
        (Kind::Integer { low, high }, DataType::Int8) => whole!(types::Int8Type, *low, *high),
        (Kind::Integer { low, high }, DataType::Int16) => whole!(types::Int16Type, *low, *high),
        (Kind::Integer { low, high }, DataType::Int32) => whole!(types::Int32Type, *low, *high),
        (Kind::Integer { low, high }, DataType::Int64) => whole!(types::Int64Type, *low, *high),
        (Kind::Integer { low, high }, DataType::UInt8) => whole!(types::UInt8Type, *low, *high),
        (Kind::Integer { low, high }, DataType::UInt16) => whole!(types::UInt16Type, *low, *high),
        (Kind::Integer { low, high }, DataType::UInt32) => whole!(types::UInt32Type, *low, *high),
        (Kind::Date { low, high }, DataType::Date32) => whole!(types::Date32Type, *low, *high),
        (Kind::Instant { low, high }, DataType::Timestamp(types::TimeUnit::Microsecond, _)) => {
            whole!(types::TimestampMicrosecondType, *low, *high)
        }
        (Kind::Instant { low, high }, DataType::Time64(types::TimeUnit::Microsecond)) => {
            whole!(types::Time64MicrosecondType, *low, *high)
        }
        (Kind::Decimal { low, high, .. }, DataType::Decimal128(..)) => {
            let (low, high) = (i128::from(*low), i128::from(*high));
            outside(quick, array.as_primitive::<types::Decimal128Type>(), |v| (low..=high).contains(&v))
        }
        (Kind::Float, DataType::Float32) => outside(quick, array.as_primitive::<types::Float32Type>(), f32::is_finite),
        (Kind::Float, DataType::Float64) => outside(quick, array.as_primitive::<types::Float64Type>(), f64::is_finite),
        (Kind::Boolean, DataType::Boolean) => nulls(quick, array),
        (Kind::Text { low, high, words, .. }, DataType::Utf8) => return texts(quick, array, *low, *high, words.as_deref()),
        _ => return None,
    })
}

/// Rows whose value does not keep its checks, null where one is required included.
fn outside<T: ArrowPrimitiveType>(quick: &Quick, array: &PrimitiveArray<T>, is_kept: impl Fn(T::Native) -> bool) -> Vec<u32> {
    /// Values looked at in one go.
    const SOME: usize = 64;
    let mut odd = nulls(quick, array);
    for (at, values) in array.values().chunks(SOME).enumerate() {
        if values.iter().fold(true, |all, value| all & is_kept(*value)) {
            continue;
        }
        let rows = values.iter().enumerate().filter(|(_, value)| !is_kept(**value)).map(|(i, _)| at * SOME + i);
        odd.extend(rows.filter(|row| array.is_valid(*row)).map(|row| row as u32));
    }
    odd.sort_unstable();
    odd
}

/// Rows that are null where a value is required.
fn nulls(quick: &Quick, array: &dyn Array) -> Vec<u32> {
    match array.nulls().filter(|_| quick.is_required) {
        Some(nulls) => (!nulls.inner()).set_indices().map(|row| row as u32).collect(),
        None => Vec::new(),
    }
}

fn texts(quick: &Quick, array: &ArrayRef, low: usize, high: usize, words: Option<&[u64]>) -> Option<Vec<u32>> {
    let texts = array.as_string::<i32>();
    let (offsets, bytes) = (texts.value_offsets(), texts.value_data());
    let range = *offsets.first()? as usize..*offsets.last()? as usize;
    if memchr::memchr(0, &bytes[range]).is_some() {
        return None;
    }
    if low == 0 && high == usize::MAX && words.is_none() {
        return Some(nulls(quick, array));
    }
    let is_kept = |start: usize, len: usize| {
        low <= len && len <= high && words.is_none_or(|words| word(bytes, start, len).is_some_and(|w| words.contains(&w)))
    };
    let mut odd = Vec::new();
    for (row, range) in offsets.windows(2).enumerate() {
        let (start, end) = (range[0] as usize, range[1] as usize);
        let is_odd = if texts.is_null(row) { quick.is_required } else { !is_kept(start, end - start) };
        if is_odd {
            odd.push(row as u32);
        }
    }
    Some(odd)
}
