//! From request headers to an [`Identity`] or a [`Refusal`].

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::header::{AUTHORIZATION, HeaderMap};
use jsonwebtoken::{Algorithm, DecodingKey};

use crate::cache::Partition;
use crate::config::{Auth, JwtAlgorithm, JwtIssuer};
use crate::json::{Body, Path, Segment, Value};

use super::Identity;
use super::refusal::{Reason, Refusal};
use super::token::Unverified;

/// The longest token that is looked at, in bytes. Servers before us rarely pass longer headers.
const MAX_TOKEN: usize = 16 * 1024;

/// Verifies bearer tokens.
pub struct Authenticator {
    issuers: Vec<Issuer>,
    read_claims: ReadClaims,
    anonymous: Identity,
}

/// One who may issue tokens, and how those are verified.
struct Issuer {
    /// The `iss` its tokens carry; `None`: any, or none.
    name: Option<String>,
    audience: Vec<String>,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
    leeway: Duration,
}

/// Which claims templates and expressions read: they are part of a [`Partition`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadClaims {
    names: BTreeSet<Box<str>>,
    /// Whether one reads `claims` as a whole.
    all: bool,
}

impl ReadClaims {
    /// Adds a path below `claims`. The whole claim counts, even if only a part of it is read.
    pub fn add(&mut self, path: &Path) {
        match path.segments().first() {
            Some(Segment::Property(name)) => {
                self.names.insert(name.clone());
            }
            // `.`, or an index of what is never a list.
            _ => self.all = true,
        }
    }

    fn of(&self, claims: &Body) -> Box<[Option<Box<[u8]>>]> {
        if self.all {
            return Box::new([Some((*claims.bytes()).to_vec().into())]);
        }
        self.names.iter().map(|name| raw(claims.root().get(name))).collect()
    }
}

impl Authenticator {
    /// Verifies tokens as the settings say.
    #[must_use]
    pub fn new(auth: &Auth, read_claims: ReadClaims) -> Self {
        let issuers = auth.jwt.iter().map(Issuer::new).collect();
        Self { issuers, read_claims, anonymous: Identity::anonymous() }
    }

    /// Who is asking. Without an `Authorization` header nobody in particular.
    ///
    /// # Errors
    /// If there is one and it is anything but one valid bearer token.
    pub fn authenticate(&self, headers: &HeaderMap) -> Result<Identity, Refusal> {
        self.authenticate_at(headers, SystemTime::now())
    }

    /// The same at another time than now.
    ///
    /// # Errors
    /// As [`authenticate`](Self::authenticate).
    pub fn authenticate_at(
        &self,
        headers: &HeaderMap,
        now: SystemTime,
    ) -> Result<Identity, Refusal> {
        match bearer(headers).map_err(Refusal)? {
            Some(token) => self.identify(token, now).map_err(Refusal),
            None => Ok(self.anonymous.clone()),
        }
    }

    fn identify(&self, token: &str, now: SystemTime) -> Result<Identity, Reason> {
        if self.issuers.is_empty() {
            return Err(Reason::NoIssuers);
        }
        let token = Unverified::parse(token)?;
        let issuer = self.issuer_of(token.issuer())?;
        if !issuer.algorithms.contains(&token.algorithm()) {
            return Err(Reason::Algorithm);
        }
        let claims = token.verify(&issuer.key)?;
        issuer.judge(&claims, now)?;
        let claim = |name| raw(claims.root().get(name));
        let partition = Partition::Of {
            issuer: claim("iss"),
            subject: claim("sub"),
            scopes: [claim("scope"), claim("scp")],
            claims: self.read_claims.of(&claims),
        };
        Ok(Identity { claims: Some(claims), partition: Arc::new(partition) })
    }

    /// The one whose key may verify a token of this `iss`: the one of that name, else one without a
    /// name. No token is tried against several keys.
    fn issuer_of(&self, iss: Option<Value<'_>>) -> Result<&Issuer, Reason> {
        let iss = match iss {
            Some(iss) => Some(iss.as_str().ok_or(Reason::Issuer)?),
            None => None,
        };
        let named = self
            .issuers
            .iter()
            .find(|issuer| iss.is_some() && issuer.name.as_deref() == iss.as_deref());
        named
            .or_else(|| self.issuers.iter().find(|issuer| issuer.name.is_none()))
            .ok_or(Reason::Issuer)
    }
}

impl Issuer {
    fn new(jwt: &JwtIssuer) -> Self {
        Self {
            name: jwt.issuer.clone(),
            audience: jwt.audience.clone(),
            algorithms: jwt.algorithms.iter().copied().map(algorithm).collect(),
            key: DecodingKey::from_secret(jwt.secret.expose()),
            leeway: jwt.leeway,
        }
    }

    /// Judges verified claims (RFC 7519 section 4.1).
    fn judge(&self, claims: &Body, now: SystemTime) -> Result<(), Reason> {
        let claims = claims.root();
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let leeway = self.leeway.as_secs_f64();
        let expiry = claims.get("exp").and_then(numeric_date).ok_or(Reason::NoExpiry)?;
        if now >= expiry + leeway {
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
        Ok(())
    }

    /// `aud` is a string or a list of strings (section 4.1.3).
    fn is_audience(&self, aud: Value<'_>) -> bool {
        let ours = |aud: Value<'_>| {
            aud.as_str().is_some_and(|aud| self.audience.iter().any(|ours| *ours == *aud))
        };
        ours(aud) || aud.items().any(ours)
    }
}

pub(super) fn algorithm(algorithm: JwtAlgorithm) -> Algorithm {
    match algorithm {
        JwtAlgorithm::HS256 => Algorithm::HS256,
        JwtAlgorithm::HS384 => Algorithm::HS384,
        JwtAlgorithm::HS512 => Algorithm::HS512,
    }
}

/// The token of the `Authorization` header (RFC 6750 section 2.1), which is there once or not at all.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Reason> {
    let mut sent = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = sent.next() else { return Ok(None) };
    if sent.next().is_some() {
        return Err(Reason::SeveralHeaders);
    }
    if value.len() > MAX_TOKEN {
        return Err(Reason::TooLong);
    }
    let value = value.to_str().map_err(|_| Reason::NotBearer)?;
    let (scheme, token) = value.split_once(' ').ok_or(Reason::NotBearer)?;
    let token = token.trim_start_matches(' ');
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
        return Err(Reason::NotBearer);
    }
    Ok(Some(token))
}

/// Seconds since 1970, with a fraction perhaps (RFC 7519 section 2).
fn numeric_date(value: Value<'_>) -> Option<f64> {
    value.as_number()?.parse().ok().filter(|seconds: &f64| seconds.is_finite())
}

fn raw(value: Option<Value<'_>>) -> Option<Box<[u8]>> {
    value.map(|value| value.raw().into())
}

/// Names only; keys never print.
impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.issuers.iter().map(|issuer| &issuer.name).collect();
        f.debug_struct("Authenticator").field("issuers", &names).finish_non_exhaustive()
    }
}
