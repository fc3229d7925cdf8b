//! Where an upstream is: scheme, host, port and a base path, and nothing else.

use std::fmt;

use url::{Host, Url};

use super::{FromText, Mistake, written_as_text};

/// An `http` or `https` URL without user info, query and fragment; its path has no slash at the
/// end, so that a template's path (`/users?id={keys}`) follows it directly.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UpstreamUrl(Url);

impl UpstreamUrl {
    /// True for `https`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Host and port as a `Host` header has them; the scheme's own port is left out.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.0.authority()
    }

    /// The host.
    #[must_use]
    pub fn host(&self) -> Option<Host<&str>> {
        self.0.host()
    }

    /// The port, written or the scheme's own.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port_or_known_default().unwrap_or(80)
    }

    /// The path before every request's own: empty, or `/v1`.
    #[must_use]
    pub fn base_path(&self) -> &str {
        self.0.path().trim_end_matches('/')
    }

    /// Stands in where a URL is missing or mistaken, so that other checks can go on. No host of
    /// that name exists (RFC 6761 section 6.4).
    pub(crate) fn nowhere() -> Option<Self> {
        Url::parse("http://upstream.invalid").ok().map(Self)
    }
}

impl FromText for UpstreamUrl {
    const EXPECTED: &'static str = "a URL such as \"http://127.0.0.1:3001\"";
    const PATTERN: Option<&'static str> = Some(r"https?://[^\s?#@]+");

    fn from_text(text: &str) -> Result<Self, Mistake> {
        let (scheme, rest) = text.split_once("://").unwrap_or_default();
        if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
            return Err(Mistake::new(
                format!("expected {}", Self::EXPECTED),
                "begin with `http://` or `https://`; an upstream is reached by no other scheme",
            ));
        }
        // The parser would drop or turn these round silently (WHATWG URL, section 4.4).
        if text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\') {
            return Err(Mistake::new(
                "a URL has no white space, control characters or backslashes",
                "percent-encode them, or take them out",
            ));
        }
        if rest.starts_with('/') {
            return Err(Mistake::new("this URL has no host", format!("write {}", Self::EXPECTED)));
        }
        let url = Url::parse(text).map_err(|error| {
            Mistake::new(format!("this is not a URL: {error}"), format!("write {}", Self::EXPECTED))
        })?;
        refuse_extras(&url)?;
        Ok(Self(url))
    }
}

fn refuse_extras(url: &Url) -> Result<(), Mistake> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Mistake::new(
            "an upstream's URL holds no user name or password",
            "take out everything up to the `@`; credentials are sent as headers: \
             `[identity] headers = { authorization = \"Basic {env.NAME}\" }`",
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Mistake::new(
            "an upstream's URL ends with its path",
            "take out everything from `?` or `#` on; query parameters stand in the `path` of \
             `@rest`",
        ));
    }
    Ok(())
}

impl fmt::Display for UpstreamUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

written_as_text!(UpstreamUrl);
