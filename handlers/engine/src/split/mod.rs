//! Where records begin and end in a text.

pub(crate) mod automaton;
pub(crate) mod chunker;
pub(crate) mod finder;
pub(crate) mod index;
pub(crate) mod planner;
pub(crate) mod scanner;
pub(crate) mod splitter;
