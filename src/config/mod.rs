//! Settings: `onedoor.toml` and `upstreams/*.toml`, from text to a [`Config`] that is right.
//!
//! [`Config::load`] reads every file, finds all mistakes of all of them at once, each with its
//! file, line, column and what to do, and takes secrets from the environment or from files.
//! Values are right by their types (`value`), keys and defaults are declared once (`settings`),
//! what must agree across values and files is in `check`.
//!
//! It must not know what a template or a path means (those strings go on as [`Text`], with their
//! place), nor open any connection. Its [`Problems`] also carry what `schema` finds.

mod check;
mod cors;
mod env;
mod files;
mod later;
mod mask;
mod name;
mod problem;
mod reader;
mod render;
mod secret;
mod settings;
mod substitute;
pub(crate) mod suggest;
mod text;
mod upstream;
mod value;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time;

use serde_json::{Map, Value};

use files::SettingsText;

use crate::signature::VerifyingKey;

pub use crate::signature::Algorithm as JwtAlgorithm;
pub(crate) use check::may_be_returned;
pub use cors::Cors;
pub use env::{Env, FixedEnv, NotUtf8, ProcessEnv, SecretFile};
pub use name::{NotAServiceName, ServiceName};
pub use problem::{Position, Problem, Problems, Severity, SourceFile, SourceId, Sources};
pub use secret::Secret;
pub use settings::{
    BodyFormat, Cache, GraphqlAuth, Limits, Log, LogFormat, Mode, RouteAuth, SettingsFile, Switch,
    TokenForwarding, settings_json_schema,
};
pub use substitute::Origin;
pub use text::Text;
pub use upstream::{ErrorPaths, IdentityHeader, Mock, MockStream, Route, Upstream};
pub(crate) use value::in_words;
pub use value::{AllowedOrigin, Duration, HttpPath, JwksUrl, LogFilter, Size, UpstreamUrl, Whole};

/// The settings of a gateway, all checked. There is no other way to one than [`Config::load`] and
/// [`Config::from_texts`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// The address to listen at.
    pub listen: SocketAddr,
    /// Who may come in.
    pub auth: Auth,
    /// The GraphQL endpoint.
    pub graphql: Graphql,
    /// Which pages of other origins may read answers; `None`: none may.
    pub cors: Option<Cors>,
    /// What a request may cost.
    pub limits: Limits,
    /// What is kept of upstreams' answers.
    pub cache: Cache,
    /// What is logged.
    pub log: Log,
    /// What `onedoor dev` and `onedoor token` use.
    pub dev: Dev,
    /// The REST services, by name.
    pub upstreams: BTreeMap<ServiceName, Upstream>,
}

/// Who may come in.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Auth {
    /// Issuers of bearer tokens. If there are several, each has an issuer of its own.
    pub jwt: Vec<JwtIssuer>,
    /// The bytes that verified tokens may take.
    pub token_cache: usize,
}

/// An issuer of bearer tokens.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct JwtIssuer {
    /// The `iss` a token must carry; `None` takes any.
    pub issuer: Option<String>,
    /// The `aud` of which a token must carry one; empty: not looked at.
    pub audience: Vec<String>,
    /// The algorithms a token may be signed with; at least one, none twice, all for its keys' kind.
    pub algorithms: Vec<JwtAlgorithm>,
    /// What verifies a token.
    pub keys: JwtKeys,
    /// How far the issuer's clock may be off.
    pub leeway: time::Duration,
}

/// What verifies an issuer's tokens.
#[derive(Debug, Clone)]
pub enum JwtKeys {
    /// A shared secret, long enough for each of the algorithms.
    Secret(Secret),
    /// One public key.
    Public(VerifyingKey),
    /// Public keys that are fetched.
    Jwks(Jwks),
}

/// A set of public keys that is fetched.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Jwks {
    /// Where it is; over plain http only if the settings allow that in so many words.
    pub url: JwksUrl,
    /// How often it is fetched anew.
    pub refresh: time::Duration,
    /// The least time between two fetches; at most `refresh`.
    pub refetch: time::Duration,
    /// How long keys are used when no newer ones can be had; at least `refresh`.
    pub keep: time::Duration,
}

impl JwtIssuer {
    /// The shared secret, with which tokens can be made too.
    #[must_use]
    pub fn secret(&self) -> Option<&Secret> {
        match &self.keys {
            JwtKeys::Secret(secret) => Some(secret),
            JwtKeys::Public(_) | JwtKeys::Jwks(_) => None,
        }
    }
}

/// The GraphQL endpoint.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Graphql {
    /// Its path.
    pub path: HttpPath,
    /// Whether a request needs a token.
    pub auth: GraphqlAuth,
    /// Whether clients may ask for `__schema` and `__type`.
    pub introspection: Switch,
    /// Whether errors say "did you mean", where introspection is on.
    pub suggestions: Switch,
    /// Whether the GraphiQL page is served.
    pub graphiql: Switch,
    /// Who may ask for a request's plan and for a trace of its upstream calls.
    pub trace: TraceFor,
    /// Whether responses are compressed for clients that take that.
    pub compression: bool,
}

/// Who may ask how the gateway came to an answer.
#[derive(Debug, Clone)]
pub enum TraceFor {
    /// Everybody, or nobody.
    Switch(Switch),
    /// In `onedoor dev` everybody, in `onedoor serve` those for whose claims this CEL expression, not
    /// yet parsed, is true. There is an issuer whose tokens carry claims.
    Callers(Text),
}

impl TraceFor {
    /// Whether everybody may in this mode, whoever they are.
    #[must_use]
    pub fn is_everybody(&self, mode: Mode) -> bool {
        match self {
            Self::Switch(switch) => switch.is_on(mode),
            Self::Callers(_) => mode == Mode::Dev,
        }
    }

    /// The expression.
    #[must_use]
    pub fn callers(&self) -> Option<&Text> {
        match self {
            Self::Switch(_) => None,
            Self::Callers(expression) => Some(expression),
        }
    }
}

/// What `onedoor dev` and `onedoor token` use.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Dev {
    /// The claims of the token they mint with the secret of the first issuer that has one.
    pub token_claims: Map<String, Value>,
    /// How long that token is valid.
    pub token_lifetime: time::Duration,
}

/// What came of reading a project's settings.
#[derive(Debug)]
pub struct Loaded {
    /// The settings, with defaults where something is wrong: for finding further mistakes (of the
    /// schema, say) in the same run. To run a gateway, [`finish`](Self::finish).
    pub draft: Config,
    /// Everything that is wrong, sorted, and the files.
    pub problems: Problems,
}

impl Config {
    /// Reads `onedoor.toml` and `upstreams/*.toml` below a project's root.
    #[must_use]
    pub fn load(root: &Path, env: &dyn Env) -> Loaded {
        let mut problems = Problems::new();
        let files = files::read(root, &mut problems);
        check::check(&files, root, env, problems)
    }

    /// Reads settings that are given as (name, text), for example `("upstreams/users.toml", ...)`.
    /// Secret files are looked up in `env` by the path the settings say.
    pub fn from_texts<N, T>(files: impl IntoIterator<Item = (N, T)>, env: &dyn Env) -> Loaded
    where
        N: Into<String>,
        T: Into<std::sync::Arc<str>>,
    {
        let mut problems = Problems::new();
        let files: Vec<SettingsText> = files
            .into_iter()
            .map(|(name, text)| {
                let source = problems.sources.add(name, text);
                SettingsText { source, readable: true }
            })
            .collect();
        check::check(&files, Path::new(""), env, problems)
    }
}

impl Loaded {
    /// The settings if nothing is wrong with them, and the problems: warnings at least may stand
    /// beside right settings.
    #[must_use]
    pub fn finish(self) -> (Option<Config>, Problems) {
        let Self { draft, problems } = self;
        (if problems.has_errors() { None } else { Some(draft) }, problems)
    }
}
