//! A plan: one pipeline with its contract, checked together.

use serde::{Deserialize, Serialize};

use crate::parse::columns::Columns;
use crate::parse::{contract, pipeline};
use crate::reader::{CONTRACT, Cursor, PIPELINE, Report};
use crate::yaml;
use crate::{Contract, Mistake, Mistakes, Pipeline};

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

impl Sources<'_> {
    /// Mistakes that were found in a plan of these sources, with the name of the pipeline file, and with line and column where only the path
    /// in it was known.
    #[must_use]
    pub fn place(&self, found: Mistakes) -> Mistakes {
        let root = yaml::load(self.pipeline).ok().map(|(root, _)| root);
        let placed = found.0.into_iter().map(|mut mistake| {
            if let (0, Some(root)) = (mistake.line, &root) {
                let place = root.nearest(&mistake.path).place;
                (mistake.line, mistake.column) = (place.line, place.column);
            }
            Mistake { file: self.pipeline_file.to_owned(), ..mistake }
        });
        Mistakes(placed.collect())
    }
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
        match Draft::read(sources) {
            Draft { plan: Some(plan), mistakes } if mistakes.is_empty() => Ok(plan),
            Draft { mistakes, .. } => Err(Mistakes(mistakes)),
        }
    }
}

/// A plan as far as its texts can be read, so that whoever compiles its expressions can report their mistakes beside those of the texts.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Defaults stand for parts with mistakes. `None` if a mistake leaves columns, parameters, tasks or rules unknown: what is said about
    /// expressions then would be guesswork.
    pub plan: Option<Plan>,
    /// Every mistake in both files: those of the pipeline in file order, then those of the contract.
    pub mistakes: Vec<Mistake>,
}

/// Parts of a pipeline that expressions depend on.
const EXPRESSIONS_NEED: [&str; 3] = ["parameters", "tasks", "rules"];

impl Draft {
    /// Reads what can be read.
    pub fn read(sources: &Sources<'_>) -> Self {
        let contract_report = Report::new(sources.contract_file, CONTRACT);
        let contract_root = contract_report.load(sources.contract);
        let (contract, names) = contract_root.as_ref().map_or((None, None), |root| {
            let read = contract::read(&Cursor::root(root, &contract_report));
            (read.contract, read.names)
        });
        let pipeline_report = Report::new(sources.pipeline_file, PIPELINE);
        let pipeline_root = pipeline_report.load(sources.pipeline);
        let read = pipeline_root.as_ref().and_then(|root| pipeline::read(&Cursor::root(root, &pipeline_report), Columns::new(names)));
        let mut mistakes = pipeline_report.into_mistakes();
        let contract = contract_report.finish(contract);
        // A part that is missing without a mistake would be a fault of this program: it must not pass as its default.
        let is_told = read.as_ref().is_some_and(|read| read.is_whole) || !mistakes.is_empty();
        let is_known = is_told && !mistakes.iter().any(|m| EXPRESSIONS_NEED.iter().any(|part| m.path.starts_with(part)));
        let plan = match (read, contract) {
            (Some(read), Ok(contract)) if is_known => Some(Plan { contract, pipeline: read.pipeline }),
            (_, Ok(_)) => None,
            (_, Err(Mistakes(more))) => {
                mistakes.extend(more);
                None
            }
        };
        Self { plan, mistakes }
    }
}
