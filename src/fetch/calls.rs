//! The upstream calls of one step: identical requests are made once, each within the request's
//! budget and deadline.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, ready};
use http::Method;
use tokio::time::{Instant, timeout_at};

use super::answer::Content;
use super::feeds::Event;
use super::kept::{Ask, Flown, Forwarded, Role, Until};
use super::returned::CallPlace;
use super::trace::Ended;
use super::{Service, Wire};
use crate::cache::{Declared, Fate, Judged, Keep, NotKept, Partition, Scope, Varying, judge};
use crate::failure::{Code, Failure};
use crate::observe::{Call, Outcome, REQUEST_ID};
use crate::plan::FetchId;
use crate::schema::{CacheControl, CacheScope, Endpoint};
use crate::template::Request;
use crate::upstream::{CallContext, CallerHeaders, Error, ErrorKind, Reply, is_same_header};

/// A call under way or ended; waiting for it does not own it, so dropping one waiter fails no other.
pub(super) type SharedCall = Shared<BoxFuture<'static, Result<Arc<Content>, Arc<Failure>>>>;

/// What makes two calls the same call. Compared whole.
#[derive(Clone, PartialEq, Eq, Hash)]
struct CallKey {
    service: Arc<str>,
    request: Arc<Request>,
    partition: Arc<Partition>,
}

/// Every call of one step, by what it asks.
pub(super) struct Calls {
    wire: Arc<Wire>,
    /// The step's number in its plan.
    step: usize,
    /// Whether answers may come from before this step.
    takes_kept: bool,
    /// The event that the step runs for, which answers one of its fetches.
    event: Option<Event>,
    made: Mutex<HashMap<CallKey, SharedCall>>,
}

/// A request to be made.
#[derive(Clone)]
pub(super) struct Asking {
    pub(super) service: Arc<Service>,
    pub(super) endpoint: Arc<Endpoint>,
    /// The fetch that it is made for first.
    pub(super) fetch: FetchId,
    pub(super) request: Arc<Request>,
    /// Whether the request was made of anything of the caller's.
    pub(super) of_caller: bool,
    /// For how many keys it asks, in a batch.
    pub(super) keys: Option<usize>,
    /// Whether the answer is kept as a whole; of a batch each key's rows are.
    pub(super) whole: bool,
}

impl Calls {
    /// No call made yet.
    pub(super) fn new(wire: Arc<Wire>, step: usize, takes_kept: bool) -> Self {
        Self { wire, step, takes_kept, event: None, made: Mutex::default() }
    }

    /// The same for an event.
    pub(super) fn with_event(self, event: Option<Event>) -> Self {
        Self { event, ..self }
    }

    /// What every call of the client's request shares.
    pub(super) fn wire(&self) -> &Arc<Wire> {
        &self.wire
    }

    /// Whether answers may come from before this step.
    pub(super) fn takes_kept(&self) -> bool {
        self.takes_kept
    }

    /// The call that asks this, made now unless it was made before. It starts when first polled.
    pub(super) fn open(&self, asking: Asking) -> SharedCall {
        if let Some(event) = &self.event
            && event.fetch == asking.fetch
        {
            return ready(event.brought.clone()).boxed().shared();
        }
        let key = CallKey {
            service: Arc::clone(&asking.service.name),
            request: Arc::clone(&asking.request),
            partition: Arc::clone(&self.wire.partition),
        };
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let place = CallPlace { step: self.step, fetch: asking.fetch, nth: made.len() };
        match made.entry(key) {
            Entry::Occupied(earlier) => earlier.get().clone(),
            Entry::Vacant(new) => {
                let (wire, takes_kept) = (Arc::clone(&self.wire), self.takes_kept);
                let call = async move { answer(&wire, &asking, place, takes_kept).await };
                new.insert(call.boxed().shared()).clone()
            }
        }
    }
}

/// An answer that is kept, or that another request waits for already, or else a call's.
async fn answer(wire: &Arc<Wire>, asking: &Asking, place: CallPlace, takes_kept: bool) -> Flown {
    let headers = wire.caller(&asking.service.name)?;
    let request = Arc::clone(&asking.request);
    let forwarded = forwarded(headers);
    let ask = Ask { service: Arc::clone(&asking.service.name), request, forwarded };
    let is_get = asking.request.method == Method::GET;
    if asking.whole
        && takes_kept
        && (is_get || asking.endpoint.cache.is_some())
        && let Some(content) = wire.kept.answer(&ask, &wire.partition)
    {
        let (outcome, started) = (Outcome::Kept, Instant::now());
        note(
            wire,
            &asking.endpoint,
            asking.keys,
            &Ended { outcome, started, duration: Duration::ZERO, answer: None },
        );
        return Ok(content);
    }
    if !is_get || !takes_kept {
        return call(wire, asking, place).await.inspect(|content| keep(wire, asking, ask, content));
    }
    let own = || {
        let (wire, asking) = (Arc::clone(wire), asking.clone());
        async move { call(&wire, &asking, place).await }.boxed()
    };
    let (flight, role) = wire.kept.fly(ask.clone(), &wire.partition, own);
    if role == Role::Leads {
        return flight.await.inspect(|content| keep(wire, asking, ask, content));
    }
    let started = Instant::now();
    let flown = match timeout_at(wire.deadline, flight).await {
        Ok(flown) => flown,
        Err(_) => return Err(Arc::new(too_late(&asking.request).failure(&asking.service.name))),
    };
    let is_mine = match &flown {
        Ok(content) => content.may_be_coalesced(),
        // The other request's own limits are not this one's.
        Err(failure) => {
            !matches!(failure.code, Code::DeadlineExceeded | Code::TooManyUpstreamCalls)
        }
    };
    if is_mine {
        let (outcome, duration) = (Outcome::Coalesced, started.elapsed());
        note(
            wire,
            &asking.endpoint,
            asking.keys,
            &Ended { outcome, started, duration, answer: None },
        );
        return flown;
    }
    call(wire, asking, place).await.inspect(|content| keep(wire, asking, ask, content))
}

fn keep(wire: &Wire, asking: &Asking, ask: Ask, content: &Arc<Content>) {
    if asking.whole
        && let Ok(until) = content.keeping()
    {
        wire.kept.keep_answer(ask, &wire.partition, Arc::clone(content), until);
    }
}

/// What of the client's goes along, in the order of the settings.
pub(super) fn forwarded(headers: &CallerHeaders) -> Forwarded {
    headers.forwarded.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}

async fn call(wire: &Wire, asking: &Asking, place: CallPlace) -> Flown {
    let Asking { service, endpoint, request, .. } = asking;
    let headers = wire.caller(&service.name)?;
    if Instant::now() >= wire.deadline {
        return Err(Arc::new(too_late(request).failure(&service.name)));
    }
    wire.budget.take().map_err(|failure| Arc::new(failure.of(&service.name, None)))?;
    let context = CallContext {
        deadline: wire.deadline,
        timeout: endpoint.timeout,
        trace: &wire.trace,
        request_id: &wire.request_id,
        headers,
    };
    let (started, sent) = (Instant::now(), wire.kept.clock().elapsed());
    let replied = in_time(wire.deadline, request, service.transport.call(request, &context)).await;
    let duration = started.elapsed();
    wire.returned.note(place, &service.returns, replied.as_ref().ok().map(|reply| &reply.headers));
    let flown: Flown = match replied {
        Ok(reply) => {
            let kept = judged(wire, asking, &reply, sent);
            Ok(Arc::new(Content::read(&service.name, reply, &endpoint.error, kept)))
        }
        Err(error) => {
            let failure = error.failure(&service.name);
            tracing::warn!(upstream = %service.name, %error, "upstream call failed");
            Err(Arc::new(failure))
        }
    };
    let (outcome, answer) = match &flown {
        Ok(content) => {
            let answer = (&**content, wire.kept.clock().elapsed());
            (Outcome::Status(content.status().as_u16()), Some(answer))
        }
        Err(failure) => (Outcome::Failed(failure.code.as_str()), None),
    };
    note(wire, &asking.endpoint, asking.keys, &Ended { outcome, started, duration, answer });
    flown
}

/// Until when an answer may be kept; or why it is not.
fn judged(wire: &Wire, asking: &Asking, reply: &Reply, sent: Duration) -> Result<Until, NotKept> {
    let headers = wire.caller(&asking.service.name).ok();
    let identity = || headers.iter().flat_map(|headers| &headers.identity);
    // A header that is left out for want of a claim tells of the caller too: that it is nobody.
    let tells_who =
        identity().next().is_some() || headers.is_some_and(|headers| !headers.forwarded.is_empty());
    let now = wire.kept.clock().elapsed();
    let answer = Judged {
        method: &asking.request.method,
        status: reply.status,
        headers: &reply.headers,
        of_caller: asking.of_caller || tells_who,
        delay: now.saturating_sub(sent),
        date: wire.kept.clock().date(),
        declared: asking.endpoint.cache.map(|CacheControl { max_age, scope }| Declared {
            max_age,
            scope: match scope {
                CacheScope::Public => Scope::Shared,
                CacheScope::Private => Scope::Private,
            },
        }),
    };
    let judged = judge(answer, |name| {
        if *name == REQUEST_ID || matches!(name.as_str(), "traceparent" | "tracestate") {
            Varying::Call
        } else if identity().any(|(known, _)| is_same_header(known, name)) {
            Varying::Caller
        } else {
            Varying::Same
        }
    });
    // Where nothing is kept, who may share a call under way is judged all the same.
    let Keep { fresh_for, scope } = judged?;
    let until = Until { until: now + fresh_for, scope };
    if wire.kept.is_on() { Ok(until) } else { Err(NotKept::Off) }
}

/// Notes how a call of an endpoint, for so many keys of a batch, ended, how long it took, and what
/// became of its answer.
pub(super) fn note(wire: &Wire, endpoint: &Endpoint, keys: Option<usize>, ended: &Ended<'_>) {
    let Ended { outcome, duration, answer, .. } = ended;
    let fate = match (outcome, answer) {
        (Outcome::Kept, _) => Some(Fate::Given),
        (Outcome::Coalesced, _) => Some(Fate::Coalesced),
        (_, Some((content, _))) => {
            Some(content.keeping().map_or_else(Fate::NotKept, |_| Fate::Kept))
        }
        (_, None) => None,
    };
    let not_kept = match fate {
        Some(Fate::NotKept(reason)) => Some(reason.as_str()),
        _ => None,
    };
    if let Some(reason) = not_kept {
        tracing::debug!(upstream = %endpoint.upstream, endpoint = %endpoint.label, reason, "not kept");
    }
    fate.into_iter().for_each(|fate| wire.kept.tally().count(fate));
    let service = Arc::clone(&endpoint.upstream);
    wire.log.record(Call { service, outcome: *outcome, duration: *duration, not_kept });
    if let Some(trace) = &wire.traced {
        trace.record(endpoint, keys, ended);
    }
}

/// A call that ends with the client's request at the latest, whatever its transport does.
async fn in_time(
    deadline: Instant,
    request: &Request,
    call: impl Future<Output = Result<Reply, Error>>,
) -> Result<Reply, Error> {
    timeout_at(deadline, call).await.unwrap_or_else(|_| Err(too_late(request)))
}

fn too_late(request: &Request) -> Error {
    Error::new(ErrorKind::Deadline, &request.method, &request.path_and_query)
}

/// The failure of a fetch whose service is not there; loading the schema has ruled it out.
pub(super) fn unknown_service(name: &Arc<str>) -> Arc<Failure> {
    Arc::new(Failure::new(Code::Internal, "The gateway cannot reach a service.").of(name, None))
}

#[cfg(test)]
pub(super) mod tests {
    use http::StatusCode;

    use super::*;
    use crate::cache::Clock;
    use crate::identity::Outbound;
    use crate::json::{Body, Path};
    use crate::limits::UpstreamCalls;
    use crate::observe::{CallLog, RequestId, TraceContext};
    use crate::schema::{EndpointId, ErrorRule, NotFound};
    use crate::template::{BodyEncoding, KeyMode, Rendered, RequestParts, RequestTemplate, Values};
    use crate::upstream::InMemory;

    /// Two callers who differ in one thing.
    pub(in crate::fetch) fn partitions() -> [Arc<Partition>; 2] {
        [r#""ada""#, r#""bob""#].map(|subject| {
            Arc::new(Partition::Of {
                issuer: None,
                subject: Some(subject.as_bytes().into()),
                scopes: [None, None],
                claims: Box::new([]),
                token: None,
            })
        })
    }

    /// What the calls of one request share.
    pub(in crate::fetch) fn wire(partition: &Arc<Partition>) -> Arc<Wire> {
        Arc::new(Wire {
            partition: Arc::clone(partition),
            budget: UpstreamCalls::new(1),
            deadline: Instant::now(),
            trace: TraceContext::new_trace(),
            request_id: RequestId::random(),
            callers: std::iter::empty().collect(),
            log: Arc::<CallLog>::default(),
            kept: Arc::new(super::super::Kept::new(0, Clock::hand())),
            traced: None,
            returned: super::super::Returned::default(),
        })
    }

    /// `/users?id={keys}` of a service that is told nothing.
    pub(in crate::fetch) fn endpoint() -> (Arc<Service>, Arc<Endpoint>, Arc<Rendered>) {
        let name: Arc<str> = "users".into();
        let transport = Arc::new(InMemory::new(|_: &Request, _: &CallContext<'_>| {
            Ok(Reply::json(StatusCode::OK, "[]"))
        }));
        let service = Service {
            name: Arc::clone(&name),
            transport,
            outbound: Outbound::default(),
            returns: Vec::new(),
        };
        let parts = RequestParts {
            method: Method::GET,
            path: "/users?id={keys}",
            headers: &[],
            body: None,
            encoding: BodyEncoding::Json,
        };
        let request = RequestTemplate::parse(parts, KeyMode::Many, &|_| None).expect("a template");
        let args = Body::parse("{}".into()).expect("JSON");
        let headers = http::HeaderMap::new();
        let values =
            Values { args: args.root(), this: &[], claims: None, headers: &headers, key: None };
        let rest = Arc::new(request.render(&values).expect("a request"));
        let endpoint = Endpoint {
            id: EndpointId(0),
            upstream: name,
            label: "GET /users?id={keys}".into(),
            request,
            this: Vec::new(),
            at: Path::root(),
            batch: None,
            error: ErrorRule::default(),
            timeout: None,
            not_found: NotFound::Null,
            cache: None,
        };
        (Arc::new(service), Arc::new(endpoint), rest)
    }

    /// A step's calls are one caller's, so that no request can try this.
    #[test]
    fn a_call_that_another_caller_has_made_is_not_given_to_this_one() {
        let [ada, bob] = partitions();
        let (service, endpoint, _) = endpoint();
        let path_and_query = "/account".to_owned();
        let request = Request { method: Method::GET, path_and_query, headers: vec![], body: None };
        let request = Arc::new(request);
        let fetch = FetchId(0);
        let (of_caller, keys, whole) = (false, None, true);
        let asking = Asking { fetch, service, endpoint, request, of_caller, keys, whole };
        let adas = Calls::new(wire(&ada), 0, true);
        let first = adas.open(asking.clone());
        assert!(first.ptr_eq(&adas.open(asking.clone())), "asked once");
        let bobs = Calls { wire: wire(&bob), ..adas };
        assert!(!first.ptr_eq(&bobs.open(asking)));
    }
}
