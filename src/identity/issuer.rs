//! One who may issue tokens: what a token must say, and which key verifies it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::config::{self, JwtIssuer, JwtKeys};
use crate::json::Value;
use crate::signature::{Algorithm, SetKey, VerifyingKey};

use super::jwks::{Jwks, KeySource};
use super::refusal::{Error, Reason};
use super::token::Unverified;

/// One who may issue tokens, and how those are verified.
pub(super) struct Issuer {
    /// The `iss` its tokens carry; `None`: any, or none.
    pub(super) name: Option<String>,
    audience: Vec<String>,
    algorithms: Vec<Algorithm>,
    pub(super) keys: Keys,
    leeway: Duration,
}

/// What verifies its tokens.
pub(super) enum Keys {
    /// One key, of the settings.
    Fixed(VerifyingKey),
    /// Those it publishes.
    Fetched(Jwks),
}

/// The key for one token.
pub(super) enum Key<'i> {
    /// The settings' own.
    Fixed(&'i VerifyingKey),
    /// One of those it publishes now.
    Fetched(Arc<SetKey>),
}

impl Issuer {
    pub(super) fn new(
        jwt: &JwtIssuer,
        source: impl FnOnce(&config::Jwks) -> Arc<dyn KeySource>,
    ) -> Self {
        let keys = match &jwt.keys {
            JwtKeys::Secret(secret) => Keys::Fixed(VerifyingKey::from_secret(secret.expose())),
            JwtKeys::Public(key) => Keys::Fixed(key.clone()),
            JwtKeys::Jwks(jwks) => Keys::Fetched(Jwks::new(jwks.clone(), source(jwks))),
        };
        Self {
            name: jwt.issuer.clone(),
            audience: jwt.audience.clone(),
            algorithms: jwt.algorithms.clone(),
            keys,
            leeway: jwt.leeway,
        }
    }

    /// The one key that may verify this token. Only a key that is not known yet is waited for, until
    /// the deadline at most.
    pub(super) async fn key_of(
        &self,
        token: &Unverified<'_>,
        deadline: Instant,
    ) -> Result<Key<'_>, Error> {
        match &self.keys {
            Keys::Fixed(key) => Ok(Key::Fixed(key)),
            Keys::Fetched(jwks) => {
                jwks.key(token.kid(), token.algorithm(), deadline).await.map(Key::Fetched)
            }
        }
    }

    /// Judges what a token says of itself, before its signature, which costs more (RFC 7519 section
    /// 4.1). Returns when it ends, leeway included, in seconds since 1970.
    pub(super) fn judge(&self, token: &Unverified<'_>, now: f64) -> Result<f64, Reason> {
        if !self.algorithms.contains(&token.algorithm()) {
            return Err(Reason::Algorithm);
        }
        let claims = token.claims();
        let leeway = self.leeway.as_secs_f64();
        let expires = claims.get("exp").and_then(numeric_date).ok_or(Reason::NoExpiry)? + leeway;
        if now >= expires {
            return Err(Reason::Expired);
        }
        if let Some(not_before) = claims.get("nbf") {
            let not_before = numeric_date(not_before).ok_or(Reason::NotYet)?;
            if now + leeway < not_before {
                return Err(Reason::NotYet);
            }
        }
        if claims.get("sub").is_some_and(|subject| subject.as_str().is_none()) {
            return Err(Reason::Subject);
        }
        if !self.audience.is_empty() && !claims.get("aud").is_some_and(|aud| self.is_audience(aud))
        {
            return Err(Reason::Audience);
        }
        Ok(expires)
    }

    /// `aud` is a string or a list of strings (section 4.1.3).
    fn is_audience(&self, aud: Value<'_>) -> bool {
        let ours = |aud: Value<'_>| {
            aud.as_str().is_some_and(|aud| self.audience.iter().any(|ours| *ours == *aud))
        };
        ours(aud) || aud.items().any(ours)
    }
}

impl Key<'_> {
    pub(super) fn verifying(&self) -> &VerifyingKey {
        match self {
            Self::Fixed(key) => key,
            Self::Fetched(key) => key.key(),
        }
    }
}

/// Seconds since 1970, with a fraction perhaps (RFC 7519 section 2).
fn numeric_date(value: Value<'_>) -> Option<f64> {
    value.as_number()?.parse().ok().filter(|seconds: &f64| seconds.is_finite())
}
