//! The services a plan's fetches go to, and what every call of one request shares.

use std::sync::Arc;

use http::HeaderName;
use indexmap::IndexMap;
use tokio::time::Instant;

use super::{Kept, Returned, Trace};
use crate::cache::Partition;
use crate::failure::Failure;
use crate::identity::{ClientHeaders, Identity, Outbound};
use crate::limits::UpstreamCalls;
use crate::observe::{CallLog, RequestId, TraceContext};
use crate::upstream::{CallerHeaders, Transport};

/// One upstream as fetches see it.
pub struct Service {
    /// Its name: the stem of its settings file.
    pub name: Arc<str>,
    /// What makes its calls.
    pub transport: Arc<dyn Transport>,
    /// What it is told of the caller.
    pub outbound: Outbound,
    /// The headers of its answers that the client is given.
    pub returns: Vec<HeaderName>,
}

/// Every upstream, by name.
#[derive(Default)]
pub struct Services(IndexMap<Arc<str>, Arc<Service>>);

impl Services {
    /// These services.
    pub fn new(services: impl IntoIterator<Item = Service>) -> Self {
        let named =
            services.into_iter().map(|service| (Arc::clone(&service.name), Arc::new(service)));
        Self(named.collect())
    }

    /// What each service is told of this caller.
    pub(crate) fn callers(
        &self,
        identity: &Identity,
        client: &ClientHeaders,
    ) -> IndexMap<Arc<str>, Result<CallerHeaders, Arc<Failure>>> {
        let told = |(name, service): (&Arc<str>, &Arc<Service>)| {
            let headers = service.outbound.headers(identity, client).map_err(Arc::new);
            (Arc::clone(name), headers)
        };
        self.0.iter().map(told).collect()
    }

    /// A service by its name.
    ///
    /// # Errors
    /// A fault of the gateway: loading a schema refuses names that no settings file has.
    pub(super) fn get(&self, name: &Arc<str>) -> Result<Arc<Service>, Arc<Failure>> {
        self.0.get(name).cloned().ok_or_else(|| super::calls::unknown_service(name))
    }
}

impl Wire {
    /// What a service is told of the caller.
    ///
    /// # Errors
    /// If a claim of the caller cannot be told to it.
    pub(super) fn caller(&self, service: &Arc<str>) -> Result<&CallerHeaders, Arc<Failure>> {
        match self.callers.get(service) {
            Some(Ok(headers)) => Ok(headers),
            Some(Err(failure)) => Err(Arc::clone(failure)),
            None => Err(super::calls::unknown_service(service)),
        }
    }
}

/// What every upstream call of one request shares.
pub struct Wire {
    /// Whose answers may be shared with whom: in the key of every loader and every call.
    pub partition: Arc<Partition>,
    /// How many calls the request may still make.
    pub budget: UpstreamCalls,
    /// When the request ends.
    pub deadline: Instant,
    /// The request's place in a trace.
    pub trace: TraceContext,
    /// The request's id.
    pub request_id: RequestId,
    /// What each service is told of the caller.
    pub callers: IndexMap<Arc<str>, Result<CallerHeaders, Arc<Failure>>>,
    /// Where calls are noted as they end.
    pub log: Arc<CallLog>,
    /// Where they are told of in full, if the caller asked for that and may.
    pub traced: Option<Arc<Trace>>,
    /// What is kept between requests.
    pub kept: Arc<Kept>,
    /// Headers that the client is given.
    pub returned: Returned,
}
