//! A set of public keys (RFC 7517 section 5), and which of them a token is for.

use std::sync::Arc;

use bytes::Bytes;

use crate::json::{Body, Kind as JsonKind};

use super::{Algorithm, KeyError, VerifyingKey, has_unique_members, jwk};

/// More keys than any issuer has at a time.
const MOST: usize = 100;

/// The usable keys of an issuer; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySet {
    keys: Box<[Arc<SetKey>]>,
}

/// A key with what its set says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetKey {
    /// Its name (`kid`).
    pub(super) kid: Option<Box<str>>,
    /// The one algorithm it is for (`alg`); `None`: any that fits.
    pub(super) algorithm: Option<Algorithm>,
    pub(super) key: VerifyingKey,
}

/// Which key a token is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// This one.
    One(Arc<SetKey>),
    /// None of them.
    None,
    /// More than one could be meant. None is tried.
    Several,
}

/// A text that is no set of keys one can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// Not an object with one list `keys`.
    #[error("it is no JWK set: a JSON object with a list `keys`")]
    NotASet,
    /// More keys than any issuer has.
    #[error("it has more than {MOST} keys")]
    TooMany,
    /// Not one key verifies tokens.
    #[error("none of its keys can verify a token")]
    NoneUsable,
}

impl KeySet {
    /// Reads a set. Keys that are not understood, or are not for verifying, are left out (RFC 7517
    /// section 5) and returned beside it: their place in the list, and why.
    ///
    /// # Errors
    /// If it is no set, or no key of it can be used.
    pub fn parse(text: Bytes) -> Result<(Self, Vec<(usize, KeyError)>), SetError> {
        let body = Body::parse(text).map_err(|_| SetError::NotASet)?;
        let root = body.root();
        if root.kind() != JsonKind::Object || !has_unique_members(root) {
            return Err(SetError::NotASet);
        }
        let list = root.get("keys").filter(|keys| keys.kind() == JsonKind::Array);
        let list = list.ok_or(SetError::NotASet)?;
        let (mut keys, mut left_out) = (Vec::new(), Vec::new());
        for (at, written) in list.items().enumerate() {
            if at == MOST {
                return Err(SetError::TooMany);
            }
            match jwk::read(written) {
                // The same key twice is one key.
                Ok(key) if keys.iter().any(|other: &Arc<SetKey>| **other == key) => {}
                Ok(key) => keys.push(Arc::new(key)),
                Err(error) => left_out.push((at, error)),
            }
        }
        if keys.is_empty() {
            Err(SetError::NoneUsable)
        } else {
            Ok((Self { keys: keys.into() }, left_out))
        }
    }

    /// The key for a token that says this of itself: the one of that name, or without a name the
    /// only one there is, among those that verify this algorithm. Two keys of one name are told
    /// apart by their kind only (RFC 7517 section 4.5).
    #[must_use]
    pub fn choose(&self, kid: Option<&str>, algorithm: Algorithm) -> Choice {
        let named = |key: &&Arc<SetKey>| kid.is_none() || key.kid.as_deref() == kid;
        let mut fitting = self.keys.iter().filter(named).filter(|key| key.is_for(algorithm));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Choice::One(Arc::clone(key)),
            (None, _) => Choice::None,
            (Some(_), Some(_)) => Choice::Several,
        }
    }

    /// The same set; a key that the other set has too is shared with it, so that it can be told by
    /// its address.
    #[must_use]
    pub fn sharing(mut self, with: &Self) -> Self {
        for key in &mut self.keys {
            if let Some(known) = with.keys.iter().find(|known| *known == key) {
                *key = Arc::clone(known);
            }
        }
        self
    }

    /// How many keys there are.
    #[must_use]
    pub fn n_keys(&self) -> usize {
        self.keys.len()
    }
}

impl SetKey {
    /// What verifies.
    #[must_use]
    pub fn key(&self) -> &VerifyingKey {
        &self.key
    }

    fn is_for(&self, algorithm: Algorithm) -> bool {
        self.key.fits(algorithm) && self.algorithm.is_none_or(|only| only == algorithm)
    }
}
