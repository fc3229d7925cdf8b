//! A checked project becomes a running gateway: the engine over its services, and the door before
//! it. Everything that stands between files and requests is put together here, and only here.

mod project;

use std::collections::BTreeMap;
use std::sync::Arc;

use http::HeaderName;

use crate::config::{Auth, ServiceName, Upstream};
use crate::door::{self, Door, Router};
use crate::engine::{Engine, EngineSettings};
use crate::fetch::{Service, Services};
use crate::identity::{Authenticator, Outbound, ReadClaims};
use crate::upstream::{BuildError, Client, Transport};

pub use crate::config::Mode;
pub use project::Project;

/// A gateway, ready to answer.
pub struct Gateway {
    /// What answers GraphQL requests, for embedders that bring their own door.
    pub engine: Arc<Engine>,
    door: Arc<Door>,
}

impl Gateway {
    /// A gateway over the network.
    ///
    /// # Errors
    /// If a client of an upstream or of a JWKS cannot be made.
    pub fn new(project: Project, mode: Mode) -> Result<Self, BuildError> {
        let limits = project.config.limits.clone();
        let clients: Result<BTreeMap<_, _>, _> = project
            .config
            .upstreams
            .iter()
            .map(|(name, upstream)| {
                let client: Arc<dyn Transport> = Arc::new(Client::new(upstream, &limits)?);
                Ok((name.clone(), client))
            })
            .collect();
        let clients = clients?;
        let authenticator = Authenticator::online(&project.config.auth, project.read_claims())?;
        let client = |upstream: &Upstream| clients.get(&upstream.name).cloned();
        Ok(Self::over_with(project, mode, |_, _| authenticator, client))
    }

    /// A gateway over transports of the caller's; an upstream without one is left out. It reaches no
    /// network, so that the keys of a JWKS cannot be had.
    pub fn over(
        project: Project,
        mode: Mode,
        transport: impl Fn(&Upstream) -> Option<Arc<dyn Transport>>,
    ) -> Self {
        Self::over_with(project, mode, Authenticator::new, transport)
    }

    /// The same with an authenticator of the caller's: keys from elsewhere, or another clock.
    pub fn over_with(
        project: Project,
        mode: Mode,
        authenticator: impl FnOnce(&Auth, ReadClaims) -> Authenticator,
        transport: impl Fn(&Upstream) -> Option<Arc<dyn Transport>>,
    ) -> Self {
        let authenticator = authenticator(&project.config.auth, project.read_claims());
        let Project { config, catalog, outbound } = project;
        let reserved: Vec<HeaderName> =
            outbound.values().flat_map(Outbound::identity_names).cloned().collect();
        let services =
            Services::new(named(outbound, |name| config.upstreams.get(name).and_then(&transport)));
        let settings = EngineSettings {
            limits: config.limits.clone(),
            introspection: config.graphql.introspection.is_on(mode),
            suggestions: config.graphql.suggestions.is_on(mode),
        };
        let engine = Arc::new(Engine::new(catalog, services, settings));
        let door = Door::new(&config, authenticator, reserved, engine.clone());
        Self { engine, door: Arc::new(door) }
    }

    /// Everything that the gateway answers over HTTP. Within a runtime, keys of a JWKS begin to be
    /// fetched.
    pub fn router(&self) -> Router {
        door::router(Arc::clone(&self.door))
    }
}

fn named(
    outbound: BTreeMap<ServiceName, Outbound>,
    transport: impl Fn(&ServiceName) -> Option<Arc<dyn Transport>>,
) -> Vec<Service> {
    let service = |(name, outbound): (ServiceName, Outbound)| {
        let transport = transport(&name)?;
        Some(Service { name: Arc::from(name.as_str()), transport, outbound })
    };
    outbound.into_iter().filter_map(service).collect()
}
