//! Which pages of other origins may read answers, checked.

use std::time::Duration;

use http::{HeaderName, Method};

use super::value::AllowedOrigin;

/// What web pages of other origins may do (Fetch, section 3.3).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Cors {
    /// Their origins; at least one, and if one is `*`, no credentials are allowed.
    pub origins: Vec<AllowedOrigin>,
    /// Whether they may send credentials of the browser's own.
    pub credentials: bool,
    /// The headers that they may send.
    pub headers: Vec<HeaderName>,
    /// The methods that they may use.
    pub methods: Vec<Method>,
    /// The headers of an answer that they may read.
    pub expose: Vec<HeaderName>,
    /// How long a browser may remember the answer to a preflight.
    pub max_age: Duration,
}
