//! `onedoor.toml`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CorsSettings, TraceSetting};
use crate::config::reader::Located;
use crate::config::secret::Secret;
use crate::config::value::{
    Duration, HttpPath, JwksUrl, ListenAddress, LogFilter, OneOrMany, Size, Whole,
};
use crate::signature::Algorithm;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// The gateway's own settings. Any string may hold `${VAR}` or `${VAR:-default}`, filled in from
/// the environment at start; `$${` stands for `${`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "onedoor.toml")]
pub(crate) struct GatewaySettings {
    /// The address at which the gateway listens.
    pub(crate) listen: ListenAddress,
    /// Who may come in.
    pub(crate) auth: AuthSettings,
    /// The GraphQL endpoint.
    pub(crate) graphql: GraphqlSettings,
    /// Which pages of other origins may read answers.
    #[schemars(with = "CorsSettings")]
    pub(crate) cors: Located<CorsSettings>,
    /// What one request may cost, and how much the gateway remembers.
    pub(crate) limits: Limits,
    /// What is kept of upstreams' answers.
    pub(crate) cache: Cache,
    /// What is written to the log.
    pub(crate) log: Log,
    /// What `onedoor dev` and `onedoor token` use.
    pub(crate) dev: DevSettings,
}

impl Default for GatewaySettings {
    fn default() -> Self {
        Self {
            listen: ListenAddress::local(4000),
            auth: AuthSettings::default(),
            graphql: GraphqlSettings::default(),
            cors: Located::default(),
            limits: Limits::default(),
            cache: Cache::default(),
            log: Log::default(),
            dev: DevSettings::default(),
        }
    }
}

/// Who may come in.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AuthSettings {
    /// Issuers of bearer tokens (JWT, RFC 7519). With several, each needs its `issuer`.
    pub(crate) jwt: Vec<Located<JwtSettings>>,
    /// The memory for tokens that were verified, which are kept until they expire.
    pub(crate) token_cache: Size<0, GIB>,
}

impl Default for AuthSettings {
    fn default() -> Self {
        Self { jwt: Vec::new(), token_cache: Size::of_bytes(16 * MIB) }
    }
}

/// How often a JWKS is fetched when nothing asks for it.
pub(crate) type JwksRefresh = Duration<{ 10 * SECOND }, { 24 * HOUR }>;
/// How often a JWKS is fetched at most.
pub(crate) type JwksRefetch = Duration<SECOND, HOUR>;
/// How long the keys of a JWKS stand when no newer ones can be had.
pub(crate) type JwksKeep = Duration<MINUTE, { 720 * HOUR }>;

/// One issuer of bearer tokens. Exactly one of `jwks`, `public_key`, `public_key_file`, `secret` and
/// `secret_file` says how its tokens are verified.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct JwtSettings {
    /// The `iss` a token must carry; without it any issuer's tokens are taken.
    #[schemars(with = "String", length(min = 1))]
    pub(crate) issuer: Option<Located<String>>,
    /// The `aud` of which a token must carry one; without it the audience is not looked at.
    #[schemars(with = "OneOrMany<String>")]
    pub(crate) audience: Option<Located<OneOrMany<String>>>,
    /// The algorithms a token may be signed with; all of them must suit the key. Default: HS256 with
    /// a secret, RS256 with a JWKS, and with a public key the one with the shortest hash that it is
    /// for.
    #[schemars(with = "Vec<Algorithm>", length(min = 1))]
    pub(crate) algorithms: Option<Located<Vec<Located<Algorithm>>>>,
    /// Where the issuer publishes its public keys, as a JWK set (RFC 7517).
    #[schemars(with = "JwksUrl")]
    pub(crate) jwks: Option<Located<JwksUrl>>,
    /// Allows a `jwks` over plain http, where whoever is on the way can put in keys of their own.
    #[schemars(with = "bool")]
    pub(crate) jwks_insecure_http: Option<Located<bool>>,
    /// How often the JWKS is fetched anew. Default: 10m.
    #[schemars(with = "JwksRefresh")]
    pub(crate) jwks_refresh: Option<Located<JwksRefresh>>,
    /// The least time between two fetches, also when tokens name keys that are not known. Default:
    /// 10s.
    #[schemars(with = "JwksRefetch")]
    pub(crate) jwks_refetch: Option<Located<JwksRefetch>>,
    /// How long the keys fetched last are used when no newer ones can be had. Default: 24h.
    #[schemars(with = "JwksKeep")]
    pub(crate) jwks_keep: Option<Located<JwksKeep>>,
    /// The issuer's public key: PEM, or one JWK (RFC 7517).
    #[schemars(with = "String", length(min = 1))]
    pub(crate) public_key: Option<Located<String>>,
    /// A file that holds the public key, relative to the project's root.
    #[schemars(with = "String", length(min = 1))]
    pub(crate) public_key_file: Option<Located<String>>,
    /// The shared secret: from the environment, `"${JWT_SECRET}"`.
    #[schemars(with = "String")]
    pub(crate) secret: Option<Located<Secret>>,
    /// A file that holds the shared secret, relative to the project's root. One line end at its
    /// end is not part of the secret.
    #[schemars(with = "String", length(min = 1))]
    pub(crate) secret_file: Option<Located<String>>,
    /// How far the issuer's clock may be off when `exp` and `nbf` are looked at.
    pub(crate) leeway: Duration<0, { 10 * MINUTE }>,
}

impl Default for JwtSettings {
    fn default() -> Self {
        Self {
            issuer: None,
            audience: None,
            algorithms: None,
            jwks: None,
            jwks_insecure_http: None,
            jwks_refresh: None,
            jwks_refetch: None,
            jwks_keep: None,
            public_key: None,
            public_key_file: None,
            secret: None,
            secret_file: None,
            leeway: Duration::of_millis(60 * SECOND),
        }
    }
}

/// The GraphQL endpoint.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct GraphqlSettings {
    /// The path at which it answers.
    pub(crate) path: HttpPath,
    /// Whether a request needs a valid token. A token that is sent must be valid either way.
    pub(crate) auth: Located<GraphqlAuth>,
    /// Whether clients may ask for `__schema` and `__type`.
    pub(crate) introspection: Switch,
    /// Whether errors say "did you mean". That tells names of the schema, so that none does where
    /// introspection is off.
    pub(crate) suggestions: Switch,
    /// Whether the GraphiQL page is served, at `/graphiql`.
    pub(crate) graphiql: Switch,
    /// Who may ask for a request's plan and for a trace of its upstream calls, by
    /// `"extensions": {"onedoor": {"plan": true, "trace": true}}`: everybody, nobody, or everybody
    /// in `onedoor dev` and in `onedoor serve` those callers for whose `claims` an expression is
    /// true. A claim that is missing reads as null; who has no token may not ask.
    pub(crate) trace: Located<TraceSetting>,
    /// Whether responses are compressed for clients that take that. How long one is then depends on
    /// what is in it; where that may tell a listener too much, choose false.
    pub(crate) compression: bool,
}

impl Default for GraphqlSettings {
    fn default() -> Self {
        Self {
            path: HttpPath::graphql(),
            auth: Located::by_default(GraphqlAuth::Optional),
            introspection: Switch::Auto,
            suggestions: Switch::Auto,
            graphiql: Switch::Auto,
            trace: Located::by_default(TraceSetting::Switch(Switch::Auto)),
            compression: true,
        }
    }
}

/// Whether a GraphQL request needs a valid token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum GraphqlAuth {
    /// Every request needs one.
    Required,
    /// An anonymous request may ask for what is not guarded.
    #[default]
    Optional,
}

/// Whether a feature for developers is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    /// Always.
    On,
    /// Never.
    Off,
    /// In `onedoor dev`, not in `onedoor serve`.
    #[default]
    Auto,
}

/// How the gateway was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// `onedoor dev`.
    Dev,
    /// `onedoor serve`.
    Serve,
}

impl Switch {
    /// Whether the feature is on in this mode.
    #[must_use]
    pub const fn is_on(self, mode: Mode) -> bool {
        match (self, mode) {
            (Self::On, _) | (Self::Auto, Mode::Dev) => true,
            (Self::Off, _) | (Self::Auto, Mode::Serve) => false,
        }
    }
}

/// What one request may cost, and how much the gateway remembers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Limits {
    /// How long a request may take from its first byte to its answer; the calls it makes share
    /// this time.
    pub deadline: Duration<1, HOUR>,
    /// The size of a request's body.
    pub request_body: Size<KIB, GIB>,
    /// The tokens of a GraphQL document.
    pub query_tokens: Whole<1, 1_000_000>,
    /// How deep braces, brackets and parentheses of a GraphQL document are nested.
    pub query_nesting: Whole<1, 400>,
    /// The fields of an operation with its fragments spread, which a plan is made of.
    pub plan_fields: Whole<1, 1_000_000>,
    /// The calls to upstreams that one request causes.
    pub upstream_calls: Whole<1, 100_000>,
    /// The size of one upstream's answer.
    pub upstream_answer: Size<KIB, GIB>,
    /// The size of the response to a client.
    pub response: Size<KIB, GIB>,
    /// The operations that run on one WebSocket at a time.
    pub socket_operations: Whole<1, 10_000>,
    /// The memory for validated documents that are kept for their next use.
    pub document_cache: Size<0, { 16 * GIB }>,
    /// The memory for plans that are kept for their next use.
    pub plan_cache: Size<0, { 16 * GIB }>,
    /// The memory for answers to introspection that are kept for their next use.
    pub introspection_cache: Size<0, { 16 * GIB }>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            deadline: Duration::of_millis(30 * SECOND),
            request_body: Size::of_bytes(MIB),
            query_tokens: Whole::of(10_000),
            query_nesting: Whole::of(64),
            plan_fields: Whole::of(20_000),
            upstream_calls: Whole::of(200),
            upstream_answer: Size::of_bytes(16 * MIB),
            response: Size::of_bytes(32 * MIB),
            socket_operations: Whole::of(100),
            document_cache: Size::of_bytes(16 * MIB),
            plan_cache: Size::of_bytes(32 * MIB),
            introspection_cache: Size::of_bytes(16 * MIB),
        }
    }
}

/// What is kept of upstreams' answers: those that say for how long they are fresh, each for whom
/// it may be given to (RFC 9111).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Cache {
    /// The memory for them; with `"0"` nothing is kept.
    pub size: Size<0, { 16 * GIB }>,
}

impl Default for Cache {
    fn default() -> Self {
        Self { size: Size::of_bytes(64 * MIB) }
    }
}

/// What is written to the log, and how.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Log {
    /// A level (`off`, `error`, `warn`, `info`, `debug`, `trace`), optionally with levels of single
    /// modules: `"info,onedoor::fetch=debug"`.
    pub level: LogFilter,
    /// How a line looks.
    pub format: LogFormat,
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// `pretty` on a terminal, else `json`.
    #[default]
    Auto,
    /// For people.
    Pretty,
    /// For machines: one JSON object a line.
    Json,
}

/// What `onedoor dev` and `onedoor token` use.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DevSettings {
    /// The token they mint with the secret of the first `[[auth.jwt]]` that has one.
    #[schemars(with = "DevToken")]
    pub(crate) token: Located<DevToken>,
}

/// A token for trying things out.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DevToken {
    /// Its claims, as JSON: `{ sub = "7", scope = "orders:read" }`. Issuer, audience and times are
    /// added.
    pub(crate) claims: serde_json::Map<String, serde_json::Value>,
    /// How long it is valid.
    pub(crate) lifetime: Duration<SECOND, { 720 * HOUR }>,
}

impl Default for DevToken {
    fn default() -> Self {
        Self { claims: serde_json::Map::new(), lifetime: Duration::of_millis(12 * HOUR) }
    }
}
