//! GraphQL over Server-Sent Events: one request is one stream of `next` events and a `complete`, the
//! "distinct connections mode" of graphql-sse
//! (<https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md>).
//!
//! Nothing is queued: the engine is asked for the next response when the connection took the last.

use std::any::Any;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::OptionFuture;
use futures::stream::{self, BoxStream, StreamExt as _};
use http::StatusCode;
use http::header::{HeaderName, HeaderValue};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use crate::failure::Code;
use crate::identity::Identity;

use super::arrival::{Later, Told};
use super::reply::{self, error_body};
use super::serve::Stop;
use super::{Door, GraphqlRequest, GraphqlResponse, RequestContext};

/// The media type, without parameters.
pub(super) const MEDIA_TYPE: &str = "text/event-stream";

const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("text/event-stream; charset=utf-8");
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// A comment: it opens the stream, and keeps what stands between from giving it up.
const COMMENT: Bytes = Bytes::from_static(b":\n\n");
const COMPLETE: &[u8] = b"event: complete\ndata: \n\n";

/// How long nothing is sent before a comment is.
const KEEP_ALIVE: Duration = Duration::from_secs(12);

/// Answers a request that was let in, piece by piece.
pub(super) fn answer(
    door: &Door,
    request: GraphqlRequest,
    identity: Identity,
    context: RequestContext,
    stop: Stop,
) -> Response {
    let ends = door.authenticator.time_left(&identity);
    let ends = ends.and_then(|left| Instant::now().checked_add(left));
    let later = Arc::new(Later::of_events());
    let engine = Arc::clone(&door.engine);
    let responses = async move { engine.stream(request, identity, context) }.flatten_stream();
    let events = Events {
        state: State::Opening,
        responses: AssertUnwindSafe(responses).catch_unwind().boxed(),
        ends: ends.map(|ends| Box::pin(sleep_until(ends))),
        quiet: Box::pin(sleep(KEEP_ALIVE)),
        stop,
        later: Arc::clone(&later),
    };
    let pieces = stream::unfold(events, |mut events| async move {
        let piece = events.next().await?;
        Some((Ok::<_, Infallible>(piece), events))
    });
    let mut response = reply::bytes(StatusCode::OK, CONTENT_TYPE, Bytes::new());
    response.headers_mut().insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    let told = Told { streamed: true, later: Some(later), ..Told::default() };
    response.extensions_mut().insert(told);
    response.map(|_| Body::from_stream(pieces))
}

/// The stream of one request. To drop it is to end all that it began.
struct Events {
    state: State,
    responses: BoxStream<'static, Result<GraphqlResponse, Box<dyn Any + Send>>>,
    /// When the caller's token ends.
    ends: Option<Pin<Box<Sleep>>>,
    quiet: Pin<Box<Sleep>>,
    stop: Stop,
    later: Arc<Later>,
}

enum State {
    Opening,
    Open,
    Complete,
}

impl Events {
    /// The next piece; `None`: there is none. That the gateway ends is no `complete`: the client
    /// comes again.
    async fn next(&mut self) -> Option<Bytes> {
        match self.state {
            State::Opening => {
                self.state = State::Open;
                return Some(COMMENT);
            }
            State::Open => {}
            State::Complete => return None,
        }
        let expired = OptionFuture::from(self.ends.as_mut());
        let piece = tokio::select! {
            biased;
            () = self.stop.draining.cancelled() => return None,
            Some(()) = expired => self.last(Code::Unauthenticated, "The token has expired."),
            response = self.responses.next() => match response {
                Some(Ok(response)) => {
                    self.later.note(&response);
                    event(&response.body)
                }
                Some(Err(_)) => {
                    tracing::error!("an operation panicked");
                    self.last(Code::Internal, "The gateway failed.")
                }
                None => {
                    self.state = State::Complete;
                    COMPLETE.to_vec()
                }
            },
            () = &mut self.quiet => COMMENT.to_vec(),
        };
        self.quiet.as_mut().reset(Instant::now() + KEEP_ALIVE);
        Some(piece.into())
    }

    /// An error, and the end.
    fn last(&mut self, code: Code, message: &str) -> Vec<u8> {
        self.state = State::Complete;
        self.later.note_error();
        // What it began ends now, not when the client has read that.
        self.responses = stream::empty().boxed();
        let mut piece = event(&error_body(code, message));
        piece.extend_from_slice(COMPLETE);
        piece
    }
}

/// A response as one event. Line breaks would end its line; in JSON they stand between tokens only.
fn event(body: &[u8]) -> Vec<u8> {
    let mut piece = Vec::with_capacity(body.len() + 32);
    piece.extend_from_slice(b"event: next\ndata: ");
    let flat = |byte: &u8| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte };
    match memchr::memchr2(b'\n', b'\r', body) {
        None => piece.extend_from_slice(body),
        Some(_) => piece.extend(body.iter().map(flat)),
    }
    piece.extend_from_slice(b"\n\n");
    piece
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use http::HeaderMap;
    use http_body_util::BodyExt as _;
    use tokio::time::advance;

    use crate::config::{Config, FixedEnv};
    use crate::door::Outcome;
    use crate::identity::{Authenticator, ClientHeaders, ReadClaims};
    use crate::observe::{RequestId, TraceContext};

    use super::*;

    /// One response, ten seconds later; then nothing.
    struct Slow;

    #[async_trait]
    impl crate::door::Engine for Slow {
        async fn execute(
            &self,
            _: GraphqlRequest,
            _: Identity,
            _: RequestContext,
        ) -> GraphqlResponse {
            std::future::pending().await
        }

        fn stream(
            self: Arc<Self>,
            _: GraphqlRequest,
            _: Identity,
            _: RequestContext,
        ) -> BoxStream<'static, GraphqlResponse> {
            let later = async {
                sleep(Duration::from_secs(10)).await;
                GraphqlResponse {
                    body: Bytes::from_static(b"{}"),
                    outcome: Outcome::Executed,
                    operation: None,
                    errors: 0,
                    more: false,
                    headers: HeaderMap::new(),
                }
            };
            stream::once(later).chain(stream::pending()).boxed()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_comment_comes_at_once_and_whenever_nothing_else_came_for_twelve_seconds() {
        let config = Config::from_texts([("onedoor.toml", "")], &FixedEnv::new()).draft;
        let authenticator = Authenticator::new(&config.auth, ReadClaims::default());
        let door = Door::new(&config, authenticator, Vec::new(), Arc::new(Slow));
        let request = GraphqlRequest::from_query("query=x").expect("a request");
        let context = RequestContext {
            request_id: RequestId::random(),
            trace: TraceContext::new_trace(),
            deadline: Instant::now(),
            headers: ClientHeaders::new(HeaderMap::new(), &[]),
            calls: Arc::default(),
        };
        let started = Instant::now();
        let response = answer(&door, request, Identity::anonymous(), context, Stop::default());
        let mut body = response.into_body();
        let mut told = Vec::new();
        for _ in 0..4 {
            let frame = body.frame().await.expect("no end").expect("no fault");
            let piece = frame.into_data().expect("no trailers");
            told.push((started.elapsed().as_secs(), piece));
        }
        let next = Bytes::from_static(b"event: next\ndata: {}\n\n");
        assert_eq!(told, [(0, COMMENT), (10, next), (22, COMMENT), (34, COMMENT)]);
        advance(KEEP_ALIVE / 2).await;
        assert!(futures::poll!(body.frame()).is_pending());
    }
}
