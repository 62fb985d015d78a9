//! Mistakes that are found while a draft is compiled, without those that only follow from others.

use sluice_contract::{Code as Told, Expression, Gaps, Mistake};

use crate::Code;

/// What was told about the texts already, what they leave unknown, and what is found on top.
pub(crate) struct Findings<'a> {
    told: &'a [Mistake],
    pub(crate) gaps: &'a Gaps,
    found: Vec<Mistake>,
}

/// Codes of the texts that say the same as one of the engine at the same place.
fn same(code: &str) -> &'static [Told] {
    match Code::ALL.iter().find(|c| c.as_str() == code) {
        Some(Code::UnknownColumn) => &[Told::ColumnUnknown],
        Some(Code::UnknownParameter) => &[Told::ParameterUndeclared],
        Some(Code::ColumnExists) => &[Told::ColumnClash],
        Some(Code::TaskOrder) => &[Told::TaskOrder],
        Some(Code::BadBecause) => &[Told::RuleText],
        _ => &[],
    }
}

/// Whether one path is the other, or lies inside of it.
fn is_near(a: &str, b: &str) -> bool {
    let inside = |outer: &str, inner: &str| {
        !outer.is_empty() && inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    inside(a, b) || inside(b, a)
}

impl<'a> Findings<'a> {
    pub(crate) fn new(told: &'a [Mistake], gaps: &'a Gaps) -> Self {
        Self { told, gaps, found: Vec::new() }
    }

    /// Notes a mistake, unless the texts' own mistakes say the same.
    pub(crate) fn note(&mut self, mistake: Mistake) {
        let is_same =
            |told: &Mistake| same(&mistake.code).iter().any(|code| code.as_str() == told.code) && is_near(&told.path, &mistake.path);
        if !self.told.iter().any(is_same) && !self.found.contains(&mistake) {
            self.found.push(mistake);
        }
    }

    /// Whether anything was told about a path, what is around it or what is inside.
    pub(crate) fn is_told(&self, path: &str) -> bool {
        self.told.iter().any(|m| is_near(&m.path, path))
    }

    /// Whether an expression has no text that could be read.
    pub(crate) fn is_unreadable(&self, expression: &Expression) -> bool {
        let codes = [Told::ExpressionText, Told::PipelineKind];
        self.told.iter().any(|m| m.path == expression.path && codes.iter().any(|code| code.as_str() == m.code))
    }

    /// Whether a parameter that is not there may have been meant to be declared, or was told at the expression.
    pub(crate) fn is_parameter_told(&self, name: &str, expression: &Expression) -> bool {
        let is_undeclared = |m: &Mistake| m.path == expression.path && m.code == Told::ParameterUndeclared.as_str();
        self.is_told(&format!("parameters.{name}")) || self.told.iter().any(is_undeclared)
    }

    /// Mistakes found so far.
    pub(crate) fn count(&self) -> usize {
        self.found.len()
    }

    pub(crate) fn into_found(self) -> Vec<Mistake> {
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::is_near;

    #[test]
    fn a_path_is_near_what_is_around_it_and_inside_of_it() {
        for (a, b, near) in [
            ("tasks[1].select", "tasks[1].select[0]", true),
            ("tasks[1].select[0]", "tasks[1].select", true),
            ("tasks[1]", "tasks[1]", true),
            ("tasks[1]", "tasks[12]", false),
            ("tasks[1].derive.a", "tasks[1].derive.ab", false),
            ("", "tasks[1]", false),
        ] {
            assert_eq!(is_near(a, b), near, "{a} {b}");
        }
    }
}
