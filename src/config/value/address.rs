//! Where the gateway itself is reached: the address it listens at, the path of GraphQL.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};

use super::{FromText, Mistake, written_as_text};

/// An IP address and a port to listen at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ListenAddress(SocketAddr);

/// A path of whole segments: `/graphql`, `/`. No query, no `.` or `..`, nothing percent-encoded.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HttpPath(String);

impl ListenAddress {
    pub(crate) const fn local(port: u16) -> Self {
        Self(SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), port))
    }

    pub(crate) const fn get(self) -> SocketAddr {
        self.0
    }
}

impl HttpPath {
    /// The path, which begins with `/`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn graphql() -> Self {
        Self("/graphql".to_owned())
    }
}

impl FromText for ListenAddress {
    const EXPECTED: &'static str = "an address such as \"127.0.0.1:4000\"";

    fn from_text(text: &str) -> Result<Self, Mistake> {
        text.parse().map(Self).map_err(|_| {
            Mistake::new(
                format!("expected {}", Self::EXPECTED),
                "write an IP address and a port: `127.0.0.1:4000` for this machine only, \
                 `0.0.0.0:4000` or `[::]:4000` for every network it is in",
            )
        })
    }
}

impl FromText for HttpPath {
    const EXPECTED: &'static str = "a path such as \"/graphql\"";

    fn from_text(text: &str) -> Result<Self, Mistake> {
        let plain = |segment: &str| {
            !matches!(segment, "" | "." | "..")
                && segment.chars().all(|c| c.is_ascii_alphanumeric() || "-._~".contains(c))
        };
        match text.strip_prefix('/') {
            Some("") => Ok(Self(text.to_owned())),
            Some(segments) if segments.split('/').all(plain) => Ok(Self(text.to_owned())),
            _ => Err(Mistake::new(
                format!("expected {}", Self::EXPECTED),
                "begin with `/` and end without one; segments are letters, digits, `-`, `.`, `_` \
                 and `~`",
            )),
        }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for HttpPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

written_as_text!(ListenAddress);
written_as_text!(HttpPath);
