//! The name of one request in logs, in answers and at upstreams.

use std::fmt;
use std::sync::Arc;

use http::header::{HeaderMap, HeaderName, HeaderValue};

/// The header that carries a request's id, in and out.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id taken over from a client, in bytes.
const MAX_LENGTH: usize = 128;

/// A request's id: 1 to 128 of `A-Z a-z 0-9 . _ -`, so that it is safe in logs, headers and URLs.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The client's own id, if it sent exactly one that is acceptable; else a new one.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let mut sent = headers.get_all(REQUEST_ID).iter();
        match (sent.next(), sent.next()) {
            (Some(id), None) => Self::parse(id.as_bytes()).unwrap_or_else(Self::random),
            _ => Self::random(),
        }
    }

    /// A new id: 128 random bits as 32 hexadecimal digits.
    #[must_use]
    pub fn random() -> Self {
        Self(format!("{:032x}", rand::random::<u128>()).into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id as a header's value.
    #[must_use]
    pub fn header_value(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).unwrap_or_else(|_| HeaderValue::from_static("invalid"))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let fits = (1..=MAX_LENGTH).contains(&bytes.len());
        let safe = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        if !fits || !bytes.iter().all(safe) {
            return None;
        }
        std::str::from_utf8(bytes).ok().map(|text| Self(text.into()))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken_over(values: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(REQUEST_ID, HeaderValue::from_str(value).expect("a header value"));
        }
        let id = RequestId::from_headers(&headers);
        assert_eq!(id.header_value().as_bytes(), id.as_str().as_bytes());
        values.contains(&id.as_str())
    }

    #[test]
    fn a_clients_id_is_taken_over_if_it_is_short_and_plain() {
        let longest = "x".repeat(128);
        for good in ["a", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "a.b_c-D9", longest.as_str()] {
            assert!(taken_over(&[good]), "{good:?}");
        }
    }

    #[test]
    fn any_other_id_is_replaced() {
        let too_long = "x".repeat(129);
        for bad in ["", "a b", "a\tb", "a/b", "<script>", "a=b", too_long.as_str()] {
            assert!(!taken_over(&[bad]), "{bad:?}");
        }
        assert!(!taken_over(&["a", "b"]), "two ids are none");
        assert!(!taken_over(&[]));
    }

    #[test]
    fn new_ids_differ() {
        let (one, other) = (RequestId::random(), RequestId::random());
        assert_ne!(one, other);
        assert_eq!(one.as_str().len(), 32);
    }
}
