//! What holds for every request, whatever its path: an id, a trace, a deadline, a line in the log,
//! what pages of other origins are told, and that a panic is an answer.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use futures::FutureExt as _;
use http::header::{CONTENT_LENGTH, HOST, HeaderMap, TRANSFER_ENCODING};
use http::request::Parts;
use http::{Method, StatusCode, Uri};
use hyper::body::{Frame, SizeHint};
use tokio::time::Instant;

use crate::failure::Code;
use crate::limits;
use crate::observe::{AccessLine, CallLog, REQUEST_ID, RequestId, TraceContext};

use super::accept::MediaType;
use super::reply::{self, Refused};
use super::{Door, GraphqlResponse, Outcome};

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
    pub(super) route: Option<Arc<str>>,
    pub(super) errors: usize,
    /// Whether the body comes piece by piece from elsewhere.
    pub(super) streamed: bool,
    /// Whether somebody else writes the request's line: it goes on as a socket.
    pub(super) handed_over: bool,
    /// What becomes known while the body is streamed.
    pub(super) later: Option<Arc<Later>>,
}

/// What a stream of responses has to say for the access line, when it is over.
#[derive(Debug, Default)]
pub(super) struct Later {
    operation: OnceLock<Arc<str>>,
    /// How many responses had data; `None`: that is no question.
    events: Option<AtomicU64>,
    errors: AtomicUsize,
}

impl Later {
    /// Of a stream of events.
    pub(super) fn of_events() -> Self {
        Self { events: Some(AtomicU64::new(0)), ..Self::default() }
    }

    /// Notes a response.
    pub(super) fn note(&self, response: &GraphqlResponse) {
        if let (Some(events), Outcome::Executed) = (&self.events, &response.outcome) {
            events.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(operation) = &response.operation {
            let _ = self.operation.set(Arc::clone(operation));
        }
        self.errors.fetch_add(response.errors, Ordering::Relaxed);
    }

    /// Notes an error of the gateway's own.
    pub(super) fn note_error(&self) {
        self.errors.fetch_add(1, Ordering::Relaxed);
    }
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
    let mut line = Line::new(&request, &arrival, started);
    request.extensions_mut().insert(arrival.clone());
    let mut response = across_origins(&door, &arrival, request, next).await;
    response.headers_mut().insert(REQUEST_ID, arrival.request_id.header_value());
    line.told = response.extensions_mut().remove::<Told>().unwrap_or_default();
    line.status = Some(response.status());
    if line.told.streamed && !is_bodiless(&line.method, response.status()) {
        let announced = announced(&response);
        return response.map(|body| Body::new(Followed { body, announced, line }));
    }
    line.bytes = response.body().size_hint().exact().unwrap_or_default();
    line.whole = true;
    response
}

/// Whether where a request ends, and for which host it is, is beyond doubt. hyper has refused most
/// of what HTTP/1.1 forbids here; this is what it lets through (RFC 9112 sections 3.2 and 6.1).
pub(super) fn has_one_reading(headers: &HeaderMap) -> Result<(), Refused> {
    if headers.get_all(HOST).iter().nth(1).is_some() {
        return Err(Refused::unframed(StatusCode::BAD_REQUEST, "A request has one Host."));
    }
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let chunked = |coding: &http::HeaderValue| coding.as_bytes().eq_ignore_ascii_case(b"chunked");
    if codings.next().is_some_and(|coding| !chunked(coding)) || codings.next().is_some() {
        let message = "No transfer coding but chunked is understood.";
        return Err(Refused::unframed(StatusCode::NOT_IMPLEMENTED, message));
    }
    Ok(())
}

/// Has a request answered, and says on the answer which pages may read it.
async fn across_origins(door: &Door, arrival: &Arrival, request: Request, next: Next) -> Response {
    let Some(cors) = &door.cors else { return answer(door, arrival, request, next).await };
    let allowed = cors.judge(request.headers());
    let preflight = cors.preflight(&request, &allowed, &arrival.request_id);
    let is_preflight = preflight.is_some();
    let mut response = match preflight {
        Some(answered) => answered,
        None => answer(door, arrival, request, next).await,
    };
    cors.mark(allowed, is_preflight, response.headers_mut());
    response
}

async fn answer(door: &Door, arrival: &Arrival, request: Request, next: Next) -> Response {
    let uri = request.uri().clone();
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    answered.unwrap_or_else(|_| {
        tracing::error!(request_id = %arrival.request_id, path = uri.path(), "a handler panicked");
        panicked(door, uri.path(), &arrival.request_id)
    })
}

fn panicked(door: &Door, path: &str, request_id: &RequestId) -> Response {
    let (code, message) = (Code::Internal, "The gateway failed.");
    if path == door.path {
        return Refused::new(code, message).into_response(MediaType::Json);
    }
    reply::problem(reply::status_of(code), code, message, request_id)
}

/// The access line of a request, written when the request is over: when its answer is ready, or was
/// sent where it is streamed, or when the client left before that.
pub(super) struct Line {
    arrival: Arrival,
    method: Method,
    uri: Uri,
    started: Instant,
    told: Told,
    /// `None`: not answered yet.
    status: Option<StatusCode>,
    bytes: u64,
    /// Whether the answer's last byte is known.
    whole: bool,
    /// What ran on it, if it went on as a socket.
    operations: Option<u64>,
    /// The code by which the gateway closed the socket.
    close: Option<u16>,
}

/// What the log says of a request whose client left before the answer, as nginx does; no client
/// sees it.
const CLIENT_LEFT: u16 = 499;

impl Line {
    fn new(request: &Request, arrival: &Arrival, started: Instant) -> Self {
        Self {
            arrival: arrival.clone(),
            method: request.method().clone(),
            uri: request.uri().clone(),
            started,
            told: Told::default(),
            status: None,
            bytes: 0,
            whole: false,
            operations: None,
            close: None,
        }
    }

    /// The line of a request that goes on as a socket, written when the socket is over.
    pub(super) fn of_socket(parts: &Parts, arrival: &Arrival) -> Self {
        Self {
            arrival: arrival.clone(),
            method: parts.method.clone(),
            uri: parts.uri.clone(),
            started: Instant::now(),
            told: Told::default(),
            status: Some(StatusCode::SWITCHING_PROTOCOLS),
            bytes: 0,
            whole: true,
            operations: Some(0),
            close: None,
        }
    }

    /// Counts an operation that begins on a socket.
    pub(super) fn note_operation(&mut self) {
        self.operations = self.operations.map(|count| count + 1);
    }

    /// Counts what a socket sends for its operations.
    pub(super) fn note_sent(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }

    /// Notes by which code the gateway closes a socket.
    pub(super) fn note_close(&mut self, code: u16) {
        self.close = Some(code);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.told.handed_over {
            return;
        }
        let mut events = None;
        if let Some(later) = &self.told.later {
            self.told.operation = later.operation.get().cloned();
            self.told.errors += later.errors.load(Ordering::Relaxed);
            events = later.events.as_ref().map(|events| events.load(Ordering::Relaxed));
        }
        AccessLine {
            request_id: &self.arrival.request_id,
            trace: &self.arrival.trace,
            method: self.method.as_str(),
            path: self.uri.path(),
            operation: self.told.operation.as_deref(),
            route: self.told.route.as_deref(),
            status: self.status.map_or(CLIENT_LEFT, |status| status.as_u16()),
            duration: self.started.elapsed(),
            calls: &self.arrival.calls,
            events,
            errors: self.told.errors,
            bytes: self.bytes,
            whole: self.whole,
            operations: self.operations,
            close: self.close,
        }
        .write();
    }
}

/// Whether an answer has no body, whatever its headers say (RFC 9110 section 6.4.1).
fn is_bodiless(method: &Method, status: StatusCode) -> bool {
    *method == Method::HEAD || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

fn announced(response: &Response) -> Option<u64> {
    response.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// A body whose bytes are counted as they go out.
struct Followed {
    body: Body,
    /// The length that its head says: nobody asks for more.
    announced: Option<u64>,
    line: Line,
}

impl HttpBody for Followed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        match &frame {
            Poll::Ready(Some(Ok(frame))) => {
                self.line.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                self.line.whole = self.announced == Some(self.line.bytes);
            }
            Poll::Ready(None) => self.line.whole = true,
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
