//! One line of the log for each request, and the record of upstream calls that it shows.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{RequestId, TraceContext};

/// The upstream calls of one request, in the order in which they ended.
#[derive(Debug, Default)]
pub struct CallLog(Mutex<Vec<Call>>);

/// One upstream call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The service's name.
    pub service: Arc<str>,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took.
    pub duration: Duration,
    /// Why its answer is not kept for other requests, in a word; `None`: it is, or that was no
    /// question.
    pub not_kept: Option<&'static str>,
}

/// How an upstream call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// With an answer of this status.
    Status(u16),
    /// Without one; the failure's code.
    Failed(&'static str),
    /// It was not made: a kept answer is still fresh.
    Kept,
    /// It was not made: another request's was waited for.
    Coalesced,
}

impl CallLog {
    /// Nothing called yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a call that has ended.
    pub fn record(&self, call: Call) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    }

    /// How many calls were made and have ended.
    #[must_use]
    pub fn len(&self) -> usize {
        let calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let made = |call: &&Call| !matches!(call.outcome, Outcome::Kept | Outcome::Coalesced);
        calls.iter().filter(made).count()
    }

    /// Whether none has.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// `users=200/1.2ms/no-store orders=UPSTREAM_TIMEOUT/2000.0ms`
impl fmt::Display for CallLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, call) in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().enumerate() {
            let Call { service, outcome, duration, not_kept } = call;
            let space = if at == 0 { "" } else { " " };
            write!(f, "{space}{service}={outcome}/{:.1}ms", milliseconds(*duration))?;
            if let Some(reason) = not_kept {
                write!(f, "/{reason}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "{status}"),
            Self::Failed(code) => f.write_str(code),
            Self::Kept => f.write_str("kept"),
            Self::Coalesced => f.write_str("coalesced"),
        }
    }
}

/// What the log says of one request. There is no place in it for a query string, a document, a
/// variable or a header.
#[derive(Debug)]
pub struct AccessLine<'a> {
    /// The request's id.
    pub request_id: &'a RequestId,
    /// The trace it belongs to.
    pub trace: &'a TraceContext,
    /// The HTTP method.
    pub method: &'a str,
    /// The path, without the query string.
    pub path: &'a str,
    /// The operation's name, if it has one.
    pub operation: Option<&'a str>,
    /// The path of the route that took it, as the settings write it.
    pub route: Option<&'a str>,
    /// The HTTP status; 499: the client left before there was one.
    pub status: u16,
    /// From the request's head to the response's last byte being ready, or sent where it is
    /// streamed.
    pub duration: Duration,
    /// The upstream calls.
    pub calls: &'a CallLog,
    /// Errors in the response.
    pub errors: usize,
    /// Bytes of the response's body.
    pub bytes: u64,
    /// Whether these are all: neither the upstream nor the client broke off.
    pub whole: bool,
    /// How many operations ran on a socket, whose line is written when it is over; `None`: it is no
    /// socket's.
    pub operations: Option<u64>,
    /// The code by which the gateway closed a socket; `None`: the client left, or it is none.
    pub close: Option<u16>,
}

impl AccessLine<'_> {
    /// Writes the line.
    pub fn write(&self) {
        let Self { request_id, trace, method, path, operation, route, .. } = *self;
        let Self { status, duration, calls, errors, bytes, whole, operations, close, .. } = *self;
        tracing::info!(
            target: "onedoor::access",
            %request_id,
            trace_id = trace.trace_id(),
            method,
            path,
            operation,
            route,
            status,
            duration_ms = milliseconds(duration),
            upstream_calls = calls.len(),
            upstreams = %calls,
            errors,
            bytes,
            whole,
            operations,
            close,
            "request"
        );
    }
}

/// What the log says of one operation on a socket, which is a request of its own. There is no place
/// in it for what was asked or answered.
#[derive(Debug)]
pub struct OperationLine<'a> {
    /// The operation's id in logs and at upstreams.
    pub request_id: &'a RequestId,
    /// The id of the request that became the socket.
    pub socket_id: &'a RequestId,
    /// The trace it belongs to: the socket's.
    pub trace: &'a TraceContext,
    /// The operation's name, if it has one.
    pub operation: Option<&'a str>,
    /// How it ended, in a word or two.
    pub ended: &'a str,
    /// From its message to its end.
    pub duration: Duration,
    /// The upstream calls.
    pub calls: &'a CallLog,
    /// Responses with data.
    pub events: u64,
    /// Errors in all responses.
    pub errors: usize,
    /// Bytes of all responses.
    pub bytes: u64,
}

impl OperationLine<'_> {
    /// Writes the line.
    pub fn write(&self) {
        let Self { request_id, socket_id, trace, operation, ended, .. } = *self;
        let Self { duration, calls, events, errors, bytes, .. } = *self;
        tracing::info!(
            target: "onedoor::access",
            %request_id,
            %socket_id,
            trace_id = trace.trace_id(),
            operation,
            ended,
            duration_ms = milliseconds(duration),
            upstream_calls = calls.len(),
            upstreams = %calls,
            events,
            errors,
            bytes,
            "operation"
        );
    }
}

/// To the tenth, so that a line stays readable.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10_000.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_show_their_service_how_they_ended_and_how_long_they_took() {
        let calls = CallLog::new();
        assert_eq!((calls.to_string(), calls.is_empty()), (String::new(), true));
        for (service, outcome, micros, not_kept) in [
            ("users", Outcome::Status(200), 1_234, Some("no-store")),
            ("users", Outcome::Kept, 0, None),
            ("orders", Outcome::Failed("UPSTREAM_TIMEOUT"), 2_000_000, None),
        ] {
            let duration = Duration::from_micros(micros);
            calls.record(Call { service: service.into(), outcome, duration, not_kept });
        }
        assert_eq!(
            calls.to_string(),
            "users=200/1.2ms/no-store users=kept/0.0ms orders=UPSTREAM_TIMEOUT/2000.0ms"
        );
        assert_eq!(calls.len(), 2);
    }
}
