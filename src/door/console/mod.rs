//! The console: GraphiQL at `/graphiql`, with panels for the plan and the trace of a request. It
//! needs nothing from anywhere but this gateway.

mod files;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Extension, Path, Request, State};
use axum::response::Response;
use axum::routing::get;
use axum::{Router, body::Body};
use bytes::Bytes;
use http::header::{ACCEPT, HOST, HeaderMap, HeaderValue, LOCATION, ORIGIN, VARY};
use http::{Method, StatusCode};
use serde::Serialize;
use url::{Host, Url};

use super::Door;
use super::arrival::Arrival;
use super::{health, reply};
use crate::identity::Permission;

/// Where the page is.
pub const CONSOLE_PATH: &str = "/graphiql";

/// What the page is given to begin with.
#[derive(Default)]
pub struct Console {
    /// What the project is called: what the page remembers, it remembers for that alone.
    pub project: Option<String>,
    /// Queries to try, in the order of their tabs.
    pub examples: Vec<ConsoleExample>,
    /// Makes tokens for people who try things out, if there are to be any. They are given to
    /// browsers on this machine only.
    pub token: Option<TokenSource>,
    /// Who may ask for a request's plan and trace.
    pub trace: Permission,
}

/// Makes a token that the gateway takes; `None`: it cannot.
pub type TokenSource = Box<dyn Fn() -> Option<String> + Send + Sync>;

/// A query to try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConsoleExample {
    /// What it is called.
    pub name: String,
    /// The document.
    pub query: Box<str>,
    /// Its variables, a JSON object's text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variables: Option<Box<str>>,
}

/// What the page asks for when it is opened.
#[derive(Serialize)]
struct Session<'a> {
    version: &'static str,
    endpoint: &'a str,
    /// Who is told plan and trace: nobody (`off`), everybody (`on`) or `some`.
    trace: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<&'a str>,
    examples: &'a [ConsoleExample],
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

/// Whether the whole page was built in, or a small one that says how to have it.
#[must_use]
pub fn console_is_whole() -> bool {
    files::are_embedded()
}

/// Whether the page stands at this door: GraphQL's own path was chosen on purpose, and goes first.
pub(super) fn is_at(door: &Door) -> bool {
    let below = door.path.strip_prefix(CONSOLE_PATH);
    let collides = below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    door.console.is_some() && !collides
}

/// The page's paths.
pub(super) fn routes() -> Router<Arc<Door>> {
    Router::new()
        .route("/graphiql", get(page))
        .route("/graphiql/", get(page))
        .route("/graphiql/session.json", get(session))
        .route("/graphiql/{*file}", get(file))
}

/// Sends a browser that opens `/`, where nothing else is, to the page.
pub(super) fn redirect(
    door: &Door,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
) -> Option<Response> {
    let is_browser = headers.get_all(ACCEPT).iter().any(|accept| {
        accept.to_str().is_ok_and(|accept| accept.to_ascii_lowercase().contains("text/html"))
    });
    if path != "/" || !matches!(*method, Method::GET | Method::HEAD) || !is_browser || !is_at(door)
    {
        return None;
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    headers.insert(LOCATION, HeaderValue::from_static(CONSOLE_PATH));
    headers.insert(VARY, HeaderValue::from_static("Accept"));
    Some(response)
}

async fn page(headers: HeaderMap) -> Response {
    files::page(&headers)
}

async fn file(
    State(door): State<Arc<Door>>,
    Extension(arrival): Extension<Arrival>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Response {
    files::file(&path, &headers).unwrap_or_else(|| health::nothing_here(&door, &arrival))
}

async fn session(State(door): State<Arc<Door>>, request: Request) -> Response {
    let Some(console) = &door.console else { return Response::new(Body::empty()) };
    let token = console.token.as_ref().filter(|_| is_of_this_machine(&request));
    let session = Session {
        version: env!("CARGO_PKG_VERSION"),
        endpoint: &door.path,
        trace: match console.trace {
            Permission::Nobody => "off",
            Permission::Everybody => "on",
            Permission::Callers(_) => "some",
        },
        project: console.project.as_deref(),
        examples: &console.examples,
        token: token.and_then(|token| token()),
    };
    let json = serde_json::to_vec(&session).unwrap_or_default();
    let kind = HeaderValue::from_static("application/json");
    let mut response = reply::bytes(StatusCode::OK, kind, Bytes::from(json));
    files::secure(response.headers_mut());
    response
}

/// Whether a request is of a page that a browser on this machine got from this gateway: the
/// connection comes from here, it was called by a name of this machine (a name that was made to
/// point here is another one), and no page of another origin asks.
fn is_of_this_machine(request: &Request) -> bool {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let is_near = peer.is_some_and(|ConnectInfo(peer)| peer.ip().to_canonical().is_loopback());
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let authority = request.uri().authority().map(http::uri::Authority::as_str);
    is_near && authority.or(host).is_some_and(is_local) && !request.headers().contains_key(ORIGIN)
}

fn is_local(authority: &str) -> bool {
    let Ok(url) = Url::parse(&format!("http://{authority}/")) else { return false };
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).to_canonical().is_loopback(),
        None => false,
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").field("trace", &self.trace).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_were_made_to_point_here_are_not_this_machines() {
        for host in ["localhost:4000", "127.0.0.1", "[::1]:4000", "127.8.0.1:1", "shop.localhost"] {
            assert!(is_local(host), "{host}");
        }
        for host in ["evil.test:4000", "127.0.0.1.evil.test", "10.0.0.1", "localhost.evil.test", ""]
        {
            assert!(!is_local(host), "{host}");
        }
    }
}
