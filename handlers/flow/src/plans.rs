//! Compiled plans of recent runs.

/// Compiled plans of recent runs, so that a chunk does not compile its pipeline again.
#[derive(Debug, Default)]
pub struct PlanCache {}
