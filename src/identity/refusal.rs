//! Why a caller was not let in: through their own fault, or the gateway's.

use std::fmt;

use http::HeaderValue;

/// A token that is not accepted. The client is told that it is invalid; the log, why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub Reason);

/// A caller who cannot be told who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The token is not accepted: the caller's affair.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The keys that would verify it cannot be had now: not the caller's affair, and another try may
    /// succeed.
    #[error("the issuer's keys cannot be had")]
    NoKeys,
}

impl From<Reason> for Error {
    fn from(reason: Reason) -> Self {
        Self::Refused(Refusal(reason))
    }
}

/// Why. No reason holds anything of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// More than one `Authorization` header.
    SeveralHeaders,
    /// Another scheme than `Bearer`, or no token after it.
    NotBearer,
    /// Longer than any token that is of use.
    TooLong,
    /// Not three parts of base64url; an encrypted token (JWE) has five.
    Malformed,
    /// The header is no JSON object, has a member twice, or a `kid` that is no text.
    BadHeader,
    /// The header demands what is not understood: `crit`, `enc`, `zip`, `b64`, another `typ`, a token
    /// within the token.
    NotUnderstood,
    /// No `alg`, `none`, or one that this issuer's settings do not list.
    Algorithm,
    /// The payload is no JSON object, or has a member twice.
    BadPayload,
    /// No settings for that issuer.
    Issuer,
    /// The issuer publishes no key of this name for this algorithm.
    UnknownKey,
    /// The issuer publishes several keys that it could mean.
    SeveralKeys,
    /// The signature is not the issuer's.
    Signature,
    /// No `exp`, or one that is no time.
    NoExpiry,
    /// `exp` has passed.
    Expired,
    /// `nbf` has not come, or is no time.
    NotYet,
    /// `aud` has none of the audiences that the settings list.
    Audience,
    /// `sub` is no string.
    Subject,
    /// Tokens are not accepted at all: the settings name no issuer.
    NoIssuers,
}

impl Refusal {
    /// The value of `WWW-Authenticate` (RFC 6750 section 3).
    #[must_use]
    pub const fn challenge() -> HeaderValue {
        HeaderValue::from_static(r#"Bearer error="invalid_token""#)
    }

    /// The value of `WWW-Authenticate` where a token is needed and none was sent: without an error,
    /// as RFC 6750 section 3.1 asks.
    #[must_use]
    pub const fn invitation() -> HeaderValue {
        HeaderValue::from_static("Bearer")
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SeveralHeaders => "several Authorization headers",
            Self::NotBearer => "not a bearer token",
            Self::TooLong => "too long",
            Self::Malformed => "not three parts of base64url",
            Self::BadHeader => "its header is not one JSON object",
            Self::NotUnderstood => "its header demands what is not understood",
            Self::Algorithm => "its algorithm is not accepted",
            Self::BadPayload => "its payload is not one JSON object",
            Self::Issuer => "its issuer is unknown",
            Self::UnknownKey => "its key is not among the issuer's",
            Self::SeveralKeys => "it could mean several of the issuer's keys",
            Self::Signature => "its signature does not match",
            Self::NoExpiry => "it has no `exp`",
            Self::Expired => "it has expired",
            Self::NotYet => "it is not valid yet",
            Self::Audience => "it is for another audience",
            Self::Subject => "its `sub` is no string",
            Self::NoIssuers => "no issuer is configured",
        })
    }
}
