//! Onedoor: one GraphQL query per screen, one door for every REST service behind it.

pub mod cli;
