//! Whole lives of runs over the doubles. One file a concern.

mod admission;
mod bad_files;
mod codes;
mod crashes;
mod formats;
mod integrity;
mod parts;
mod people;
mod pipelines;
mod publishing;
mod review;
mod sample;
mod send;
mod sweep;
