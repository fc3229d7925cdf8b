//! How a call fails: for the log with address and cause, for clients with neither; and what an
//! answer's status means. One table each.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use http::{Method, StatusCode};

use crate::failure::{Code, Failure};

/// A call that brought no answer one can use. For the log.
#[derive(Debug)]
pub struct Error {
    /// What happened.
    pub kind: ErrorKind,
    /// The status, if the head of an answer came.
    pub status: Option<StatusCode>,
    /// What was asked of whom, without the query string: it may hold keys and personal data.
    request: Box<str>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What happened to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorKind {
    /// No connection: nothing was sent, so that any request may be tried again.
    Unreachable,
    /// The connection broke after sending had begun.
    Broken,
    /// The answer was not whole within the timeout.
    Timeout,
    /// The client's request ended first.
    Deadline,
    /// The answer is longer than this many bytes.
    TooLarge(usize),
    /// A 2xx answer that says it is something else than JSON.
    NotJson(Box<str>),
    /// A 2xx answer, where a stream of events was asked for, that is none by its own account.
    NotEvents(Box<str>),
    /// The transport opens no streams of events; a fault of the gateway.
    NoStreams,
    /// The answer changes to another protocol (101), which nobody asked for.
    Switched,
    /// The request could not be written as one; a fault of the gateway.
    Unsendable,
}

impl Error {
    /// A failed call.
    pub fn new(kind: ErrorKind, method: &Method, url: &str) -> Self {
        let request = match url.split_once('?') {
            Some((before, _)) => format!("{method} {before}?.."),
            None => format!("{method} {url}"),
        };
        Self { kind, status: None, request: request.into(), source: None }
    }

    /// The same with the status that came before the failure.
    #[must_use]
    pub fn with_status(self, status: StatusCode) -> Self {
        Self { status: Some(status), ..self }
    }

    /// The same with what caused it.
    #[must_use]
    pub fn with_source(self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { source: Some(source.into()), ..self }
    }

    /// What clients may read: no host, no URL, no cause.
    #[must_use]
    pub fn failure(&self, service: &Arc<str>) -> Failure {
        let (code, message) = match &self.kind {
            ErrorKind::Unreachable => {
                (Code::UpstreamUnavailable, "The upstream could not be reached.")
            }
            ErrorKind::Broken => {
                (Code::UpstreamUnavailable, "The connection to the upstream broke.")
            }
            ErrorKind::Timeout => {
                (Code::UpstreamTimeout, "The upstream did not answer within its timeout.")
            }
            ErrorKind::Deadline => (
                Code::DeadlineExceeded,
                "The request's deadline passed before the upstream answered.",
            ),
            ErrorKind::TooLarge(_) => {
                (Code::UpstreamAnswerTooLarge, "The upstream's answer is larger than allowed.")
            }
            ErrorKind::NotJson(_) => {
                (Code::UpstreamBadAnswer, "The upstream's answer is not JSON.")
            }
            ErrorKind::NotEvents(_) => {
                (Code::UpstreamBadAnswer, "The upstream's answer is no stream of events.")
            }
            ErrorKind::Switched => {
                (Code::UpstreamBadAnswer, "The upstream changed to another protocol.")
            }
            ErrorKind::NoStreams => {
                (Code::Internal, "The gateway cannot listen to the upstream's events.")
            }
            ErrorKind::Unsendable => {
                (Code::Internal, "The gateway could not write the request to the upstream.")
            }
        };
        Failure::new(code, message).of(service, self.status.map(|status| status.as_u16()))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.request, self.kind)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable => f.write_str("no connection"),
            Self::Broken => f.write_str("the connection broke"),
            Self::Timeout => f.write_str("no whole answer within the timeout"),
            Self::Deadline => f.write_str("the client's request ended first"),
            Self::TooLarge(limit) => write!(f, "the answer is longer than {limit} bytes"),
            Self::NotJson(what) => write!(f, "answered {what} where JSON was due"),
            Self::NotEvents(what) => {
                write!(f, "answered {what} where a stream of events was due")
            }
            Self::NoStreams => f.write_str("no transport for streams of events"),
            Self::Switched => f.write_str("changed to another protocol, unasked"),
            Self::Unsendable => f.write_str("not a request that HTTP can carry"),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// What an answer's status means; `None`: it succeeded.
#[must_use]
pub fn code_of_status(status: StatusCode) -> Option<Code> {
    Some(match status.as_u16() {
        200..=299 => return None,
        400 | 422 => Code::BadUserInput,
        401 => Code::Unauthenticated,
        403 => Code::Forbidden,
        404 | 410 => Code::NotFound,
        409 | 412 => Code::Conflict,
        429 => Code::RateLimited,
        402..=499 => Code::UpstreamRejected,
        // 3xx: redirects are never followed. 1xx and 6xx and more: no answer HTTP knows.
        _ => Code::UpstreamFailed,
    })
}

/// What clients may read of an answer by its status; `None`: it succeeded.
#[must_use]
pub fn failure_of_status(service: &Arc<str>, status: StatusCode) -> Option<Failure> {
    let code = code_of_status(status)?;
    let message = match code {
        Code::BadUserInput => "The upstream did not accept the input.",
        Code::Unauthenticated => "The upstream asks who is calling.",
        Code::Forbidden => "The upstream does not allow this.",
        Code::NotFound => "The upstream has nothing there.",
        Code::Conflict => "The upstream's state does not allow this.",
        Code::RateLimited => "The upstream allows no more requests for now.",
        Code::UpstreamRejected => "The upstream rejected the request.",
        _ => "The upstream failed.",
    };
    Some(Failure::new(code, message).of(service, Some(status.as_u16())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_the_one_meaning_that_failure_rs_documents() {
        let mut table: Vec<(u16, Option<Code>)> =
            (100..=599).map(|status| (status, None)).collect();
        for (status, code) in &mut table {
            *code = match *status {
                200..=299 => None,
                401 => Some(Code::Unauthenticated),
                403 => Some(Code::Forbidden),
                404 | 410 => Some(Code::NotFound),
                409 | 412 => Some(Code::Conflict),
                400 | 422 => Some(Code::BadUserInput),
                429 => Some(Code::RateLimited),
                400..=499 => Some(Code::UpstreamRejected),
                _ => Some(Code::UpstreamFailed),
            };
        }
        let service: Arc<str> = "users".into();
        for (number, expected) in table {
            let status = StatusCode::from_u16(number).expect("a status");
            assert_eq!(code_of_status(status), expected, "{number}");
            let failure = failure_of_status(&service, status);
            assert_eq!(failure.as_ref().map(|failure| failure.code), expected, "{number}");
            if let Some(upstream) = failure.and_then(|failure| failure.upstream) {
                assert_eq!((&*upstream.service, upstream.status), ("users", Some(number)));
            }
        }
    }

    #[test]
    fn clients_read_neither_host_nor_cause_and_the_log_no_query() {
        let service: Arc<str> = "users".into();
        let url = "http://10.1.2.3:3001/users?id=1&api_key=hunter2";
        for kind in [
            ErrorKind::Unreachable,
            ErrorKind::Broken,
            ErrorKind::Timeout,
            ErrorKind::Deadline,
            ErrorKind::TooLarge(9),
            ErrorKind::NotJson("text/html from 10.1.2.3".into()),
            ErrorKind::NotEvents("text/html from 10.1.2.3".into()),
            ErrorKind::NoStreams,
            ErrorKind::Unsendable,
        ] {
            let error = Error::new(kind, &Method::GET, url).with_source("10.1.2.3 refused");
            let failure = error.failure(&service);
            assert!(!format!("{failure:?}").contains("10.1.2.3"), "{failure:?}");
            assert!(error.to_string().starts_with("GET http://10.1.2.3:3001/users?..: "));
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
            assert!(error.source().is_some());
        }
    }
}
