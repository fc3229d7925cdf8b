//! The client's headers, as far as anything behind the door may see them.

use std::fmt;

use http::header::{AUTHORIZATION, CONNECTION, COOKIE, HeaderMap, HeaderName};

use crate::upstream::{is_hop_by_hop, is_same_header};

/// A client's headers without credentials, without what concerns one connection, and without any
/// name by which an upstream is told who is asking.
///
/// Templates read these, and forwarding picks from them: there is no other way in.
#[derive(Clone, Default)]
pub struct ClientHeaders(HeaderMap);

impl ClientHeaders {
    /// Removes what must not pass. `reserved` are the identity headers of every upstream; their
    /// underscored aliases go too.
    #[must_use]
    pub fn new(mut headers: HeaderMap, reserved: &[HeaderName]) -> Self {
        let nominated = nominated(&headers);
        let barred = |name: &HeaderName| {
            *name == AUTHORIZATION
                || *name == COOKIE
                || is_hop_by_hop(name)
                || nominated.contains(name)
                || reserved.iter().any(|reserved| is_same_header(reserved, name))
        };
        let names: Vec<HeaderName> = headers.keys().filter(|name| barred(name)).cloned().collect();
        for name in names {
            headers.remove(name);
        }
        Self(headers)
    }

    /// The headers.
    #[must_use]
    pub fn as_map(&self) -> &HeaderMap {
        &self.0
    }
}

/// The headers that `Connection` names concern that connection only (RFC 9110 section 7.6.1).
fn nominated(headers: &HeaderMap) -> Vec<HeaderName> {
    let lists = headers.get_all(CONNECTION).iter();
    let names = lists.flat_map(|list| list.as_bytes().split(|byte| *byte == b','));
    names.filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok()).collect()
}

/// Names only.
impl fmt::Debug for ClientHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}
