//! What holds for every request, whatever its path: an id, a trace, a deadline, a line in the log,
//! and that a panic is an answer.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::body::HttpBody as _;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use futures::FutureExt as _;
use tokio::time::Instant;

use crate::failure::Code;
use crate::limits;
use crate::observe::{AccessLine, CallLog, REQUEST_ID, RequestId, TraceContext};

use super::Door;
use super::accept::MediaType;
use super::reply::{self, Refused};

/// A request's arrival; handlers find it among the request's extensions.
#[derive(Debug, Clone)]
pub(super) struct Arrival {
    pub(super) request_id: RequestId,
    pub(super) trace: TraceContext,
    pub(super) deadline: Instant,
    pub(super) calls: Arc<CallLog>,
}

/// What a handler has to say for the access line, among the response's extensions.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    pub(super) operation: Option<Arc<str>>,
    pub(super) errors: usize,
}

/// Receives a request, has it answered, and sees it off.
pub(super) async fn frame(
    State(door): State<Arc<Door>>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let arrival = Arrival {
        request_id: RequestId::from_headers(request.headers()),
        trace: TraceContext::from_headers(request.headers()),
        deadline: limits::deadline(&door.limits, started),
        calls: Arc::default(),
    };
    let (method, uri) = (request.method().clone(), request.uri().clone());
    request.extensions_mut().insert(arrival.clone());
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let mut response = answered.unwrap_or_else(|_| {
        tracing::error!(request_id = %arrival.request_id, path = uri.path(), "a handler panicked");
        panicked(&door, uri.path(), &arrival.request_id)
    });
    response.headers_mut().insert(REQUEST_ID, arrival.request_id.header_value());
    let told = response.extensions_mut().remove::<Told>().unwrap_or_default();
    AccessLine {
        request_id: &arrival.request_id,
        trace: &arrival.trace,
        method: method.as_str(),
        path: uri.path(),
        operation: told.operation.as_deref(),
        status: response.status().as_u16(),
        duration: started.elapsed(),
        calls: &arrival.calls,
        errors: told.errors,
        bytes: response
            .body()
            .size_hint()
            .exact()
            .unwrap_or_default()
            .try_into()
            .unwrap_or(usize::MAX),
    }
    .write();
    response
}

fn panicked(door: &Door, path: &str, request_id: &RequestId) -> Response {
    let (code, message) = (Code::Internal, "The gateway failed.");
    if path == door.path {
        return Refused::new(code, message).into_response(MediaType::Json);
    }
    reply::problem(reply::status_of(code), code, message, request_id)
}
