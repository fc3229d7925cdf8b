//! Who is asking: a bearer token becomes one [`Identity`] a request, and the identity becomes the
//! headers that upstreams are told and the [`Partition`] that keeps callers apart.
//!
//! Raw tokens live between `door` and here only, but for upstreams whose settings ask for the caller's
//! own: an identity then carries it as a header that never prints. A token is verified once; whatever is odd about it
//! is a [`Refusal`], never a silent "anonymous". Of transport it knows plain HTTP headers, and that an
//! issuer's keys can be fetched.

mod authenticator;
mod client_headers;
mod issuer;
mod jwks;
mod kept;
mod mint;
mod outbound;
mod permission;
mod refusal;
mod token;

use std::fmt;
use std::sync::Arc;

use http::HeaderValue;

use crate::cache::Partition;
use crate::json::{Body, Value};

pub use authenticator::{Authenticator, ReadClaims};
pub use client_headers::ClientHeaders;
pub use jwks::KeySource;
pub use mint::{MintError, mint};
pub use outbound::Outbound;
pub use permission::Permission;
pub use refusal::{Error, Reason, Refusal};

/// Who is asking, once a request. Cheap to clone.
#[derive(Clone)]
pub struct Identity {
    /// The token's payload, an object; `None`: no token was sent.
    claims: Option<Body>,
    partition: Arc<Partition>,
    /// What upstreams that are trusted with the token are sent; `None`: no token was sent, or no
    /// upstream is.
    credential: Option<HeaderValue>,
    /// When the token ends, leeway included, in seconds since 1970; `None`: no token was sent.
    expires: Option<f64>,
}

impl Identity {
    /// A caller without a token.
    #[must_use]
    pub fn anonymous() -> Self {
        Self {
            claims: None,
            partition: Arc::new(Partition::Anonymous),
            credential: None,
            expires: None,
        }
    }

    /// Whether a valid token was sent.
    #[must_use]
    pub fn is_authenticated(&self) -> bool {
        self.claims.is_some()
    }

    /// The token's claims, an object; `None`: no token was sent.
    #[must_use]
    pub fn claims(&self) -> Option<Value<'_>> {
        self.claims.as_ref().map(Body::root)
    }

    /// The `Authorization` for an upstream that is sent the caller's own token. It never prints.
    fn credential(&self) -> Option<&HeaderValue> {
        self.credential.as_ref()
    }

    /// With whom this caller may share answers.
    #[must_use]
    pub fn partition(&self) -> &Arc<Partition> {
        &self.partition
    }
}

/// Whether there is someone, not who.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_authenticated() { "Identity(..)" } else { "Identity(anonymous)" })
    }
}
