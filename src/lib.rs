//! Onedoor: one GraphQL query per screen, one door for every REST service behind it.

pub mod cache;
pub mod cli;
pub mod config;
pub mod door;
pub mod engine;
pub mod failure;
pub mod fetch;
pub mod gateway;
pub mod identity;
pub mod json;
pub mod limits;
pub mod observe;
pub mod plan;
pub mod projection;
pub mod schema;
pub mod signature;
pub mod template;
pub mod upstream;
