//! The services a plan's fetches go to, and what every call of one request shares.

use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

use crate::cache::Partition;
use crate::failure::Failure;
use crate::limits::UpstreamCalls;
use crate::schema::{Endpoint, ErrorRule};
use crate::upstream::{CallContext, Transport};

/// One upstream as fetches see it.
pub struct Service {
    /// Its name: the stem of its settings file.
    pub name: Arc<str>,
    /// What makes its calls.
    pub transport: Arc<dyn Transport>,
    /// What of a failed answer clients may read, where the endpoint does not say.
    pub error: ErrorRule,
}

impl Service {
    /// The endpoint's rule, completed by the service's.
    pub(super) fn error_rule(&self, endpoint: &Endpoint) -> ErrorRule {
        let (own, general) = (&endpoint.error, &self.error);
        ErrorRule {
            when: own.when.clone().or_else(|| general.when.clone()),
            message: own.message.clone().or_else(|| general.message.clone()),
            code: own.code.clone().or_else(|| general.code.clone()),
        }
    }
}

/// Every upstream, by name.
#[derive(Default)]
pub struct Services(IndexMap<Arc<str>, Arc<Service>>);

impl Services {
    /// These services.
    pub fn new(services: impl IntoIterator<Item = Service>) -> Self {
        let named = services.into_iter().map(|service| (Arc::clone(&service.name), Arc::new(service)));
        Self(named.collect())
    }

    /// A service by its name.
    ///
    /// # Errors
    /// A fault of the gateway: loading a schema refuses names that no settings file has.
    pub(super) fn get(&self, name: &Arc<str>) -> Result<Arc<Service>, Arc<Failure>> {
        self.0.get(name).cloned().ok_or_else(|| super::calls::unknown_service(name))
    }
}
