//! What an upstream's reply means to an endpoint: a value, rows, nothing, or a failure.

use std::borrow::Cow;
use std::sync::Arc;

use http::StatusCode;

use crate::failure::{Code, Failure};
use crate::json::{Body, Path, Value};
use crate::projection::{Answer, Groups, reports_failure, split};
use crate::schema::{Batch, Endpoint, ErrorRule, NotFound};
use crate::upstream::{Reply, failure_of_status};

/// Longest message taken over from an upstream, in characters.
const MESSAGE_MAX: usize = 500;
/// Longest code taken over from an upstream, in characters.
const CODE_MAX: usize = 100;

/// A reply whose body was read: JSON, or not.
#[derive(Debug)]
pub(super) struct Content {
    status: StatusCode,
    /// `None`: no JSON.
    body: Option<Body>,
}

impl Content {
    /// Reads a reply.
    pub(super) fn read(service: &Arc<str>, reply: Reply) -> Self {
        let status = reply.status;
        let body = Body::parse(reply.body).inspect_err(|invalid| {
            if status.is_success() {
                tracing::warn!(upstream = %service, %status, %invalid, "the answer is not JSON");
            }
        });
        Self { status, body: body.ok() }
    }

    /// The body, if the answer has not failed.
    fn succeeded(&self, endpoint: &Endpoint) -> Result<&Body, Arc<Failure>> {
        let rule = &endpoint.error;
        if let Some(failure) = failure_of_status(&endpoint.upstream, self.status) {
            return Err(Arc::new(match &self.body {
                Some(body) => told_by(rule, body.root(), failure),
                None => failure,
            }));
        }
        let Some(body) = &self.body else {
            let said = "The upstream's answer is not valid JSON.";
            return Err(self.failed(endpoint, Failure::new(Code::UpstreamBadAnswer, said)));
        };
        match reported(rule, body.root()) {
            Some(failure) => Err(self.failed(endpoint, failure)),
            None => Ok(body),
        }
    }

    fn failed(&self, endpoint: &Endpoint, failure: Failure) -> Arc<Failure> {
        Arc::new(failure.of(&endpoint.upstream, Some(self.status.as_u16())))
    }

    /// The value of a fetch that has the answer for itself.
    pub(super) fn value(&self, endpoint: &Endpoint) -> Result<Answer, Arc<Failure>> {
        if endpoint.not_found == NotFound::Null && matches!(self.status.as_u16(), 404 | 410) {
            return Ok(Answer::Missing);
        }
        let body = self.succeeded(endpoint)?;
        Ok(match endpoint.at.eval(body.root()) {
            Some(value) if !value.is_null() => Answer::Value(body.clone(), body.span_of(value)),
            _ => Answer::Null,
        })
    }

    /// The rows of a batch, by key.
    pub(super) fn rows(&self, endpoint: &Endpoint, batch: &Batch) -> Result<Groups, Arc<Failure>> {
        let body = self.succeeded(endpoint)?;
        let groups = split(body, &endpoint.at, batch, &endpoint.error).map_err(|error| {
            tracing::warn!(upstream = %endpoint.upstream, endpoint = %endpoint.label, %error, "batch cannot be read");
            let failure = Failure::new(
                Code::UpstreamBadAnswer,
                "The upstream's answer is not the list of rows that the schema declares.",
            );
            self.failed(endpoint, failure)
        })?;
        if groups.without_key() > 0 {
            let rows = groups.without_key();
            tracing::warn!(upstream = %endpoint.upstream, endpoint = %endpoint.label, rows, "rows without a key were dropped");
        }
        Ok(groups)
    }

    /// The failure of one row that `error.if` picked out.
    pub(super) fn failed_row(&self, endpoint: &Endpoint, row: Value<'_>) -> Arc<Failure> {
        self.failed(endpoint, told_by(&endpoint.error, row, reported_failure()))
    }
}

/// The failure a 2xx answer reports of itself: `error.if` is there and not null, false or empty.
fn reported(rule: &ErrorRule, value: Value<'_>) -> Option<Failure> {
    reports_failure(rule, value).then(|| told_by(rule, value, reported_failure()))
}

fn reported_failure() -> Failure {
    Failure::new(Code::UpstreamReportedError, "The upstream reports an error.")
}

/// Puts in the message and code that the rule lets clients read.
fn told_by(rule: &ErrorRule, value: Value<'_>, mut failure: Failure) -> Failure {
    if let Some(message) = text_at(rule.message.as_ref(), value, MESSAGE_MAX) {
        failure.message = Cow::Owned(message);
    }
    if let Some(code) = text_at(rule.code.as_ref(), value, CODE_MAX) {
        failure.own_code = Some(code.into());
    }
    failure
}

fn text_at(path: Option<&Path>, value: Value<'_>, max: usize) -> Option<String> {
    let found = path?.eval(value)?;
    let text = match found.as_str() {
        Some(text) => text,
        None => Cow::Borrowed(found.as_number()?),
    };
    if text.is_empty() {
        return None;
    }
    Some(text.chars().take(max).collect())
}
