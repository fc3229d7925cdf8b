//! The headers of a request to an upstream: who may set which, and who wins.

use http::header::{
    ACCEPT, CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue,
    PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, USER_AGENT,
};

use crate::observe::REQUEST_ID;
use crate::template::Request;

use super::{CallContext, CallerHeaders};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PRODUCT: HeaderValue =
    HeaderValue::from_static(concat!("onedoor/", env!("CARGO_PKG_VERSION")));

/// All headers of a call but those that HTTP itself sets (host, length, connection).
///
/// Later ones win: the gateway's own, the template's, the client's where listed, and last the
/// identity's. An identity header without a value is removed whoever set it.
#[must_use]
pub fn outbound(request: &Request, context: &CallContext<'_>) -> HeaderMap {
    let CallerHeaders { identity, forwarded } = context.headers;
    let mut headers = HeaderMap::with_capacity(8 + request.headers.len() + identity.len());
    for (name, value) in request.headers.iter().filter(|(name, _)| !belongs_to_http(name)) {
        headers.append(name, value.clone());
    }
    default(&mut headers, ACCEPT, || JSON);
    default(&mut headers, USER_AGENT, || PRODUCT);
    default(&mut headers, REQUEST_ID, || context.request_id.header_value());
    context.trace.child().write_to(&mut headers);
    for name in forwarded.keys().filter(|name| !belongs_to_http(name)) {
        headers.remove(name);
        for value in forwarded.get_all(name) {
            headers.append(name, value.clone());
        }
    }
    for (name, value) in identity {
        remove_with_aliases(&mut headers, name);
        if let Some(value) = value {
            headers.insert(name, value.clone());
        }
    }
    headers
}

/// Whether a header is for one connection only (RFC 9110, section 7.6.1) and so is never passed on.
#[must_use]
pub fn is_hop_by_hop(name: &HeaderName) -> bool {
    [CONNECTION, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE]
        .contains(name)
        || matches!(name.as_str(), "keep-alive" | "proxy-connection")
}

/// Whether two names may reach an application as the same header: many servers make `X_User_Id`
/// and `X-User-Id` one (CGI's `HTTP_X_USER_ID`).
#[must_use]
pub fn is_same_header(one: &HeaderName, other: &HeaderName) -> bool {
    let (one, other) = (one.as_str().bytes(), other.as_str().bytes());
    let plain = |byte| if byte == b'_' { b'-' } else { byte };
    one.map(plain).eq(other.map(plain))
}

fn belongs_to_http(name: &HeaderName) -> bool {
    is_hop_by_hop(name) || *name == HOST || *name == CONTENT_LENGTH
}

fn default(headers: &mut HeaderMap, name: HeaderName, value: impl FnOnce() -> HeaderValue) {
    headers.entry(name).or_insert_with(value);
}

fn remove_with_aliases(headers: &mut HeaderMap, name: &HeaderName) {
    headers.remove(name);
    let alias = headers.keys().find(|other| is_same_header(name, other)).cloned();
    if let Some(alias) = alias {
        headers.remove(&alias);
        remove_with_aliases(headers, name);
    }
}
