//! What must never be printed, and wrappers that see to it.

use std::fmt;

use http::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, PROXY_AUTHORIZATION, SET_COOKIE};

/// What stands in a secret's place.
const PLACEHOLDER: &str = "[redacted]";

/// A value that never prints: `Debug` and `Display` show a placeholder.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Redacted<T>(T);

impl<T> Redacted<T> {
    /// Hides a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself: for the code that uses it, never for logs or answers.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Redacted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PLACEHOLDER)
    }
}

impl<T> fmt::Display for Redacted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PLACEHOLDER)
    }
}

/// Whether a header's values never print: credentials, cookies, and whatever names itself a key,
/// token or secret.
#[must_use]
pub fn is_secret_header(name: &HeaderName) -> bool {
    [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE, SET_COOKIE].contains(name)
        || ["token", "secret", "password", "api-key", "apikey", "credential", "session"]
            .iter()
            .any(|word| name.as_str().contains(word))
}

/// Headers as a log may show them: secret ones by name only.
pub struct RedactedHeaders<'a>(pub &'a HeaderMap);

impl fmt::Debug for RedactedHeaders<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (name, value) in self.0 {
            match is_secret_header(name) || value.is_sensitive() {
                true => map.entry(&name.as_str(), &PLACEHOLDER),
                false => map.entry(&name.as_str(), value),
            };
        }
        map.finish()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_redacted_value_prints_nothing_of_itself() {
        let secret = Redacted::new("hunter2");
        assert_eq!(format!("{secret:?} {secret}"), "[redacted] [redacted]");
        assert_eq!(*secret.expose(), "hunter2");
    }

    #[test]
    fn headers_with_credentials_show_their_names_only() {
        let mut headers = HeaderMap::new();
        for name in ["authorization", "cookie", "set-cookie", "x-api-key", "x-csrf-token", "accept"]
        {
            headers.insert(name, HeaderValue::from_static("hunter2"));
        }
        let mut marked = HeaderValue::from_static("hunter2");
        marked.set_sensitive(true);
        headers.insert("x-user-id", marked);
        let shown = format!("{:?}", RedactedHeaders(&headers));
        assert_eq!(shown.matches("hunter2").count(), 1, "{shown}");
        assert!(shown.contains("\"accept\": \"hunter2\""), "{shown}");
    }
}
