//! Answers that need no GraphQL: health, and that nothing is here.

use axum::extract::Extension;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderValue, StatusCode};

use crate::failure::Code;

use super::Door;
use super::arrival::Arrival;
use super::reply;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The process runs.
pub(super) async fn live() -> Response {
    reply::bytes(StatusCode::OK, JSON, Bytes::from_static(br#"{"status":"live"}"#))
}

/// It takes requests. The settings and the schema were read before the first connection was taken,
/// so that there is nothing to wait for.
pub(super) async fn ready() -> Response {
    reply::bytes(StatusCode::OK, JSON, Bytes::from_static(br#"{"status":"ready"}"#))
}

/// No such path.
pub(super) fn nothing_here(door: &Door, arrival: &Arrival) -> Response {
    let detail = format!("Nothing is served at this path; GraphQL is at {}.", door.path);
    reply::problem(StatusCode::NOT_FOUND, Code::NotFound, &detail, &arrival.request_id)
}

/// A path that answers another method; the router adds `Allow`.
pub(super) async fn method_not_allowed(Extension(arrival): Extension<Arrival>) -> Response {
    let detail = "This path does not answer that method.";
    let status = StatusCode::METHOD_NOT_ALLOWED;
    reply::problem(status, Code::BadRequest, detail, &arrival.request_id)
}
