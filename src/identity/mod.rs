//! Who is asking: a bearer token becomes one [`Identity`] a request, and the identity becomes the
//! headers that upstreams are told and the [`Partition`] that keeps callers apart.
//!
//! Raw tokens live between `door` and here only. A token is verified once; whatever is odd about it
//! is a [`Refusal`], never a silent "anonymous". Of transport it knows plain HTTP headers, and that an
//! issuer's keys can be fetched.

mod authenticator;
mod client_headers;
mod issuer;
mod jwks;
mod kept;
mod mint;
mod outbound;
mod refusal;
mod token;

use std::fmt;
use std::sync::Arc;

use crate::cache::Partition;
use crate::json::{Body, Value};

pub use authenticator::{Authenticator, ReadClaims};
pub use client_headers::ClientHeaders;
pub use jwks::KeySource;
pub use mint::{MintError, mint};
pub use outbound::Outbound;
pub use refusal::{Error, Reason, Refusal};

/// Who is asking, once a request. Cheap to clone.
#[derive(Clone)]
pub struct Identity {
    /// The token's payload, an object; `None`: no token was sent.
    claims: Option<Body>,
    partition: Arc<Partition>,
}

impl Identity {
    /// A caller without a token.
    #[must_use]
    pub fn anonymous() -> Self {
        Self { claims: None, partition: Arc::new(Partition::Anonymous) }
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
