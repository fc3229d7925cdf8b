//! HTTP in and out: the paths and the layers around them, GraphQL over HTTP, plain paths that pass
//! straight through, health, the console, CORS, and the one table from failures to statuses.
//!
//! It decides nothing about GraphQL: a request is taken apart, handed to an [`Engine`], and the
//! engine's bytes go out as they are. Errors on `/graphql` are GraphQL errors, on any other path
//! `application/problem+json` (RFC 9457).

mod accept;
mod arrival;
mod body;
mod coding;
mod compress;
mod console;
mod cors;
mod engine;
mod graphql;
mod health;
mod patience;
mod reply;
mod request;
mod route;
mod serve;
mod swap;
mod weighted;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
pub use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get};
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt as _};
use http::header::{HeaderMap, HeaderName};
use tokio::time::Instant;

use crate::config::{Config, GraphqlAuth, Limits};
use crate::failure::Code;
use crate::identity::{Authenticator, ClientHeaders, Identity};
use crate::observe::{CallLog, RequestId, TraceContext};

use cors::Cors;

pub use accept::{GRAPHQL_PREFLIGHT, MediaType};
pub use console::{CONSOLE_PATH, Console, ConsoleExample, TokenSource, console_is_whole};
pub use reply::status_of;
pub use request::GraphqlRequest;
pub use route::{Route, Routes};
pub use serve::{DRAIN, serve};
pub use swap::Swap;

/// What an engine may know of a request beside GraphQL.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// Its name in logs and answers.
    pub request_id: RequestId,
    /// Its place in a trace.
    pub trace: TraceContext,
    /// When it must be answered.
    pub deadline: Instant,
    /// The client's headers, without credentials and identity headers.
    pub headers: ClientHeaders,
    /// Where upstream calls are noted for the access line.
    pub calls: Arc<CallLog>,
}

/// What an engine answers.
#[derive(Debug, Clone)]
pub struct GraphqlResponse {
    /// The response as JSON.
    pub body: Bytes,
    /// What sort of response it is; HTTP's status follows from it.
    pub outcome: Outcome,
    /// The operation's name, for the access line.
    pub operation: Option<Arc<str>>,
    /// How many errors are in the response.
    pub errors: usize,
    /// More headers for the response; none that the gateway writes itself.
    pub headers: HeaderMap,
}

/// What sort of response an engine gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The operation ran: there is a `data` entry, null perhaps, and there may be errors.
    Executed,
    /// A request error: there is no `data` entry (specification section 7.1.4).
    RequestError(Code),
    /// The document's operation is a mutation, and the request may only bring queries: a request
    /// error too.
    MutationByGet,
}

/// What answers GraphQL requests.
#[async_trait]
pub trait Engine: Send + Sync + 'static {
    /// Answers one request. A panic costs that request only.
    async fn execute(
        &self,
        request: GraphqlRequest,
        identity: Identity,
        context: RequestContext,
    ) -> GraphqlResponse;

    /// Answers one request with as many responses as it takes: a query or a mutation with one, a
    /// subscription with one for each event. Nothing runs before the stream is polled, and dropping
    /// it ends all that it began. A first response that is a request error is the only one.
    fn stream(
        self: Arc<Self>,
        request: GraphqlRequest,
        identity: Identity,
        context: RequestContext,
    ) -> BoxStream<'static, GraphqlResponse> {
        stream::once(async move { self.execute(request, identity, context).await }).boxed()
    }
}

/// Everything that stands at the door: who may come in, and how much they may bring.
pub struct Door {
    engine: Arc<dyn Engine>,
    routes: Routes,
    console: Option<Console>,
    cors: Option<Cors>,
    authenticator: Authenticator,
    reserved: Vec<HeaderName>,
    auth: GraphqlAuth,
    limits: Limits,
    path: String,
    compression: bool,
}

impl Door {
    /// As the settings say. `reserved` are the identity headers of every upstream.
    #[must_use]
    pub fn new(
        config: &Config,
        authenticator: Authenticator,
        reserved: Vec<HeaderName>,
        engine: Arc<dyn Engine>,
    ) -> Self {
        Self {
            engine,
            routes: Routes::default(),
            console: None,
            cors: config.cors.as_ref().map(Cors::new),
            authenticator,
            reserved,
            auth: config.graphql.auth,
            limits: config.limits.clone(),
            path: config.graphql.path.as_str().to_owned(),
            compression: config.graphql.compression,
        }
    }

    /// The same with plain paths that pass straight through.
    #[must_use]
    pub fn with_routes(self, routes: Routes) -> Self {
        Self { routes, ..self }
    }

    /// The same with GraphiQL at [`CONSOLE_PATH`].
    #[must_use]
    pub fn with_console(self, console: Console) -> Self {
        Self { console: Some(console), ..self }
    }
}

/// The whole of HTTP, from the innermost outwards.
pub fn router(door: Arc<Door>) -> Router {
    door.authenticator.start();
    // One handler for all methods: what is not allowed there is a GraphQL error too.
    let mut router = Router::new().route(&door.path, any(graphql::answer));
    // For whoever starts and stops the gateway; no token is asked for.
    let health = [("/health/live", get(health::live)), ("/health/ready", get(health::ready))];
    for (path, answer) in health {
        // The router panics if two want the same path; GraphQL's was chosen on purpose.
        if door.path != path {
            router = router.route(path, answer);
        }
    }
    if console::is_at(&door) {
        router = router.merge(console::routes());
    }
    router
        // Whatever is none of these is a route's, or nobody's.
        .fallback(route::answer)
        .method_not_allowed_fallback(health::method_not_allowed)
        // Outermost, so that each answer has its id, each request its line of the log, and a panic
        // anywhere within costs that request only.
        .layer(from_fn_with_state(Arc::clone(&door), arrival::frame))
        .with_state(door)
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door")
            .field("authenticator", &self.authenticator)
            .field("path", &self.path)
            .field("routes", &self.routes)
            .finish_non_exhaustive()
    }
}
