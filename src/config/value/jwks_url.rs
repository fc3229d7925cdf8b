//! Where the keys of an issuer of tokens are.

use std::fmt;

use url::Url;

use super::{FromText, Mistake, written_as_text};

/// An `http` or `https` URL without user info and fragment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JwksUrl(Url);

impl JwksUrl {
    /// True for `https`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The whole URL.
    #[must_use]
    pub fn as_url(&self) -> &Url {
        &self.0
    }
}

impl FromText for JwksUrl {
    const EXPECTED: &'static str = "a URL such as \"https://login.example.com/jwks.json\"";
    const PATTERN: Option<&'static str> = Some(r"https?://[^\s#@]+");

    fn from_text(text: &str) -> Result<Self, Mistake> {
        let write = || format!("write {}", Self::EXPECTED);
        let (scheme, rest) = text.split_once("://").unwrap_or_default();
        if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
            return Err(Mistake::new(format!("expected {}", Self::EXPECTED), write()));
        }
        // The parser would drop or turn these round silently (WHATWG URL, section 4.4).
        if text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\') {
            return Err(Mistake::new(
                "a URL has no white space, control characters or backslashes",
                "percent-encode them, or take them out",
            ));
        }
        if rest.starts_with('/') {
            return Err(Mistake::new("this URL has no host", write()));
        }
        let url = Url::parse(text)
            .map_err(|error| Mistake::new(format!("this is not a URL: {error}"), write()))?;
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(Mistake::new(
                "the URL of a JWKS holds no user name, password or fragment",
                "take them out: the keys are public",
            ));
        }
        Ok(Self(url))
    }
}

impl fmt::Display for JwksUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

written_as_text!(JwksUrl);
