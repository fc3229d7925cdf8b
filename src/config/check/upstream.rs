//! Checks of `upstreams/*.toml`.

use std::time::Duration;

use http::header::{AUTHORIZATION, HeaderName};

use super::headers::Refusal;
use super::{Checks, headers, mock as mocks, route};
use crate::config::name::ServiceName;
use crate::config::reader::{Located, Read};
use crate::config::settings::{
    ErrorSettings, HeadersSettings, IdentitySettings, TokenForwarding, UpstreamSettings,
};
use crate::config::value::{self, Header, HeaderTable, UpstreamUrl};
use crate::config::{ErrorPaths, IdentityHeader, Upstream};

/// One upstream. Where its URL is wrong it has one that leads nowhere.
pub(super) fn check(
    name: &ServiceName,
    read: &Read<UpstreamSettings>,
    deadline: Option<Duration>,
    checks: &mut Checks<'_>,
) -> Option<Upstream> {
    let Read { settings, mistakes } = read;
    let UpstreamSettings { url, timeout, body, identity, headers, error, route, mock } = settings;
    let url = match url {
        Some(url) => Some(url.value.0.clone()),
        None => {
            if !mistakes.touch("url") {
                missing_url(name, checks);
            }
            UpstreamUrl::nowhere()
        }
    };
    let timeout = within(timeout, deadline, checks);
    let IdentitySettings { headers: identity, token } = identity;
    let identity_headers = identity_headers(identity, checks);
    let token = token_forwarding(token, identity, checks);
    let HeadersSettings { forward, returned } = headers;
    let forward_headers = forward_headers(forward, identity, checks);
    let return_headers = return_headers(returned, checks);
    Some(Upstream {
        name: name.clone(),
        url: url?,
        timeout,
        body: *body,
        identity_headers,
        token,
        forward_headers,
        return_headers,
        error: error_paths(error, checks),
        routes: route::check(name, route, timeout, mistakes, checks),
        mock: mocks::check(name, mock, mistakes, checks),
    })
}

/// The time one call may take: at most its request's. A deadline that is mistaken is not held
/// against it.
fn within<const MIN: u64, const MAX: u64>(
    timeout: &Located<value::Duration<MIN, MAX>>,
    deadline: Option<Duration>,
    checks: &mut Checks<'_>,
) -> Duration {
    let (wanted, most) = (timeout.value.get(), deadline.unwrap_or(Duration::MAX));
    if timeout.place.is_some() && wanted > most {
        let most = value::in_words(most);
        checks.error(
            timeout.span(),
            format!("a call cannot take longer than its whole request, which has {most}"),
            format!("write at most `\"{most}\"`, or raise `[limits] deadline` in onedoor.toml"),
        );
    }
    wanted.min(most)
}

fn missing_url(name: &ServiceName, checks: &mut Checks<'_>) {
    let variable = name.as_str().to_uppercase().replace('-', "_");
    checks.error(
        0..0,
        "`url` is missing",
        format!(
            "say where the service is: `url = \"http://127.0.0.1:3001\"`, or from the \
                 environment: `url = \"${{{variable}_URL}}\"`"
        ),
    );
}

fn identity_headers(table: &HeaderTable, checks: &mut Checks<'_>) -> Vec<IdentityHeader> {
    let mut known: Vec<IdentityHeader> = Vec::new();
    for (name, value) in &table.0 {
        let header = &name.value.0;
        if let Some(refusal) = headers::not_set(header) {
            refuse(name, &refusal, checks);
        } else if known.iter().any(|other| other.name == header) {
            checks.error(
                name.span(),
                format!("the header `{header}` is given twice"),
                "a header's name is the same in upper and lower case: keep one of them",
            );
        } else {
            known.push(IdentityHeader { name: header.clone(), value: checks.text(value) });
        }
    }
    known
}

fn token_forwarding(
    token: &Located<TokenForwarding>,
    identity: &HeaderTable,
    checks: &mut Checks<'_>,
) -> TokenForwarding {
    if token.value == TokenForwarding::None {
        return token.value;
    }
    if !checks.across.takes_tokens {
        checks.error(
            token.span(),
            "there is no token to forward: no issuer's token is taken",
            "add an issuer to onedoor.toml: `[[auth.jwt]]` with `secret = \"${JWT_SECRET}\"`; or \
             write `token = \"none\"`",
        );
    }
    for (name, _) in identity.0.iter().filter(|(name, _)| name.value.0 == AUTHORIZATION) {
        checks.error(
            name.span(),
            "`authorization` is the client's token here, by `token = \"forward\"`",
            "take it out, or write `token = \"none\"`",
        );
    }
    token.value
}

fn forward_headers(
    forward: &[Located<Header>],
    identity: &HeaderTable,
    checks: &mut Checks<'_>,
) -> Vec<HeaderName> {
    let mut known = Vec::new();
    for name in forward {
        let header = &name.value.0;
        if let Some(refusal) = headers::not_forwarded(header) {
            refuse(name, &refusal, checks);
        } else if identity.0.iter().any(|(other, _)| other.value.0 == header) {
            checks.error(
                name.span(),
                format!("`{header}` tells who is asking, so the client's own is always removed"),
                "take it out here, or in `[identity] headers`",
            );
        } else {
            list(name, &mut known, checks);
        }
    }
    known
}

fn return_headers(returned: &[Located<Header>], checks: &mut Checks<'_>) -> Vec<HeaderName> {
    let mut known = Vec::new();
    for name in returned {
        match headers::not_returned(&name.value.0) {
            Some(refusal) => refuse(name, &refusal, checks),
            None => list(name, &mut known, checks),
        }
    }
    known
}

/// Takes a name that may stand in a list, unless it stands there already.
fn list(name: &Located<Header>, known: &mut Vec<HeaderName>, checks: &mut Checks<'_>) {
    let header = &name.value.0;
    if known.contains(header) {
        checks.error(name.span(), format!("`{header}` is listed twice"), "keep one of them");
    } else {
        known.push(header.clone());
    }
}

fn refuse(name: &Located<Header>, refusal: &Refusal, checks: &mut Checks<'_>) {
    let header = &name.value.0;
    checks.error(name.span(), format!("`{header}` {}", refusal.reason), refusal.help);
}

fn error_paths(settings: &ErrorSettings, checks: &Checks<'_>) -> ErrorPaths {
    let ErrorSettings { condition, message, code } = settings;
    let text = |path: &Option<Located<String>>| path.as_ref().map(|path| checks.text(path));
    ErrorPaths { condition: text(condition), message: text(message), code: text(code) }
}
