//! Whole files through the whole engine.

mod aggregates;
mod columns;
mod corpus;
mod csv_files;
mod cuts;
#[allow(unreachable_pub, reason = "fuzz targets take the file in, too")]
mod desk;
mod documentation;
mod drafts;
mod formats;
mod mistakes;
mod plans;
mod refusals;
mod review;
mod runs;
pub(crate) mod support;
mod tasks;
mod ways;
