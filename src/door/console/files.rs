//! The page's files, embedded when the gateway is built, and how they go over the wire.

use std::io::Read as _;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use flate2::read::GzDecoder;
use http::HeaderMap;
use http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};

use crate::door::coding::{self, Coding};

/// Each file by its path below the page's, compressed with gzip; none where the gateway was built
/// without the page (`build.rs`).
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/console.rs"));

/// What stands in the page's place then.
const FALLBACK: &str = include_str!("fallback.html");

/// A file with this in its path has its content's hash in its name.
const HASHED: &str = "assets/";

/// What the page may do: nothing but run its own scripts and talk to this gateway. Its editor and
/// its components write their styles into the page.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     font-src 'self' data:; img-src 'self' data:; connect-src 'self'; worker-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

const GZIP: HeaderValue = HeaderValue::from_static("gzip");
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");

/// Whether the page is there, and not only what stands in its place.
pub(super) fn are_embedded() -> bool {
    !FILES.is_empty()
}

/// The page itself.
pub(super) fn page(headers: &HeaderMap) -> Response {
    file("index.html", headers).unwrap_or_else(|| {
        respond("index.html", Body::from(Bytes::from_static(FALLBACK.as_bytes())), None)
    })
}

/// One of its files; `None`: there is none of this name.
pub(super) fn file(path: &str, headers: &HeaderMap) -> Option<Response> {
    let (_, compressed) = FILES.iter().find(|(name, _)| *name == path)?;
    if coding::takes(headers, Coding::Gzip) {
        return Some(respond(path, Body::from(Bytes::from_static(compressed)), Some(GZIP)));
    }
    let mut plain = Vec::new();
    // What was embedded can be read; its size is known to whoever has built this.
    GzDecoder::new(*compressed).read_to_end(&mut plain).ok()?;
    Some(respond(path, Body::from(plain), None))
}

fn respond(path: &str, body: Body, encoding: Option<HeaderValue>) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type(path)));
    headers.insert(CACHE_CONTROL, if path.starts_with(HASHED) { FOREVER } else { NO_CACHE });
    headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    headers.extend(encoding.map(|encoding| (CONTENT_ENCODING, encoding)));
    secure(headers);
    response
}

/// What stands on every answer of the page's.
pub(super) fn secure(headers: &mut HeaderMap) {
    const POLICY_NAME: HeaderName = HeaderName::from_static("content-security-policy");
    const OPENER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
    const RESOURCE: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
    headers.insert(POLICY_NAME, POLICY);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(OPENER, HeaderValue::from_static("same-origin"));
    headers.insert(RESOURCE, HeaderValue::from_static("same-origin"));
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "ttf" => "font/ttf",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
