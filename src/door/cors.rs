//! Which pages of other origins may read answers (the Fetch standard's section 3.3).
//!
//! Written here, small as it is, since the layer that everybody uses (tower-http's) takes every
//! OPTIONS for a preflight, which would keep a route's own from its upstream; answers preflights of
//! origins that are not let in; and leaves an upstream's CORS headers beside its own.

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderName, HeaderValue, ORIGIN, VARY,
};
use http::{Method, StatusCode};

use crate::config::{self, AllowedOrigin};
use crate::failure::Code;
use crate::observe::RequestId;

use super::reply;

const TRUE: HeaderValue = HeaderValue::from_static("true");
const STAR: HeaderValue = HeaderValue::from_static("*");
const BY_ORIGIN: HeaderValue = HeaderValue::from_static("Origin");

/// What pages of other origins may do.
#[derive(Debug)]
pub(super) struct Cors {
    origins: Vec<AllowedOrigin>,
    credentials: bool,
    /// Headers of the answer to a preflight.
    preflight: HeaderMap,
    /// The value of `Access-Control-Expose-Headers`.
    expose: Option<HeaderValue>,
}

/// What is said of the origin that a request comes from; `None`: nothing, it is not let in or not
/// another origin's at all.
#[derive(Debug, Clone)]
pub(super) struct Allowed(Option<HeaderValue>);

impl Cors {
    pub(super) fn new(settings: &config::Cors) -> Self {
        let max_age = settings.max_age.as_secs().into();
        let mut preflight = HeaderMap::from_iter([(ACCESS_CONTROL_MAX_AGE, max_age)]);
        let methods = list(settings.methods.iter().map(Method::as_str));
        let headers = list(settings.headers.iter().map(HeaderName::as_str));
        preflight.extend(methods.map(|methods| (ACCESS_CONTROL_ALLOW_METHODS, methods)));
        preflight.extend(headers.map(|headers| (ACCESS_CONTROL_ALLOW_HEADERS, headers)));
        Self {
            origins: settings.origins.clone(),
            credentials: settings.credentials,
            preflight,
            expose: list(settings.expose.iter().map(HeaderName::as_str)),
        }
    }

    /// Judges the origin of a request. Several origins are none.
    pub(super) fn judge(&self, headers: &HeaderMap) -> Allowed {
        let mut sent = headers.get_all(ORIGIN).iter();
        let (Some(origin), None) = (sent.next(), sent.next()) else { return Allowed(None) };
        let covering = origin
            .to_str()
            .ok()
            .and_then(|origin| self.origins.iter().find(|allowed| allowed.covers(origin)));
        Allowed(covering.map(|by| if by.is_any() { STAR } else { origin.clone() }))
    }

    /// Whether pages of the origin that a request comes from are let in.
    pub(super) fn lets_in(&self, headers: &HeaderMap) -> bool {
        self.judge(headers).0.is_some()
    }

    /// The answer to a preflight; `None`: the request is none. It is asked before anybody can say
    /// who they are, and concerns the gateway alone.
    pub(super) fn preflight(
        &self,
        request: &Request,
        allowed: &Allowed,
        request_id: &RequestId,
    ) -> Option<Response> {
        let headers = request.headers();
        let asks = request.method() == Method::OPTIONS
            && headers.contains_key(ORIGIN)
            && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if !asks {
            return None;
        }
        if allowed.0.is_none() {
            let detail = "Pages of this origin are not let in.";
            return Some(reply::problem(
                StatusCode::FORBIDDEN,
                Code::Forbidden,
                detail,
                request_id,
            ));
        }
        let mut response = Response::new(Body::from(Bytes::new()));
        *response.status_mut() = StatusCode::NO_CONTENT;
        response.headers_mut().extend(self.preflight.clone());
        Some(response)
    }

    /// Says on an answer, whatever it is, who may read it; what an upstream said of that goes.
    pub(super) fn mark(&self, allowed: Allowed, is_preflight: bool, headers: &mut HeaderMap) {
        let theirs = |name: &HeaderName| {
            name.as_str().starts_with("access-control-")
                && !(is_preflight && self.preflight.contains_key(name))
        };
        let names: Vec<HeaderName> = headers.keys().filter(|name| theirs(name)).cloned().collect();
        for name in names {
            headers.remove(name);
        }
        vary_by_origin(headers);
        let Some(origin) = allowed.0 else { return };
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if self.credentials {
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
        }
        if !is_preflight && let Some(expose) = &self.expose {
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, expose.clone());
        }
    }
}

/// Adds `Origin` to `Vary` (RFC 9110 section 12.5.5), in the one line that caches expect.
fn vary_by_origin(headers: &mut HeaderMap) {
    let lines: Vec<&[u8]> = headers.get_all(VARY).iter().map(HeaderValue::as_bytes).collect();
    let mut names = lines.iter().flat_map(|line| line.split(|byte| *byte == b','));
    let covered = |name: &[u8]| name == b"*" || name.eq_ignore_ascii_case(BY_ORIGIN.as_bytes());
    if names.any(|name| covered(name.trim_ascii())) {
        return;
    }
    let all = [lines.as_slice(), &[BY_ORIGIN.as_bytes()]].concat().join(&b", "[..]);
    // Parts that may stand in a header may stand in it together.
    headers.insert(VARY, HeaderValue::from_bytes(&all).unwrap_or(BY_ORIGIN));
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> Option<HeaderValue> {
    let names = names.collect::<Vec<_>>().join(", ");
    HeaderValue::from_str(&names).ok().filter(|names| !names.is_empty())
}
