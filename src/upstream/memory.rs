//! A service within the process: for tests, benches and embedders' own tests.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::template::Request;

use super::{CallContext, Error, Reply, Transport};

/// A service that answers from a function.
pub struct InMemory<F>(F);

impl<F> InMemory<F>
where
    F: Fn(&Request, &CallContext<'_>) -> Result<Reply, Error> + Send + Sync,
{
    /// A service that answers so.
    pub const fn new(answer: F) -> Self {
        Self(answer)
    }
}

#[async_trait]
impl<F> Transport for InMemory<F>
where
    F: Fn(&Request, &CallContext<'_>) -> Result<Reply, Error> + Send + Sync,
{
    async fn call(&self, request: &Request, context: &CallContext<'_>) -> Result<Reply, Error> {
        (self.0)(request, context)
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
