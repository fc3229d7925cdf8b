//! One upstream call as documents show it.

use std::fmt::Write as _;

use bytes::Bytes;
use http::Method;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

use crate::config::ServiceName;
use crate::json::Body;
use crate::observe::{TRACEPARENT, TRACESTATE};
use crate::template;
use crate::upstream::{CallContext, CallerHeaders, outbound};

use super::pretty::pretty;

/// What stands for a token that a service is sent.
const CONCEALED: &str = "Bearer TOKEN";

/// A call that the gateway made.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// Whom it called.
    pub(super) upstream: ServiceName,
    /// With which method.
    pub(super) method: Method,
    /// Path and query.
    pub(super) target: String,
    /// Every header.
    pub(super) headers: HeaderMap,
    /// The body.
    pub(super) body: Option<Bytes>,
    /// The headers that not every call has, by name.
    telling: Vec<(String, String)>,
}

impl Call {
    /// The call that the network would see.
    pub(super) fn new(
        upstream: &ServiceName,
        request: &template::Request,
        context: &CallContext<'_>,
    ) -> Self {
        let headers = outbound(request, context);
        let telling = telling(request, context, &headers);
        Self {
            upstream: upstream.clone(),
            method: request.method.clone(),
            target: request.path_and_query.clone(),
            headers,
            body: request.body.clone(),
            telling,
        }
    }

    /// Writes `TOKEN` in the place of the caller's token, which is another one in each run.
    pub(super) fn conceal(&mut self, token: &str) {
        let is_token = |value: &[u8]| value.strip_prefix(b"Bearer ") == Some(token.as_bytes());
        for value in self.headers.values_mut().filter(|value| is_token(value.as_bytes())) {
            *value = HeaderValue::from_static(CONCEALED);
        }
        for (_, value) in self.telling.iter_mut().filter(|(_, value)| is_token(value.as_bytes())) {
            CONCEALED.clone_into(value);
        }
    }

    /// `orders GET /orders?userId=1`.
    pub(super) fn line(&self) -> String {
        format!("{} {} {}", self.upstream, self.method, self.target)
    }

    /// Its line, and below it, indented, the headers that tell something and the body.
    pub(super) fn text(&self) -> String {
        let mut text = self.line();
        text.push('\n');
        for (name, value) in &self.telling {
            let _ = writeln!(text, "  {name}: {value}");
        }
        if let Some(body) = &self.body {
            for line in body_text(body).lines() {
                let _ = writeln!(text, "  {line}");
            }
        }
        text
    }

    /// The exchange that a document lacks, to be filled in.
    pub(super) fn exchange(&self) -> String {
        let Self { upstream, method, target, .. } = self;
        format!("```http {upstream}\n{method} {target}\n\nHTTP 200\n\n{{}}\n```")
    }
}

/// A body as it reads best.
pub(super) fn body_text(bytes: &Bytes) -> String {
    match Body::parse(bytes.clone()) {
        Ok(body) => pretty(&body),
        Err(_) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Headers that are not there for every call: of the identity, forwarded, of the template. A trace
/// is another one each time, and a JSON body says that it is one.
fn telling(
    request: &template::Request,
    context: &CallContext<'_>,
    headers: &HeaderMap,
) -> Vec<(String, String)> {
    let nobody = CallerHeaders::default();
    let bare = CallContext { headers: &nobody, ..*context };
    let plain = template::Request { headers: Vec::new(), ..request.clone() };
    let always = outbound(&plain, &bare);
    let mut telling: Vec<(String, String)> = headers
        .iter()
        .filter(|(name, value)| {
            let json_body = **name == CONTENT_TYPE && *value == "application/json";
            let usual = always.get(*name) == Some(*value) || (json_body && request.body.is_some());
            ![TRACEPARENT, TRACESTATE].contains(*name) && !usual
        })
        .map(|(name, value)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect();
    // A header map has no order of its own; of one name the values keep theirs.
    telling.sort_by(|(one, _), (other, _)| one.cmp(other));
    telling
}
