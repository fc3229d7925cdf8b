//! A checked project becomes a running gateway: the engine over its services, the paths that pass
//! straight through to them, and the door before both. Everything that stands between files and requests is put together here, and only here.

mod examples;
mod project;

use std::collections::BTreeMap;
use std::sync::Arc;

use http::HeaderName;

use crate::cache::Clock;
use crate::config::{Auth, Config, Dev, ServiceName, Upstream};
use crate::door::{self, Console, Door, Route, Router, Routes, TokenSource};
use crate::engine::{Engine, EngineSettings};
use crate::fetch::{Service, Services};
use crate::identity::{Authenticator, Outbound, Permission, ReadClaims, mint};
use crate::template::Condition;
use crate::upstream::{BuildError, Client, Passage, Transport};

pub use crate::config::Mode;
pub use examples::{EXAMPLES, Example};
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
        let Config { limits, upstreams, .. } = &project.config;
        let client = |(name, upstream): (&ServiceName, &Upstream)| {
            Ok((name.clone(), Arc::new(Client::new(upstream, limits)?)))
        };
        let clients: BTreeMap<ServiceName, Arc<Client>> =
            upstreams.iter().map(client).collect::<Result<_, _>>()?;
        let routes = routes(&project, &clients);
        let authenticator = Authenticator::online(&project.config.auth, project.read_claims())?;
        let client = |upstream: &Upstream| clients.get(&upstream.name).cloned();
        let transport = |upstream: &Upstream| client(upstream).map(|client| client as _);
        Ok(Self::assemble(project, mode, authenticator, transport, routes))
    }

    /// A gateway over transports and a clock of the caller's, without plain paths; an upstream
    /// without a transport is left out. It reaches no network, so that the keys of a JWKS cannot be
    /// had.
    pub fn over(
        project: Project,
        mode: Mode,
        clock: Clock,
        transport: impl Fn(&Upstream) -> Option<Arc<dyn Transport>>,
    ) -> Self {
        let authenticator = |auth: &Auth, read| Authenticator::new(auth, read).with_clock(clock);
        Self::over_with(project, mode, authenticator, transport)
    }

    /// The same with an authenticator of the caller's, whose clock is the gateway's.
    pub fn over_with(
        project: Project,
        mode: Mode,
        authenticator: impl FnOnce(&Auth, ReadClaims) -> Authenticator,
        transport: impl Fn(&Upstream) -> Option<Arc<dyn Transport>>,
    ) -> Self {
        let authenticator = authenticator(&project.config.auth, project.read_claims());
        Self::assemble(project, mode, authenticator, transport, Routes::default())
    }

    fn assemble(
        project: Project,
        mode: Mode,
        authenticator: Authenticator,
        transport: impl Fn(&Upstream) -> Option<Arc<dyn Transport>>,
        routes: Routes,
    ) -> Self {
        let Project { config, catalog, name, examples, outbound, trace } = project;
        let trace = may_trace(&config, trace, mode);
        let reserved: Vec<HeaderName> =
            outbound.values().flat_map(Outbound::identity_names).cloned().collect();
        let services = Services::new(services(&config, outbound, &transport));
        let introspection = config.graphql.introspection.is_on(mode);
        let settings = EngineSettings {
            limits: config.limits.clone(),
            introspection,
            suggestions: introspection && config.graphql.suggestions.is_on(mode),
            trace: trace.clone(),
            answers: config.cache.size.bytes(),
            clock: authenticator.clock().clone(),
        };
        let engine = Arc::new(Engine::new(catalog, services, settings));
        let mut door =
            Door::new(&config, authenticator, reserved, engine.clone()).with_routes(routes);
        if config.graphql.graphiql.is_on(mode) {
            door = door.with_console(Console {
                project: name.filter(|_| mode == Mode::Dev),
                examples: examples.into_iter().map(Into::into).collect(),
                token: (mode == Mode::Dev).then(|| token(&config)).flatten(),
                trace,
            });
        }
        Self { engine, door: Arc::new(door) }
    }

    /// Everything that the gateway answers over HTTP. Within a runtime, keys of a JWKS begin to be
    /// fetched.
    pub fn router(&self) -> Router {
        door::router(Arc::clone(&self.door))
    }
}

/// Who may ask for plan and trace. In `dev` that is everybody, where the settings do not say nobody.
fn may_trace(config: &Config, callers: Option<Condition>, mode: Mode) -> Permission {
    if config.graphql.trace.is_everybody(mode) {
        return Permission::Everybody;
    }
    callers.map_or(Permission::Nobody, |condition| Permission::Callers(Arc::new(condition)))
}

/// Makes the tokens of `[dev.token]`, if an issuer's secret is known.
fn token(config: &Config) -> Option<TokenSource> {
    let issuer = config.auth.jwt.iter().find(|issuer| issuer.secret().is_some())?.clone();
    let Dev { token_claims: claims, token_lifetime: lifetime, .. } = config.dev.clone();
    Some(Box::new(move || mint(&issuer, claims.clone(), lifetime).ok()))
}

/// The plain paths of every upstream.
fn routes(project: &Project, clients: &BTreeMap<ServiceName, Arc<Client>>) -> Routes {
    let of = |(name, client): (&ServiceName, &Arc<Client>)| {
        let (upstream, outbound) =
            (project.config.upstreams.get(name)?, project.outbound.get(name)?);
        let service: Arc<str> = name.as_str().into();
        let route = |route| {
            let passage: Arc<dyn Passage> = Arc::clone(client) as _;
            Route::new(Arc::clone(&service), route, outbound.clone(), passage)
        };
        Some(upstream.routes.iter().map(route).collect::<Vec<_>>())
    };
    clients.iter().filter_map(of).flatten().collect()
}

fn services(
    config: &Config,
    outbound: BTreeMap<ServiceName, Outbound>,
    transport: impl Fn(&Upstream) -> Option<Arc<dyn Transport>>,
) -> Vec<Service> {
    let service = |(name, outbound): (ServiceName, Outbound)| {
        let upstream = config.upstreams.get(&name)?;
        let (transport, returns) = (transport(upstream)?, upstream.return_headers.clone());
        Some(Service { name: Arc::from(name.as_str()), transport, outbound, returns })
    };
    outbound.into_iter().filter_map(service).collect()
}
