//! One key that verifies.

use std::fmt;

use jsonwebtoken::{DecodingKey, DecodingKeyKind};

use super::{Algorithm, KeyError, jwk, pem};

/// What sort of key it is. One algorithm is verified by one sort only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A shared secret.
    Secret,
    /// An RSA public key.
    Rsa,
    /// A point on P-256.
    P256,
    /// A point on P-384.
    P384,
    /// An Ed25519 public key.
    Ed25519,
}

/// A key that verifies signatures of its own kind's algorithms, and of no others.
#[derive(Clone)]
pub struct VerifyingKey {
    kind: Kind,
    key: DecodingKey,
}

/// The bits of an RSA modulus: fewer can be broken (RFC 7518 section 3.3).
const LEAST_RSA_BITS: usize = 2048;
/// The library verifies no longer ones.
const MOST_RSA_BITS: usize = 4096;

impl VerifyingKey {
    /// A shared secret.
    #[must_use]
    pub fn from_secret(secret: &[u8]) -> Self {
        Self { kind: Kind::Secret, key: DecodingKey::from_secret(secret) }
    }

    /// A public key as PEM (`PUBLIC KEY`, `RSA PUBLIC KEY`) or as one JWK.
    ///
    /// # Errors
    /// If it is anything else, a private key above all, or cannot be relied on.
    pub fn from_text(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        if text.starts_with('{') {
            jwk::read_text(text)
        } else if text.starts_with("ssh-") || text.starts_with("ecdsa-sha2-") {
            Err(KeyError::OpenSsh)
        } else {
            pem::read(text)
        }
    }

    /// An RSA key, of numbers in big endian without leading zeros.
    pub(super) fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyError> {
        let bits = bits(modulus);
        if bits < LEAST_RSA_BITS {
            return Err(KeyError::TooShort);
        }
        if bits > MOST_RSA_BITS {
            return Err(KeyError::TooLong);
        }
        let odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
        // From 3 to what the library takes, 33 bits.
        let sound = exponent != [1] && (1..=33).contains(&self::bits(exponent));
        if !odd(modulus) || !odd(exponent) || !sound {
            return Err(KeyError::Invalid);
        }
        let key = DecodingKey::from_rsa_raw_components(modulus, exponent);
        Self::sound(Kind::Rsa, key, Algorithm::RS256)
    }

    /// A point on P-256.
    pub(super) fn p256(x: &[u8], y: &[u8]) -> Result<Self, KeyError> {
        Self::point(Kind::P256, 32, Algorithm::ES256, x, y)
    }

    /// A point on P-384.
    pub(super) fn p384(x: &[u8], y: &[u8]) -> Result<Self, KeyError> {
        Self::point(Kind::P384, 48, Algorithm::ES384, x, y)
    }

    fn point(
        kind: Kind,
        size: usize,
        algorithm: Algorithm,
        x: &[u8],
        y: &[u8],
    ) -> Result<Self, KeyError> {
        if x.len() != size || y.len() != size {
            return Err(KeyError::Invalid);
        }
        // Uncompressed (SEC 1 section 2.3.3).
        let point = [&[4], x, y].concat();
        Self::sound(kind, DecodingKey::from_ec_der(&point), algorithm)
    }

    /// An Ed25519 key.
    pub(super) fn ed25519(x: &[u8]) -> Result<Self, KeyError> {
        // The library cuts off what is longer, and panics at what is shorter.
        if x.len() != 32 {
            return Err(KeyError::Invalid);
        }
        Self::sound(Kind::Ed25519, DecodingKey::from_ed_der(x), Algorithm::EdDSA)
    }

    /// The key if the library takes it: points must lie on their curve.
    fn sound(kind: Kind, key: DecodingKey, algorithm: Algorithm) -> Result<Self, KeyError> {
        let tried = jsonwebtoken::crypto::verify("", b"", &key, algorithm.of_library());
        tried.map(|_| Self { kind, key }).map_err(|_| KeyError::Invalid)
    }

    /// What sort of key it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether signatures of this algorithm are verified by such a key.
    #[must_use]
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        algorithm.kind() == self.kind
    }

    /// Whether this is the signature, in base64url, of this key's owner under these bytes. Never
    /// for an algorithm of another kind of key.
    #[must_use]
    pub fn verifies(&self, algorithm: Algorithm, signed: &[u8], signature: &str) -> bool {
        self.fits(algorithm)
            && jsonwebtoken::crypto::verify(signature, signed, &self.key, algorithm.of_library())
                .unwrap_or(false)
    }
}

fn bits(number: &[u8]) -> usize {
    match number {
        [] => 0,
        [first, rest @ ..] => rest.len() * 8 + (8 - first.leading_zeros() as usize),
    }
}

impl PartialEq for VerifyingKey {
    fn eq(&self, other: &Self) -> bool {
        use DecodingKeyKind::{RsaModulusExponent, SecretOrDer};
        let same = match (self.key.kind(), other.key.kind()) {
            (SecretOrDer(one), SecretOrDer(other)) => one == other,
            (RsaModulusExponent { n, e }, RsaModulusExponent { n: other_n, e: other_e }) => {
                n == other_n && e == other_e
            }
            _ => false,
        };
        self.kind == other.kind && same
    }
}

impl Eq for VerifyingKey {}

/// The kind only: it may be a secret.
impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({:?}, ***)", self.kind)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secret => "shared secret",
            Self::Rsa => "RSA key",
            Self::P256 => "P-256 key",
            Self::P384 => "P-384 key",
            Self::Ed25519 => "Ed25519 key",
        })
    }
}
