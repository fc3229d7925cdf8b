//! One public key in PEM (RFC 7468).

use super::{KeyError, VerifyingKey, base64, der};

const BEGIN: &str = "-----BEGIN ";
const DASHES: &str = "-----";

/// The key of a text that holds one PEM block. What stands before and after it is explanation (RFC
/// 7468 section 2).
pub(super) fn read(text: &str) -> Result<VerifyingKey, KeyError> {
    let (_, rest) = text.split_once(BEGIN).ok_or(KeyError::Unreadable)?;
    let (label, rest) = rest.split_once(DASHES).ok_or(KeyError::DamagedPem)?;
    // Before all else: whatever else is wrong with it, a private key is out of place.
    if text.contains("PRIVATE KEY-----") {
        return Err(KeyError::Private);
    }
    let (body, rest) =
        rest.split_once(&format!("-----END {label}-----")).ok_or(KeyError::DamagedPem)?;
    if rest.contains(BEGIN) {
        return Err(KeyError::Several);
    }
    let body: Vec<u8> = body.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let bytes = base64::decode_padded(&body).ok_or(KeyError::DamagedPem)?;
    match label {
        "PUBLIC KEY" => der::subject_public_key(&bytes),
        "RSA PUBLIC KEY" => der::rsa_public_key(&bytes),
        "CERTIFICATE" | "TRUSTED CERTIFICATE" | "X509 CERTIFICATE" => Err(KeyError::Certificate),
        _ => Err(KeyError::Unsupported),
    }
}
