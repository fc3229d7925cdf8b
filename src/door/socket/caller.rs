//! Whose socket it is: what the upgrade request said, and what of it each operation is given.

use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use futures::stream::{BoxStream, StreamExt as _};
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use tokio::time::Instant;

use crate::config::GraphqlAuth;
use crate::failure::Code;
use crate::identity::{ClientHeaders, Identity};
use crate::json::{Kind, Value};
use crate::limits;
use crate::observe::RequestId;

use super::super::arrival::{Arrival, Line};
use super::super::graphql::authenticate;
use super::super::serve::Stop;
use super::super::{Door, GraphqlRequest, GraphqlResponse, RequestContext};
use super::close::Close;
use super::log::{OperationLine, Told};
use super::message::Payload;

/// Whose socket it is.
pub(super) struct Caller {
    pub(super) door: Arc<Door>,
    pub(super) arrival: Arrival,
    pub(super) headers: ClientHeaders,
    /// The `Authorization` of the upgrade request.
    pub(super) credential: Option<HeaderValue>,
    pub(super) stop: Stop,
    /// The socket's line of the log.
    pub(super) line: Line,
}

impl Caller {
    /// The socket's id.
    pub(super) fn request_id(&self) -> &RequestId {
        &self.arrival.request_id
    }

    /// Who asks, by the token of `connection_init` or of the upgrade request.
    ///
    /// # Errors
    /// If there are two that differ, or one that cannot be a header. The rest is known later.
    pub(super) fn judge(
        &self,
        payload: &Payload,
    ) -> Result<BoxFuture<'static, Result<Identity, Close>>, Close> {
        let mut credential = self.credential.clone();
        for sent in payload.object().map(credentials).unwrap_or_default() {
            let sent = sent.as_str().and_then(|sent| HeaderValue::from_str(&sent).ok());
            let mut sent = sent.ok_or_else(|| refused("`Authorization` is no header's value."))?;
            sent.set_sensitive(true);
            if credential.as_ref().is_some_and(|known| !is_same(known, &sent)) {
                return Err(refused("Two tokens were sent, and they differ."));
            }
            credential = Some(sent);
        }
        let headers = HeaderMap::from_iter(credential.map(|value| (AUTHORIZATION, value)));
        let door = Arc::clone(&self.door);
        let arrival = Arrival { deadline: self.deadline(), ..self.arrival.clone() };
        let required = door.auth == GraphqlAuth::Required;
        Ok(async move {
            let identified = authenticate(&door, &arrival, &headers, required).await;
            identified.map_err(|refused| match refused.code() {
                Code::UpstreamUnavailable => Close::TryAgain(refused.into_message()),
                _ => Close::Forbidden(refused.into_message()),
            })
        }
        .boxed())
    }

    /// Starts an operation: a request of its own, in the trace of the socket.
    pub(super) fn start(
        &self,
        request: GraphqlRequest,
        identity: Identity,
    ) -> (BoxStream<'static, GraphqlResponse>, OperationLine) {
        let (request_id, trace) = (RequestId::random(), self.arrival.trace.clone());
        let line = OperationLine {
            request_id: request_id.clone(),
            socket_id: self.request_id().clone(),
            trace: trace.clone(),
            calls: Arc::default(),
            started: Instant::now(),
            told: Told::default(),
        };
        let context = RequestContext {
            request_id,
            trace,
            deadline: self.deadline(),
            headers: self.headers.clone(),
            calls: Arc::clone(&line.calls),
        };
        let engine = Arc::clone(&self.door.engine);
        // Begun when it is polled, where a panic costs this operation only.
        let stream = async move { engine.stream(request, identity, context) }.flatten_stream();
        (stream.boxed(), line)
    }

    fn deadline(&self) -> Instant {
        limits::deadline(&self.door.limits, Instant::now())
    }
}

/// The values of every `Authorization` in a payload, and in its `headers`, where some clients put
/// what they would send by HTTP.
fn credentials(payload: Value<'_>) -> Vec<Value<'_>> {
    let nested = payload.get("headers").filter(|headers| headers.kind() == Kind::Object);
    [Some(payload), nested]
        .into_iter()
        .flatten()
        .flat_map(Value::members)
        .filter(|(name, _)| name.unescape().eq_ignore_ascii_case(AUTHORIZATION.as_str()))
        .map(|(_, value)| value)
        // So a client writes that it has no token.
        .filter(|value| !value.is_null())
        .collect()
}

/// Whether two credentials are one: a scheme has no case (RFC 9110 section 11.1).
fn is_same(one: &HeaderValue, other: &HeaderValue) -> bool {
    let parts = |value: &HeaderValue| {
        let text = value.to_str().ok()?.trim().to_owned();
        let (scheme, token) = text.split_once(' ')?;
        Some((scheme.to_ascii_lowercase(), token.trim().to_owned()))
    };
    one == other || parts(one).is_some_and(|one| Some(one) == parts(other))
}

fn refused(why: &'static str) -> Close {
    Close::Forbidden(why.into())
}
