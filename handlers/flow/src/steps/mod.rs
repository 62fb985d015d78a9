//! The steps of a run (DESIGN table "Life of a file"): one file and one free function `run(context, message)` each.
