//! The headers of a request to an upstream: who may set which, and who wins.

use http::Version;
use http::header::{
    ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, HOST,
    HeaderMap, HeaderName, HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE, USER_AGENT, VIA,
};

use crate::observe::{REQUEST_ID, TRACEPARENT, TRACESTATE};
use crate::template::Request;

use super::pass::Received;
use super::{CallContext, CallerHeaders};

const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PRODUCT: HeaderValue =
    HeaderValue::from_static(concat!("onedoor/", env!("CARGO_PKG_VERSION")));

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

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
    set_identity(&mut headers, context.headers);
    headers
}

/// All headers of a request for a stream of events. What WHATWG HTML section 9.2.3 sets is the
/// gateway's to say and not the template's or the client's: neither could tell where the stream
/// broke off. An id that no header can carry is not sent.
pub(super) fn listening(
    request: &Request,
    last_event_id: Option<&str>,
    context: &CallContext<'_>,
) -> HeaderMap {
    let mut headers = outbound(request, context);
    let id_by_any_name = |name: &&HeaderName| is_same_header(&LAST_EVENT_ID, name);
    let names: Vec<HeaderName> = headers.keys().filter(id_by_any_name).cloned().collect();
    for name in names {
        headers.remove(name);
    }
    headers.insert(ACCEPT, EVENTS);
    headers.insert(CACHE_CONTROL, NO_STORE);
    let id = last_event_id.filter(|id| !id.is_empty());
    if let Some(id) = id.and_then(|id| HeaderValue::from_bytes(id.as_bytes()).ok()) {
        headers.insert(LAST_EVENT_ID, id);
    }
    set_identity(&mut headers, context.headers);
    headers
}

/// All headers of a request that is passed on, but those that HTTP itself sets.
///
/// The client's end-to-end headers pass, without its credentials and without what only the door can
/// know: how the request came in is said by the gateway alone, as it stands at the edge, and
/// whoever trusts `X-Forwarded-For` must not read there what a client wrote. Then come the
/// gateway's own, and last the identity's. An identity header without a value is removed.
pub(super) fn passed(
    client: &HeaderMap,
    received: &Received,
    context: &CallContext<'_>,
) -> HeaderMap {
    let mut headers = end_to_end(client);
    let barred = |name: &HeaderName| {
        belongs_to_http(name)
            || [AUTHORIZATION, COOKIE, EXPECT].contains(name)
            || tells_of_arrival(name)
            || [REQUEST_ID, TRACEPARENT, TRACESTATE].iter().any(|ours| is_same_header(ours, name))
    };
    let names: Vec<HeaderName> = headers.keys().filter(|name| barred(name)).cloned().collect();
    for name in names {
        headers.remove(name);
    }
    received.write_to(&mut headers);
    headers.insert(REQUEST_ID, context.request_id.header_value());
    context.trace.child().write_to(&mut headers);
    set_identity(&mut headers, context.headers);
    headers
}

/// Headers without those that concern one connection only: the ones that RFC 9110 section 7.6.1
/// lists, and the ones that `Connection` names.
pub(super) fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let lists = headers.get_all(CONNECTION).iter();
    let names = lists.flat_map(|list| list.as_bytes().split(|byte| *byte == b','));
    let nominated: Vec<HeaderName> =
        names.filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok()).collect();
    let passes = |name: &HeaderName| !is_hop_by_hop(name) && !nominated.contains(name);
    let kept = headers.iter().filter(|(name, _)| passes(name));
    let mut passing = HeaderMap::with_capacity(headers.len() + 8);
    for (name, value) in kept {
        passing.append(name, value.clone());
    }
    passing
}

impl Received {
    fn write_to(&self, headers: &mut HeaderMap) {
        // RFC 9110 section 7.6.3.
        headers.append(
            VIA,
            match self.version {
                Version::HTTP_09 => HeaderValue::from_static("0.9 onedoor"),
                Version::HTTP_10 => HeaderValue::from_static("1.0 onedoor"),
                Version::HTTP_2 => HeaderValue::from_static("2 onedoor"),
                Version::HTTP_3 => HeaderValue::from_static("3 onedoor"),
                _ => HeaderValue::from_static("1.1 onedoor"),
            },
        );
        let peer = self.peer.and_then(|peer| HeaderValue::from_str(&peer.to_string()).ok());
        if let Some(peer) = peer {
            headers.insert(FORWARDED_FOR, peer);
        }
        if let Some(host) = &self.host {
            headers.insert(FORWARDED_HOST, host.clone());
        }
        // The gateway itself speaks no TLS.
        headers.insert(FORWARDED_PROTO, HeaderValue::from_static("http"));
    }
}

/// Whether a header says how a request came in, or that it is meant for another path than its own;
/// by whatever alias.
fn tells_of_arrival(name: &HeaderName) -> bool {
    let plain: Vec<u8> = plain(name).collect();
    plain.starts_with(b"x-forwarded-")
        || ["forwarded", "x-forwarded", "x-real-ip", "x-original-url", "x-rewrite-url"]
            .iter()
            .any(|known| plain == known.as_bytes())
}

/// Sets the identity's headers over whatever stands there.
fn set_identity(headers: &mut HeaderMap, caller: &CallerHeaders) {
    for (name, value) in &caller.identity {
        remove_with_aliases(headers, name);
        if let Some(value) = value {
            headers.insert(name, value.clone());
        }
    }
}

/// Whether a header is for one connection only (RFC 9110, section 7.6.1) and so is never passed on.
#[must_use]
pub fn is_hop_by_hop(name: &HeaderName) -> bool {
    [CONNECTION, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE]
        .contains(name)
        || matches!(name.as_str(), "keep-alive" | "proxy-connection" | "http2-settings")
}

/// Whether two names may reach an application as the same header: many servers make `X_User_Id`
/// and `X-User-Id` one (CGI's `HTTP_X_USER_ID`), PHP `X.User.Id` too, and some whatever is neither
/// letter nor digit.
#[must_use]
pub fn is_same_header(one: &HeaderName, other: &HeaderName) -> bool {
    plain(one).eq(plain(other))
}

/// A name as the most careless server reads it.
fn plain(name: &HeaderName) -> impl Iterator<Item = u8> + '_ {
    name.as_str().bytes().map(|byte| if byte.is_ascii_alphanumeric() { byte } else { b'-' })
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

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use tokio::time::Instant;

    use super::*;
    use crate::observe::{RequestId, TraceContext};

    fn map(headers: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        map
    }

    fn pass(client: &HeaderMap, identity: &[(&'static str, Option<&'static str>)]) -> HeaderMap {
        let identity = identity.iter().map(|(name, value)| {
            (HeaderName::from_static(name), value.map(HeaderValue::from_static))
        });
        let headers = CallerHeaders { identity: identity.collect(), forwarded: HeaderMap::new() };
        let (trace, request_id) = (TraceContext::new_trace(), RequestId::random());
        let deadline = Instant::now();
        let context = CallContext {
            deadline,
            timeout: None,
            trace: &trace,
            request_id: &request_id,
            headers: &headers,
        };
        let peer = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let received = Received { version: Version::HTTP_11, peer, host: None };
        let mut passed = passed(client, &received, &context);
        for ours in ["x-request-id", "traceparent", "via", "x-forwarded-proto"] {
            assert!(passed.remove(ours).is_some(), "{ours}");
        }
        assert_eq!(passed.remove("x-forwarded-for").expect("the peer"), "127.0.0.1");
        passed
    }

    #[test]
    fn nothing_passes_that_whoever_calls_forgot_to_take_out() {
        let client = map(&[
            ("authorization", "Bearer x"),
            ("cookie", "a=1"),
            ("host", "shop"),
            ("content-length", "5"),
            ("transfer-encoding", "chunked"),
            ("x-forwarded-for", "6.6.6.6"),
            ("x-user-id", "root"),
            ("x_user_id", "root"),
            ("x-role", "admin"),
        ]);
        let identity = [("x-user-id", Some("ada")), ("x-role", None)];
        assert_eq!(pass(&client, &identity), map(&[("x-user-id", "ada")]));
    }

    #[test]
    fn an_identity_header_that_connection_names_arrives_all_the_same() {
        let client = map(&[("connection", "x-user-id, via, x-own"), ("x-own", "1")]);
        let identity = [("x-user-id", Some("ada")), ("authorization", Some("Basic x"))];
        let expected = map(&[("x-user-id", "ada"), ("authorization", "Basic x")]);
        assert_eq!(pass(&client, &identity), expected);
    }
}
