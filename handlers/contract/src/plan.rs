//! A plan: one pipeline with its contract, checked together.

use serde::{Deserialize, Serialize};

use crate::{Contract, Pipeline};

/// The texts a plan is made from.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// How messages name the pipeline file.
    pub pipeline_file: &'a str,
    /// Its YAML text.
    pub pipeline: &'a str,
    /// How messages name the contract file.
    pub contract_file: &'a str,
    /// Its YAML text.
    pub contract: &'a str,
}

/// A checked pipeline with its contract. SQL expressions are syntactically unchecked here: the engine compiles them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// What the partner promises.
    pub contract: Contract,
    /// What the business wants.
    pub pipeline: Pipeline,
}
