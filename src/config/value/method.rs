//! HTTP methods.

use std::fmt;

use http::Method;

use super::{FromText, Mistake, written_as_text};

/// A method that a web page may use.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct PageMethod(pub(crate) Method);

impl FromText for PageMethod {
    const EXPECTED: &'static str = "a method such as \"PATCH\"";
    const PATTERN: Option<&'static str> = Some("[A-Z][A-Z-]*");

    fn from_text(text: &str) -> Result<Self, Mistake> {
        let wrong = |help| Err(Mistake::new(format!("expected {}", Self::EXPECTED), help));
        // Browsers send none of these for a page (Fetch, section 2.2.1).
        if ["CONNECT", "TRACE", "TRACK"].contains(&text) {
            return wrong("take it out: no browser sends this one for a page");
        }
        let upper = text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
        match Method::from_bytes(text.as_bytes()) {
            Ok(method) if upper => Ok(Self(method)),
            _ => wrong("a method's name is capital letters; list each that is allowed"),
        }
    }
}

impl fmt::Display for PageMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

written_as_text!(PageMethod);
