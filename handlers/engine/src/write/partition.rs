//! Hive-style partitions.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use crate::typed::builder::value_text;

/// What stands in a path for null.
const NULL: &str = "__HIVE_DEFAULT_PARTITION__";
/// Longest escaped value in a path. A longer one is cut and its hash added; readers take values from the table's log, not from paths.
const VALUE_BYTES: usize = 120;

/// A partition: its path, and its values as a Delta `add` action has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Partition {
    pub(crate) path: String,
    pub(crate) values: BTreeMap<String, Option<String>>,
}

impl Partition {
    /// The partition of a row.
    pub(crate) fn of(columns: &[(String, ArrayRef)], row: usize) -> Self {
        let mut path = String::new();
        let mut values = BTreeMap::new();
        for (name, array) in columns {
            let value = value_text(array.as_ref(), row).map(|text| match array.data_type() {
                // Delta protocol, "Partition Value Serialization".
                DataType::Timestamp(..) => text.replace('T', " ").trim_end_matches('Z').to_owned(),
                _ => text,
            });
            // To Delta, an empty text is null.
            let value = value.filter(|v| !v.is_empty());
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(&escape(name));
            path.push('=');
            path.push_str(&value.as_deref().map_or_else(|| NULL.to_owned(), escape));
            values.insert(name.clone(), value);
        }
        Self { path, values }
    }
}

/// Percent-escapes everything but letters, digits, `_`, `-` and inner dots.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (i, byte) in text.bytes().enumerate() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') || (byte == b'.' && i > 0 && i + 1 < text.len()) {
            escaped.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    if escaped.len() > VALUE_BYTES {
        escaped.truncate(VALUE_BYTES - 33);
        escaped.push('-');
        escaped.push_str(&blake3::hash(text.as_bytes()).to_hex()[..32]);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int32Array, StringArray};

    use super::*;

    #[test]
    fn paths_are_escaped_and_null_has_its_name() {
        let columns = [
            ("month".to_owned(), Arc::new(Int32Array::from(vec![1, 2])) as ArrayRef),
            ("a b".to_owned(), Arc::new(StringArray::from(vec![Some("x/y=ü."), None])) as ArrayRef),
        ];
        assert_eq!(Partition::of(&columns, 0).path, "month=1/a%20b=x%2Fy%3D%C3%BC%2E");
        assert_eq!(Partition::of(&columns, 1).path, "month=2/a%20b=__HIVE_DEFAULT_PARTITION__");
        assert_eq!(Partition::of(&columns, 1).values["a b"], None);
    }

    #[test]
    fn long_values_stay_apart_in_short_paths() {
        let (a, b) = (escape(&"x".repeat(500)), escape(&("x".repeat(499) + "y")));
        assert_ne!(a, b);
        assert_eq!(a.len(), VALUE_BYTES);
    }
}
