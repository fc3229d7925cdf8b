//! What an upstream's reply means to an endpoint: a value, rows, nothing, or a failure.

use std::borrow::Cow;
use std::sync::Arc;

use crate::failure::{Code, Failure};
use crate::json::{Body, Path, Value};
use crate::projection::{Answer, Groups, split};
use crate::schema::{Batch, Endpoint, ErrorRule, NotFound};
use crate::upstream::{Reply, failure_of_status, is_json};

/// Longest message taken over from an upstream, in characters.
const MESSAGE_MAX: usize = 500;
/// Longest code taken over from an upstream, in characters.
const CODE_MAX: usize = 100;

/// A reply whose body was read: JSON, or not.
#[derive(Debug)]
pub(super) struct Content {
    status: u16,
    body: Result<Body, NotJson>,
}

/// Why a body cannot be used.
#[derive(Debug)]
struct NotJson {
    said: &'static str,
}

impl Content {
    /// Reads a reply. 204, 205 and an empty body are null.
    pub(super) fn read(service: &Arc<str>, reply: Reply) -> Self {
        let status = reply.status.as_u16();
        if matches!(status, 204 | 205) || reply.body.is_empty() {
            return Self { status, body: Ok(Body::null()) };
        }
        let body = if is_json(&reply.headers) {
            Body::parse(reply.body).map_err(|invalid| {
                tracing::warn!(upstream = %service, status, %invalid, "answer is not valid JSON");
                NotJson { said: "The upstream's answer is not valid JSON." }
            })
        } else {
            tracing::warn!(upstream = %service, status, "answer is not of a JSON media type");
            Err(NotJson { said: "The upstream's answer is not JSON." })
        };
        Self { status, body }
    }

    /// The body, if the answer has not failed.
    fn succeeded(&self, endpoint: &Endpoint, rule: &ErrorRule) -> Result<&Body, Arc<Failure>> {
        if let Some(code) = failure_of_status(self.status) {
            let failure = Failure::new(code, sentence(code));
            let failure = match &self.body {
                Ok(body) => told_by(rule, body.root(), failure),
                Err(_) => failure,
            };
            return Err(Arc::new(failure.of(&endpoint.upstream, Some(self.status))));
        }
        let body = self.body.as_ref().map_err(|not_json| {
            let failure = Failure::new(Code::UpstreamBadAnswer, not_json.said);
            Arc::new(failure.of(&endpoint.upstream, Some(self.status)))
        })?;
        match reported(rule, body.root()) {
            Some(failure) => Err(Arc::new(failure.of(&endpoint.upstream, Some(self.status)))),
            None => Ok(body),
        }
    }

    /// The value of a fetch that has the answer for itself.
    pub(super) fn value(&self, endpoint: &Endpoint, rule: &ErrorRule) -> Result<Answer, Arc<Failure>> {
        if endpoint.not_found == NotFound::Null && matches!(self.status, 404 | 410) {
            return Ok(Answer::Missing);
        }
        let body = self.succeeded(endpoint, rule)?;
        Ok(match endpoint.at.eval(body.root()) {
            Some(value) if !value.is_null() => Answer::Value(body.clone(), body.span_of(value)),
            _ => Answer::Null,
        })
    }

    /// The rows of a batch, by key.
    pub(super) fn rows(
        &self,
        endpoint: &Endpoint,
        batch: &Batch,
        rule: &ErrorRule,
    ) -> Result<Groups, Arc<Failure>> {
        let body = self.succeeded(endpoint, rule)?;
        split(body, &endpoint.at, batch, rule).map_err(|error| {
            tracing::warn!(upstream = %endpoint.upstream, endpoint = %endpoint.label, %error, "batch cannot be read");
            let failure = Failure::new(
                Code::UpstreamBadAnswer,
                "The upstream's answer is not the list of rows that the schema declares.",
            );
            Arc::new(failure.of(&endpoint.upstream, Some(self.status)))
        })
    }

    /// The failure of one row that `error.if` picked out.
    pub(super) fn failed_row(
        &self,
        endpoint: &Endpoint,
        rule: &ErrorRule,
        row: Value<'_>,
    ) -> Arc<Failure> {
        let failure = told_by(rule, row, reported_failure());
        Arc::new(failure.of(&endpoint.upstream, Some(self.status)))
    }
}

/// The failure a 2xx answer reports of itself: `error.if` is there and not null, false or empty.
fn reported(rule: &ErrorRule, value: Value<'_>) -> Option<Failure> {
    let when = rule.when.as_ref()?;
    when.eval(value).is_some_and(is_truthy).then(|| told_by(rule, value, reported_failure()))
}

fn reported_failure() -> Failure {
    Failure::new(Code::UpstreamReportedError, "The upstream reports an error.")
}

/// Whether a value says yes: not null, false, zero-length string, empty list or object.
pub(crate) fn is_truthy(value: Value<'_>) -> bool {
    use crate::json::Kind;
    match value.kind() {
        Kind::Null => false,
        Kind::Boolean => value.as_bool() == Some(true),
        Kind::Number => true,
        Kind::String => value.raw() != b"\"\"",
        Kind::Array => value.items().next().is_some(),
        Kind::Object => value.members().next().is_some(),
    }
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

/// What clients read where the upstream's own words are not for them.
fn sentence(code: Code) -> &'static str {
    match code {
        Code::Unauthenticated => "The upstream asks who the caller is.",
        Code::Forbidden => "The upstream denies this to the caller.",
        Code::NotFound => "The upstream has no such thing.",
        Code::Conflict => "The upstream sees a conflict with the present state.",
        Code::BadUserInput => "The upstream does not accept the input.",
        Code::RateLimited => "The upstream is asked too often.",
        Code::UpstreamRejected => "The upstream rejects the request.",
        _ => "The upstream failed.",
    }
}
