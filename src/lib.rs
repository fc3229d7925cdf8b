//! Onedoor: one GraphQL query per screen, one door for every REST service behind it.

pub mod cli;
pub mod failure;
pub mod json;
pub mod plan;
pub mod projection;
pub mod schema;
pub mod template;
