//! A service within the process: for tests, benches and embedders' own tests.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::template::Request;

use super::{CallContext, Error, Opened, Reply, Transport, no_streams};

/// A service that answers from a function, and opens streams from another.
pub struct InMemory<F> {
    answer: F,
    listen: Option<Box<Listen>>,
}

type Listen =
    dyn Fn(&Request, Option<&str>, &CallContext<'_>) -> Result<Opened, Error> + Send + Sync;

impl<F> InMemory<F>
where
    F: Fn(&Request, &CallContext<'_>) -> Result<Reply, Error> + Send + Sync,
{
    /// A service that answers so, and opens no streams.
    pub const fn new(answer: F) -> Self {
        Self { answer, listen: None }
    }

    /// The same service, which opens streams of events so: for a request, those after one of an id.
    #[must_use]
    pub fn with_events<L>(self, listen: L) -> Self
    where
        L: Fn(&Request, Option<&str>, &CallContext<'_>) -> Result<Opened, Error>
            + Send
            + Sync
            + 'static,
    {
        Self { listen: Some(Box::new(listen)), ..self }
    }
}

#[async_trait]
impl<F> Transport for InMemory<F>
where
    F: Fn(&Request, &CallContext<'_>) -> Result<Reply, Error> + Send + Sync,
{
    async fn call(&self, request: &Request, context: &CallContext<'_>) -> Result<Reply, Error> {
        (self.answer)(request, context)
    }

    async fn listen(
        &self,
        request: &Request,
        last_event_id: Option<&str>,
        context: &CallContext<'_>,
    ) -> Result<Opened, Error> {
        match &self.listen {
            Some(listen) => listen(request, last_event_id, context),
            None => Err(no_streams(request)),
        }
    }
}

impl Reply {
    /// An answer with this status and JSON text.
    pub fn json(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self { status, headers: HeaderMap::new(), body: body.into() }
    }
}

impl<F> fmt::Debug for InMemory<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InMemory")
    }
}
