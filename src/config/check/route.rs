//! Checks of `[[route]]`: each says where it leads, and no two things answer at one path.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Checks;
use crate::config::name::ServiceName;
use crate::config::reader::{Located, Mistakes};
use crate::config::settings::{RouteAuth, RouteSettings};
use crate::config::value::HttpPath;
use crate::config::{Graphql, Route, Switch};

/// Where the gateway tells how it is.
const HEALTH: &str = "/health";

/// Where the GraphiQL page is.
const GRAPHIQL: &str = "/graphiql";

/// The paths at which something answers, in lower case, and what.
#[derive(Debug, Default)]
pub(super) struct Paths {
    taken: BTreeMap<String, Owner>,
    /// Whether the GraphiQL page may be served.
    graphiql: bool,
}

#[derive(Debug)]
struct Owner {
    path: String,
    what: String,
}

impl Paths {
    /// Takes the paths of GraphQL and its page.
    pub(super) fn take_for_graphql(&mut self, graphql: &Graphql) {
        let owner = Owner { path: graphql.path.to_string(), what: "GraphQL".to_owned() };
        self.taken.insert(graphql.path.as_str().to_ascii_lowercase(), owner);
        self.graphiql = graphql.graphiql != Switch::Off;
    }
}

/// The routes of one upstream.
pub(super) fn check(
    name: &ServiceName,
    routes: &[Located<RouteSettings>],
    timeout: Duration,
    mistakes: &Mistakes,
    checks: &mut Checks<'_>,
) -> Vec<Route> {
    let mut known = Vec::with_capacity(routes.len());
    for route in routes {
        let RouteSettings { path, to, auth, timeout: own, max_body } = &route.value;
        if !mistakes.has(route.span().start, "auth") {
            require_issuer(route, checks);
        }
        for (key, value, example) in [("path", path, "/api/orders"), ("to", to, "/orders")] {
            if value.is_none() && !mistakes.has(route.span().start, key) {
                checks.error(
                    route.span(),
                    format!("`{key}` is missing"),
                    format!("add `{key} = \"{example}\"`: the path at the {}", {
                        if key == "to" { "service that takes its place" } else { "gateway" }
                    }),
                );
            }
        }
        if let Some(path) = path {
            take(name, path, checks);
        }
        if let (Some(path), Some(to)) = (path, to) {
            known.push(Route {
                path: path.value.clone(),
                to: to.value.clone(),
                auth: auth.value,
                timeout: own.map_or(timeout, |own| own.get()),
                max_body: max_body.map(|size| size.bytes() as u64),
            });
        }
    }
    known
}

fn require_issuer(route: &Located<RouteSettings>, checks: &mut Checks<'_>) {
    let auth = &route.value.auth;
    if auth.value == RouteAuth::Required && !checks.across.takes_tokens {
        let span = if auth.place.is_some() { auth.span() } else { route.span() };
        checks.error(
            span,
            "a token is required here, and no issuer's token is taken",
            "add an issuer to onedoor.toml: `[[auth.jwt]]` with `secret = \"${JWT_SECRET}\"`; or \
             write `auth = \"none\"` if anybody may come in",
        );
    }
}

/// Takes a path for a route, unless something answers there already.
fn take(name: &ServiceName, path: &Located<HttpPath>, checks: &mut Checks<'_>) {
    let text = path.value.as_str();
    let folded = text.to_ascii_lowercase();
    let is_below = |top: &str| {
        folded.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if is_below(HEALTH) {
        checks.error(
            path.span(),
            "`/health` and what is below it tell how the gateway is",
            "choose another path, such as `/api/health`",
        );
        return;
    }
    if checks.across.paths.graphiql && is_below(GRAPHIQL) {
        checks.error(
            path.span(),
            "`/graphiql` and what is below it are the GraphiQL page",
            "choose another path, or write `[graphql] graphiql = \"off\"` in onedoor.toml",
        );
        return;
    }
    let Some(Owner { path: taken, what }) = checks.across.paths.taken.get(&folded) else {
        let owner = Owner { path: text.to_owned(), what: format!("a route of `{name}`") };
        checks.across.paths.taken.insert(folded, owner);
        return;
    };
    let (message, help) = if taken == text && what == "GraphQL" {
        (
            format!("`{text}` is where GraphQL answers"),
            "choose another path, or move GraphQL with `[graphql] path` in onedoor.toml".to_owned(),
        )
    } else if taken == text {
        (
            format!("`{text}` is {what} already"),
            format!("keep one of them, or make this one longer: `{text}/{name}`"),
        )
    } else {
        (
            format!("`{text}` differs only in case from `{taken}`, {what}"),
            "choose another path: services that do not tell case apart would take one for the other"
                .to_owned(),
        )
    };
    checks.error(path.span(), message, help);
}
