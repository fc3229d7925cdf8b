//! From request headers to an [`Identity`] or an [`Error`].

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use http::Method;
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use tokio::time::Instant;

use crate::cache::{Clock, Partition};
use crate::config::{Auth, Jwks, JwtKeys};
use crate::json::{Body, Path, Segment, Value};
use crate::upstream::{self, BuildError, Document, ErrorKind, Reply};

use super::Identity;
use super::issuer::{Issuer, Key, Keys};
use super::jwks::{self, KeySource};
use super::kept::{Kept, Published, Verified};
use super::refusal::{Error, Reason};
use super::token::Unverified;

/// The longest token that is looked at, in bytes. Servers before us rarely pass longer headers.
const MAX_TOKEN: usize = 16 * 1024;

/// Verifies bearer tokens.
pub struct Authenticator {
    issuers: Vec<Issuer>,
    read_claims: ReadClaims,
    anonymous: Identity,
    kept: Kept,
    clock: Clock,
}

/// Which claims templates and expressions read, and whether the token as a whole goes along: they
/// are part of a [`Partition`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadClaims {
    names: BTreeSet<Box<str>>,
    /// Whether one reads `claims` as a whole.
    all: bool,
    /// Whether an upstream is sent the token itself.
    token: bool,
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

    /// Adds the token itself: an upstream is sent it.
    pub fn add_token(&mut self) {
        self.token = true;
    }

    fn of(&self, claims: &Body) -> Box<[Option<Box<[u8]>>]> {
        if self.all {
            return Box::new([Some((*claims.bytes()).to_vec().into())]);
        }
        self.names.iter().map(|name| raw(claims.root().get(name))).collect()
    }
}

impl Authenticator {
    /// Verifies tokens as the settings say, and fetches the keys of a JWKS over the network.
    ///
    /// # Errors
    /// If TLS is needed and the machine's certificates cannot be read.
    pub fn online(auth: &Auth, read_claims: ReadClaims) -> Result<Self, BuildError> {
        let document = |jwks: &Jwks| {
            Document::new(jwks.url.as_url(), jwks::TIMEOUT, jwks::MAX_BYTES)
                .map(|document| Arc::new(document) as Arc<dyn KeySource>)
        };
        let documents: Result<Vec<_>, _> = auth
            .jwt
            .iter()
            .filter_map(|jwt| match &jwt.keys {
                JwtKeys::Jwks(jwks) => Some(document(jwks)),
                JwtKeys::Secret(_) | JwtKeys::Public(_) => None,
            })
            .collect();
        let mut documents = documents?.into_iter();
        Ok(Self::over(auth, read_claims, |_| documents.next().unwrap_or(Arc::new(Offline))))
    }

    /// The same without a network: the keys of a JWKS cannot be had.
    #[must_use]
    pub fn new(auth: &Auth, read_claims: ReadClaims) -> Self {
        Self::over(auth, read_claims, |_| Arc::new(Offline))
    }

    /// The same with the keys of each JWKS from where the caller says, who is asked in the order of
    /// the settings.
    #[must_use]
    pub fn over(
        auth: &Auth,
        read_claims: ReadClaims,
        mut source: impl FnMut(&Jwks) -> Arc<dyn KeySource>,
    ) -> Self {
        Self {
            issuers: auth.jwt.iter().map(|jwt| Issuer::new(jwt, &mut source)).collect(),
            read_claims,
            anonymous: Identity::anonymous(),
            kept: Kept::new(auth.token_cache),
            clock: Clock::default(),
        }
    }

    /// The same by another clock than the system's.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// The clock by which tokens are judged.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Seconds since 1970.
    fn seconds(&self) -> f64 {
        self.clock.date().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
    }

    /// How long a caller's token is still valid, with the leeway by which it was judged; zero: it has
    /// expired; `None`: there is no token.
    #[must_use]
    pub fn time_left(&self, identity: &Identity) -> Option<Duration> {
        let left = (identity.expires? - self.seconds()).max(0.0);
        Some(Duration::try_from_secs_f64(left).unwrap_or(Duration::MAX))
    }

    /// Begins to fetch what keys are to be fetched, so that no request has to wait for them. Without
    /// a runtime, and without this call, the first request that needs them does it.
    pub fn start(&self) {
        for issuer in &self.issuers {
            if let Keys::Fetched(jwks) = &issuer.keys {
                jwks.start();
            }
        }
    }

    /// Who is asking. Without an `Authorization` header nobody in particular. What must be waited for
    /// is waited for until the deadline.
    ///
    /// # Errors
    /// If there is a header and it is anything but one valid bearer token, or the keys that would
    /// show whether it is cannot be had.
    pub async fn authenticate(
        &self,
        headers: &HeaderMap,
        deadline: Instant,
    ) -> Result<Identity, Error> {
        match bearer(headers)? {
            Some(token) => self.identify(token, deadline).await,
            None => Ok(self.anonymous.clone()),
        }
    }

    async fn identify(&self, text: &str, deadline: Instant) -> Result<Identity, Error> {
        if self.issuers.is_empty() {
            return Err(Reason::NoIssuers.into());
        }
        let now = self.seconds();
        if let Some(identity) = self.kept.get(text, now, &self.issuers) {
            return Ok(identity);
        }
        let token = Unverified::parse(text)?;
        let (at, issuer) = self.issuer_of(token.claims().get("iss"))?;
        let expires = issuer.judge(&token, now)?;
        let key = issuer.key_of(&token, deadline).await?;
        let (kid, algorithm) = (token.kid().map(Box::from), token.algorithm());
        let claims = token.verify(key.verifying())?;
        // It may have expired while its key was waited for.
        let now = self.seconds();
        if now >= expires {
            return Err(Reason::Expired.into());
        }
        let identity = self.identity(text, claims, expires);
        let by = match key {
            Key::Fixed(_) => None,
            Key::Fetched(key) => Some(Arc::new(Published { issuer: at, kid, algorithm, key })),
        };
        let verified = Verified { identity: identity.clone(), expires, by };
        self.kept.insert(text, verified, now);
        Ok(identity)
    }

    fn identity(&self, token: &str, claims: Body, expires: f64) -> Identity {
        let token = self.read_claims.token.then_some(token);
        let claim = |name| raw(claims.root().get(name));
        let partition = Partition::Of {
            issuer: claim("iss"),
            subject: claim("sub"),
            scopes: [claim("scope"), claim("scp")],
            claims: self.read_claims.of(&claims),
            token: token.map(|token| token.as_bytes().into()),
        };
        let credential = token.and_then(|token| {
            let mut header = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
            header.set_sensitive(true);
            Some(header)
        });
        Identity {
            claims: Some(claims),
            partition: Arc::new(partition),
            credential,
            expires: Some(expires),
        }
    }

    /// The one whose key may verify a token of this `iss`: the one of that name, else one without a
    /// name. No token is tried against several keys.
    fn issuer_of(&self, iss: Option<Value<'_>>) -> Result<(usize, &Issuer), Reason> {
        let iss = match iss {
            Some(iss) => Some(iss.as_str().ok_or(Reason::Issuer)?),
            None => None,
        };
        let mut issuers = self.issuers.iter().enumerate();
        let named =
            issuers.find(|(_, issuer)| iss.is_some() && issuer.name.as_deref() == iss.as_deref());
        let mut issuers = self.issuers.iter().enumerate();
        named.or_else(|| issuers.find(|(_, issuer)| issuer.name.is_none())).ok_or(Reason::Issuer)
    }
}

/// No network.
#[derive(Debug)]
struct Offline;

#[async_trait]
impl KeySource for Offline {
    async fn fetch(&self) -> Result<Reply, upstream::Error> {
        Err(upstream::Error::new(ErrorKind::Unreachable, &Method::GET, "a JWKS, offline"))
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
