//! Parameters: named values that a pipeline declares and an operator may change without a new pipeline version.

use std::collections::BTreeMap;

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

/// Values by name, complete for a pipeline (defaults filled in).
pub type Parameters = BTreeMap<String, ParameterValue>;
