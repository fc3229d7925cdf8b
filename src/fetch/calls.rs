//! The upstream calls of one step: identical requests are made once, each within the request's
//! budget and deadline.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use http::Method;
use tokio::time::{Instant, timeout_at};

use super::answer::Content;
use super::kept::{Ask, Flown, Forwarded, Role, Until};
use super::trace::Ended;
use super::{Service, Wire};
use crate::cache::{Declared, Judged, Keep, NotKept, Partition, Scope, Varying, judge};
use crate::failure::{Code, Failure};
use crate::observe::{Call, Outcome, REQUEST_ID};
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
    /// Whether answers may come from before this step.
    takes_kept: bool,
    made: Mutex<HashMap<CallKey, SharedCall>>,
}

/// A request to be made.
#[derive(Clone)]
pub(super) struct Asking {
    pub(super) service: Arc<Service>,
    pub(super) endpoint: Arc<Endpoint>,
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
    pub(super) fn new(wire: Arc<Wire>, takes_kept: bool) -> Self {
        Self { wire, takes_kept, made: Mutex::default() }
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
        let key = CallKey {
            service: Arc::clone(&asking.service.name),
            request: Arc::clone(&asking.request),
            partition: Arc::clone(&self.wire.partition),
        };
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        match made.entry(key) {
            Entry::Occupied(earlier) => earlier.get().clone(),
            Entry::Vacant(place) => {
                let (wire, takes_kept) = (Arc::clone(&self.wire), self.takes_kept);
                let call = async move { answer(&wire, &asking, takes_kept).await };
                place.insert(call.boxed().shared()).clone()
            }
        }
    }
}

/// An answer that is kept, or that another request waits for already, or else a call's.
async fn answer(wire: &Arc<Wire>, asking: &Asking, takes_kept: bool) -> Flown {
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
        record(wire, asking, &Ended { outcome, started, duration: Duration::ZERO, answer: None });
        return Ok(content);
    }
    if !is_get || !takes_kept {
        return call(wire, asking).await.inspect(|content| keep(wire, asking, ask, content));
    }
    let own = || {
        let (wire, asking) = (Arc::clone(wire), asking.clone());
        async move { call(&wire, &asking).await }.boxed()
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
        record(wire, asking, &Ended { outcome, started, duration, answer: None });
        return flown;
    }
    call(wire, asking).await.inspect(|content| keep(wire, asking, ask, content))
}

fn keep(wire: &Wire, asking: &Asking, ask: Ask, content: &Arc<Content>) {
    if asking.whole
        && let Some(until) = content.until()
    {
        wire.kept.keep_answer(ask, &wire.partition, Arc::clone(content), until);
    }
}

/// What of the client's goes along, in the order of the settings.
pub(super) fn forwarded(headers: &CallerHeaders) -> Forwarded {
    headers.forwarded.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}

async fn call(wire: &Wire, asking: &Asking) -> Flown {
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
    record(wire, asking, &Ended { outcome, started, duration, answer });
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
    match judged {
        Ok(Keep { fresh_for, scope }) => Ok(Until { until: now + fresh_for, scope }),
        Err(reason) => {
            let endpoint = &asking.endpoint.label;
            tracing::debug!(upstream = %asking.service.name, %endpoint, %reason, "not kept");
            Err(reason)
        }
    }
}

fn record(wire: &Wire, asking: &Asking, ended: &Ended<'_>) {
    let Ended { outcome, duration, .. } = *ended;
    wire.log.record(Call { service: Arc::clone(&asking.service.name), outcome, duration });
    if let Some(trace) = &wire.traced {
        trace.record(&asking.endpoint, asking.keys, ended);
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
