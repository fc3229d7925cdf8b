//! One REST service: sends a finished request and brings the whole answer, within a timeout, a
//! deadline and a size; or listens to the events that it sends while they happen; or passes a
//! client's request on as it is, and the answer to it.
//!
//! It takes finished headers and knows no identity, no GraphQL and no cache. A redirect is an answer
//! like any other and never followed; a proxy of the environment is never used.

mod client;
mod document;
mod error;
mod events;
mod headers;
mod listen;
mod memory;
pub mod pass;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::StatusCode;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;

use crate::observe::{RequestId, TraceContext};
use crate::template::Request;

pub use client::{BuildError, Client};
pub use document::Document;
pub use error::{Error, ErrorKind, code_of_status, failure_of_status};
pub use events::{Event, EventReader, Events, Opened, TooLarge};
pub use headers::{is_hop_by_hop, is_same_header, outbound};
pub use memory::InMemory;

/// What carries requests to one service: [`Client`] over the network, [`InMemory`] in tests.
#[async_trait]
pub trait Transport: fmt::Debug + Send + Sync {
    /// Sends a request and brings the whole answer, whatever its status.
    ///
    /// # Errors
    /// If no whole answer came in time and within the limit, or if a 2xx answer is not JSON by its
    /// own account. The error is for the log; [`Error::failure`] is what clients may read.
    async fn call(&self, request: &Request, context: &CallContext<'_>) -> Result<Reply, Error>;

    /// Asks for a stream of events, and for those after one of this id where it is given. Timeout
    /// and deadline bound the time until the head of the answer, and an answer that is no stream;
    /// the stream itself has no end that is ours, and may be silent.
    ///
    /// # Errors
    /// If no head came in time, or if a 2xx answer is neither a stream of events nor 204; and of a
    /// transport that opens no streams always.
    async fn listen(
        &self,
        request: &Request,
        last_event_id: Option<&str>,
        context: &CallContext<'_>,
    ) -> Result<Opened, Error> {
        let _ = (last_event_id, context);
        Err(no_streams(request))
    }
}

fn no_streams(request: &Request) -> Error {
    Error::new(ErrorKind::NoStreams, &request.method, &request.path_and_query)
}

/// What passes requests on to one service as they are.
#[async_trait]
pub trait Passage: fmt::Debug + Send + Sync {
    /// Passes a request on and brings the head of the answer, whatever its status; the body
    /// follows as it is read. Dropping the future, or later the body, ends the call.
    ///
    /// Of the context's headers only the identity's count: the client's own pass by themselves.
    ///
    /// # Errors
    /// If no head came: the upstream was silent for the timeout, or a request without a body had
    /// reached its deadline, or the connection failed. A fault of the client's body ends the call
    /// too; its error is then among the sources.
    async fn pass(
        &self,
        request: pass::Request<'_>,
        context: &CallContext<'_>,
    ) -> Result<pass::Reply, Error>;
}

/// What a call needs beside its request.
#[derive(Debug, Clone, Copy)]
pub struct CallContext<'a> {
    /// When the client's request ends; no call outlives it.
    pub deadline: Instant,
    /// The endpoint's own timeout; else the upstream's.
    pub timeout: Option<Duration>,
    /// The request's place in a trace; the call gets a span of its own.
    pub trace: &'a TraceContext,
    /// The request's id.
    pub request_id: &'a RequestId,
    /// What this upstream is told of the caller.
    pub headers: &'a CallerHeaders,
}

/// What one upstream is told of the caller. `identity` makes it once a request.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CallerHeaders {
    /// Each identity header with its value. Without one (a claim is missing) the header is not sent
    /// at all, wherever else it might come from.
    pub identity: Vec<(HeaderName, Option<HeaderValue>)>,
    /// Headers of the client that this upstream's settings list.
    pub forwarded: HeaderMap,
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Its status, 3xx to 5xx too.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body; the JSON text `null` where there is none.
    pub body: Bytes,
}

/// Names only: the values say who is asking.
impl fmt::Debug for CallerHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { identity, forwarded } = self;
        f.debug_struct("CallerHeaders")
            .field("identity", &identity.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .field("forwarded", &forwarded.keys().collect::<Vec<_>>())
            .finish()
    }
}
