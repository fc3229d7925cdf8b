//! What one request asked of its upstreams, call by call, for a caller who may know: when each
//! began and ended, for how many keys, how it ended, and what was kept of it.
//!
//! It tells what the operator wrote (names and path templates), never a value of the request or of
//! an answer.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use super::answer::Content;
use crate::cache::Scope;
use crate::observe::Outcome;
use crate::schema::{Endpoint, EndpointId};

/// The calls of one request as they end.
#[derive(Debug)]
pub struct Trace {
    started: Instant,
    calls: Mutex<Vec<Call>>,
}

/// One call that has ended.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// Which endpoint of the schema it was a call of.
    #[serde(skip)]
    pub endpoint: EndpointId,
    /// The upstream's name.
    pub upstream: Box<str>,
    /// Method and path template, as the schema has them.
    pub request: Box<str>,
    /// For how many keys it asked, in a batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys: Option<usize>,
    /// When it began, from the request's beginning.
    #[serde(rename = "startMs", serialize_with = "milliseconds")]
    pub start: Duration,
    /// How long it took, or was waited for.
    #[serde(rename = "durationMs", serialize_with = "milliseconds")]
    pub duration: Duration,
    /// What became of it.
    #[serde(flatten)]
    pub result: CallResult,
    /// Bytes of the answer's body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<usize>,
    /// Whether its answer is kept for other requests; `None`: there is none, or it was kept before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<Keeping>,
}

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "result")]
pub enum CallResult {
    /// It was made and answered.
    Called {
        /// The status.
        status: u16,
    },
    /// It was made, or could not be, and brought nothing.
    Failed {
        /// The failure's code.
        code: &'static str,
    },
    /// It was not made: what a kept answer holds is still fresh.
    Kept,
    /// It was not made: another request's was waited for.
    Coalesced,
}

/// Whether an answer is kept for other requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Keeping {
    /// It is.
    #[serde(rename_all = "camelCase")]
    Kept {
        /// How much longer it is fresh.
        #[serde(rename = "freshForMs", serialize_with = "milliseconds")]
        fresh_for: Duration,
        /// For whom: `all` or `caller`.
        scope: &'static str,
    },
    /// It is not.
    Not {
        /// Why.
        reason: String,
    },
}

/// A call's end, as whoever made it tells it.
pub(super) struct Ended<'a> {
    pub(super) outcome: Outcome,
    pub(super) started: Instant,
    pub(super) duration: Duration,
    /// Its answer, and the clock's now, if it was made and answered.
    pub(super) answer: Option<(&'a Content, Duration)>,
}

impl Trace {
    /// Of a request that begins now.
    #[must_use]
    pub fn start() -> Self {
        Self { started: Instant::now(), calls: Mutex::default() }
    }

    /// How long the request has taken.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The calls that have ended, in the order in which they began.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone();
        calls.sort_by_key(|call| call.start);
        calls
    }

    /// Notes a call that has ended.
    pub(super) fn record(&self, endpoint: &Endpoint, keys: Option<usize>, ended: &Ended<'_>) {
        let Ended { outcome, started, duration, answer } = ended;
        let call = Call {
            endpoint: endpoint.id,
            upstream: (*endpoint.upstream).into(),
            request: endpoint.label.clone(),
            keys,
            start: started.saturating_duration_since(self.started),
            duration: *duration,
            result: match outcome {
                Outcome::Status(status) => CallResult::Called { status: *status },
                Outcome::Failed(code) => CallResult::Failed { code },
                Outcome::Kept => CallResult::Kept,
                Outcome::Coalesced => CallResult::Coalesced,
            },
            bytes: answer.and_then(|(content, _)| content.bytes()),
            kept: answer.map(|(content, now)| keeping(content, now)),
        };
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    }
}

fn keeping(content: &Content, now: Duration) -> Keeping {
    match content.keeping() {
        Ok(until) => Keeping::Kept {
            fresh_for: until.until.saturating_sub(now),
            scope: match until.scope {
                Scope::Shared => "all",
                Scope::Private => "caller",
            },
        },
        Err(reason) => Keeping::Not { reason: reason.to_string() },
    }
}

/// To the microsecond.
pub(crate) fn milliseconds<S: serde::Serializer>(
    duration: &Duration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((duration.as_secs_f64() * 1e6).round() / 1e3)
}
