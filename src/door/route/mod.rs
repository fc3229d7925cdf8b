//! Plain REST paths that pass straight through: from a request to an upstream and back, both
//! bodies streamed.
//!
//! The order is GraphQL's: what costs little and refuses much comes first, and nothing of the body
//! is read of a caller who is not let in. What the gateway itself has to say is
//! `application/problem+json` (RFC 9457); what the upstream answers is passed as it is.

mod path;
mod upload;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Extension, Request, State};
use axum::response::Response;
use futures::TryStreamExt as _;
use http::header::{HOST, HeaderMap, UPGRADE};
use http::request::Parts;
use http::{Method, StatusCode, Version};
use tokio::time::Instant;

use crate::config::{self, RouteAuth};
use crate::identity::{ClientHeaders, Identity, Outbound};
use crate::observe::{Call, Outcome};
use crate::upstream::{CallContext, Passage, pass};

use super::Door;
use super::arrival::{Arrival, Told, has_one_reading};
use super::graphql::authenticate;
use super::reply::Refused;
use super::{console, health};
use path::{Fit, Path};
use upload::{Bounds, upload};

/// The routes of a gateway, the longest paths first.
#[derive(Debug, Default)]
pub struct Routes(Vec<Route>);

/// Paths that pass straight through to one service.
pub struct Route {
    service: Arc<str>,
    /// As the settings write it, for the access line.
    path: Arc<str>,
    segments: Vec<Box<str>>,
    /// What stands in the path's place; empty for `/`.
    to: String,
    auth: RouteAuth,
    timeout: Duration,
    max_body: Option<u64>,
    outbound: Outbound,
    passage: Arc<dyn Passage>,
}

impl Route {
    /// A route to a service, which is told of the caller what `outbound` says.
    #[must_use]
    pub fn new(
        service: Arc<str>,
        settings: &config::Route,
        outbound: Outbound,
        passage: Arc<dyn Passage>,
    ) -> Self {
        let path = settings.path.as_str();
        let segments = path.split('/').filter(|segment| !segment.is_empty());
        Self {
            service,
            path: path.into(),
            segments: segments.map(Box::from).collect(),
            to: settings.to.as_str().trim_end_matches('/').to_owned(),
            auth: settings.auth,
            timeout: settings.timeout,
            max_body: settings.max_body,
            outbound,
            passage,
        }
    }
}

impl FromIterator<Route> for Routes {
    fn from_iter<I: IntoIterator<Item = Route>>(routes: I) -> Self {
        let mut routes: Vec<Route> = routes.into_iter().collect();
        routes.sort_by_key(|route| std::cmp::Reverse(route.segments.len()));
        Self(routes)
    }
}

impl Routes {
    /// The route of a path, and what is to be asked of its service; `None`: nothing is there.
    fn find(&self, raw: &str) -> Result<Option<(&Route, String)>, Refused> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let path = Path::parse(raw).map_err(|wrong| Refused::malformed(wrong.0))?;
        for route in &self.0 {
            match path.fit(&route.segments) {
                Fit::Apart => {}
                Fit::Misspelt => {
                    let message = format!("This path is written `{}`.", route.path);
                    return Err(Refused::malformed(message));
                }
                Fit::Below(rest) => {
                    let path = format!("{}{rest}", route.to);
                    let path = if path.is_empty() { "/".to_owned() } else { path };
                    return Ok(Some((route, path)));
                }
            }
        }
        Ok(None)
    }
}

/// Answers a request to any path but GraphQL's and health's.
pub(super) async fn answer(
    State(door): State<Arc<Door>>,
    Extension(arrival): Extension<Arrival>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let (route, path) = match door.routes.find(parts.uri.path()) {
        Ok(Some(found)) => found,
        Ok(None) => {
            let to_console =
                console::redirect(&door, &parts.method, parts.uri.path(), &parts.headers);
            return to_console.unwrap_or_else(|| health::nothing_here(&door, &arrival));
        }
        Err(refused) => return refused.into_problem(&arrival.request_id),
    };
    let passed = route.pass(&door, &arrival, parts, path, body).await;
    let mut response = passed.unwrap_or_else(|refused| refused.into_problem(&arrival.request_id));
    response.extensions_mut().get_or_insert_default::<Told>().route = Some(route.path.clone());
    response
}

impl Route {
    async fn pass(
        &self,
        door: &Door,
        arrival: &Arrival,
        parts: Parts,
        path: String,
        body: Body,
    ) -> Result<Response, Refused> {
        admit(&parts)?;
        let identity = self.identify(door, arrival, &parts.headers).await?;
        let received = received(&parts);
        let Parts { method, uri, headers, .. } = parts;
        let client = ClientHeaders::new(headers, &door.reserved);
        let caller = self.outbound.headers(&identity, &client).map_err(Refused::from)?;
        let bounds = Bounds { size: self.max_body, silence: door.limits.deadline.get() };
        let (body, blame) = upload(body, bounds)?;
        let path_and_query = match uri.query() {
            Some(query) => format!("{path}?{query}"),
            None => path,
        };
        let headers = client.as_map();
        let request = pass::Request { method, path_and_query, headers, received, body };
        let context = CallContext {
            deadline: arrival.deadline,
            timeout: Some(self.timeout),
            trace: &arrival.trace,
            request_id: &arrival.request_id,
            headers: &caller,
        };
        let started = Instant::now();
        let answered = self.passage.pass(request, &context).await;
        let record = |outcome| {
            let (service, duration) = (Arc::clone(&self.service), started.elapsed());
            arrival.calls.record(Call { service, outcome, duration, not_kept: None });
        };
        match answered {
            Ok(reply) => {
                record(Outcome::Status(reply.status.as_u16()));
                Ok(self.respond(arrival, reply))
            }
            Err(error) => {
                let failure = error.failure(&self.service);
                let request_id = &arrival.request_id;
                tracing::warn!(upstream = %self.service, %error, %request_id, "upstream call failed");
                record(Outcome::Failed(failure.code.as_str()));
                Err(blame.refused().unwrap_or_else(|| failure.into()))
            }
        }
    }

    async fn identify(
        &self,
        door: &Door,
        arrival: &Arrival,
        headers: &HeaderMap,
    ) -> Result<Identity, Refused> {
        match self.auth {
            RouteAuth::Required => authenticate(door, arrival, headers, true).await,
            RouteAuth::Optional => authenticate(door, arrival, headers, false).await,
            RouteAuth::None => Ok(Identity::anonymous()),
        }
    }

    /// The upstream's answer as it is. If it breaks off, so does this one: its status is out.
    fn respond(&self, arrival: &Arrival, reply: pass::Reply) -> Response {
        let pass::Reply { status, headers, body } = reply;
        let (service, request_id) = (Arc::clone(&self.service), arrival.request_id.clone());
        let body = body.inspect_err(move |error| {
            tracing::warn!(upstream = %service, %error, %request_id, "the answer broke off");
        });
        let mut response = Response::new(Body::from_stream(body));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response.extensions_mut().insert(Told { streamed: true, ..Told::default() });
        response
    }
}

/// Whether a request can be passed on at all (RFC 9112 section 3.2; RFC 9110 sections 7.8 and 9.3).
fn admit(parts: &Parts) -> Result<(), Refused> {
    let Parts { method, headers, version, .. } = parts;
    let unknown = |message| Err(Refused::by_http(StatusCode::NOT_IMPLEMENTED, message));
    has_one_reading(headers)?;
    if *version == Version::HTTP_11 && !headers.contains_key(HOST) {
        return Err(Refused::unframed(StatusCode::BAD_REQUEST, "A request has one Host."));
    }
    if *method == Method::CONNECT || *method == Method::TRACE {
        return unknown("This method is not passed on.");
    }
    let websocket = |value: &http::HeaderValue| {
        let mut protocols = value.as_bytes().split(|byte| *byte == b',');
        protocols.any(|protocol| protocol.trim_ascii().eq_ignore_ascii_case(b"websocket"))
    };
    if headers.get_all(UPGRADE).iter().any(websocket) {
        return unknown("WebSockets are not passed on.");
    }
    Ok(())
}

fn received(parts: &Parts) -> pass::Received {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    // A target that names its host goes before the header (RFC 9112 section 3.2.2), and HTTP/2 has
    // no other.
    let target = parts.uri.authority().and_then(|authority| {
        authority.as_str().rsplit('@').next().and_then(|host| host.parse().ok())
    });
    pass::Received {
        version: parts.version,
        peer: peer.map(|ConnectInfo(peer)| peer.ip()),
        host: target.or_else(|| parts.headers.get(HOST).cloned()),
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Route({} -> {} {})", self.path, self.service, self.to)
    }
}
