//! Checks of `onedoor.toml`.

use std::collections::BTreeMap;

use super::{Checks, cors, jwt};
use crate::config::reader::{Located, Mistakes, Read};
use crate::config::settings::{GatewaySettings, GraphqlAuth, Switch, TraceSetting};
use crate::config::{Auth, Config, Cors, Dev, Graphql, JwtIssuer, TraceFor};

/// The configuration that a file makes, yet without upstreams.
pub(super) fn check(read: Read<GatewaySettings>, checks: &mut Checks<'_>) -> Config {
    let Read { settings, mistakes } = read;
    let jwt = jwt::check(&settings.auth.jwt, &mistakes, checks);
    let knows_an_issuer =
        !settings.auth.jwt.is_empty() || ["auth", "jwt"].iter().any(|key| mistakes.touch(key));
    checks.across.takes_tokens = knows_an_issuer;
    if !knows_an_issuer {
        refuse_without_issuer(&settings, &mistakes, checks);
    } else if settings.dev.token.place.is_some()
        && !settings.auth.jwt.is_empty()
        && settings.auth.jwt.iter().all(|jwt| jwt::verifies_only(&jwt.value))
    {
        checks.error(
            settings.dev.token.span(),
            "there is no secret to sign this token with",
            "take it out: the settings hold public keys only, and tokens come from the issuer",
        );
    }
    let cors = cors::check(&settings.cors, &mistakes, checks);
    let trace = trace(&settings.graphql.trace, checks);
    assemble(settings, jwt, cors, trace)
}

/// The configuration without a file.
pub(super) fn defaults() -> Config {
    assemble(GatewaySettings::default(), Vec::new(), None, TraceFor::Switch(Switch::Auto))
}

fn refuse_without_issuer(settings: &GatewaySettings, mistakes: &Mistakes, checks: &mut Checks<'_>) {
    const ADD: &str = "add an issuer: `[[auth.jwt]]` with `secret = \"${JWT_SECRET}\"`";
    let auth = &settings.graphql.auth;
    if auth.value == GraphqlAuth::Required {
        checks.error(auth.span(), "a token is required, and no issuer's token is taken", ADD);
    }
    let trace = &settings.graphql.trace;
    if matches!(trace.value, TraceSetting::Callers(_)) {
        checks.error(trace.span(), "this asks for claims, and no issuer's token is taken", ADD);
    }
    let token = &settings.dev.token;
    if token.place.is_some() && !mistakes.touch("token") {
        checks.error(token.span(), "there is no secret to sign this token with", ADD);
    }
}

fn trace(setting: &Located<TraceSetting>, checks: &Checks<'_>) -> TraceFor {
    match &setting.value {
        TraceSetting::Switch(switch) => TraceFor::Switch(*switch),
        TraceSetting::Callers(expression) => {
            let (value, place) = (expression.clone(), setting.place.clone());
            TraceFor::Callers(checks.text(&Located { value, place }))
        }
    }
}

fn assemble(
    settings: GatewaySettings,
    jwt: Vec<JwtIssuer>,
    cors: Option<Cors>,
    trace: TraceFor,
) -> Config {
    let GatewaySettings { listen, auth, graphql, cors: _, limits, cache, log, dev } = settings;
    Config {
        listen: listen.get(),
        auth: Auth { jwt, token_cache: auth.token_cache.bytes() },
        graphql: Graphql {
            path: graphql.path,
            auth: graphql.auth.value,
            introspection: graphql.introspection,
            suggestions: graphql.suggestions,
            graphiql: graphql.graphiql,
            trace,
            compression: graphql.compression,
        },
        cors,
        limits,
        cache,
        log,
        dev: Dev {
            token_claims: dev.token.value.claims,
            token_lifetime: dev.token.value.lifetime.get(),
        },
        upstreams: BTreeMap::new(),
    }
}
