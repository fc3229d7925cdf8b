//! The one [`Transport`] that reaches a network.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use http::{Method, StatusCode};
use tokio::time::Instant;
use url::Url;

use crate::config::{Limits, Upstream};
use crate::template::Request;

use super::{CallContext, Error, ErrorKind, Reply, Transport, outbound};

/// The longest that a connection may take to come about; for upstreams with a short timeout it is
/// three quarters of that, so that an unreachable one is told from a slow one.
const CONNECT: Duration = Duration::from_secs(3);

/// How long an idle connection is kept for the next call.
const IDLE: Duration = Duration::from_secs(60);

/// What stands for a body where there is none.
const NULL: Bytes = Bytes::from_static(b"null");

/// A REST service over HTTP. Connections are kept and shared by all calls.
#[derive(Debug)]
pub struct Client {
    pub(super) http: reqwest::Client,
    /// Without the `/` at its end.
    base: Box<str>,
    pub(super) timeout: Duration,
    max_answer: usize,
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
        let builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .http1_only()
            .connect_timeout(CONNECT.min(upstream.timeout * 3 / 4))
            .pool_idle_timeout(IDLE)
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
    fn url(&self, request: &Request) -> Result<Url, Error> {
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
        let mut outgoing = reqwest::Request::new(request.method.clone(), url.clone());
        *outgoing.headers_mut() = outbound(request, context);
        *outgoing.body_mut() = request.body.clone().map(Into::into);
        let mut answer = self.http.execute(outgoing).await.map_err(|error| {
            let kind = kind_before_answer(&error);
            failed(kind).with_source(error.without_url())
        })?;
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
        let headers = std::mem::take(answer.headers_mut());
        if status.is_success()
            && !body.is_empty()
            && let Some(what) = other_than_json(&headers)
        {
            return Err(failed(ErrorKind::NotJson(what)).with_status(status));
        }
        let bodiless = matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT);
        let body = if body.is_empty() || bodiless { NULL } else { body };
        Ok(Reply { status, headers, body })
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
        match tokio::time::timeout_at(until, self.exchange(request, context)).await {
            Ok(answer) => answer,
            Err(_) => Err(late(kind)),
        }
    }
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
    let printable = |bytes: &[u8]| String::from_utf8_lossy(bytes).escape_default().to_string();
    if let Some(coding) = headers.get(CONTENT_ENCODING)
        && !coding.as_bytes().eq_ignore_ascii_case(b"identity")
    {
        return Some(format!("content coding {}", printable(coding.as_bytes())).into());
    }
    let declared = headers.get(CONTENT_TYPE)?;
    let essence = declared.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
    let essence = essence.trim_ascii().to_ascii_lowercase();
    // What the WHATWG's MIME Sniffing (section 4.6) calls a JSON MIME type.
    let plain = [&b"application/json"[..], b"text/json"].contains(&&*essence);
    (!plain && !essence.ends_with(b"+json")).then(|| printable(declared.as_bytes()).into())
}
