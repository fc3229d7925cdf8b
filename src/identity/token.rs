//! One JSON Web Token in compact form (RFC 7519, 7515), from text to claims.
//!
//! The signature is `signature`'s affair. The library behind it does not judge the claims here: it
//! reads `exp` by way of `deserialize_any`, which gives it no number where serde_json keeps arbitrary
//! precision, as it does in this program.

use bytes::Bytes;

use crate::json::{Body, Kind, Value};
use crate::signature::{Algorithm, VerifyingKey, decode_url, has_unique_members};

use super::refusal::Reason;

/// A token taken apart; nothing is verified yet.
pub(super) struct Unverified<'t> {
    algorithm: Algorithm,
    kid: Option<Box<str>>,
    payload: Body,
    signed: &'t [u8],
    signature: &'t str,
}

impl<'t> Unverified<'t> {
    /// Takes a token apart and reads its header.
    pub(super) fn parse(token: &'t str) -> Result<Self, Reason> {
        let (signed, signature) = token.rsplit_once('.').ok_or(Reason::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(Reason::Malformed)?;
        let decode = |part: &str| decode_url(part.as_bytes()).ok_or(Reason::Malformed);
        if payload.contains('.') || signature.is_empty() {
            return Err(Reason::Malformed);
        }
        let (algorithm, kid) = read_header(decode(header)?)?;
        decode(signature)?;
        let payload = object(decode(payload)?).ok_or(Reason::BadPayload)?;
        Ok(Self { algorithm, kid, payload, signed: signed.as_bytes(), signature })
    }

    /// How it says it is signed.
    pub(super) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The name of the key by which it says it is signed.
    pub(super) fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// What it says, an object. Nobody vouches for it yet.
    pub(super) fn claims(&self) -> Value<'_> {
        self.payload.root()
    }

    /// The claims, if the signature is this key's.
    pub(super) fn verify(self, key: &VerifyingKey) -> Result<Body, Reason> {
        if key.verifies(self.algorithm, self.signed, self.signature) {
            Ok(self.payload)
        } else {
            Err(Reason::Signature)
        }
    }
}

/// The header's algorithm, and the name of its key. `jku`, `jwk`, `x5u`, `x5c` and their like are not
/// looked at: keys come from the settings alone.
fn read_header(bytes: Vec<u8>) -> Result<(Algorithm, Option<Box<str>>), Reason> {
    let header = object(bytes).ok_or(Reason::BadHeader)?;
    let header = header.root();
    if ["crit", "enc", "zip", "b64"].iter().any(|name| header.get(name).is_some()) {
        return Err(Reason::NotUnderstood);
    }
    if header.get("typ").is_some_and(|typ| !is_token_type(typ)) {
        return Err(Reason::NotUnderstood);
    }
    // A token in a token (RFC 7519 section 5.2).
    if header.get("cty").is_some_and(is_token_type) {
        return Err(Reason::NotUnderstood);
    }
    let algorithm = header.get("alg").and_then(Value::as_str);
    let algorithm = algorithm.and_then(|name| Algorithm::of_name(&name));
    let algorithm = algorithm.ok_or(Reason::Algorithm)?;
    let kid = match header.get("kid") {
        Some(kid) => Some(kid.as_str().ok_or(Reason::BadHeader)?.into()),
        None => None,
    };
    Ok((algorithm, kid))
}

/// `JWT` (RFC 7519 section 5.1) or `at+jwt` (RFC 9068), with or without `application/`.
fn is_token_type(typ: Value<'_>) -> bool {
    let typ = typ.as_str().map(|typ| typ.to_ascii_lowercase());
    let typ = typ.as_deref().map(|typ| typ.strip_prefix("application/").unwrap_or(typ));
    matches!(typ, Some("jwt" | "at+jwt"))
}

/// A JSON object whose members' names differ (RFC 7519 section 4 lets us refuse others).
fn object(bytes: Vec<u8>) -> Option<Body> {
    let body = Body::parse(Bytes::from(bytes)).ok()?;
    let sound = body.root().kind() == Kind::Object && has_unique_members(body.root());
    sound.then_some(body)
}
