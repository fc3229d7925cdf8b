//! The little of DER (X.690) that public keys are written in: `SubjectPublicKeyInfo` (RFC 5280
//! section 4.1) and `RSAPublicKey` (RFC 8017 appendix A.1.1).

use super::{KeyError, VerifyingKey};

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const NULL: u8 = 0x05;
const OBJECT_ID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

/// rsaEncryption, 1.2.840.113549.1.1.1 (RFC 8017 appendix C).
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// id-ecPublicKey, 1.2.840.10045.2.1 (RFC 5480 section 2.1.1).
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// secp256r1, 1.2.840.10045.3.1.7 (RFC 5480 section 2.1.1.1).
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// secp384r1, 1.3.132.0.34 (RFC 5480 section 2.1.1.1).
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
/// id-Ed25519, 1.3.101.112 (RFC 8410 section 3).
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

/// The key of a `SubjectPublicKeyInfo`.
pub(super) fn subject_public_key(der: &[u8]) -> Result<VerifyingKey, KeyError> {
    let mut info = whole(der, SEQUENCE)?;
    let mut algorithm = Reader(info.take(SEQUENCE)?);
    let bits = info.take(BIT_STRING)?;
    info.end()?;
    let id = algorithm.take(OBJECT_ID)?;
    // The first byte says how many bits of the last are not used.
    let Some((0, key)) = bits.split_first() else { return Err(KeyError::DamagedPem) };
    match id {
        RSA => {
            if !algorithm.take(NULL)?.is_empty() {
                return Err(KeyError::DamagedPem);
            }
            algorithm.end()?;
            rsa_public_key(key)
        }
        EC => {
            let curve = algorithm.take(OBJECT_ID).map_err(|_| KeyError::Unsupported)?;
            algorithm.end()?;
            match (curve, key) {
                (P256, [4, point @ ..]) if point.len() == 64 => {
                    VerifyingKey::p256(&point[..32], &point[32..])
                }
                (P384, [4, point @ ..]) if point.len() == 96 => {
                    VerifyingKey::p384(&point[..48], &point[48..])
                }
                _ => Err(KeyError::Unsupported),
            }
        }
        ED25519 => {
            algorithm.end()?;
            VerifyingKey::ed25519(key)
        }
        _ => Err(KeyError::Unsupported),
    }
}

/// The key of an `RSAPublicKey`.
pub(super) fn rsa_public_key(der: &[u8]) -> Result<VerifyingKey, KeyError> {
    let mut key = whole(der, SEQUENCE)?;
    let (modulus, exponent) = (key.positive()?, key.positive()?);
    key.end()?;
    VerifyingKey::rsa(modulus, exponent)
}

fn whole(der: &[u8], tag: u8) -> Result<Reader<'_>, KeyError> {
    let mut outer = Reader(der);
    let content = outer.take(tag)?;
    outer.end()?;
    Ok(Reader(content))
}

/// What is left to read.
struct Reader<'d>(&'d [u8]);

impl<'d> Reader<'d> {
    /// The content of the next element, which must be of this kind.
    fn take(&mut self, tag: u8) -> Result<&'d [u8], KeyError> {
        let element = self.0.strip_prefix(&[tag]).ok_or(KeyError::DamagedPem)?;
        let (length, rest) = length(element).ok_or(KeyError::DamagedPem)?;
        let (content, rest) = rest.split_at_checked(length).ok_or(KeyError::DamagedPem)?;
        self.0 = rest;
        Ok(content)
    }

    /// An integer above zero, without the byte that only says so.
    fn positive(&mut self) -> Result<&'d [u8], KeyError> {
        match self.take(INTEGER)? {
            [0, number @ ..] if number.first().is_some_and(|first| *first >= 0x80) => Ok(number),
            number if number.first().is_some_and(|first| (1..0x80).contains(first)) => Ok(number),
            _ => Err(KeyError::DamagedPem),
        }
    }

    fn end(&self) -> Result<(), KeyError> {
        if self.0.is_empty() { Ok(()) } else { Err(KeyError::DamagedPem) }
    }
}

/// A length and what follows it: one byte, or up to two more in the shortest form (X.690 section
/// 10.1). No key is longer.
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    match bytes {
        [short, rest @ ..] if *short < 0x80 => Some((usize::from(*short), rest)),
        [0x81, one, rest @ ..] if *one >= 0x80 => Some((usize::from(*one), rest)),
        [0x82, high, low, rest @ ..] if *high > 0 => {
            Some((usize::from(*high) << 8 | usize::from(*low), rest))
        }
        _ => None,
    }
}
