//! Whole lives of runs over the doubles. One file a concern.

mod admission;
mod answers;
mod bad_files;
mod changes;
mod codes;
mod crashes;
mod desk;
mod drafts;
mod file_dry_run;
mod fixes;
mod formats;
mod integrity;
mod listing;
mod parts;
mod people;
mod pipelines;
mod publishing;
mod review;
mod sample;
mod send;
mod summary;
mod sweep;
mod undo;
