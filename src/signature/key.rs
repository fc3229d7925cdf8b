//! One key that verifies.

use std::fmt;

use jsonwebtoken::DecodingKey;
use ring::signature::{
    self, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};

use super::base64::decode_url;
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
#[derive(Clone, PartialEq, Eq)]
pub struct VerifyingKey {
    kind: Kind,
    material: Material,
}

#[derive(Clone, PartialEq, Eq)]
enum Material {
    /// A shared secret.
    Secret(Box<[u8]>),
    /// A point as SEC 1 section 2.3.3 writes it uncompressed, or an Ed25519 key.
    Point(Box<[u8]>),
    /// An RSA key: numbers in big endian without leading zeros.
    Numbers { modulus: Box<[u8]>, exponent: Box<[u8]> },
}

/// How `ring` verifies by public keys: RSA in a tenth of the time that `jsonwebtoken` takes with its
/// pure Rust, ECDSA in half. It matters, since anybody may send signatures that are wrong.
enum Public {
    Rsa(&'static RsaParameters),
    Other(&'static dyn VerificationAlgorithm),
}

/// The bits of an RSA modulus: fewer can be broken (RFC 7518 section 3.3).
const LEAST_RSA_BITS: usize = 2048;
/// Longer ones cost each request more than they protect.
const MOST_RSA_BITS: usize = 4096;

impl VerifyingKey {
    /// A shared secret.
    #[must_use]
    pub fn from_secret(secret: &[u8]) -> Self {
        Self { kind: Kind::Secret, material: Material::Secret(secret.into()) }
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
        // From 3 to 33 bits, the most that ring takes.
        let sound = exponent != [1] && (1..=33).contains(&self::bits(exponent));
        if !odd(modulus) || !odd(exponent) || !sound {
            return Err(KeyError::Invalid);
        }
        let material = Material::Numbers { modulus: modulus.into(), exponent: exponent.into() };
        Ok(Self { kind: Kind::Rsa, material })
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
        let point = [&[4], x, y].concat();
        Self::on_curve(kind, &DecodingKey::from_ec_der(&point), algorithm, &point)
    }

    /// An Ed25519 key.
    pub(super) fn ed25519(x: &[u8]) -> Result<Self, KeyError> {
        // `jsonwebtoken` cuts off what is longer, and panics at what is shorter.
        if x.len() != 32 {
            return Err(KeyError::Invalid);
        }
        Self::on_curve(Kind::Ed25519, &DecodingKey::from_ed_der(x), Algorithm::EdDSA, x)
    }

    /// The key if it lies on its curve. `ring` would say so only of a signature, and then just "no";
    /// `jsonwebtoken` tells a bad key from a bad signature.
    fn on_curve(
        kind: Kind,
        key: &DecodingKey,
        algorithm: Algorithm,
        bytes: &[u8],
    ) -> Result<Self, KeyError> {
        let tried = jsonwebtoken::crypto::verify("", b"", key, algorithm.of_library());
        tried.map_err(|_| KeyError::Invalid)?;
        Ok(Self { kind, material: Material::Point(bytes.into()) })
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
        if !self.fits(algorithm) {
            return false;
        }
        match (&self.material, public(algorithm)) {
            (Material::Secret(secret), None) => {
                let key = DecodingKey::from_secret(secret);
                jsonwebtoken::crypto::verify(signature, signed, &key, algorithm.of_library())
                    .unwrap_or(false)
            }
            (Material::Point(point), Some(Public::Other(by))) => decode_url(signature.as_bytes())
                .is_some_and(|signature| {
                    UnparsedPublicKey::new(by, point).verify(signed, &signature).is_ok()
                }),
            (Material::Numbers { modulus: n, exponent: e }, Some(Public::Rsa(by))) => {
                decode_url(signature.as_bytes()).is_some_and(|signature| {
                    RsaPublicKeyComponents { n, e }.verify(by, signed, &signature).is_ok()
                })
            }
            // No algorithm that fits the kind.
            _ => false,
        }
    }
}

/// How a public key's signatures are verified; `None`: by a shared secret.
fn public(algorithm: Algorithm) -> Option<Public> {
    Some(match algorithm {
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => return None,
        Algorithm::RS256 => Public::Rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::RS384 => Public::Rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::RS512 => Public::Rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
        Algorithm::PS256 => Public::Rsa(&signature::RSA_PSS_2048_8192_SHA256),
        Algorithm::PS384 => Public::Rsa(&signature::RSA_PSS_2048_8192_SHA384),
        Algorithm::PS512 => Public::Rsa(&signature::RSA_PSS_2048_8192_SHA512),
        // R and S side by side (RFC 7518 section 3.4), not in ASN.1.
        Algorithm::ES256 => Public::Other(&signature::ECDSA_P256_SHA256_FIXED),
        Algorithm::ES384 => Public::Other(&signature::ECDSA_P384_SHA384_FIXED),
        Algorithm::EdDSA => Public::Other(&signature::ED25519),
    })
}

fn bits(number: &[u8]) -> usize {
    match number {
        [] => 0,
        [first, rest @ ..] => rest.len() * 8 + (8 - first.leading_zeros() as usize),
    }
}

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
