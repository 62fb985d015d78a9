//! Parameters: named values that a pipeline declares and an operator may change without a new pipeline version.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// The declaration of one parameter in a pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ParameterSpec {
    /// The type every value must have.
    #[serde(rename = "type")]
    pub kind: ParameterType,
    /// Used until somebody sets another value.
    pub default: ParameterValue,
    /// For the people who set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Types a parameter can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ParameterType {
    /// 64-bit signed.
    Integer,
    /// 64-bit float.
    Number,
    /// Text.
    String,
    /// true or false.
    Boolean,
    /// ISO 8601 date as text.
    Date,
}

impl ParameterType {
    /// The value in this type: a whole number is a number too.
    ///
    /// # Errors
    /// What was expected and what kind of value was found.
    pub fn accept(self, value: &ParameterValue) -> Result<ParameterValue, String> {
        match (self, value) {
            (Self::Integer, ParameterValue::Integer(_))
            | (Self::Boolean, ParameterValue::Boolean(_))
            | (Self::String, ParameterValue::Text(_)) => Ok(value.clone()),
            (Self::Number, ParameterValue::Number(number)) if number.is_finite() => Ok(value.clone()),
            (Self::Number, ParameterValue::Integer(number)) => Ok(ParameterValue::Number(*number as f64)),
            (Self::Date, ParameterValue::Text(text)) if text.len() == 10 && NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok() => {
                Ok(value.clone())
            }
            _ => Err(format!("expected {}, found {}", self.expected(), value.kind())),
        }
    }

    fn expected(self) -> &'static str {
        match self {
            Self::Integer => "a whole number",
            Self::Number => "a finite number",
            Self::String => "text",
            Self::Boolean => "true or false",
            Self::Date => "a date such as 2013-01-31",
        }
    }
}

/// A parameter's value, of the JSON type that fits its [`ParameterType`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ParameterValue {
    /// For `boolean`.
    Boolean(bool),
    /// For `integer`.
    Integer(i64),
    /// For `number`.
    Number(f64),
    /// For `string` and `date`.
    Text(String),
}

impl ParameterValue {
    fn kind(&self) -> &'static str {
        match self {
            Self::Boolean(_) => "true or false",
            Self::Integer(_) => "a whole number",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
        }
    }
}

/// Values by name, complete for a pipeline (defaults filled in).
pub type Parameters = BTreeMap<String, ParameterValue>;
