//! What was found out about a file, with how sure it is and why.

/// One thing that was found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// What it is about, as the pipeline names it.
    pub(crate) what: &'static str,
    /// What was found.
    pub(crate) found: String,
    /// How sure it is, in percent.
    pub(crate) sure: u8,
    /// What speaks for it, and what against.
    pub(crate) why: String,
}

/// Below this, a person should look.
pub(crate) const UNSURE: u8 = 80;

impl Finding {
    pub(crate) fn new(what: &'static str, found: impl Into<String>, sure: u8, why: impl Into<String>) -> Self {
        Self { what, found: found.into(), sure: sure.min(100), why: why.into() }
    }

    /// Whether a person should look.
    pub(crate) fn is_unsure(&self) -> bool {
        self.sure < UNSURE
    }
}

/// How sure one can be of what `seen` values show without exception, in percent: the rule of succession.
pub(crate) fn after(seen: u64) -> u8 {
    (100 * (seen + 1) / (seen + 2)).min(99) as u8
}

/// How sure the better of two scores is, in percent.
pub(crate) fn margin(best: f64, second: f64) -> u8 {
    if best <= 0.0 {
        return 0;
    }
    let (a, b) = (best * best, second.max(0.0) * second.max(0.0));
    ((100.0 * a / (a + b)).round() as u8).min(99)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_values_and_worse_rivals_make_surer() {
        assert_eq!((after(0), after(1), after(18), after(100_000)), (50, 66, 95, 99));
        assert_eq!((margin(0.5, 0.0), margin(0.5, 0.5), margin(0.0, 0.0)), (99, 50, 0));
    }
}
