//! What verifies an issuer's tokens: exactly one source of keys, and algorithms that suit it.
//!
//! A public key must never be taken for a shared secret: everybody knows it, and could then sign
//! tokens (algorithm confusion). So the two kinds of algorithms never stand beside one key.

use std::ops::Range;

use super::super::Checks;
use super::secret;
use crate::config::files;
use crate::config::reader::{Located, Mistakes};
use crate::config::secret::Secret;
use crate::config::settings::{JwksKeep, JwksRefetch, JwksRefresh, JwtSettings};
use crate::config::value::JwksUrl;
use crate::config::{Jwks, JwtAlgorithm, JwtKeys, SecretFile, in_words};
use crate::signature::{Kind, VerifyingKey};

const SOURCES: [&str; 5] = ["jwks", "public_key", "public_key_file", "secret", "secret_file"];

/// The one source of keys that is written.
enum Source<'s> {
    Jwks(&'s Located<JwksUrl>),
    PublicKey(&'s Located<String>),
    PublicKeyFile(&'s Located<String>),
    Secret(&'s Located<Secret>),
    SecretFile(&'s Located<String>),
}

/// The keys and the algorithms they are for.
pub(super) fn check(
    settings: &Located<JwtSettings>,
    mistakes: &Mistakes,
    checks: &mut Checks<'_>,
) -> Option<(JwtKeys, Vec<JwtAlgorithm>)> {
    let of = &settings.value;
    refuse_idle(of, mistakes.has(settings.span().start, "jwks"), checks);
    match only_one(settings, mistakes, checks)? {
        Source::Jwks(url) => {
            let jwks = jwks(url, of, checks);
            let suit = |algorithm: JwtAlgorithm| algorithm.kind() != Kind::Secret;
            let algorithms = algorithms(of, JwtAlgorithm::RS256, suit, "a JWKS", checks);
            Some((JwtKeys::Jwks(jwks?), algorithms?))
        }
        Source::PublicKey(text) => {
            let key = public_key(&text.value, text.span(), checks)?;
            public(of, key, checks)
        }
        Source::PublicKeyFile(name) => {
            let bytes = read_file(name, "the public key's file", checks)?.bytes;
            // What is no text is no key either, and is told so.
            let key = public_key(&String::from_utf8_lossy(&bytes), name.span(), checks)?;
            public(of, key, checks)
        }
        Source::Secret(written) => {
            let algorithms = shared(of, checks)?;
            let secret = secret::written(written, &algorithms, checks)?;
            Some((JwtKeys::Secret(secret), algorithms))
        }
        Source::SecretFile(name) => {
            let algorithms = shared(of, checks)?;
            let secret = secret::in_file(name, &algorithms, checks)?;
            Some((JwtKeys::Secret(secret), algorithms))
        }
    }
}

fn only_one<'s>(
    settings: &'s Located<JwtSettings>,
    mistakes: &Mistakes,
    checks: &mut Checks<'_>,
) -> Option<Source<'s>> {
    let JwtSettings { jwks, public_key, public_key_file, secret, secret_file, .. } =
        &settings.value;
    let written = [
        jwks.as_ref().map(|url| (url.span(), Source::Jwks(url))),
        public_key.as_ref().map(|key| (key.span(), Source::PublicKey(key))),
        public_key_file.as_ref().map(|name| (name.span(), Source::PublicKeyFile(name))),
        secret.as_ref().map(|secret| (secret.span(), Source::Secret(secret))),
        secret_file.as_ref().map(|name| (name.span(), Source::SecretFile(name))),
    ];
    let mut written: Vec<(&str, Range<usize>, Source<'s>)> = SOURCES
        .into_iter()
        .zip(written)
        .filter_map(|(key, source)| source.map(|(span, source)| (key, span, source)))
        .collect();
    written.sort_by_key(|(_, span, _)| span.start);
    if let [(first, ..), (second, span, _), ..] = &*written {
        checks.error(
            span.clone(),
            format!("`{first}` and `{second}` both say what verifies this issuer's tokens"),
            "keep one of them",
        );
        return None;
    }
    let only = written.pop();
    if only.is_none() && !SOURCES.iter().any(|key| mistakes.has(settings.span().start, key)) {
        checks.error(
            settings.span(),
            "this issuer has no key, by which its tokens are verified",
            "add `jwks = \"https://...\"`, `public_key_file = \"...\"` or `secret = \
             \"${JWT_SECRET}\"`",
        );
    }
    only.map(|(_, _, source)| source)
}

/// Settings of a JWKS that is not there.
fn refuse_idle(settings: &JwtSettings, mistaken: bool, checks: &mut Checks<'_>) {
    let JwtSettings { jwks, jwks_insecure_http, jwks_refresh, jwks_refetch, jwks_keep, .. } =
        settings;
    if jwks.is_some() || mistaken {
        return;
    }
    let idle = [
        ("jwks_insecure_http", jwks_insecure_http.as_ref().map(Located::span)),
        ("jwks_refresh", jwks_refresh.as_ref().map(Located::span)),
        ("jwks_refetch", jwks_refetch.as_ref().map(Located::span)),
        ("jwks_keep", jwks_keep.as_ref().map(Located::span)),
    ];
    for (key, span) in idle {
        if let Some(span) = span {
            checks.error(span, format!("`{key}` has no effect without `jwks`"), "take it out");
        }
    }
}

fn jwks(url: &Located<JwksUrl>, settings: &JwtSettings, checks: &mut Checks<'_>) -> Option<Jwks> {
    let JwtSettings { jwks_insecure_http, jwks_refresh, jwks_refetch, jwks_keep, .. } = settings;
    let refresh = jwks_refresh.as_ref().map_or(JwksRefresh::of_millis(600_000), |of| of.value);
    let refetch = jwks_refetch.as_ref().map_or(JwksRefetch::of_millis(10_000), |of| of.value);
    let keep = jwks_keep.as_ref().map_or(JwksKeep::of_millis(86_400_000), |of| of.value);
    let (refresh, refetch, keep) = (refresh.get(), refetch.get(), keep.get());
    let insecure = jwks_insecure_http.as_ref().is_some_and(|allowed| allowed.value);
    let mut sound = true;
    if !url.value.is_https() && !insecure {
        checks.error(
            url.span(),
            "over plain http anybody on the way can put in keys of their own, and sign tokens",
            "write `https://`, or add `jwks_insecure_http = true` where you trust the network",
        );
        sound = false;
    }
    let place = |of: Option<Range<usize>>| {
        of.or(jwks_refresh.as_ref().map(Located::span)).unwrap_or_else(|| url.span())
    };
    if refetch > refresh {
        checks.error(
            place(jwks_refetch.as_ref().map(Located::span)),
            "`jwks_refetch`, the least time between two fetches, is longer than `jwks_refresh`",
            format!("write at most {}, or a longer `jwks_refresh`", in_words(refresh)),
        );
        sound = false;
    }
    if keep < refresh {
        checks.error(
            place(jwks_keep.as_ref().map(Located::span)),
            "with `jwks_keep` shorter than `jwks_refresh` there are no keys between two fetches",
            format!("write at least {}, or a shorter `jwks_refresh`", in_words(refresh)),
        );
        sound = false;
    }
    sound.then(|| Jwks { url: url.value.clone(), refresh, refetch, keep })
}

fn public_key(text: &str, span: Range<usize>, checks: &mut Checks<'_>) -> Option<VerifyingKey> {
    match VerifyingKey::from_text(text) {
        Ok(key) => Some(key),
        Err(error) => {
            checks.error(span, error.to_string(), error.help());
            None
        }
    }
}

fn public(
    settings: &JwtSettings,
    key: VerifyingKey,
    checks: &mut Checks<'_>,
) -> Option<(JwtKeys, Vec<JwtAlgorithm>)> {
    let default = JwtAlgorithm::ALL.into_iter().find(|algorithm| key.fits(*algorithm))?;
    let what = match key.kind() {
        kind @ Kind::Rsa => format!("an {kind}"),
        kind => format!("a {kind}"),
    };
    let algorithms = algorithms(settings, default, |of| key.fits(of), &what, checks)?;
    Some((JwtKeys::Public(key), algorithms))
}

fn shared(settings: &JwtSettings, checks: &mut Checks<'_>) -> Option<Vec<JwtAlgorithm>> {
    let suit = |algorithm: JwtAlgorithm| algorithm.kind() == Kind::Secret;
    algorithms(settings, JwtAlgorithm::HS256, suit, "a shared secret", checks)
}

/// The algorithms, all of which must suit the keys.
fn algorithms(
    settings: &JwtSettings,
    default: JwtAlgorithm,
    suits: impl Fn(JwtAlgorithm) -> bool,
    keys: &str,
    checks: &mut Checks<'_>,
) -> Option<Vec<JwtAlgorithm>> {
    let Some(written) = &settings.algorithms else { return Some(vec![default]) };
    let suitable: Vec<&str> =
        JwtAlgorithm::ALL.into_iter().filter(|of| suits(*of)).map(JwtAlgorithm::as_str).collect();
    let mut algorithms = Vec::with_capacity(written.value.len());
    for algorithm in &written.value {
        if suits(algorithm.value) {
            algorithms.push(algorithm.value);
            continue;
        }
        let (name, kind) = (algorithm.value.as_str(), algorithm.value.kind());
        let why = match kind {
            Kind::Secret => "; with both, whoever knows the public key could sign tokens",
            _ => "",
        };
        checks.error(
            algorithm.span(),
            format!("{name} is not verified by {keys}{why}"),
            match &*suitable {
                [only] => format!("write `[\"{only}\"]`"),
                several => format!("the algorithms for {keys} are {}", several.join(", ")),
            },
        );
    }
    // A list that is empty, or holds nothing that suits, was told of.
    algorithms.sort_unstable();
    algorithms.dedup();
    (!algorithms.is_empty()).then_some(algorithms)
}

/// A file that settings name, relative to the project's root.
pub(super) fn read_file(
    written: &Located<String>,
    what: &str,
    checks: &mut Checks<'_>,
) -> Option<SecretFile> {
    if !checks.not_empty(written, "the file's name") {
        return None;
    }
    match checks.env.secret_file(&checks.root.join(&written.value)) {
        Ok(file) => Some(file),
        Err(error) => {
            checks.error(
                written.span(),
                format!("{what} cannot be read: {}", files::reason(&error)),
                "a path is relative to the project's root",
            );
            None
        }
    }
}
