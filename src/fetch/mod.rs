//! Runs a plan: stages, the loaders of one request, answers handed to `projection`.
//!
//! A query is one step; a mutation is one step for each root field, in turn, each with loaders of
//! its own, so that what one has written the next one reads.

mod answer;
mod calls;
mod feeds;
mod gather;
mod kept;
mod loader;
mod returned;
mod service;
mod stage;
mod trace;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use http::HeaderMap;

use self::calls::Calls;
use self::loader::Loaders;
use self::stage::Stage;
use crate::failure::{Code, Failure};
use crate::plan::{OperationKind, Plan, Step, Stream};
use crate::projection::{Assembled, Failed, Inputs, TooLarge, assemble, project_root};
use crate::schema::Endpoint;
use crate::template::RenderError;

pub use self::feeds::{Event, Feeds, Happening, Listener};
pub use self::kept::Kept;
pub use self::returned::Returned;
pub use self::service::{Service, Services, Wire};
pub(crate) use self::trace::milliseconds;
pub use self::trace::{Call as TracedCall, CallResult, Keeping, Trace};

/// What a plan runs with: everything of one request.
pub struct Run<'r> {
    /// The services behind the gateway.
    pub services: &'r Services,
    /// The client's headers, for templates that read them.
    pub headers: &'r HeaderMap,
    /// What every upstream call of this request shares.
    pub wire: Arc<Wire>,
    /// The event that a subscription's plan runs for.
    pub event: Option<Event>,
    /// What was asked already for the same request: plans of portions of one operation share it.
    pub steps: Steps,
}

/// The calls and loaders of each step of one operation. A query has one step; those of a mutation
/// are known by their root field's response key.
#[derive(Clone, Default)]
pub struct Steps(Arc<Mutex<HashMap<Box<str>, OfStep>>>);

/// The calls and loaders of one step.
type OfStep = (Arc<Calls>, Arc<Loaders>);

impl Steps {
    fn of_step(&self, plan: &Plan, (number, step): (usize, &Step), run: &Run<'_>) -> OfStep {
        let first = step.selection.fields.first().filter(|_| plan.kind == OperationKind::Mutation);
        let key = first.map_or("", |field| field.key.trim_start_matches('@'));
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = asked.get(key) {
            return known.clone();
        }
        // What a write has changed is not read from before it.
        let takes_kept = plan.kind != OperationKind::Mutation;
        let calls = Calls::new(Arc::clone(&run.wire), number, takes_kept);
        let calls = Arc::new(calls.with_event(run.event.clone()));
        let loaders = Loaders::new(Arc::clone(&calls), Arc::clone(&run.wire.partition));
        asked.entry(key.into()).or_insert((calls, Arc::new(loaders))).clone()
    }
}

/// What a plan came to.
#[derive(Debug)]
pub struct Answered<'p> {
    /// The JSON of `data`; `None`: null propagated to the root.
    pub data: Option<Vec<u8>>,
    /// The errors, in response order.
    pub errors: Vec<Failed<'p>>,
}

/// Runs a plan to its answer.
///
/// # Errors
/// [`TooLarge`]: the response would be larger than [`Inputs::max_bytes`].
pub async fn run<'p>(
    plan: &'p Plan,
    inputs: Inputs<'_>,
    run: &Run<'_>,
) -> Result<Answered<'p>, TooLarge> {
    let mut data = Vec::new();
    let mut errors = Vec::new();
    for (number, step) in plan.steps.iter().enumerate() {
        let assembled = run_step(plan, (number, step), inputs, run).await?;
        // A part that is too large by itself is no other failure than parts that are so together.
        if assembled.errors.iter().any(|error| error.failure.code == Code::ResponseTooLarge) {
            return Err(TooLarge);
        }
        let Some(fields) = assembled.data else {
            // One error stands for all that became null with it, also of earlier steps.
            return Ok(Answered { data: None, errors: assembled.errors });
        };
        errors.extend(assembled.errors);
        if data.is_empty() {
            data = fields;
        } else {
            splice(&mut data, &fields);
        }
        if data.len() > inputs.max_bytes {
            return Err(TooLarge);
        }
    }
    if data.is_empty() {
        data.extend_from_slice(b"{}");
    }
    Ok(Answered { data: Some(data), errors })
}

/// Runs one step with loaders and calls of its own.
async fn run_step<'p>(
    plan: &'p Plan,
    (number, step): (usize, &'p Step),
    inputs: Inputs<'_>,
    run: &Run<'_>,
) -> Result<Assembled<'p>, TooLarge> {
    let stage = stage(plan, (number, step), inputs, run);
    let (root, tables) = stage.fill(project_root(&step.selection, &inputs)).await;
    match root {
        Some(root) => assemble(&root, &tables, &plan.fetches, inputs.max_bytes),
        None => Ok(Assembled { data: None, errors: Vec::new() }),
    }
}

fn stage<'p, 'r>(
    plan: &'p Plan,
    (number, step): (usize, &Step),
    inputs: Inputs<'r>,
    run: &'r Run<'r>,
) -> Stage<'p, 'r> {
    let (calls, loaders) = run.steps.of_step(plan, (number, step), run);
    Stage { plan, inputs, run, calls, loaders }
}

/// Opens the stream of events that a subscription's request gives, or joins one that is open.
/// `None`: the plan makes no such request, since its field is refused or cannot be asked for;
/// running the plan tells why.
///
/// # Errors
/// If the stream cannot be opened.
pub async fn listen(
    plan: &Plan,
    inputs: Inputs<'_>,
    run: &Run<'_>,
    feeds: &Feeds,
) -> Result<Option<Listener>, Arc<Failure>> {
    let (Some(Stream::Events(fetch, of)), Some(step)) = (&plan.stream, plan.steps.first()) else {
        return Ok(None);
    };
    let root = project_root(&step.selection, &inputs);
    match stage(plan, (0, step), inputs, run).asked_first(root, *fetch) {
        Some(asking) => feeds.listen(&run.wire, &asking, of).await.map(Some),
        None => Ok(None),
    }
}

/// Appends the members of one JSON object to another.
fn splice(data: &mut Vec<u8>, fields: &[u8]) {
    let Some(members) = fields.strip_prefix(b"{") else { return };
    if data.pop().is_none() {
        data.push(b'{');
    } else if members != b"}" && data.last() != Some(&b'{') {
        data.push(b',');
    }
    data.extend_from_slice(members);
}

/// A request that its template refuses to make.
fn refused(error: RenderError, endpoint: &Endpoint) -> Arc<Failure> {
    let failure = match error {
        RenderError::Null => Failure::new(Code::Internal, "A request was made of null."),
        RenderError::Unauthenticated { claim } => {
            tracing::debug!(endpoint = %endpoint.label, claim, "a claim is missing");
            Failure::new(Code::Unauthenticated, "The caller's identity lacks what this needs.")
        }
        RenderError::Key { key, message } => {
            tracing::warn!(endpoint = %endpoint.label, key, message, "a key cannot be sent");
            Failure::new(Code::BadUserInput, "A key cannot be sent to the upstream.")
                .of(&endpoint.upstream, None)
        }
        RenderError::Refused { message } => Failure::new(Code::BadUserInput, message),
        RenderError::BadAnswer { message } => {
            tracing::warn!(endpoint = %endpoint.label, message, "a request cannot be made");
            let bad = "The upstream gave a value that the next request cannot carry.";
            Failure::new(Code::UpstreamBadAnswer, bad).of(&endpoint.upstream, None)
        }
    };
    Arc::new(failure)
}

/// The failure of a key whose request went missing: a fault of the gateway.
fn lost_key() -> Arc<Failure> {
    Arc::new(Failure::new(Code::Internal, "The gateway lost a key."))
}

#[cfg(test)]
mod tests {
    use super::splice;

    #[test]
    fn members_of_several_steps_become_one_object() {
        let mut data = Vec::new();
        splice(&mut data, b"{\"a\":1}");
        splice(&mut data, b"{}");
        splice(&mut data, b"{\"b\":2,\"c\":3}");
        assert_eq!(data, b"{\"a\":1,\"b\":2,\"c\":3}");
        let mut data = Vec::new();
        splice(&mut data, b"{}");
        splice(&mut data, b"{\"b\":2}");
        assert_eq!(data, b"{\"b\":2}");
    }
}
