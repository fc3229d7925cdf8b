//! Why a key is none that can verify.

/// What is wrong with a key, and what to do. No text of the key stands in it: it may be a private
/// one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Neither PEM nor JWK.
    #[error("this is neither a PEM block nor a JWK")]
    Unreadable,
    /// A PEM block whose content cannot be read.
    #[error("this PEM block is damaged")]
    DamagedPem,
    /// A JWK whose members cannot be read.
    #[error("this JWK is damaged: a member is missing, is there twice or has another form")]
    DamagedJwk,
    /// More than one key.
    #[error("there are several keys here")]
    Several,
    /// A set where one key is due.
    #[error("this is a set of keys")]
    Set,
    /// A private key.
    #[error("this is a private key; a gateway only verifies")]
    Private,
    /// A shared secret where a public key is due.
    #[error("this is a shared secret, not a public key")]
    Symmetric,
    /// A certificate.
    #[error("this is a certificate, not a public key")]
    Certificate,
    /// A key in OpenSSH's own form.
    #[error("this is a key as OpenSSH writes it")]
    OpenSsh,
    /// A kind, curve or use that verifies no token here.
    #[error("a key of this kind verifies none of the known algorithms")]
    Unsupported,
    /// The key is not for verifying signatures (`use`, `key_ops`).
    #[error("this key is not for signatures, it says")]
    OtherUse,
    /// The key is for an algorithm that is not known or does not fit its kind (`alg`).
    #[error("this key is for another algorithm, it says")]
    OtherAlgorithm,
    /// An RSA key that can be broken.
    #[error("an RSA key needs at least 2048 bits (RFC 7518 section 3.3)")]
    TooShort,
    /// An RSA key that takes too long.
    #[error("an RSA key has at most 4096 bits here")]
    TooLong,
    /// The numbers are none that make a key.
    #[error("its numbers make no valid key")]
    Invalid,
}

impl KeyError {
    /// What to do about a key in the settings.
    #[must_use]
    pub const fn help(self) -> &'static str {
        match self {
            Self::Unreadable | Self::DamagedPem => {
                "write what `openssl pkey -in private.pem -pubout` prints, from `-----BEGIN PUBLIC \
                 KEY-----` on, or one JWK"
            }
            Self::DamagedJwk => {
                "an RSA key has `n` and `e`, an EC key `crv`, `x` and `y`, an OKP key `crv` and \
                 `x`, all in base64url without padding (RFC 7518 section 6)"
            }
            Self::Several | Self::Set => {
                "keep one of them; a set of keys is fetched: `jwks = \"https://...\"`"
            }
            Self::Private => {
                "make another pair if this file was shared, and write the public key: `openssl \
                 pkey -in private.pem -pubout`"
            }
            Self::Symmetric => "a shared secret is `secret = \"${JWT_SECRET}\"`",
            Self::Certificate => "write its public key: `openssl x509 -in cert.pem -noout -pubkey`",
            Self::OpenSsh => "write it as PEM: `ssh-keygen -e -m PKCS8 -f key.pub`",
            Self::Unsupported => {
                "tokens are verified by RSA, P-256, P-384 and Ed25519 keys; the points of a curve \
                 are written uncompressed"
            }
            Self::OtherUse => "take the key whose `use` is \"sig\"",
            Self::OtherAlgorithm => "take a key whose `alg` is one of the issuer's",
            Self::TooShort => "make a longer one: `openssl genrsa 2048`",
            Self::TooLong => "make a shorter one, or one of P-256, P-384 or Ed25519",
            Self::Invalid => "copy the key anew from where it was made",
        }
    }
}
