//! Bounded stores, what may be kept in them and for how long, and the [`Partition`] that says whose
//! entries are whose.
//!
//! It knows no GraphQL and no token, and makes no call: keys and values are handed in.

mod bounded;
mod clock;
mod fresh;
mod freshness;
mod partition;
mod tally;

pub use bounded::Bounded;
pub use clock::Clock;
pub use fresh::Fresh;
pub use freshness::{Declared, Judged, Keep, NotKept, Scope, Varying, is_private, judge};
pub use partition::Partition;
pub use tally::{Fate, Tally};
