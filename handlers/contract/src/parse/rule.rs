//! `rules`: business conditions with an outcome.

use std::collections::HashSet;

use crate::code::Code;
use crate::pipeline::{Outcome, Rule};
use crate::reader::{Cursor, shorten};

use super::columns::Columns;
use super::intake::is_slug;
use super::parameter::Declared;
use super::sql::placeholders;

/// The outcomes by name.
pub(crate) const OUTCOMES: &[(&str, Outcome)] = &[("reject", Outcome::Reject), ("review", Outcome::Review), ("warn", Outcome::Warn)];

/// Longest name of a rule.
const MAX_NAME: usize = 64;

pub(crate) fn read_all(list: Option<&Cursor<'_>>, columns: &Columns, parameters: &Declared<'_>) -> Vec<Rule> {
    let mut names: HashSet<&str> = HashSet::new();
    let mut rules = Vec::new();
    for item in list.map(Cursor::items).unwrap_or_default() {
        let Some(fields) = item.fields(&["name", "when", "outcome", "because"]) else {
            parameters.uses_inside(&item);
            continue;
        };
        let name = fields.need("name").and_then(|value| {
            let name = value.name()?;
            if !is_slug(name) || name.len() > MAX_NAME {
                let message = format!(
                    "`{}` cannot be the name of a rule: expected up to {MAX_NAME} lower case letters, digits and single hyphens",
                    shorten(name)
                );
                value.mistake(Code::PipelineName, message);
                return None;
            }
            if !names.insert(name) {
                value.mistake(
                    Code::RuleTwice,
                    format!("there is a rule `{name}` already; names tell review cases apart, so choose another one"),
                );
            }
            Some(name)
        });
        let when = fields.need("when").map(|value| parameters.expression(&value));
        let outcome = fields.need("outcome").and_then(|value| value.choice(OUTCOMES));
        let because = fields.get("because").and_then(|value| {
            let text = value.name()?;
            check_placeholders(text, &value, columns, parameters);
            Some(text.to_owned())
        });
        // Its condition can be checked whatever else is wrong with the rule.
        if let Some(when) = when {
            rules.push(Rule { name: name.unwrap_or_default().to_owned(), when, outcome: outcome.unwrap_or(Outcome::Warn), because });
        }
    }
    rules
}

fn check_placeholders(text: &str, value: &Cursor<'_>, columns: &Columns, parameters: &Declared<'_>) {
    for name in placeholders(text) {
        if !parameters.uses(name) && !columns.has(name) {
            value.mistake(Code::RuleText, format!("`{{{}}}` is neither a parameter nor a column at this point", shorten(name)));
        }
    }
}
