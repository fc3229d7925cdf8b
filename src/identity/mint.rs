//! Tokens for trying things out: `onedoor token`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Map, Value};

use crate::config::JwtIssuer;

/// A token could not be made.
#[derive(Debug, thiserror::Error)]
pub enum MintError {
    /// The settings list no algorithm.
    #[error("the issuer's settings list no algorithm")]
    NoAlgorithm,
    /// The settings hold what verifies, not what signs.
    #[error(
        "tokens of this issuer cannot be made here: the settings know its public keys only, and it \
         alone can sign"
    )]
    NoSecret,
    /// Signing failed.
    #[error("the token could not be signed")]
    Signing(#[from] jsonwebtoken::errors::Error),
}

/// A token that the gateway accepts: the claims, with `iss`, `aud`, `iat` and `exp` where they are
/// not given. `exp` is `lifetime` from now.
///
/// # Errors
/// If the issuer has no shared secret, or it cannot be signed.
pub fn mint(
    issuer: &JwtIssuer,
    mut claims: Map<String, Value>,
    lifetime: Duration,
) -> Result<String, MintError> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut add = |name: &str, value: Value| {
        claims.entry(name).or_insert(value);
    };
    if let Some(name) = &issuer.issuer {
        add("iss", Value::from(name.as_str()));
    }
    if let Some(audience) = issuer.audience.first() {
        add("aud", Value::from(audience.as_str()));
    }
    add("iat", now.as_secs().into());
    add("exp", now.saturating_add(lifetime).as_secs().into());
    let algorithm = *issuer.algorithms.first().ok_or(MintError::NoAlgorithm)?;
    let secret = issuer.secret().ok_or(MintError::NoSecret)?;
    let key = EncodingKey::from_secret(secret.expose());
    Ok(encode(&Header::new(algorithm.of_library()), &claims, &key)?)
}
