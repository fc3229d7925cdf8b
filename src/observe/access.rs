//! One line of the log for each request, and the record of upstream calls that it shows.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{RequestId, TraceContext};

/// The upstream calls of one request: each, in the order in which they ended, or for a request that
/// may go on for days how many there were.
#[derive(Debug, Default)]
pub struct CallLog(Mutex<Noted>);

#[derive(Debug)]
enum Noted {
    Each(Vec<Call>),
    /// By service: it grows no more when each has been called.
    Numbers(BTreeMap<Arc<str>, Numbers>),
}

impl Default for Noted {
    fn default() -> Self {
        Self::Each(Vec::new())
    }
}

/// How many calls of one service ended how.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Numbers {
    /// Those that were made.
    calls: u64,
    /// Of these, those without an answer, or with one that says that the service has failed (5xx).
    failed: u64,
    /// Not made: a kept answer was still fresh.
    kept: u64,
    /// Not made: another request's was waited for.
    coalesced: u64,
}

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
        self.noted().record(call);
    }

    /// From here on keeps numbers only, so that it stays as small as it is however many calls come.
    pub fn count_only(&self) {
        let mut noted = self.noted();
        if let Noted::Each(calls) = &mut *noted {
            let calls = std::mem::take(calls);
            *noted = Noted::Numbers(BTreeMap::new());
            calls.into_iter().for_each(|call| noted.record(call));
        }
    }

    /// How many calls were made and have ended.
    #[must_use]
    pub fn len(&self) -> u64 {
        match &*self.noted() {
            Noted::Each(calls) => {
                let made =
                    |call: &&Call| !matches!(call.outcome, Outcome::Kept | Outcome::Coalesced);
                calls.iter().filter(made).count() as u64
            }
            Noted::Numbers(services) => services.values().map(|numbers| numbers.calls).sum(),
        }
    }

    /// Whether none has.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    // A panic would leave whole numbers behind: each call is noted at once.
    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Noted {
    fn record(&mut self, call: Call) {
        match self {
            Self::Each(calls) => calls.push(call),
            Self::Numbers(services) => services.entry(call.service).or_default().add(call.outcome),
        }
    }
}

impl Numbers {
    fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Kept => self.kept += 1,
            Outcome::Coalesced => self.coalesced += 1,
            Outcome::Status(..500) => self.calls += 1,
            Outcome::Status(_) | Outcome::Failed(_) => {
                self.calls += 1;
                self.failed += 1;
            }
        }
    }
}

/// `users=200/1.2ms/no-store orders=UPSTREAM_TIMEOUT/2000.0ms`; in numbers `orders=calls:7/failed:1
/// users=calls:3/kept:4`.
impl fmt::Display for CallLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.noted() {
            Noted::Each(calls) => spaced(f, calls),
            Noted::Numbers(services) => {
                let named =
                    |(service, numbers): (&Arc<str>, &Numbers)| format!("{service}={numbers}");
                spaced(f, services.iter().map(named))
            }
        }
    }
}

fn spaced(
    f: &mut fmt::Formatter<'_>,
    told: impl IntoIterator<Item = impl fmt::Display>,
) -> fmt::Result {
    for (at, told) in told.into_iter().enumerate() {
        let space = if at == 0 { "" } else { " " };
        write!(f, "{space}{told}")?;
    }
    Ok(())
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, outcome, duration, not_kept } = self;
        write!(f, "{service}={outcome}/{:.1}ms", milliseconds(*duration))?;
        match not_kept {
            Some(reason) => write!(f, "/{reason}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { calls, failed, kept, coalesced } = self;
        write!(f, "calls:{calls}")?;
        for (name, number) in [("failed", failed), ("kept", kept), ("coalesced", coalesced)] {
            if *number > 0 {
                write!(f, "/{name}:{number}")?;
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
    /// Responses with data in a stream of events; `None`: it is none.
    pub events: Option<u64>,
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
        let Self { status, duration, calls, events, errors, bytes, .. } = *self;
        let Self { whole, operations, close, .. } = *self;
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
            events,
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

    #[test]
    fn where_only_numbers_are_kept_each_service_shows_how_many_calls_ended_how() {
        let calls = CallLog::new();
        let ended = |service: &str, outcome| {
            let (service, duration) = (service.into(), Duration::from_millis(1));
            calls.record(Call { service, outcome, duration, not_kept: None });
        };
        ended("users", Outcome::Status(200));
        calls.count_only();
        assert_eq!(calls.to_string(), "users=calls:1", "what came before counts");
        calls.count_only();
        for outcome in [Outcome::Status(499), Outcome::Status(500), Outcome::Failed("X")] {
            ended("orders", outcome);
        }
        for outcome in [Outcome::Kept, Outcome::Coalesced, Outcome::Kept] {
            ended("payments", outcome);
        }
        assert_eq!(
            calls.to_string(),
            "orders=calls:3/failed:2 payments=calls:0/kept:2/coalesced:1 users=calls:1"
        );
        assert_eq!(calls.len(), 4);
    }
}
