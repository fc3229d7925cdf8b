//! `[[route]]` of `upstreams/NAME.toml`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::reader::Located;
use crate::config::value::{Duration, HttpPath, Size};

const GIB: u64 = 1 << 30;

/// Paths of the service that clients may ask for as they are. Requests and answers pass straight
/// through, of any size.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
// serde has a default for every key, so that a missing one is told beside all other mistakes.
#[schemars(extend("required" = ["path", "to"]))]
pub(crate) struct RouteSettings {
    /// The path at the gateway: itself and everything below it, whole segments only.
    #[schemars(with = "HttpPath")]
    pub(crate) path: Option<Located<HttpPath>>,
    /// The path at the service that stands in its place.
    #[schemars(with = "HttpPath")]
    pub(crate) to: Option<Located<HttpPath>>,
    /// Whether a request needs a valid token.
    #[schemars(with = "RouteAuth")]
    pub(crate) auth: Located<RouteAuth>,
    /// How long the service may be silent: before its answer, and within it. Without it the
    /// service's own `timeout`.
    #[schemars(with = "Duration<1, 3_600_000>")]
    pub(crate) timeout: Option<Duration<1, 3_600_000>>,
    /// The size of a request's body. Without it there is no limit.
    #[schemars(with = "Size<0, { 1024 * GIB }>")]
    pub(crate) max_body: Option<Size<0, { 1024 * GIB }>>,
}

/// Whether a request to a route needs a valid token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RouteAuth {
    /// Every request needs one.
    #[default]
    Required,
    /// A request may have none; one that is sent must be valid.
    Optional,
    /// Tokens are not looked at: every caller is anonymous.
    None,
}
