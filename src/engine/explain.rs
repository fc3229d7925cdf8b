//! What a response tells of how it came about, for callers who ask and may: the plan, and a trace
//! of the upstream calls, as `extensions.onedoor`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::{Prepared, Response};
use crate::fetch::{self, TracedCall, milliseconds};
use crate::json::Value;
use crate::plan::{Explanation, Plan};
use crate::schema::EndpointId;

/// What a request wants to be told beside its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Explain {
    /// Its plan, as `onedoor plan --json` shows it.
    pub plan: bool,
    /// Its upstream calls, with their times.
    pub trace: bool,
}

impl Explain {
    /// As a request's extensions say: `{"onedoor": {"plan": true, "trace": true}}`.
    #[must_use]
    pub fn asked_by(extensions: Option<Value<'_>>) -> Self {
        let asked = extensions.and_then(|extensions| extensions.get("onedoor"));
        let is_asked = |name| {
            asked.and_then(|asked| asked.get(name)).and_then(Value::as_bool).unwrap_or_default()
        };
        Self { plan: is_asked("plan"), trace: is_asked("trace") }
    }
}

/// What will be told of an execution that begins now.
pub(super) struct Telling(Option<Arc<fetch::Trace>>);

impl Telling {
    pub(super) fn begin(explain: Explain) -> Self {
        Self(explain.trace.then(|| Arc::new(fetch::Trace::start())))
    }

    /// What will be told, once the request is prepared: the explanation of its plan is told once.
    pub(super) fn prepared(self, prepared: &mut Prepared) -> Told {
        let Self(trace) = self;
        let took = trace.as_ref().map(|trace| trace.elapsed()).unwrap_or_default();
        Told { plan: prepared.explanation.take(), prepared: took, trace }
    }
}

/// What is told of one execution, gathered while it goes on.
pub(super) struct Told {
    plan: Option<Explanation>,
    trace: Option<Arc<fetch::Trace>>,
    /// How long parsing, checking and planning took.
    prepared: Duration,
}

#[derive(Serialize)]
struct Extension<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<&'a Explanation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<TraceExtension>,
}

#[derive(Serialize)]
struct TraceExtension {
    #[serde(rename = "durationMs", serialize_with = "milliseconds")]
    duration: Duration,
    #[serde(rename = "preparedMs", serialize_with = "milliseconds")]
    prepared: Duration,
    calls: Vec<CallExtension>,
}

#[derive(Serialize)]
struct CallExtension {
    /// The fetches of the plan that it may have been made for, by their numbers.
    fetches: Vec<u32>,
    #[serde(flatten)]
    call: TracedCall,
}

impl Told {
    /// Where upstream calls are told of.
    pub(super) fn trace(&self) -> Option<Arc<fetch::Trace>> {
        self.trace.clone()
    }

    /// An executed operation's response, with what is told of it.
    pub(super) fn appended(self, plan: &Plan, mut response: Response) -> Response {
        let Self { plan: explanation, trace, prepared } = self;
        if explanation.is_none() && trace.is_none() {
            return response;
        }
        let trace = trace.map(|trace| {
            let fetches = fetches(plan);
            let call = |call: TracedCall| {
                let fetches = fetches.get(&call.endpoint).cloned().unwrap_or_default();
                CallExtension { fetches, call }
            };
            let calls = trace.calls().into_iter().map(call).collect();
            TraceExtension { duration: trace.elapsed(), prepared, calls }
        });
        let extension = Extension { plan: explanation.as_ref(), trace };
        // The types have no map keys and no numbers that JSON lacks.
        let Ok(extension) = serde_json::to_vec(&extension) else { return response };
        if response.body.pop() == Some(b'}') {
            response.body.extend_from_slice(b",\"extensions\":{\"onedoor\":");
            response.body.extend_from_slice(&extension);
            response.body.extend_from_slice(b"}}");
        }
        response
    }
}

/// The numbers of each endpoint's fetches.
fn fetches(plan: &Plan) -> BTreeMap<EndpointId, Vec<u32>> {
    let mut found: BTreeMap<EndpointId, Vec<u32>> = BTreeMap::new();
    for (fetch, number) in plan.fetches.iter().zip(1..) {
        found.entry(fetch.endpoint.id).or_default().push(number);
    }
    found
}
