//! `upstreams/NAME.toml`.

use std::fmt;

use schemars::JsonSchema;
use serde::de::{self, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::RouteSettings;
use crate::config::reader::Located;
use crate::config::value::{
    Duration, FromText as _, Header, HeaderTable, HttpPath, Mistake, Share, UpstreamUrl, Whole,
};

/// One REST service; the file's name is the service's. Any string may hold `${VAR}` or
/// `${VAR:-default}`, filled in from the environment at start; `$${` stands for `${`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
// serde has a default for every key, so that a missing `url` is told beside all other mistakes.
#[schemars(title = "upstreams/*.toml", extend("required" = ["url"]))]
pub(crate) struct UpstreamSettings {
    /// Where the service is: scheme, host, port and a base path that comes before every request's
    /// own. No user name, query or fragment.
    #[schemars(with = "UpstreamUrl")]
    pub(crate) url: Option<Located<OneUrl>>,
    /// How long one call may take; never longer than `[limits] deadline`.
    pub(crate) timeout: Located<Duration<1, 3_600_000>>,
    /// How the bodies of `@rest` are sent.
    pub(crate) body: BodyFormat,
    /// How the service learns who is asking.
    pub(crate) identity: IdentitySettings,
    /// Which headers pass between client and service.
    pub(crate) headers: HeadersSettings,
    /// What clients may read of a failed answer, unless a `@rest` says otherwise.
    pub(crate) error: ErrorSettings,
    /// Paths of the service that clients may ask for as they are.
    #[schemars(with = "Vec<RouteSettings>")]
    pub(crate) route: Vec<Located<RouteSettings>>,
    /// A stand-in for the service, for `onedoor dev`.
    pub(crate) mock: Located<MockSettings>,
}

impl Default for UpstreamSettings {
    fn default() -> Self {
        Self {
            url: None,
            timeout: Located::by_default(Duration::of_millis(2_000)),
            body: BodyFormat::default(),
            identity: IdentitySettings::default(),
            headers: HeadersSettings::default(),
            error: ErrorSettings::default(),
            route: Vec::new(),
            mock: Located::default(),
        }
    }
}

/// How the bodies of `@rest` are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BodyFormat {
    /// `application/json`.
    #[default]
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
}

/// How a service learns who is asking. The client's own copies of these headers are always
/// removed.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct IdentitySettings {
    /// Headers and their templates: `{ x-user-id = "{claims.sub}" }`.
    pub(crate) headers: HeaderTable,
    /// Which token goes along.
    #[schemars(with = "TokenForwarding")]
    pub(crate) token: Located<TokenForwarding>,
}

/// Which token goes along with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TokenForwarding {
    /// None: the client's token stays at the door.
    #[default]
    None,
    /// The client's own, once it is verified, in `Authorization`. Whoever sent none has none.
    Forward,
}

/// Which headers pass between client and service.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct HeadersSettings {
    /// The client's headers that are sent along; no other one is.
    #[schemars(with = "Vec<Header>")]
    pub(crate) forward: Vec<Located<Header>>,
    /// The headers of the service's answers that the client of a GraphQL request is given; no other
    /// one is. On plain paths all pass.
    #[serde(rename = "return")]
    #[schemars(with = "Vec<Header>")]
    pub(crate) returned: Vec<Located<Header>>,
}

/// What clients may read of a failed answer. Values are paths into it.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ErrorSettings {
    /// An answer with a 2xx status in which this is there, and is not null, false or empty, has
    /// failed too.
    #[serde(rename = "if")]
    #[schemars(with = "String")]
    pub(crate) condition: Option<Located<String>>,
    /// What becomes the error's message.
    #[schemars(with = "String")]
    pub(crate) message: Option<Located<String>>,
    /// What becomes the error's code.
    #[schemars(with = "String")]
    pub(crate) code: Option<Located<String>>,
}

/// A stand-in for a service: answers from a file, with the faults one wants to see.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct MockSettings {
    /// The JSON file it answers from, relative to the project's root. Without it nothing is mocked.
    #[schemars(with = "String", length(min = 1))]
    pub(crate) data: Option<Located<String>>,
    /// The port it listens at on this machine; without it the system picks one.
    #[schemars(with = "Whole<1, 65_535>")]
    pub(crate) port: Option<Located<Whole<1, 65_535>>>,
    /// The property of a row by which it is looked up.
    #[schemars(with = "String", length(min = 1))]
    pub(crate) id: Located<String>,
    /// How long it waits before each answer.
    pub(crate) latency: Duration<0, 60_000>,
    /// The share of requests it answers with an error, from 0.0 to 1.0.
    pub(crate) failure_rate: Share,
    /// Streams of events that it sends.
    #[schemars(with = "Vec<StreamSettings>")]
    pub(crate) stream: Vec<Located<StreamSettings>>,
}

impl Default for MockSettings {
    fn default() -> Self {
        Self {
            data: None,
            port: None,
            id: Located::by_default("id".to_owned()),
            latency: Duration::of_millis(0),
            failure_rate: Share::default(),
            stream: Vec::new(),
        }
    }
}

/// A stream of events (Server-Sent Events) that a mock sends: the rows of a collection, one after
/// the other, over and over. The query chooses rows as that of a list does; `Last-Event-ID` goes
/// on after that event.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["path", "rows"]))]
pub(crate) struct StreamSettings {
    /// The path it is asked for at.
    #[schemars(with = "HttpPath")]
    pub(crate) path: Option<Located<HttpPath>>,
    /// The collection in the mock's data whose rows it sends.
    #[schemars(with = "String", length(min = 1))]
    pub(crate) rows: Option<Located<String>>,
    /// The type of its events.
    #[serde(rename = "type")]
    #[schemars(with = "String", length(min = 1))]
    pub(crate) kind: Located<String>,
    /// How long after one event the next one comes.
    pub(crate) every: Duration<1, 3_600_000>,
}

impl Default for StreamSettings {
    fn default() -> Self {
        Self {
            path: None,
            rows: None,
            kind: Located::by_default("message".to_owned()),
            every: Duration::of_millis(2_000),
        }
    }
}

/// An upstream's URL. A list of them is designed and does not work yet.
#[derive(Debug, Clone)]
pub(crate) struct OneUrl(pub(crate) UpstreamUrl);

impl<'de> Deserialize<'de> for OneUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneUrlVisitor)
    }
}

struct OneUrlVisitor;

impl<'de> Visitor<'de> for OneUrlVisitor {
    type Value = OneUrl;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(UpstreamUrl::EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<OneUrl, E> {
        UpstreamUrl::from_text(text).map(OneUrl).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<OneUrl, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        let help = "write one URL; several need a load balancer before them for now";
        Err(de::Error::custom(Mistake::new("a list of URLs does not work yet", help)))
    }
}
