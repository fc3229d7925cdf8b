//! A client's request passed on as it is, and the answer to it: both bodies stream, piece by piece,
//! each piece asked for only when the other side has room for it.
//!
//! Silence is bounded, not size or length: an upstream that takes or sends nothing for its timeout
//! has failed. While the client is the one that is waited for, that clock stands still; whoever
//! brings the client's body bounds its silence.

use std::error::Error as StdError;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use http::header::{CONTENT_LENGTH, HeaderMap, HeaderValue};
use http::{Method, StatusCode, Version};
use reqwest::Body;
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::client::{Client, kind_before_answer};
use super::{CallContext, Error, ErrorKind, Passage, headers};

/// A body, piece by piece. An error ends it; trailers are no part of it.
pub type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes, Fault>> + Send>>;

/// Why a body broke off.
pub type Fault = Box<dyn StdError + Send + Sync>;

/// A client's request.
pub struct Request<'a> {
    /// The method.
    pub method: Method,
    /// Path and query below the upstream's own URL, as they are to be sent.
    pub path_and_query: String,
    /// The client's headers. Of these, only what concerns both ends is passed on.
    pub headers: &'a HeaderMap,
    /// How it reached the gateway.
    pub received: Received,
    /// The body; `None`: there is none.
    pub body: Option<Upload>,
}

/// How a request reached the gateway: what an upstream cannot see for itself.
#[derive(Debug, Clone)]
pub struct Received {
    /// In which version of HTTP.
    pub version: Version,
    /// From which address; `None`: not known.
    pub peer: Option<IpAddr>,
    /// For which host.
    pub host: Option<HeaderValue>,
}

/// A client's body.
pub struct Upload {
    /// How long it is, where that is known.
    pub length: Option<u64>,
    /// Its pieces.
    pub pieces: Pieces,
}

/// An upstream's answer.
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its headers, without those of the connection.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Pieces,
}

#[async_trait]
impl Passage for Client {
    async fn pass(&self, request: Request<'_>, context: &CallContext<'_>) -> Result<Reply, Error> {
        let url = self.exact_url(&request.method, &request.path_and_query)?;
        let failed = {
            let (method, url) = (request.method.clone(), url.clone());
            move |kind| Error::new(kind, &method, url.as_str())
        };
        let timeout = context.timeout.unwrap_or(self.timeout);
        let turn = Turn::upstreams(request.body.is_none().then_some(context.deadline));
        let over = CancellationToken::new();
        let until_over = over.clone().drop_guard();
        let mut outgoing = reqwest::Request::new(request.method.clone(), url);
        let body = turn.watch(request.body, over, outgoing.headers_mut());
        outgoing.headers_mut().extend(headers::passed(request.headers, &request.received, context));
        *outgoing.body_mut() = body;
        let answer = tokio::select! {
            biased;
            answer = self.http.execute(outgoing) => answer.map_err(|error| {
                failed(kind_before_answer(&error)).with_source(error.without_url())
            })?,
            kind = turn.silent_for(timeout) => return Err(failed(kind)),
        };
        let status = answer.status();
        if status.is_informational() {
            // Only 101 comes here, and nobody has asked for another protocol.
            return Err(failed(ErrorKind::Switched).with_status(status));
        }
        let headers = headers::end_to_end(answer.headers());
        let failed = move |kind| failed(kind).with_status(status);
        let body = Box::pin(Download::new(answer, timeout, failed, until_over));
        Ok(Reply { status, headers, body })
    }
}

/// Who is waited for until the head of the answer is there.
#[derive(Clone)]
struct Turn(Arc<Mutex<Whose>>);

#[derive(Clone, Copy)]
enum Whose {
    /// The upstream, since then; a request without a body has a deadline.
    Upstream { since: Instant, deadline: Option<Instant> },
    /// The client, of whose body the next piece has not come.
    Client,
}

impl Turn {
    fn upstreams(deadline: Option<Instant>) -> Self {
        Self(Arc::new(Mutex::new(Whose::Upstream { since: Instant::now(), deadline })))
    }

    fn set(&self, whose: Whose) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = whose;
    }

    /// The body to be sent, every piece of which gives the upstream its turn.
    /// What is left of it when the answer is over is not sent: nobody reads it.
    fn watch(
        &self,
        upload: Option<Upload>,
        over: CancellationToken,
        headers: &mut HeaderMap,
    ) -> Option<Body> {
        let Upload { length, mut pieces } = upload?;
        if let Some(length) = length {
            headers.insert(CONTENT_LENGTH, length.into());
        }
        let turn = self.clone();
        let mut over = Box::pin(over.cancelled_owned());
        let watched = futures::stream::poll_fn(move |cx| {
            if over.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Some(Err(Fault::from("the answer is over"))));
            }
            let piece = pieces.poll_next_unpin(cx);
            turn.set(match &piece {
                Poll::Pending => Whose::Client,
                Poll::Ready(_) => Whose::Upstream { since: Instant::now(), deadline: None },
            });
            piece
        });
        Some(Body::wrap_stream(watched))
    }

    /// Ends when the upstream has been waited for too long.
    async fn silent_for(&self, timeout: Duration) -> ErrorKind {
        loop {
            let now = Instant::now();
            let whose = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let (since, deadline) = match whose {
                Whose::Upstream { since, deadline } => (since, deadline),
                Whose::Client => (now, None),
            };
            // Out of all time's reach is as good as never.
            let Some(until) = since.checked_add(timeout) else {
                return std::future::pending().await;
            };
            match deadline {
                Some(deadline) if deadline <= now => return ErrorKind::Deadline,
                _ if until <= now => return ErrorKind::Timeout,
                Some(deadline) => sleep_until(until.min(deadline)).await,
                None => sleep_until(until).await,
            }
        }
    }
}

/// An answer's body. The upstream's clock runs only while its next piece is wanted.
struct Download<F> {
    pieces: Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>,
    timeout: Duration,
    timer: Pin<Box<Sleep>>,
    waiting: bool,
    failed: F,
    _until_over: DropGuard,
}

impl<F: Fn(ErrorKind) -> Error> Download<F> {
    fn new(answer: reqwest::Response, timeout: Duration, failed: F, until_over: DropGuard) -> Self {
        let timer = Box::pin(sleep_until(Instant::now()));
        let pieces = Box::pin(answer.bytes_stream());
        Self { pieces, timeout, timer, waiting: false, failed, _until_over: until_over }
    }
}

impl<F: Fn(ErrorKind) -> Error + Unpin> Stream for Download<F> {
    type Item = Result<Bytes, Fault>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Poll::Ready(piece) = self.pieces.poll_next_unpin(cx) {
            self.waiting = false;
            let broken = |error: reqwest::Error| {
                (self.failed)(ErrorKind::Broken).with_source(error.without_url()).into()
            };
            return Poll::Ready(piece.map(|piece| piece.map_err(broken)));
        }
        if !self.waiting
            && let Some(until) = Instant::now().checked_add(self.timeout)
        {
            self.timer.as_mut().reset(until);
            self.waiting = true;
        }
        match self.timer.as_mut().poll(cx) {
            Poll::Ready(()) if self.waiting => {
                Poll::Ready(Some(Err((self.failed)(ErrorKind::Timeout).into())))
            }
            _ => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::channel::mpsc;
    use tokio::time::{advance, timeout};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// What a request's body is to reqwest, and where its pieces come from.
    fn watched(turn: &Turn) -> (mpsc::UnboundedSender<Result<Bytes, Fault>>, Body) {
        let (pieces, body) = mpsc::unbounded();
        let upload = Upload { length: None, pieces: Box::pin(body) };
        let over = CancellationToken::new();
        let body = turn.watch(Some(upload), over, &mut HeaderMap::new());
        (pieces, body.expect("there is a body"))
    }

    #[tokio::test(start_paused = true)]
    async fn an_upstream_is_waited_for_as_long_as_its_timeout_and_the_deadline_allow() {
        let now = Instant::now();
        for (deadline, kind, after) in [
            (None, ErrorKind::Timeout, SECOND),
            (Some(now + 2 * SECOND), ErrorKind::Timeout, SECOND),
            (Some(now + SECOND / 2), ErrorKind::Deadline, SECOND / 2),
        ] {
            let turn = Turn::upstreams(deadline.map(|at| Instant::now() + (at - now)));
            let started = Instant::now();
            assert_eq!(turn.silent_for(SECOND).await, kind);
            assert_eq!(started.elapsed().as_millis(), after.as_millis());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn while_the_client_is_waited_for_the_upstreams_clock_stands_still() {
        let turn = Turn::upstreams(None);
        let (pieces, body) = watched(&turn);
        let mut body = http_body_util::BodyExt::into_data_stream(body);
        let reading = tokio::spawn(async move { while body.next().await.is_some() {} });
        // Many times its timeout passes, and the client has brought nothing.
        assert!(timeout(60 * SECOND, turn.silent_for(SECOND)).await.is_err());
        for _ in 0..3 {
            pieces.unbounded_send(Ok(Bytes::from_static(b"x"))).expect("it reads");
            assert!(timeout(60 * SECOND, turn.silent_for(SECOND)).await.is_err());
        }
        // The body is whole: from here on the upstream is waited for.
        drop(pieces);
        reading.await.expect("no panic");
        let started = Instant::now();
        assert_eq!(turn.silent_for(SECOND).await, ErrorKind::Timeout);
        assert_eq!(started.elapsed().as_millis(), SECOND.as_millis());
    }

    #[tokio::test(start_paused = true)]
    async fn an_upstream_that_takes_no_more_of_a_body_is_silent() {
        let turn = Turn::upstreams(None);
        let (pieces, body) = watched(&turn);
        let mut body = http_body_util::BodyExt::into_data_stream(body);
        for _ in 0..3 {
            pieces.unbounded_send(Ok(Bytes::from_static(b"x"))).expect("it reads");
            assert!(body.next().await.is_some());
            advance(SECOND / 2).await;
            assert!(timeout(SECOND / 4, turn.silent_for(SECOND)).await.is_err());
        }
        assert_eq!(turn.silent_for(SECOND).await, ErrorKind::Timeout);
    }
}
