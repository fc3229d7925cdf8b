//! The command line: what a person or a script starts.

pub mod mock;
pub mod spec;
