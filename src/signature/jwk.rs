//! One public key as a JSON Web Key (RFC 7517, RFC 7518 section 6, RFC 8037 section 2).

use bytes::Bytes;

use crate::json::{Body, Kind as JsonKind, Value};

use super::{Algorithm, KeyError, SetKey, VerifyingKey, base64};

/// The key of a text that holds one JWK.
pub(super) fn read_text(text: &str) -> Result<VerifyingKey, KeyError> {
    let body = Body::parse(Bytes::copy_from_slice(text.as_bytes()));
    let body = body.map_err(|_| KeyError::Unreadable)?;
    if body.root().get("keys").is_some() {
        return Err(KeyError::Set);
    }
    read(body.root()).map(|key| key.key)
}

/// A key with what it says of itself: its name, and the one algorithm it is for, if it names one.
pub(super) fn read(jwk: Value<'_>) -> Result<SetKey, KeyError> {
    if jwk.kind() != JsonKind::Object || !has_unique_members(jwk) {
        return Err(KeyError::DamagedJwk);
    }
    if ["d", "p", "q", "dp", "dq", "qi", "oth"].iter().any(|name| jwk.get(name).is_some()) {
        return Err(KeyError::Private);
    }
    if let Some(of) = jwk.get("use")
        && text(of)? != "sig"
    {
        return Err(KeyError::OtherUse);
    }
    if let Some(operations) = jwk.get("key_ops")
        && !operations.items().any(|operation| operation.as_str().as_deref() == Some("verify"))
    {
        return Err(KeyError::OtherUse);
    }
    let key = material(jwk)?;
    let algorithm = match jwk.get("alg") {
        Some(name) => {
            let algorithm = Algorithm::of_name(&text(name)?).filter(|named| key.fits(*named));
            Some(algorithm.ok_or(KeyError::OtherAlgorithm)?)
        }
        None => None,
    };
    let kid = jwk.get("kid").map(text).transpose()?.map(String::into_boxed_str);
    Ok(SetKey { kid, algorithm, key })
}

fn material(jwk: Value<'_>) -> Result<VerifyingKey, KeyError> {
    let member = |name| jwk.get(name).ok_or(KeyError::DamagedJwk).and_then(text);
    let number = |name| {
        let bytes = member(name).map(|text: String| base64::decode_url(text.as_bytes()));
        bytes.and_then(|bytes| bytes.ok_or(KeyError::DamagedJwk))
    };
    match (member("kty")?.as_str(), jwk.get("crv").map(text).transpose()?.as_deref()) {
        ("RSA", _) => {
            let (n, e) = (number("n")?, number("e")?);
            VerifyingKey::rsa(without_zeros(&n), without_zeros(&e))
        }
        ("EC", Some("P-256")) => VerifyingKey::p256(&number("x")?, &number("y")?),
        ("EC", Some("P-384")) => VerifyingKey::p384(&number("x")?, &number("y")?),
        ("OKP", Some("Ed25519")) => VerifyingKey::ed25519(&number("x")?),
        ("oct", _) => Err(KeyError::Symmetric),
        _ => Err(KeyError::Unsupported),
    }
}

/// Some write a leading zero byte, which RFC 7518 section 6.3.1.1 warns of.
fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

fn text(value: Value<'_>) -> Result<String, KeyError> {
    value.as_str().map(std::borrow::Cow::into_owned).ok_or(KeyError::DamagedJwk)
}

/// Whether no two members of an object have one name: of such, one reader takes the first and
/// another the last.
#[must_use]
pub fn has_unique_members(object: Value<'_>) -> bool {
    let mut names: Vec<_> = object.members().map(|(name, _)| name.unescape()).collect();
    names.sort_unstable();
    names.windows(2).all(|pair| !matches!(pair, [one, other] if one == other))
}
