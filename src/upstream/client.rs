//! The one [`Transport`] that reaches a network.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method, StatusCode};
use tokio::time::Instant;
use url::Url;

use crate::config::{Limits, Upstream};
use crate::template::Request;

use super::{CallContext, Error, ErrorKind, Opened, Reply, Transport, outbound};

/// The longest that a connection may take to come about; for upstreams with a short timeout it is
/// three quarters of that, so that an unreachable one is told from a slow one.
const CONNECT: Duration = Duration::from_secs(3);

/// How long an idle connection is kept for the next call.
const IDLE: Duration = Duration::from_secs(60);

/// How long a connection may be silent before its peer is asked whether it is there, how often then,
/// and how many times. A stream of events may say nothing for hours; the peer's kernel answers.
const KEEP_ALIVE: (Duration, Duration, u32) = (Duration::from_secs(30), Duration::from_secs(10), 3);

/// What stands for a body where there is none.
const NULL: Bytes = Bytes::from_static(b"null");

/// A REST service over HTTP. Connections are kept and shared by all calls.
#[derive(Debug)]
pub struct Client {
    pub(super) http: reqwest::Client,
    /// Without the `/` at its end.
    base: Box<str>,
    pub(super) timeout: Duration,
    pub(super) max_answer: usize,
}

/// A client could not be made; the machine's certificates cannot be read, for one.
#[derive(Debug, thiserror::Error)]
#[error("no HTTP client for {of} can be made")]
pub struct BuildError {
    of: Box<str>,
    source: reqwest::Error,
}

impl BuildError {
    pub(super) fn new(of: impl fmt::Display, source: reqwest::Error) -> Self {
        Self { of: of.to_string().into(), source }
    }
}

impl Client {
    /// A client for one upstream. Connects to nothing yet.
    ///
    /// # Errors
    /// If TLS is needed and the machine's certificates cannot be read.
    pub fn new(upstream: &Upstream, limits: &Limits) -> Result<Self, BuildError> {
        // reqwest panics if TLS has no provider; whoever was first in the process is good enough.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (silent, interval, retries) = KEEP_ALIVE;
        let builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .http1_only()
            .connect_timeout(CONNECT.min(upstream.timeout * 3 / 4))
            .pool_idle_timeout(IDLE)
            .tcp_keepalive(silent)
            .tcp_keepalive_interval(interval)
            .tcp_keepalive_retries(retries)
            .tcp_nodelay(true);
        let builder = if upstream.url.is_https() {
            builder.https_only(true)
        } else {
            // No redirect can lead to TLS, so there is no use in loading certificates.
            builder.tls_certs_only([])
        };
        let unbuilt = |source| {
            BuildError::new(format_args!("the upstream `{}`", upstream.name.as_str()), source)
        };
        Ok(Self {
            http: builder.build().map_err(unbuilt)?,
            base: upstream.url.to_string().into(),
            timeout: upstream.timeout,
            max_answer: limits.upstream_answer.bytes(),
        })
    }

    /// The whole URL. A template cannot leave the path below the upstream's own; this is the second
    /// lock on that door.
    pub(super) fn url(&self, request: &Request) -> Result<Url, Error> {
        let text = format!("{}{}", self.base, request.path_and_query);
        let unsendable = || Error::new(ErrorKind::Unsendable, &request.method, &text);
        if !stays_below(&request.path_and_query) {
            return Err(unsendable());
        }
        Url::parse(&text).map_err(|source| unsendable().with_source(source))
    }

    /// The whole URL of a path that must be sent to the letter.
    pub(super) fn exact_url(&self, method: &Method, path_and_query: &str) -> Result<Url, Error> {
        let text = format!("{}{path_and_query}", self.base);
        let unsendable = || Error::new(ErrorKind::Unsendable, method, &text);
        let path = path_and_query.split('?').next().unwrap_or_default();
        if !stays_below(path) {
            return Err(unsendable());
        }
        let url = Url::parse(&text).map_err(|source| unsendable().with_source(source))?;
        if url.path().ends_with(path) { Ok(url) } else { Err(unsendable()) }
    }

    async fn exchange(&self, request: &Request, context: &CallContext<'_>) -> Result<Reply, Error> {
        let url = self.url(request)?;
        let failed = |kind| Error::new(kind, &request.method, url.as_str());
        let answer = self.send(request, &url, outbound(request, context)).await?;
        let reply = self.whole(answer, failed).await?;
        if reply.status.is_success()
            && !reply.body.is_empty()
            && let Some(what) = other_than_json(&reply.headers)
        {
            return Err(failed(ErrorKind::NotJson(what)).with_status(reply.status));
        }
        Ok(or_null(reply))
    }

    /// Sends a request with these headers and brings the head of the answer.
    pub(super) async fn send(
        &self,
        request: &Request,
        url: &Url,
        headers: HeaderMap,
    ) -> Result<reqwest::Response, Error> {
        let mut outgoing = reqwest::Request::new(request.method.clone(), url.clone());
        *outgoing.headers_mut() = headers;
        *outgoing.body_mut() = request.body.clone().map(Into::into);
        self.http.execute(outgoing).await.map_err(|error| {
            let kind = kind_before_answer(&error);
            Error::new(kind, &request.method, url.as_str()).with_source(error.without_url())
        })
    }

    /// The whole of an answer whose head has come.
    pub(super) async fn whole(
        &self,
        mut answer: reqwest::Response,
        failed: impl Fn(ErrorKind) -> Error,
    ) -> Result<Reply, Error> {
        let status = answer.status();
        let body = match self.read(&mut answer).await {
            Ok(body) => body,
            // An error's status says enough; its body only adds to it.
            Err((ErrorKind::TooLarge(_), _)) if !status.is_success() => NULL,
            Err((kind, source)) => {
                let error = failed(kind).with_status(status);
                return Err(match source {
                    Some(source) => error.with_source(source.without_url()),
                    None => error,
                });
            }
        };
        Ok(Reply { status, headers: std::mem::take(answer.headers_mut()), body })
    }

    /// The whole body, but never more than the limit and one piece.
    async fn read(
        &self,
        answer: &mut reqwest::Response,
    ) -> Result<Bytes, (ErrorKind, Option<reqwest::Error>)> {
        let broken = |error| (ErrorKind::Broken, Some(error));
        let too_large = || (ErrorKind::TooLarge(self.max_answer), None);
        let announced = answer.content_length().map(usize::try_from);
        let announced = announced.map(|length| length.unwrap_or(usize::MAX));
        if announced.is_some_and(|length| length > self.max_answer) {
            return Err(too_large());
        }
        // Most answers come in one piece, which is then not copied.
        let Some(first) = answer.chunk().await.map_err(broken)? else { return Ok(Bytes::new()) };
        let mut length = first.len();
        let mut all: Option<BytesMut> = None;
        while length <= self.max_answer {
            let Some(piece) = answer.chunk().await.map_err(broken)? else {
                return Ok(all.map_or(first, BytesMut::freeze));
            };
            length += piece.len();
            all.get_or_insert_with(|| {
                let mut all = BytesMut::with_capacity(announced.unwrap_or(length * 2));
                all.extend_from_slice(&first);
                all
            })
            .extend_from_slice(&piece);
        }
        Err(too_large())
    }
}

#[async_trait]
impl Transport for Client {
    async fn call(&self, request: &Request, context: &CallContext<'_>) -> Result<Reply, Error> {
        self.in_time(request, context, self.exchange(request, context)).await
    }

    async fn listen(
        &self,
        request: &Request,
        last_event_id: Option<&str>,
        context: &CallContext<'_>,
    ) -> Result<Opened, Error> {
        let opening = self.open(request, last_event_id, context);
        self.in_time(request, context, opening).await
    }
}

impl Client {
    /// Ends what is done for a request at its timeout or deadline, whichever is nearer.
    async fn in_time<T>(
        &self,
        request: &Request,
        context: &CallContext<'_>,
        answer: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let timeout = context.timeout.unwrap_or(self.timeout);
        let (until, kind) = match Instant::now().checked_add(timeout) {
            Some(until) if until < context.deadline => (until, ErrorKind::Timeout),
            _ => (context.deadline, ErrorKind::Deadline),
        };
        let late = |kind| {
            let url = format!("{}{}", self.base, request.path_and_query);
            Error::new(kind, &request.method, &url)
        };
        if Instant::now() >= context.deadline {
            return Err(late(ErrorKind::Deadline));
        }
        match tokio::time::timeout_at(until, answer).await {
            Ok(answer) => answer,
            Err(_) => Err(late(kind)),
        }
    }
}

/// The answer with the JSON text `null` for a body where there is none.
pub(super) fn or_null(reply: Reply) -> Reply {
    let bodiless = matches!(reply.status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT);
    if reply.body.is_empty() || bodiless { Reply { body: NULL, ..reply } } else { reply }
}

/// Whether a path stays where it is put after another one: it begins with a slash, has nothing that
/// a URL's parser drops or turns round, and no segment that leads upwards, encoded or not (WHATWG
/// URL, section 4.4).
fn stays_below(path_and_query: &str) -> bool {
    let path = path_and_query.split('?').next().unwrap_or_default();
    let inert = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'#' | b'\\');
    let dots = |segment: &str| {
        let plain = segment.replace("%2e", ".").replace("%2E", ".");
        matches!(plain.as_str(), "." | "..")
    };
    path.starts_with('/') && path_and_query.bytes().all(inert) && !path.split('/').any(dots)
}

/// Whether anything was sent before the head of an answer failed to come.
pub(super) fn kind_before_answer(error: &reqwest::Error) -> ErrorKind {
    if error.is_connect() {
        ErrorKind::Unreachable
    } else if error.is_builder() {
        ErrorKind::Unsendable
    } else {
        ErrorKind::Broken
    }
}

/// What a 2xx answer says it is, if that is not JSON. An answer that says nothing is believed, and
/// parsed: servers by hand often forget the header.
fn other_than_json(headers: &HeaderMap) -> Option<Box<str>> {
    if let Some(coding) = foreign_coding(headers) {
        return Some(coding);
    }
    let declared = headers.get(CONTENT_TYPE)?;
    let essence = essence(declared);
    // What the WHATWG's MIME Sniffing (section 4.6) calls a JSON MIME type.
    let plain = [&b"application/json"[..], b"text/json"].contains(&&*essence);
    (!plain && !essence.ends_with(b"+json")).then(|| printable(declared))
}

/// A content coding, which nobody has asked for.
pub(super) fn foreign_coding(headers: &HeaderMap) -> Option<Box<str>> {
    let coding = headers.get(CONTENT_ENCODING)?;
    let foreign = !coding.as_bytes().eq_ignore_ascii_case(b"identity");
    foreign.then(|| format!("content coding {}", printable(coding)).into())
}

/// A media type without its parameters, in lower case.
pub(super) fn essence(media_type: &HeaderValue) -> Vec<u8> {
    let essence = media_type.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
    essence.trim_ascii().to_ascii_lowercase()
}

pub(super) fn printable(value: &HeaderValue) -> Box<str> {
    String::from_utf8_lossy(value.as_bytes()).escape_default().to_string().into()
}
