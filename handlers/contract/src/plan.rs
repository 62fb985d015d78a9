//! A plan: one pipeline with its contract, checked together.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::parse::columns::Columns;
use crate::parse::{contract, pipeline};
use crate::reader::{CONTRACT, Cursor, PIPELINE, Report};
use crate::yaml;
use crate::{Contract, Mistake, Mistakes, Pipeline};

/// How mistakes name the contract file where only the plan is known, which does not know its name.
pub const CONTRACT_FILE: &str = "contract";

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
    /// Mistakes that were found in a plan of these sources, with the name of the pipeline file (of the contract for those that name
    /// [`CONTRACT_FILE`]), and with line and column where only the path in it was known.
    #[must_use]
    pub fn place(&self, found: Mistakes) -> Mistakes {
        let load = |text| yaml::load(text).ok().map(|(root, _)| root);
        let (pipeline, contract) = (load(self.pipeline), load(self.contract));
        let placed = found.0.into_iter().map(|mut mistake| {
            let (file, root) =
                if mistake.file == CONTRACT_FILE { (self.contract_file, &contract) } else { (self.pipeline_file, &pipeline) };
            if let (0, Some(root)) = (mistake.line, root) {
                let place = root.nearest(&mistake.path).place;
                (mistake.line, mistake.column) = (place.line, place.column);
            }
            Mistake { file: file.to_owned(), ..mistake }
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
            Draft { plan: Some(plan), mistakes, .. } if mistakes.is_empty() => Ok(plan),
            Draft { mistakes, .. } => Err(Mistakes(mistakes)),
        }
    }
}

/// A plan as far as its texts can be read, so that whoever compiles it can report what else is wrong beside the mistakes of the texts.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Defaults stand for parts with mistakes: what follows from them is no mistake. `None` if the pipeline is no YAML map.
    pub plan: Option<Plan>,
    /// What the plan does not know.
    pub gaps: Gaps,
    /// Every mistake in both files: those of the pipeline in file order, then those of the contract.
    pub mistakes: Vec<Mistake>,
}

/// What a plan does not know, because a mistake stands where it should be said. Empty for a plan without mistakes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gaps {
    /// The contract may have columns beside those of the plan.
    pub columns: bool,
    /// Columns of the contract whose type is no more than a guess.
    pub types: BTreeSet<String>,
    /// What is unknown after tasks that could not be read, by their places in `tasks`; what stands there in the plan means nothing.
    pub tasks: BTreeMap<usize, Unknown>,
}

/// What is unknown after a task that could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// The types of the columns.
    Types,
    /// Which columns there are.
    Columns,
}

impl Draft {
    /// Reads what can be read.
    pub fn read(sources: &Sources<'_>) -> Self {
        let contract_report = Report::new(sources.contract_file, CONTRACT);
        let contract_root = contract_report.load(sources.contract);
        let contract =
            contract_root.as_ref().map_or_else(contract::Read::nothing, |root| contract::read(&Cursor::root(root, &contract_report)));
        let pipeline_report = Report::new(sources.pipeline_file, PIPELINE);
        let pipeline_root = pipeline_report.load(sources.pipeline);
        // Two tasks that lost the `-` between them are one with keys that stand twice, and the second one's columns are not seen.
        let names = contract.names.filter(|_| !pipeline_report.has_repeated_keys());
        let is_open = names.is_none();
        let columns = Columns::new(names);
        let read = pipeline_root.as_ref().and_then(|root| pipeline::read(&Cursor::root(root, &pipeline_report), columns));
        let mut mistakes = pipeline_report.into_mistakes();
        mistakes.extend(contract_report.into_mistakes());
        let mut gaps = Gaps { columns: is_open, types: contract.doubtful, tasks: BTreeMap::new() };
        let plan = read.and_then(|read| {
            // A part that is missing without a mistake would be a fault of this program: it must not pass as its default.
            let is_told = (read.is_whole && contract.contract.is_some()) || !mistakes.is_empty();
            gaps.tasks = read.unread_tasks;
            is_told.then(|| Plan { contract: contract.contract.unwrap_or_else(Contract::unknown), pipeline: read.pipeline })
        });
        Self { plan, gaps, mistakes }
    }

    /// The file name under `contract` of a pipeline text.
    ///
    /// # Errors
    /// Every mistake in the text that can be seen without the contract, if it names none.
    pub fn contract_file(pipeline_file: &str, pipeline: &str) -> Result<String, Mistakes> {
        let report = Report::new(pipeline_file, PIPELINE);
        let root = report.load(pipeline);
        let read = root.as_ref().and_then(|root| pipeline::read(&Cursor::root(root, &report), Columns::default()));
        match read {
            Some(read) if !read.pipeline.contract.is_empty() => Ok(read.pipeline.contract),
            _ => Err(Mistakes(report.into_mistakes())),
        }
    }
}
