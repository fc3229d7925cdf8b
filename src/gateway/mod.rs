//! A checked project becomes a running gateway: the engine over its services, and the door before
//! it. Everything that stands between files and requests is put together here, and only here.

mod project;

use std::collections::BTreeMap;
use std::sync::Arc;

use http::HeaderName;

use crate::cache::Clock;
use crate::config::{ServiceName, Upstream};
use crate::door::{self, Door, Router};
use crate::engine::{Engine, EngineSettings};
use crate::fetch::{Service, Services};
use crate::identity::{Authenticator, Outbound};
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
    /// If a client of an upstream cannot be made.
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
        Ok(Self::over(project, mode, Clock::machine(), |upstream| {
            clients.get(&upstream.name).cloned()
        }))
    }

    /// A gateway over transports and a clock of the caller's; an upstream without a transport is left
    /// out.
    pub fn over(
        project: Project,
        mode: Mode,
        clock: Clock,
        transport: impl Fn(&Upstream) -> Option<Arc<dyn Transport>>,
    ) -> Self {
        let authenticator = Authenticator::new(&project.config.auth, project.read_claims());
        let Project { config, catalog, outbound } = project;
        let reserved: Vec<HeaderName> =
            outbound.values().flat_map(Outbound::identity_names).cloned().collect();
        let services =
            Services::new(named(outbound, |name| config.upstreams.get(name).and_then(&transport)));
        let settings = EngineSettings {
            limits: config.limits.clone(),
            introspection: config.graphql.introspection.is_on(mode),
            suggestions: config.graphql.suggestions.is_on(mode),
            answers: config.cache.size.bytes(),
            clock,
        };
        let engine = Arc::new(Engine::new(catalog, services, settings));
        let door = Door::new(&config, authenticator, reserved, engine.clone());
        Self { engine, door: Arc::new(door) }
    }

    /// Everything that the gateway answers over HTTP.
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
