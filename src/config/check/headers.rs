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

/// Why a header of that name cannot be set by a template, if so.
pub(super) fn not_set(name: &HeaderName) -> Option<Refusal> {
    match name.as_str() {
        "connection"
        | "keep-alive"
        | "proxy-connection"
        | "proxy-authenticate"
        | "proxy-authorization"
        | "te"
        | "trailer"
        | "transfer-encoding"
        | "upgrade" => Some(ONE_CONNECTION),
        "host" | "content-length" | "content-type" | "content-encoding" | "accept-encoding"
        | "expect" => Some(OURS),
        _ => None,
    }
}
