//! One document at a fixed address, fetched whole: the public keys of an issuer of tokens.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT, HeaderValue, USER_AGENT};
use http::{HeaderMap, Method};
use url::Url;

use super::client::BuildError;
use super::{Error, ErrorKind, Reply};

const JSON: HeaderValue = HeaderValue::from_static("application/jwk-set+json, application/json");
const PRODUCT: HeaderValue =
    HeaderValue::from_static(concat!("onedoor/", env!("CARGO_PKG_VERSION")));

/// A document at a URL. A redirect is an answer like any other; nothing of a caller is sent.
#[derive(Debug)]
pub struct Document {
    http: reqwest::Client,
    url: Url,
    max_bytes: usize,
}

impl Document {
    /// The document at this URL, which takes no longer and has no more bytes. Connects to nothing
    /// yet.
    ///
    /// # Errors
    /// If TLS is needed and the machine's certificates cannot be read.
    pub fn new(url: &Url, timeout: Duration, max_bytes: usize) -> Result<Self, BuildError> {
        // As in `Client`: reqwest panics if TLS has no provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .http1_only()
            .timeout(timeout)
            // It is asked for too seldom for a connection to be worth keeping.
            .pool_max_idle_per_host(0);
        let builder = if url.scheme() == "https" {
            builder.https_only(true)
        } else {
            builder.tls_certs_only([])
        };
        let http = builder.build().map_err(|source| BuildError::new(url, source))?;
        Ok(Self { http, url: url.clone(), max_bytes })
    }

    /// Fetches it.
    ///
    /// # Errors
    /// If no whole answer came in time and within the size.
    pub async fn get(&self) -> Result<Reply, Error> {
        let mut request = reqwest::Request::new(Method::GET, self.url.clone());
        request.headers_mut().extend([(ACCEPT, JSON), (USER_AGENT, PRODUCT)]);
        let failed = |error: reqwest::Error| {
            let kind = if error.is_timeout() {
                ErrorKind::Timeout
            } else if error.is_connect() {
                ErrorKind::Unreachable
            } else {
                ErrorKind::Broken
            };
            Error::new(kind, &Method::GET, self.url.as_str()).with_source(error.without_url())
        };
        let mut answer = self.http.execute(request).await.map_err(failed)?;
        let status = answer.status();
        if !status.is_success() {
            return Ok(Reply { status, headers: HeaderMap::new(), body: Bytes::new() });
        }
        let mut body = BytesMut::new();
        while let Some(piece) = answer.chunk().await.map_err(failed)? {
            if body.len() + piece.len() > self.max_bytes {
                let kind = ErrorKind::TooLarge(self.max_bytes);
                return Err(Error::new(kind, &Method::GET, self.url.as_str()).with_status(status));
            }
            body.extend_from_slice(&piece);
        }
        let headers = std::mem::take(answer.headers_mut());
        Ok(Reply { status, headers, body: body.freeze() })
    }
}
