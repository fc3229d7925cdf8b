//! Settings as they are written: `onedoor.toml` and `upstreams/*.toml`, every key and every
//! default, declared once. Doc comments are the descriptions that editors show.
//!
//! A value here is right by itself; what must agree with another value is checked in `check`.
//! Sections that need no such check (`Limits`, `Log`) are part of the checked `Config` as they are.

mod cors;
mod gateway;
mod route;
mod schema;
mod trace;
mod upstream;

pub(crate) use cors::CorsSettings;
pub use gateway::{Cache, GraphqlAuth, Limits, Log, LogFormat, Mode, Switch};
pub(crate) use gateway::{GatewaySettings, JwksKeep, JwksRefetch, JwksRefresh, JwtSettings};
pub use route::RouteAuth;
pub(crate) use route::RouteSettings;
pub use schema::{SettingsFile, settings_json_schema};
pub(crate) use trace::TraceSetting;
pub use upstream::{BodyFormat, TokenForwarding};
pub(crate) use upstream::{
    ErrorSettings, HeadersSettings, IdentitySettings, MockSettings, StreamSettings,
    UpstreamSettings,
};
