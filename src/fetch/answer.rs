//! What an upstream's reply means to an endpoint: a value, rows, nothing, or a failure.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;

use super::kept::Until;
use crate::cache::NotKept;
use crate::failure::{Code, Failure};
use crate::json::{Body, Kind, Path, Value};
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
    /// Until when it may be kept, and for whom; or why it is not.
    kept: Result<Until, NotKept>,
}

impl Content {
    /// The rows of an answer that have come away from it.
    pub(super) fn of_rows() -> Self {
        Self { status: StatusCode::OK, body: None, kept: Err(NotKept::NoLifetime) }
    }

    /// The data of an event, which stands for an answer and is not kept.
    pub(super) fn of_event(upstream: &Arc<str>, data: Bytes) -> Self {
        let body = Body::parse(data).inspect_err(|invalid| {
            tracing::warn!(%upstream, %invalid, "the data of an event is not JSON");
        });
        Self { status: StatusCode::OK, body: body.ok(), kept: Err(NotKept::NoLifetime) }
    }

    /// Why this answer is none where a stream of events was asked for.
    pub(super) fn no_stream(&self, endpoint: &Endpoint) -> Arc<Failure> {
        self.succeeded(endpoint).err().unwrap_or_else(|| {
            let said = "The upstream's answer is not a stream of events.";
            self.failed(endpoint, Failure::new(Code::UpstreamBadAnswer, said))
        })
    }

    /// Until when it may be kept, and for whom; or why it may not.
    pub(super) fn keeping(&self) -> Result<Until, NotKept> {
        self.kept
    }

    /// The status it came with.
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    /// Bytes of the body, if that is JSON.
    pub(super) fn bytes(&self) -> Option<usize> {
        self.body.as_ref().map(|body| body.bytes().len())
    }

    /// Whether another request of the same caller may have it while it has only just come.
    pub(super) fn may_be_coalesced(&self) -> bool {
        !matches!(self.kept, Err(NotKept::NoStore | NotKept::SetsCookie | NotKept::Varies))
    }

    /// What it takes in memory, in bytes, about.
    pub(super) fn size(&self) -> usize {
        self.body.as_ref().map_or(0, |body| body.bytes().len() * 5 / 2)
    }

    /// Reads a reply. What is no JSON is not kept, nor what reports a failure of its own.
    pub(super) fn read(
        service: &Arc<str>,
        reply: Reply,
        rule: &ErrorRule,
        kept: Result<Until, NotKept>,
    ) -> Self {
        let status = reply.status;
        let body = Body::parse(reply.body).inspect_err(|invalid| {
            if status.is_success() {
                tracing::warn!(upstream = %service, %status, %invalid, "the answer is not JSON");
            }
        });
        let body = body.ok();
        let sound = body.as_ref().is_some_and(|body| !reports_failure(rule, body.root()));
        let kept = kept.and_then(|until| if sound { Ok(until) } else { Err(NotKept::Failed) });
        Self { status, body, kept }
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
        let Some(found) = endpoint.at.list(body.root()).filter(|found| !found.is_null()) else {
            return Ok(Answer::Null);
        };
        if endpoint.at.is_single() {
            return Ok(Answer::Value(body.clone(), found.place()));
        }
        if found.kind() != Kind::Array {
            return Err(self.failed(endpoint, no_rows()));
        }
        let items = endpoint.at.eval_all(body.root()).map(Value::place);
        Ok(Answer::Rows(body.clone(), items.collect()))
    }

    /// The rows of a batch, by key.
    pub(super) fn rows(&self, endpoint: &Endpoint, batch: &Batch) -> Result<Groups, Arc<Failure>> {
        let body = self.succeeded(endpoint)?;
        let groups = split(body, &endpoint.at, batch, &endpoint.error).map_err(|error| {
            tracing::warn!(upstream = %endpoint.upstream, endpoint = %endpoint.label, %error, "batch cannot be read");
            self.failed(endpoint, no_rows())
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

fn no_rows() -> Failure {
    let said = "The upstream's answer is not the list of rows that the schema declares.";
    Failure::new(Code::UpstreamBadAnswer, said)
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
