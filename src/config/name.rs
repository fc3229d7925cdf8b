//! The name of a service, by which `@rest(upstream:)` speaks of it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The stem of a file in `upstreams/`: 1 to 64 lower-case letters, digits, `-` and `_`, the first
/// a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceName(Arc<str>);

/// A text that cannot be a service's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a service's name is 1 to 64 lower-case letters, digits, `-` and `_`, the first a letter or \
     digit"
)]
pub struct NotAServiceName;

impl ServiceName {
    /// The name's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ServiceName {
    type Err = NotAServiceName;

    fn from_str(text: &str) -> Result<Self, NotAServiceName> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let well_formed = text.len() <= 64
            && text.starts_with(allowed)
            && text.chars().all(|c| allowed(c) || matches!(c, '-' | '_'));
        if well_formed { Ok(Self(text.into())) } else { Err(NotAServiceName) }
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for ServiceName {
    fn borrow(&self) -> &str {
        &self.0
    }
}
