//! `[cors]` of `onedoor.toml`.

use http::{HeaderName, Method};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::reader::Located;
use crate::config::value::{AllowedOrigin, Duration, Header, PageMethod};

const DAY: u64 = 24 * 60 * 60 * 1_000;

/// Which pages of other origins may read answers (CORS, the Fetch standard's section 3.3). Without
/// it none may.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CorsSettings {
    /// Their origins: `"https://app.example.com"`, every host below a domain with
    /// `"https://*.example.com"`, or any origin with `"*"`.
    #[schemars(with = "Vec<AllowedOrigin>")]
    pub(crate) origins: Vec<Located<AllowedOrigin>>,
    /// Whether they may send cookies and other credentials of the browser's own. A token in
    /// `Authorization` needs no permission but that header's.
    pub(crate) credentials: bool,
    /// The headers that they may send.
    #[schemars(with = "Vec<Header>")]
    pub(crate) headers: Vec<Located<Header>>,
    /// The methods that they may use.
    pub(crate) methods: Vec<PageMethod>,
    /// The headers of an answer that they may read.
    #[schemars(with = "Vec<Header>")]
    pub(crate) expose: Vec<Located<Header>>,
    /// How long a browser may remember what it was told of a method or a header.
    pub(crate) max_age: Duration<0, DAY>,
}

impl Default for CorsSettings {
    fn default() -> Self {
        let header = |name| Located::by_default(Header(HeaderName::from_static(name)));
        let methods =
            [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
        Self {
            origins: Vec::new(),
            credentials: false,
            headers: ["authorization", "content-type", "graphql-preflight"].map(header).into(),
            methods: methods.map(PageMethod).into(),
            expose: vec![header("x-request-id")],
            max_age: Duration::of_millis(10 * 60 * 1_000),
        }
    }
}
