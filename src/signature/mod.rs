//! What signs a token: algorithms, the keys that verify, and how those are written (PEM, JWK and
//! sets of JWKs).
//!
//! A key verifies only with algorithms of its own kind, so that no caller can make a public key pass
//! for a shared secret. Pure: it knows no token, no settings and no network.

mod algorithm;
mod base64;
mod der;
mod error;
mod jwk;
mod key;
mod pem;
mod set;

#[cfg(test)]
mod tests;

pub use algorithm::Algorithm;
pub(crate) use base64::decode_url;
pub use error::KeyError;
pub use jwk::has_unique_members;
pub use key::{Kind, VerifyingKey};
pub use set::{Choice, KeySet, SetError, SetKey};
