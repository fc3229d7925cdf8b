//! An upstream's settings, checked.

use std::time::Duration;

use http::HeaderName;

use super::name::ServiceName;
use super::settings::{BodyFormat, RouteAuth, TokenForwarding};
use super::text::Text;
use super::value::{HttpPath, UpstreamUrl};

/// One REST service.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Upstream {
    /// Its name: the stem of its file.
    pub name: ServiceName,
    /// Where it is.
    pub url: UpstreamUrl,
    /// How long one call may take; at most the request's deadline.
    pub timeout: Duration,
    /// How the bodies of `@rest` are sent.
    pub body: BodyFormat,
    /// The headers that tell it who is asking; none twice.
    pub identity_headers: Vec<IdentityHeader>,
    /// Which token goes along; none of the identity headers is `authorization` if one does.
    pub token: TokenForwarding,
    /// The client's headers that are sent along; none twice, and none that tells who is asking.
    pub forward_headers: Vec<HeaderName>,
    /// The headers of its answers that a GraphQL request's client is given; none twice, and none
    /// that the gateway writes itself.
    pub return_headers: Vec<HeaderName>,
    /// What clients may read of a failed answer.
    pub error: ErrorPaths,
    /// Paths that pass straight through to it; no other route of the gateway has the same.
    pub routes: Vec<Route>,
    /// Its stand-in for `onedoor dev`.
    pub mock: Option<Mock>,
}

/// A header that tells an upstream who is asking.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct IdentityHeader {
    /// Its name.
    pub name: HeaderName,
    /// The template of its value, not yet parsed.
    pub value: Text,
}

/// Paths of a service that clients may ask for as they are.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Route {
    /// The path at the gateway: itself and everything below it.
    pub path: HttpPath,
    /// The path at the service that stands in its place.
    pub to: HttpPath,
    /// Whether a request needs a token.
    pub auth: RouteAuth,
    /// How long the service may be silent.
    pub timeout: Duration,
    /// How many bytes a request's body may have; `None`: any number.
    pub max_body: Option<u64>,
}

/// Paths into a failed answer, not yet parsed.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ErrorPaths {
    /// If this is there, a 2xx answer has failed too (`if`).
    pub condition: Option<Text>,
    /// The error's message.
    pub message: Option<Text>,
    /// The error's code.
    pub code: Option<Text>,
}

/// A stand-in for a service.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Mock {
    /// The JSON file it answers from, relative to the project's root.
    pub data: Text,
    /// The port it listens at; `None`: the system picks one.
    pub port: Option<u16>,
    /// The property of a row by which it is looked up.
    pub id: String,
    /// How long it waits before each answer.
    pub latency: Duration,
    /// The share of requests it answers with an error, from 0.0 to 1.0.
    pub failure_rate: f64,
    /// The streams of events it sends.
    pub streams: Vec<MockStream>,
}

/// A stream of events that a mock sends.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct MockStream {
    /// The path it is asked for at.
    pub path: Text,
    /// The collection whose rows it sends.
    pub rows: Text,
    /// The type of its events.
    pub kind: String,
    /// How long after one event the next one comes.
    pub every: Duration,
}
