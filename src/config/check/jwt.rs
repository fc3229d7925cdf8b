//! Checks of `[[auth.jwt]]`: one secret each, long enough; and each token finds its issuer.

use std::collections::BTreeSet;

use super::Checks;
use crate::config::files;
use crate::config::reader::{Located, Mistakes};
use crate::config::settings::{JwtAlgorithm, JwtSettings};
use crate::config::substitute::Origin;
use crate::config::{JwtIssuer, Secret};

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
    let JwtSettings { issuer, audience, algorithms, secret: _, secret_file: _, leeway } =
        &settings.value;
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
    let mut algorithms: (Vec<JwtAlgorithm>, _) = (algorithms.value.clone(), algorithms.span());
    if algorithms.0.is_empty() && !mistakes.touch("algorithms") {
        checks.error(
            algorithms.1,
            "without an algorithm no token is valid",
            "write `[\"HS256\"]`, or take out the key",
        );
    }
    algorithms.0.sort_unstable();
    algorithms.0.dedup();
    let secret = secret(settings, &algorithms.0, mistakes, checks)?;
    Some(JwtIssuer {
        issuer: issuer.as_ref().map(|issuer| issuer.value.clone()),
        audience: audiences.to_vec(),
        algorithms: algorithms.0,
        secret,
        leeway: leeway.get(),
    })
}

fn secret(
    settings: &Located<JwtSettings>,
    algorithms: &[JwtAlgorithm],
    mistakes: &Mistakes,
    checks: &mut Checks<'_>,
) -> Option<Secret> {
    let (secret, span) = match (&settings.value.secret, &settings.value.secret_file) {
        (Some(_), Some(file)) => {
            checks.error(
                file.span(),
                "`secret` and `secret_file` both say what the secret is",
                "keep one of them",
            );
            return None;
        }
        (Some(secret), None) => {
            warn_of_written(secret, checks);
            (secret.value.clone(), secret.span())
        }
        (None, Some(file)) => (read_file(file, checks)?, file.span()),
        (None, None) => {
            let table = settings.span();
            let ways = ["secret", "secret_file", "jwks", "public_key", "public_key_file"];
            if !ways.iter().any(|key| mistakes.has(table.start, key)) {
                checks.error(
                    table,
                    "this issuer has no secret, by which its tokens are verified",
                    "add `secret = \"${JWT_SECRET}\"`, or `secret_file = \"...\"`",
                );
            }
            return None;
        }
    };
    let algorithm = algorithms.iter().max_by_key(|algorithm| algorithm.secret_bytes())?;
    let (needs, has) = (algorithm.secret_bytes(), secret.expose().len());
    if has < needs {
        checks.error(
            span,
            format!("a {algorithm:?} secret needs at least {needs} bytes (RFC 7518 section 3.2)"),
            format!("this one has {has}; `openssl rand -hex {needs}` makes a good one"),
        );
        return None;
    }
    Some(secret)
}

/// Whoever reads the file could sign tokens.
fn warn_of_written(secret: &Located<Secret>, checks: &mut Checks<'_>) {
    const HELP: &str = "whoever reads this file can sign tokens";
    match secret.place.as_ref().map(|place| place.origin) {
        Some(Origin::Written) => checks.warning(
            secret.span(),
            "the secret stands in the file itself",
            format!("{HELP}: write `\"${{JWT_SECRET}}\"`, or use `secret_file`"),
        ),
        Some(Origin::Default) => checks.warning(
            secret.span(),
            "the variable is not set, so the secret is the default in this file",
            format!("{HELP}: good enough to try things out, not to serve"),
        ),
        Some(Origin::Environment) | None => {}
    }
}

fn read_file(written: &Located<String>, checks: &mut Checks<'_>) -> Option<Secret> {
    if !checks.not_empty(written, "the file's name") {
        return None;
    }
    let file = match checks.env.secret_file(&checks.root.join(&written.value)) {
        Ok(file) => file,
        Err(error) => {
            checks.error(
                written.span(),
                format!("the secret file cannot be read: {}", files::reason(&error)),
                "a path is relative to the project's root",
            );
            return None;
        }
    };
    if file.world_readable {
        checks.warning(
            written.span(),
            "every user of this machine can read the secret file",
            "take that right from others: `chmod o-r` on the file",
        );
    }
    let mut bytes = file.bytes;
    if bytes.ends_with(b"\n") {
        bytes.pop();
        if bytes.ends_with(b"\r") {
            bytes.pop();
        }
    }
    Some(Secret::new(bytes))
}
