//! A plan: one pipeline with its contract, checked together.

use serde::{Deserialize, Serialize};

use crate::parse::columns::Columns;
use crate::parse::{contract, pipeline};
use crate::reader::{CONTRACT, Cursor, PIPELINE, Report};
use crate::{Contract, Mistakes, Pipeline};

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

impl Plan {
    /// Reads a pipeline and its contract and checks them against each other.
    ///
    /// # Errors
    /// Every mistake in both files: those of the pipeline in file order, then those of the contract.
    pub fn parse(sources: &Sources<'_>) -> Result<Self, Mistakes> {
        let contract_report = Report::new(sources.contract_file, CONTRACT);
        let contract_root = contract_report.load(sources.contract);
        let (contract, names) = contract_root.as_ref().map_or((None, None), |root| {
            let read = contract::read(&Cursor::root(root, &contract_report));
            (read.contract, read.names)
        });
        let pipeline_report = Report::new(sources.pipeline_file, PIPELINE);
        let pipeline_root = pipeline_report.load(sources.pipeline);
        let pipeline = pipeline_root.as_ref().and_then(|root| pipeline::read(&Cursor::root(root, &pipeline_report), Columns::new(names)));
        match (pipeline_report.finish(pipeline), contract_report.finish(contract)) {
            (Ok(pipeline), Ok(contract)) => Ok(Self { contract, pipeline }),
            (Err(mistakes), Ok(_)) | (Ok(_), Err(mistakes)) => Err(mistakes),
            (Err(Mistakes(mut mistakes)), Err(Mistakes(more))) => {
                mistakes.extend(more);
                Err(Mistakes(mistakes))
            }
        }
    }
}
