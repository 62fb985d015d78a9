//! Whole files through the whole engine.

mod aggregates;
mod columns;
mod corpus;
mod csv_files;
mod cuts;
mod documentation;
mod drafts;
mod formats;
mod mistakes;
mod refusals;
mod review;
mod runs;
pub(crate) mod support;
mod tasks;
mod ways;
