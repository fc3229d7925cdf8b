//! Onedoor: an aggregating backend-for-frontend GraphQL gateway.

pub mod cache;
pub mod config;
pub mod door;
pub mod failure;
pub mod identity;
pub mod json;
pub mod limits;
pub mod observe;
pub mod plan;
pub mod projection;
pub mod schema;
pub mod template;
pub mod upstream;
