//! Onedoor: an aggregating backend-for-frontend GraphQL gateway.

pub mod config;
pub mod failure;
pub mod json;
pub mod plan;
pub mod projection;
pub mod schema;
pub mod template;
