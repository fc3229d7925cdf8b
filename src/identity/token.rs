//! One JSON Web Token in compact form (RFC 7519, 7515), from text to claims.
//!
//! `jsonwebtoken` verifies the signature. It does not judge the claims here: it reads `exp` by way
//! of `deserialize_any`, which gives it no number where serde_json keeps arbitrary precision, as it
//! does in this program.

use bytes::Bytes;
use jsonwebtoken::{Algorithm, DecodingKey};

use crate::json::{Body, Kind, Value};

use super::base64url;
use super::refusal::Reason;

/// A token taken apart; nothing is verified yet.
pub(super) struct Unverified<'t> {
    algorithm: Algorithm,
    payload: Body,
    signed: &'t [u8],
    signature: &'t str,
}

impl<'t> Unverified<'t> {
    /// Takes a token apart and reads its header.
    pub(super) fn parse(token: &'t str) -> Result<Self, Reason> {
        let (signed, signature) = token.rsplit_once('.').ok_or(Reason::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(Reason::Malformed)?;
        let decode = |part: &str| base64url::decode(part.as_bytes()).ok_or(Reason::Malformed);
        if payload.contains('.') || signature.is_empty() {
            return Err(Reason::Malformed);
        }
        let algorithm = read_header(decode(header)?)?;
        decode(signature)?;
        let payload = object(decode(payload)?).ok_or(Reason::BadPayload)?;
        Ok(Self { algorithm, payload, signed: signed.as_bytes(), signature })
    }

    /// How it says it is signed.
    pub(super) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Who it says has made it: only to choose whose key verifies it.
    pub(super) fn issuer(&self) -> Option<Value<'_>> {
        self.payload.root().get("iss")
    }

    /// The claims, if the signature is this key's.
    pub(super) fn verify(self, key: &DecodingKey) -> Result<Body, Reason> {
        let Self { algorithm, payload, signed, signature } = self;
        match jsonwebtoken::crypto::verify(signature, signed, key, algorithm) {
            Ok(true) => Ok(payload),
            Ok(false) | Err(_) => Err(Reason::Signature),
        }
    }
}

/// The header's algorithm. `kid`, `jku`, `jwk`, `x5u` and their like are not looked at: the key is
/// the settings' alone.
fn read_header(bytes: Vec<u8>) -> Result<Algorithm, Reason> {
    let header = object(bytes).ok_or(Reason::BadHeader)?;
    let header = header.root();
    if ["crit", "enc", "zip", "b64"].iter().any(|name| header.get(name).is_some()) {
        return Err(Reason::NotUnderstood);
    }
    if header.get("typ").is_some_and(|typ| !is_token_type(typ)) {
        return Err(Reason::NotUnderstood);
    }
    // Compared as written: `none`, `None`, `hs256` and all asymmetric ones are not on the list.
    match header.get("alg").and_then(Value::as_str).as_deref() {
        Some("HS256") => Ok(Algorithm::HS256),
        Some("HS384") => Ok(Algorithm::HS384),
        Some("HS512") => Ok(Algorithm::HS512),
        _ => Err(Reason::Algorithm),
    }
}

/// `JWT` (RFC 7519 section 5.1) or `at+jwt` (RFC 9068), with or without `application/`.
fn is_token_type(typ: Value<'_>) -> bool {
    let typ = typ.as_str().map(|typ| typ.to_ascii_lowercase());
    let typ = typ.as_deref().map(|typ| typ.strip_prefix("application/").unwrap_or(typ));
    matches!(typ, Some("jwt" | "at+jwt"))
}

/// A JSON object whose members' names differ: of duplicates one reader takes the first and another
/// the last (RFC 7519 section 4 lets us refuse them).
fn object(bytes: Vec<u8>) -> Option<Body> {
    let body = Body::parse(Bytes::from(bytes)).ok()?;
    if body.root().kind() != Kind::Object {
        return None;
    }
    let mut names: Vec<_> = body.root().members().map(|(name, _)| name.unescape()).collect();
    names.sort_unstable();
    let unique = names.windows(2).all(|pair| !matches!(pair, [one, other] if one == other));
    drop(names);
    unique.then_some(body)
}
