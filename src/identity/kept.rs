//! Tokens that were verified, until they expire: to verify one again would bring the same.
//!
//! A token is found by its whole text, compared by equality: a hash only finds the place.

use std::sync::Arc;
use std::time::Duration;

use crate::cache::Bounded;
use crate::signature::{Algorithm, Choice, SetKey};

use super::Identity;
use super::issuer::{Issuer, Keys};

/// What an entry takes beside the texts.
const ENTRY: usize = 512;

/// Verified tokens.
pub(super) struct Kept(Bounded<Arc<str>, Verified>);

/// What was found out about a token.
#[derive(Clone)]
pub(super) struct Verified {
    pub(super) identity: Identity,
    /// Seconds since 1970.
    pub(super) expires: f64,
    /// Which of the keys its issuer published; `None`: a key of the settings, which never changes.
    pub(super) by: Option<Arc<Published>>,
}

/// A published key, and how the token came to be verified by it.
pub(super) struct Published {
    /// The issuer's place in the list.
    pub(super) issuer: usize,
    pub(super) kid: Option<Box<str>>,
    pub(super) algorithm: Algorithm,
    pub(super) key: Arc<SetKey>,
}

impl Kept {
    /// Room for so many bytes.
    pub(super) fn new(max: usize) -> Self {
        // The text, its payload and what of that is in the partition; and where it is sent along,
        // as a header and in the partition.
        let size = |token: &Arc<str>, verified: &Verified| {
            let copies = if verified.identity.credential().is_some() { 5 } else { 3 };
            token.len() * copies + ENTRY
        };
        Self(Bounded::expiring(max as u64, size))
    }

    /// Who sent this token, if it was verified before and would be again: it has not expired, and
    /// the key that verified it is still the one its issuer publishes for it.
    pub(super) fn get(&self, token: &str, now: f64, issuers: &[Issuer]) -> Option<Identity> {
        let Verified { identity, expires, by } = self.0.get(token)?;
        if now < expires && by.is_none_or(|by| by.is_published(issuers)) {
            return Some(identity);
        }
        self.0.remove(token);
        None
    }

    /// Keeps it.
    pub(super) fn insert(&self, token: &str, verified: Verified, now: f64) {
        // No later than it expires; when that is exactly, `get` knows.
        let lifetime = Duration::try_from_secs_f64(verified.expires - now);
        self.0.insert_for(token.into(), verified, lifetime.unwrap_or(Duration::MAX));
    }
}

impl Published {
    fn is_published(&self, issuers: &[Issuer]) -> bool {
        let Some(Issuer { keys: Keys::Fetched(jwks), .. }) = issuers.get(self.issuer) else {
            return false;
        };
        // A set that is fetched anew shares the keys that stay.
        matches!(jwks.choose(self.kid.as_deref(), self.algorithm),
            Choice::One(key) if Arc::ptr_eq(&key, &self.key))
    }
}
