//! Checks of `[[auth.jwt]]`: each token finds its issuer, and each issuer has what verifies it.

mod keys;
mod secret;

use std::collections::BTreeSet;

use super::Checks;
use crate::config::JwtIssuer;
use crate::config::reader::{Located, Mistakes};
use crate::config::settings::JwtSettings;

/// Every issuer that is right.
pub(super) fn check(
    all: &[Located<JwtSettings>],
    mistakes: &Mistakes,
    checks: &mut Checks<'_>,
) -> Vec<JwtIssuer> {
    tell_apart(all, mistakes, checks);
    all.iter().filter_map(|settings| issuer(settings, mistakes, checks)).collect()
}

/// With several issuers, a token's `iss` says whose it is.
fn tell_apart(all: &[Located<JwtSettings>], mistakes: &Mistakes, checks: &mut Checks<'_>) {
    let mut seen = BTreeSet::new();
    for settings in all {
        match &settings.value.issuer {
            Some(issuer) if !seen.insert(issuer.value.as_str()) => {
                checks.error(
                    issuer.span(),
                    "two `[[auth.jwt]]` have this issuer",
                    "a token finds its issuer by its `iss`: keep one of them",
                );
            }
            None if all.len() > 1 && !mistakes.has(settings.span().start, "issuer") => {
                checks.error(
                    settings.span(),
                    "with several `[[auth.jwt]]` each needs its `issuer`",
                    "add `issuer = \"...\"`, the `iss` of its tokens",
                );
            }
            _ => {}
        }
    }
}

fn issuer(
    settings: &Located<JwtSettings>,
    mistakes: &Mistakes,
    checks: &mut Checks<'_>,
) -> Option<JwtIssuer> {
    let JwtSettings { issuer, audience, algorithms, leeway, .. } = &settings.value;
    if let Some(issuer) = issuer {
        checks.not_empty(issuer, "the issuer");
    }
    let audiences = audience.as_ref().map_or(&[][..], |audience| &audience.value.0);
    if let Some(audience) = audience
        && (audiences.is_empty() || audiences.iter().any(String::is_empty))
    {
        let help = "write it, or take out the key to take tokens for any audience";
        checks.error(audience.span(), "the audience is empty", help);
    }
    if let Some(algorithms) = algorithms
        && algorithms.value.is_empty()
        && !mistakes.touch("algorithms")
    {
        checks.error(
            algorithms.span(),
            "without an algorithm no token is valid",
            "write `[\"RS256\"]`, or take out the key",
        );
    }
    let (keys, algorithms) = keys::check(settings, mistakes, checks)?;
    Some(JwtIssuer {
        issuer: issuer.as_ref().map(|issuer| issuer.value.clone()),
        audience: audiences.to_vec(),
        algorithms,
        keys,
        leeway: leeway.get(),
    })
}

/// Whether tokens of this issuer cannot be made here.
pub(super) fn verifies_only(settings: &JwtSettings) -> bool {
    let JwtSettings { jwks, public_key, public_key_file, .. } = settings;
    jwks.is_some() || public_key.is_some() || public_key_file.is_some()
}
