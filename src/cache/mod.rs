//! Bounded stores, and the [`Partition`] that says whose entries are whose.
//!
//! It knows no HTTP, no GraphQL and no token: keys and values are handed in.

mod bounded;
mod partition;

pub use bounded::Bounded;
pub use partition::Partition;
