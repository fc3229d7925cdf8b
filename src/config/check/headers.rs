//! Which headers settings may not name, and why.

use http::HeaderName;

/// Why a header cannot be what it was named for, and what to do.
pub(super) struct Refusal {
    pub(super) reason: &'static str,
    pub(super) help: &'static str,
}

const TAKE_OUT: &str = "take it out";

const ONE_CONNECTION: Refusal = Refusal {
    reason: "belongs to one connection and is never passed on (RFC 9110 section 7.6.1)",
    help: TAKE_OUT,
};
const OURS: Refusal =
    Refusal { reason: "is written by the gateway for every request it makes", help: TAKE_OUT };
const CREDENTIALS: Refusal = Refusal {
    reason: "holds the client's credentials, which stay at the door",
    help: "say who is asking with `[identity] headers = { x-user-id = \"{claims.sub}\" }`",
};
const PARTIAL: Refusal = Refusal {
    reason: "asks for part of an answer or for none, and the gateway needs the whole",
    help: TAKE_OUT,
};
const OUR_ANSWER: Refusal =
    Refusal { reason: "is written by the gateway for every answer it gives", help: TAKE_OUT };
const OF_THE_BODY: Refusal = Refusal {
    reason: "describes the upstream's body, and the client gets another one",
    help: TAKE_OUT,
};
const OF_CACHES: Refusal = Refusal {
    reason: "says how long an upstream's answer may be kept, and a response is made of several",
    help: "take it out: the gateway heeds it itself, and nobody else may keep a response",
};
const OF_CORS: Refusal = Refusal {
    reason: "says which pages may read the answer, which only the gateway can know",
    help: "take it out, and write `[cors]` in onedoor.toml",
};

/// Why the client's header of that name is not sent along, if so.
pub(super) fn not_forwarded(name: &HeaderName) -> Option<Refusal> {
    match name.as_str() {
        "authorization" | "cookie" => Some(CREDENTIALS),
        "range"
        | "if-match"
        | "if-none-match"
        | "if-modified-since"
        | "if-unmodified-since"
        | "if-range" => Some(PARTIAL),
        "accept" | "forwarded" | "via" | "x-real-ip" => Some(OURS),
        name if name.starts_with("x-forwarded-") => Some(OURS),
        _ => not_set(name),
    }
}

/// Why a client is not given an upstream's header of that name, if so.
pub(super) fn not_returned(name: &HeaderName) -> Option<Refusal> {
    match name.as_str() {
        "date"
        | "allow"
        | "www-authenticate"
        | "x-content-type-options"
        | "x-request-id"
        | "traceparent"
        | "tracestate" => Some(OUR_ANSWER),
        "content-length"
        | "content-type"
        | "content-encoding"
        | "content-range"
        | "content-location"
        | "content-disposition"
        | "content-md5"
        | "content-digest"
        | "repr-digest"
        | "digest"
        | "accept-ranges"
        | "etag"
        | "last-modified" => Some(OF_THE_BODY),
        "cache-control" | "cdn-cache-control" | "surrogate-control" | "expires" | "age"
        | "pragma" | "vary" => Some(OF_CACHES),
        name if name.starts_with("access-control-") => Some(OF_CORS),
        _ => of_one_connection(name),
    }
}

/// Why a header of that name cannot be set by a template, if so.
pub(super) fn not_set(name: &HeaderName) -> Option<Refusal> {
    match name.as_str() {
        "host" | "content-length" | "content-type" | "content-encoding" | "accept-encoding"
        | "expect" => Some(OURS),
        _ => of_one_connection(name),
    }
}

fn of_one_connection(name: &HeaderName) -> Option<Refusal> {
    match name.as_str() {
        "connection"
        | "keep-alive"
        | "proxy-connection"
        | "proxy-authenticate"
        | "proxy-authorization"
        | "te"
        | "trailer"
        | "transfer-encoding"
        | "upgrade"
        | "http2-settings" => Some(ONE_CONNECTION),
        _ => None,
    }
}
