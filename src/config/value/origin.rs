//! Which origins of web pages may read answers (RFC 6454, Fetch section 3.3).

use std::fmt;

use url::Url;

use super::{FromText, Mistake, written_as_text};

/// An origin as settings list it: `https://app.example.com`, every host below a domain
/// (`https://*.example.com`), or any (`*`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AllowedOrigin(Pattern);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Pattern {
    Any,
    /// As browsers write it: lower case, without the scheme's own port.
    Exact(String),
    /// What comes before and after the part that is free.
    Below {
        /// `https://`
        scheme: String,
        /// `.example.com:8443`
        domain: String,
    },
}

impl AllowedOrigin {
    /// Whether this is `*`.
    #[must_use]
    pub const fn is_any(&self) -> bool {
        matches!(self.0, Pattern::Any)
    }

    /// Whether it covers the value of an `Origin` header. `null` is no origin: sandboxed pages,
    /// files and redirects of anybody send it.
    #[must_use]
    pub fn covers(&self, origin: &str) -> bool {
        match &self.0 {
            Pattern::Any => origin != "null",
            Pattern::Exact(listed) => listed == origin,
            Pattern::Below { scheme, domain } => origin
                .strip_prefix(scheme.as_str())
                .and_then(|rest| rest.strip_suffix(domain.as_str()))
                .is_some_and(|labels| labels.split('.').all(is_label)),
        }
    }
}

/// A label of a host as browsers write it. What is none cannot smuggle in a port, a path or
/// another host.
fn is_label(label: &str) -> bool {
    let plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    !label.is_empty() && label.bytes().all(plain)
}

impl FromText for AllowedOrigin {
    const EXPECTED: &'static str = "an origin such as \"https://app.example.com\"";
    const PATTERN: Option<&'static str> = Some(r"\*|[a-z][a-z0-9+.-]*://[^\s/?#@]+");

    fn from_text(text: &str) -> Result<Self, Mistake> {
        if text == "*" {
            return Ok(Self(Pattern::Any));
        }
        if text == "null" {
            return Err(Mistake::new(
                "`null` is no origin: anybody's sandboxed page sends it",
                "take it out; serve the page from a host of yours",
            ));
        }
        let Some((scheme, host)) = text.split_once("://") else {
            return Err(Mistake::new(
                format!("expected {}", Self::EXPECTED),
                "an origin has a scheme: `https://app.example.com`, or `https://*.example.com` for \
                 every host below it",
            ));
        };
        match host.strip_prefix("*.") {
            Some(domain) => below(scheme, domain),
            None if scheme == "http" || scheme == "https" => {
                web_origin(text).map(Pattern::Exact).map(Self)
            }
            None => own_scheme(text, host),
        }
    }
}

/// Every host below a domain. One with a single label is nobody's own.
fn below(scheme: &str, domain: &str) -> Result<AllowedOrigin, Mistake> {
    let origin = web_origin(&format!("{scheme}://{domain}"))?;
    let (scheme, domain) = origin.split_once("://").unwrap_or_default();
    let host = domain.split(':').next().unwrap_or_default();
    let numbers = host.split('.').all(|label| label.bytes().all(|byte| byte.is_ascii_digit()));
    if numbers || !(host.contains('.') || host == "localhost") {
        return Err(Mistake::new(
            "this would let in the hosts of strangers",
            "write a domain of your own after `*.`: `https://*.example.com`",
        ));
    }
    let (scheme, domain) = (format!("{scheme}://"), format!(".{domain}"));
    Ok(AllowedOrigin(Pattern::Below { scheme, domain }))
}

/// An `http` or `https` origin as browsers write it.
fn web_origin(text: &str) -> Result<String, Mistake> {
    let wrong = |what: &str| {
        Mistake::new(
            format!("this is not an origin: {what}"),
            format!("write scheme, host and perhaps a port: {}", AllowedOrigin::EXPECTED),
        )
    };
    if !text.bytes().all(|byte| byte.is_ascii_graphic() && !b"*\\".contains(&byte)) {
        return Err(wrong("`*` stands alone or as the first label, and hosts are ASCII"));
    }
    let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
    if !["http", "https"].contains(&url.scheme()) {
        return Err(wrong("only `http` and `https` have domains"));
    }
    let bare = url.path() == "/" && !text.ends_with('/') && url.query().is_none();
    if !bare || url.fragment().is_some() || text.contains('@') {
        return Err(wrong("it ends with the host or the port, without a `/`"));
    }
    Ok(url.origin().ascii_serialization())
}

/// An app's or an extension's own scheme, as it is written: `capacitor://localhost`.
fn own_scheme(text: &str, host: &str) -> Result<AllowedOrigin, Mistake> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
    if host.is_empty() || !host.bytes().all(plain) {
        return Err(Mistake::new(
            format!("expected {}", AllowedOrigin::EXPECTED),
            "write scheme, host and perhaps a port, without a `/` at the end",
        ));
    }
    Ok(AllowedOrigin(Pattern::Exact(text.to_owned())))
}

impl fmt::Display for AllowedOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Pattern::Any => f.write_str("*"),
            Pattern::Exact(origin) => f.write_str(origin),
            Pattern::Below { scheme, domain } => write!(f, "{scheme}*{domain}"),
        }
    }
}

written_as_text!(AllowedOrigin);

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        AllowedOrigin::from_text(text).ok().map(|origin| origin.to_string())
    }

    #[test]
    fn an_origin_is_kept_as_browsers_write_it() {
        for (written, kept) in [
            ("*", "*"),
            ("https://app.example.com", "https://app.example.com"),
            ("https://App.Example.com:443", "https://app.example.com"),
            ("http://localhost:5173", "http://localhost:5173"),
            ("http://[::1]:80", "http://[::1]"),
            ("https://*.example.com", "https://*.example.com"),
            ("https://*.Example.com:8443", "https://*.example.com:8443"),
            ("http://*.localhost:3000", "http://*.localhost:3000"),
            ("capacitor://localhost", "capacitor://localhost"),
        ] {
            assert_eq!(read(written).as_deref(), Some(kept), "{written}");
        }
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for text in [
            "",
            "null",
            "app.example.com",
            "*.example.com",
            "https://",
            "https://app.example.com/",
            "https://app.example.com/path",
            "https://app.example.com?q",
            "https://app.example.com#f",
            "https://ada@app.example.com",
            "https://*",
            "https://*.com",
            "https://*.*.example.com",
            "https://*.127.0.0.1",
            "https://app*.example.com",
            "https://app.*.com",
            "https://*.example.com/",
            "capacitor://*.localhost",
            "capacitor://",
            "https:\\\\app.example.com",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_domain_covers_hosts_below_it_at_a_label() {
        let below = AllowedOrigin::from_text("https://*.example.com").ok().expect("an origin");
        for origin in
            ["https://a.example.com", "https://a.b.example.com", "https://x-1.example.com"]
        {
            assert!(below.covers(origin), "{origin}");
        }
        for origin in [
            "https://example.com",
            "https://.example.com",
            "https://a..example.com",
            "https://evilexample.com",
            "https://a.example.com.evil.net",
            "https://evil.net#.example.com",
            "https://evil.net/.example.com",
            "https://evil.net:1.example.com",
            "https://evil.net@a.example.com",
            "https://a.example.com:8443",
            "http://a.example.com",
            "https://A.example.com",
            "null",
            "",
        ] {
            assert!(!below.covers(origin), "{origin}");
        }
    }
}
