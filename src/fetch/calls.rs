//! The upstream calls of one step: identical requests are made once, each within the request's
//! budget and deadline.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use tokio::time::{Instant, timeout_at};

use super::answer::Content;
use super::{Service, Wire};
use crate::cache::Partition;
use crate::failure::{Code, Failure};
use crate::observe::{Call, Outcome};
use crate::template::Request;
use crate::upstream::{CallContext, Error, ErrorKind, Reply};

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
    made: Mutex<HashMap<CallKey, SharedCall>>,
}

impl Calls {
    /// No call made yet.
    pub(super) fn new(wire: Arc<Wire>) -> Self {
        Self { wire, made: Mutex::default() }
    }

    /// The call that asks this, made now unless it was made before. It starts when first polled.
    pub(super) fn open(
        &self,
        service: &Arc<Service>,
        request: Arc<Request>,
        timeout: Option<Duration>,
    ) -> SharedCall {
        let key = CallKey {
            service: Arc::clone(&service.name),
            request,
            partition: Arc::clone(&self.wire.partition),
        };
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        match made.entry(key) {
            Entry::Occupied(earlier) => earlier.get().clone(),
            Entry::Vacant(place) => {
                let request = Arc::clone(&place.key().request);
                let (wire, service) = (Arc::clone(&self.wire), Arc::clone(service));
                let call = async move { call(&wire, &service, &request, timeout).await };
                place.insert(call.boxed().shared()).clone()
            }
        }
    }
}

async fn call(
    wire: &Wire,
    service: &Service,
    request: &Request,
    timeout: Option<Duration>,
) -> Result<Arc<Content>, Arc<Failure>> {
    let headers = match wire.callers.get(&service.name) {
        Some(Ok(headers)) => headers,
        Some(Err(failure)) => return Err(Arc::clone(failure)),
        None => return Err(unknown_service(&service.name)),
    };
    if Instant::now() >= wire.deadline {
        return Err(Arc::new(too_late(request).failure(&service.name)));
    }
    wire.budget.take().map_err(|failure| Arc::new(failure.of(&service.name, None)))?;
    let context = CallContext {
        deadline: wire.deadline,
        timeout,
        trace: &wire.trace,
        request_id: &wire.request_id,
        headers,
    };
    let started = Instant::now();
    let replied = in_time(wire.deadline, request, service.transport.call(request, &context)).await;
    let answered = replied.map_err(|error| {
        let failure = error.failure(&service.name);
        tracing::warn!(upstream = %service.name, %error, "upstream call failed");
        Arc::new(failure)
    });
    wire.log.record(Call {
        service: Arc::clone(&service.name),
        outcome: match &answered {
            Ok(reply) => Outcome::Status(reply.status.as_u16()),
            Err(failure) => Outcome::Failed(failure.code.as_str()),
        },
        duration: started.elapsed(),
    });
    answered.map(|reply| Arc::new(Content::read(&service.name, reply)))
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
