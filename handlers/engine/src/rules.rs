//! Business rules: every rule is asked about every row, and all reasons are kept.

use std::collections::BTreeMap;

use arrow::datatypes::SchemaRef;
use datafusion::common::ScalarValue;
use sluice_contract::{Outcome, Rule as Declared};

use crate::rows::Rows;
use crate::tasks::{Working, met};
use crate::typed::builder::value_text;
use crate::typed::check::Fault;
use crate::{Code, sql};

/// A part of the text that tells people why.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Column(usize),
}

/// A rule, ready to be asked.
#[derive(Debug)]
pub(crate) struct Rule {
    name: String,
    when: sql::Compiled,
    outcome: Outcome,
    because: Vec<Part>,
}

impl Rule {
    /// The rule, if its condition could be compiled.
    ///
    /// # Errors
    /// The name that stands in the braces of `because` and is neither a column nor a parameter.
    pub(crate) fn new(
        declared: &Declared,
        when: Option<sql::Compiled>,
        schema: &SchemaRef,
        parameters: &[(String, ScalarValue)],
    ) -> Result<Option<Self>, String> {
        let because = declared.because.as_deref().map_or_else(
            || Ok(vec![Part::Text(format!("the rule {} is met: {}", declared.name, declared.when.sql))]),
            |text| template(text, schema, parameters),
        )?;
        Ok(when.map(|when| Self { name: declared.name.clone(), when, outcome: declared.outcome, because }))
    }

    /// Asks about every row of the batch; notes go to `rows`, warnings are counted.
    pub(crate) fn ask(&self, working: &Working, rows: &mut Rows<'_>, warnings: &mut BTreeMap<String, u64>) {
        let found = self.when.evaluate(&working.batch);
        for (at, message) in &found.failed {
            let message = format!("the rule {} has no value for this row: {message}", self.name);
            let Some(row) = working.rows[*at] else { continue };
            rows.reject(row, Fault::new(Code::ExpressionFailed, message), None, None);
        }
        for at in met(&found.values) {
            let Some(row) = working.rows[at] else { continue };
            let code = match self.outcome {
                Outcome::Warn => {
                    *warnings.entry(self.name.clone()).or_default() += 1;
                    continue;
                }
                Outcome::Review => Code::RuleReview,
                Outcome::Reject => Code::RuleReject,
            };
            rows.rule(row, code, &self.name, self.reason(working, at));
        }
    }

    fn reason(&self, working: &Working, at: usize) -> String {
        let mut reason = String::new();
        for part in &self.because {
            match part {
                Part::Text(text) => reason.push_str(text),
                Part::Column(column) => {
                    reason.push_str(value_text(working.batch.column(*column).as_ref(), at).as_deref().unwrap_or("null"));
                }
            }
        }
        reason
    }
}

/// Splits a text at `{name}`. A column hides a parameter of the same name. The error is a name that is neither.
fn template(text: &str, schema: &SchemaRef, parameters: &[(String, ScalarValue)]) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, tail)) = after.split_once('}') else { break };
        parts.push(Part::Text(before.to_owned()));
        parts.push(match (schema.index_of(name), parameters.iter().find(|(n, _)| n == name)) {
            (Ok(column), _) => Part::Column(column),
            (Err(_), Some((_, value))) => Part::Text(value.to_string()),
            (Err(_), None) => return Err(name.to_owned()),
        });
        rest = tail;
    }
    parts.push(Part::Text(rest.to_owned()));
    Ok(parts)
}
